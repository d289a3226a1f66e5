import { useState } from "preact/hooks";
import { type Finding, get, type Health } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Facts, Problem, Table, Title } from "../parts/parts";

const GRADES = { well: "succeeded", look: "running", wrong: "failed" };
const FINDINGS: Column<Finding>[] = [
  { title: "What", cell: ({ what }) => what },
  { title: "Is", cell: ({ grade }) => <span class={`state ${GRADES[grade]}`}>{grade === "look" ? "worth a look" : grade}</span> },
  { title: "Found", cell: ({ told }) => <span class="long">{told}</span> },
  { title: "To do", cell: ({ do: todo }) => <span class="long">{todo ?? "–"}</span> },
];

/** Health is read without the client's helper: a server that is not ready answers 503, with the same body. */
async function health(): Promise<Health> {
  return (await fetch("/health")).json();
}

/** How many places for runs there are and how many are taken, from the metrics of all processes. */
async function workers(): Promise<{ all: number; busy: number; died: number }> {
  const text = await (await fetch("/metrics")).text();
  const sum = (name: string) => [...text.matchAll(new RegExp(`^${name}(?:{[^}]*})? (\\S+)$`, "gm"))].reduce((total, [, value]) => total + Number(value), 0);
  return { all: sum("qumulus_workers"), busy: sum("qumulus_workers_busy"), died: sum("qumulus_worker_deaths_total") };
}

export function System() {
  const information = useLoaded(() => get("/"), 0);
  const well = useLoaded(health, 0, () => true);
  const places = useLoaded(workers, 0, () => true);
  return (
    <>
      <Title text="System">{well.data && <span class={`state ${well.data.ready ? "succeeded" : "failed"}`}>{well.data.ready ? "ready" : "not ready"}</span>}</Title>
      <Problem error={information.error ?? well.error} />
      {well.data?.reason && <p class="problem">{well.data.reason}</p>}
      <h2>Health</h2>
      <ul class="checks">
        {well.data?.checks?.map((check) => (
          <li key={check.name}>
            <span class={`state ${check.well ? "succeeded" : "failed"}`}>{check.well ? "well" : "wrong"}</span> {check.name}
            {check.reason && `: ${check.reason}`}
          </li>
        ))}
      </ul>
      <h2>Workers</h2>
      {places.data && (
        <Facts
          facts={[
            ["Jobs that may run at once", places.data.all],
            ["Run now", places.data.busy],
            ["Workers that ended in a run", places.data.died],
          ]}
        />
      )}
      <Diagnosis />
      {information.data && (
        <>
          <h2>Versions</h2>
          <Facts facts={[["Qumulus", information.data.version], ...Object.entries(information.data.packages).map(([name, version]): [string, string] => [name, version])]} />
          <h2>APIs</h2>
          <ul>
            {information.data.apis.map((api) => (
              <li key={api.name}>
                <a href={`/docs?api=${api.name}`}>{api.title}</a>, {api.operations} operations
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );
}

/** What could be wrong with the machine of the server, looked for when somebody asks. */
function Diagnosis() {
  const [turn, setTurn] = useState(0);
  const found = useLoaded(async () => (turn ? (await get("/emulator/diagnosis")).findings : undefined), turn);
  return (
    <section aria-labelledby="diagnosis">
      <h2 id="diagnosis">The machine</h2>
      <button type="button" onClick={() => setTurn(turn + 1)}>
        Look for what could be wrong
      </button>
      <Problem error={found.error} />
      {found.data && <Table rows={found.data} columns={FINDINGS} id={({ what, told }) => `${what} ${told}`} caption="Machine, installation and state" />}
    </section>
  );
}
