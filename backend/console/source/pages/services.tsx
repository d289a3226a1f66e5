import { get, type Service } from "../api/client";
import { useLoaded } from "../api/live";
import { Code, type Column, Problem, Table, Title } from "../parts/parts";

const STATES = { READY: "succeeded", BUILDING: "running", FAILED: "failed" };

const COLUMNS: Column<Service>[] = [
  { title: "Service", cell: (service) => <a href={`/docs?api=services/${service.name}`}>{service.title || service.name}</a>, by: (service) => service.name },
  { title: "State", cell: (service) => <span class={`state ${STATES[service.state]}`}>{service.state.toLowerCase()}</span>, by: (service) => service.state },
  { title: "Entry point", cell: (service) => <code>{service.entrypoint}</code> },
  { title: "Executions", cell: (service) => <a href={`/console/jobs?device=service-${service.name}`}>show</a> },
  { title: "What is wrong", cell: (service) => service.reason ?? "–" },
];

export function Services() {
  const services = useLoaded(() => get("/emulator/services"), 0, () => true);
  return (
    <>
      <Title text="Services" />
      <Problem error={services.error} />
      {services.data?.length === 0 && (
        <>
          <p>No service is deployed. A folder with a program in src/program.py becomes one by:</p>
          <Code text="qumulus services add my-service" label="Deploy a service" />
        </>
      )}
      {services.data && services.data.length > 0 && <Table rows={services.data} columns={COLUMNS} id={(each) => each.name} caption="Deployed services" />}
    </>
  );
}
