import { useLocation } from "preact-iso/router";
import { useState } from "preact/hooks";
import { get, type Service, send } from "../api/client";
import { useLoaded } from "../api/live";
import { called, folder } from "../parts/files";
import { useAct } from "../parts/forms";
import { Code, type Column, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

export const SERVICE_STATES = { READY: "succeeded", BUILDING: "running", FAILED: "failed" };

const COLUMNS: Column<Service>[] = [
  { title: "Service", cell: (service) => <a href={`/console/services/${service.name}`}>{service.title || service.name}</a>, by: (service) => service.name },
  { title: "State", cell: (service) => <span class={`state ${SERVICE_STATES[service.state]}`}>{service.state.toLowerCase()}</span>, by: (service) => service.state },
  { title: "Entry point", cell: (service) => <code>{service.entrypoint}</code> },
  { title: "Deployed", cell: (service) => time(service.deployed_at), by: (service) => service.deployed_at },
  { title: "What is to be known", cell: (service) => service.reason ?? "–" },
];

export function Services() {
  const services = useLoaded(() => get("/emulator/services"), 0, () => true);
  return (
    <>
      <Title text="Services" />
      <Problem error={services.error} />
      {services.data?.length === 0 && (
        <>
          <p>No service is deployed. A folder with a program in src/program.py becomes one here, or by:</p>
          <Code text="qumulus services add my-service" label="Deploy a service" />
        </>
      )}
      {services.data && services.data.length > 0 && <Table rows={services.data} columns={COLUMNS} id={(each) => each.name} caption="Deployed services" />}
      <Deploy />
    </>
  );
}

/** Have a folder picked as a whole. */
function whole(input: HTMLInputElement | null): void {
  if (input) input.webkitdirectory = true;
}

/** Deploys a folder that is picked; a service of that name is replaced. */
function Deploy() {
  const { route } = useLocation();
  const { act, error } = useAct();
  const [picked, setPicked] = useState<FileList | null>(null);
  const [name, setName] = useState("");
  const deploy = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    void act(async () => {
      const body = { files: await folder(picked!), entrypoint: String(form.get("entrypoint")).trim() || undefined, strict: form.has("strict") || undefined };
      await send("PUT", "/emulator/services/{service}", { service: name }, body);
      route(`/console/services/${name}`);
    });
  };
  const pick = (files: FileList | null) => {
    setPicked(files);
    if (files) setName(called(files));
  };
  return (
    <section aria-labelledby="deploy">
      <h2 id="deploy">Deploy a folder</h2>
      <Problem error={error} />
      <form class="filters" onSubmit={deploy}>
        <label>
          Folder with src/program.py <input type="file" required ref={whole} onChange={(event) => pick(event.currentTarget.files)} />
        </label>
        <label>
          Name <input required pattern="[a-z0-9]([a-z0-9\-]*[a-z0-9])?" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </label>
        <label>
          Entry point <input name="entrypoint" placeholder="src.program:run" />
        </label>
        <label>
          <input name="strict" type="checkbox" /> let the vendor's runtime package call it
        </label>
        <button type="submit">Deploy</button>
      </form>
    </section>
  );
}
