import { useState } from "preact/hooks";
import { get, type Health, type Held, send } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Facts, Problem, Table, Title } from "../parts/parts";
import { time } from "../parts/words";

const HELD: Column<Held>[] = [
  { title: "Account", cell: (held) => held.account, by: (held) => held.account },
  { title: "Kind", cell: (held) => held.kind, by: (held) => held.kind },
  { title: "Jobs", cell: (held) => held.count.toLocaleString(), by: (held) => held.count, number: true },
  { title: "MiB", cell: (held) => (held.bytes / 2 ** 20).toFixed(1), by: (held) => held.bytes, number: true },
  { title: "Oldest", cell: (held) => time(held.oldest), by: (held) => held.oldest ?? null },
];

/** Health is read without the client's helper: a server that is not ready answers 503, with the same body. */
async function health(): Promise<Health> {
  return (await fetch("/health")).json();
}

export function System() {
  const [error, setError] = useState<Error>();
  const [told, setTold] = useState<string>();
  const information = useLoaded(() => get("/"), 0);
  const well = useLoaded(health, 0, () => true);
  const storage = useLoaded(() => get("/emulator/storage"), 0);
  const reset = async () => {
    if (!confirm("Forget all jobs, sessions, services and files? This can't be undone.")) return;
    try {
      setError(undefined);
      await send("POST", "/emulator/reset");
      setTold("Everything is forgotten.");
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return (
    <>
      <Title text="System">{well.data && <span class={`state ${well.data.ready ? "succeeded" : "failed"}`}>{well.data.ready ? "ready" : "not ready"}</span>}</Title>
      <Problem error={error ?? information.error ?? well.error} />
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
      <h2>State</h2>
      {storage.data && (
        <>
          <Facts
            facts={[
              ["Kept", storage.data.keep || "everything"],
              ["Quota of an account", storage.data.quota || "none"],
            ]}
          />
          <Table rows={storage.data.held} columns={HELD} id={(held) => `${held.account} ${held.kind}`} caption="Who has what stored" />
        </>
      )}
      {told && <p role="status">{told}</p>}
      <button type="button" class="danger" onClick={reset}>
        Forget everything
      </button>
    </>
  );
}
