import { get } from "../api/client";
import { useLoaded } from "../api/live";
import { Code, Problem, Table, Title } from "../parts/parts";
import { JOB_COLUMNS } from "./jobs";

const RECENT = 10;
const ELSEWHERE = location.origin === "http://127.0.0.1:8080" ? "" : ` --url ${location.origin}`; // commands look there by themselves
const FIRST_STEPS: { title: string; steps: { what: string; code: string }[] }[] = [
  {
    title: "IBM Quantum",
    steps: [
      { what: "Point the client here, in a shell", code: `eval "$(qumulus env ibm${ELSEWHERE})"` },
      { what: "Install the client", code: "pip install qiskit-ibm-runtime" },
      {
        what: "Run a Bell pair, in Python",
        code: `from qiskit import QuantumCircuit, transpile
from qiskit_ibm_runtime import QiskitRuntimeService, SamplerV2

backend = QiskitRuntimeService().backend("ibm_brisbane")
bell = QuantumCircuit(2)
bell.h(0)
bell.cx(0, 1)
bell.measure_all()
job = SamplerV2(backend).run([transpile(bell, backend)], shots=1000)
print(job.result()[0].data.meas.get_counts())`,
      },
    ],
  },
  {
    title: "OQTOPUS",
    steps: [
      { what: "Point the client here, in a shell", code: `eval "$(qumulus env oqtopus${ELSEWHERE})"` },
      { what: "Install the client", code: "pip install quri-parts-oqtopus" },
      {
        what: "Run a Bell pair, in Python",
        code: `from quri_parts_oqtopus.backend import OqtopusSamplingBackend

bell = 'OPENQASM 3; include "stdgates.inc"; qubit[2] q; bit[2] c; h q[0]; cx q[0], q[1]; c = measure q;'
job = OqtopusSamplingBackend().sample_qasm(bell, device_id="Kawasaki", shots=1000)
print(job.result(wait=0.1).counts)`,
      },
    ],
  },
  {
    title: "PLANQK",
    steps: [
      {
        what: "Write a program and deploy its folder, in a shell",
        code: `mkdir -p my-service/src
cat > my-service/src/program.py <<'END'
def run(data, params):
    return {"sum": sum(data["values"])}
END
qumulus services add my-service${ELSEWHERE}`,
      },
      { what: "Install the client", code: "pip install qhub-service" },
      {
        what: "Call the service, in Python",
        code: `from qhub.service.client import HubServiceClient

client = HubServiceClient(
    "${location.origin}/services/my-service", "qumulus", "qumulus-local", token_endpoint="${location.origin}/token"
)
print(client.run(request={"data": {"values": [1, 2, 3]}, "params": {}}).result())`,
      },
    ],
  },
];

export function Overview() {
  const recent = useLoaded(() => get("/emulator/jobs", {}, { limit: RECENT }), 0, () => true);
  const count = (state: "queued" | "running" | "failed") => useLoaded(() => get("/emulator/jobs", {}, { state, limit: 1 }), state, () => true).data?.total;
  const figures = [
    { name: "Jobs", value: recent.data?.total, to: "/console/jobs" },
    { name: "Waiting", value: count("queued"), to: "/console/jobs?state=queued" },
    { name: "Running", value: count("running"), to: "/console/jobs?state=running" },
    { name: "Failed", value: count("failed"), to: "/console/jobs?state=failed" },
  ];
  const empty = recent.data?.total === 0;
  return (
    <>
      <Title text="Overview" />
      <Problem error={recent.error} />
      <ul class="figures">
        {figures.map(({ name, value, to }) => (
          <li key={name}>
            <a href={to}>
              <b>{value?.toLocaleString() ?? "–"}</b> {name}
            </a>
          </li>
        ))}
      </ul>
      {empty && <p role="status">No job yet. Take one of these three ways; this page shows the job when it arrives.</p>}
      {recent.data && !empty && <Table rows={recent.data.jobs} columns={JOB_COLUMNS} id={(job) => job.id} caption="The newest jobs" />}
      {recent.data && (empty ? <FirstSteps /> : (
        <details>
          <summary>First steps</summary>
          <FirstSteps />
        </details>
      ))}
    </>
  );
}

function FirstSteps() {
  return (
    <div class="families">
      {FIRST_STEPS.map(({ title, steps }) => (
        <section key={title}>
          <h2>{title}</h2>
          <ol>
            {steps.map(({ what, code }) => (
              <li key={what}>
                {what}
                <Code text={code} label={`${title}: ${what}`} />
              </li>
            ))}
          </ol>
        </section>
      ))}
    </div>
  );
}
