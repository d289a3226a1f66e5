import { type Fault, type FaultKind, get, type NewFault, send } from "../../api/client";
import { useLoaded } from "../../api/live";
import { type Field, Form } from "../../parts/forms";
import { type Column, Problem, Table } from "../../parts/parts";
import { seconds, time } from "../../parts/words";
import type { Part } from "./clock";

const KINDS: Record<FaultKind, string> = {
  error: "An error in place of the answer",
  slow: "A slow answer",
  cut: "An answer that is cut off",
  garbled: "A garbled answer",
  reset: "A connection that is reset",
  refused: "No connection: the server does not listen",
  page: "The page of a proxy",
  "not-authenticated": "A credential that is let in no more",
  "limit-reached": "A limit of usage",
  "no-result": "A result that can't be fetched yet",
  "job-fails": "A job that fails at once",
  "job-fails-at-end": "A job that fails at its end",
  "job-runs-too-long": "A job that runs too long",
  "job-stays-queued": "A job that stays queued",
  "worker-lost": "A job whose worker is lost",
  "provider-silent": "A provider that falls silent",
  "device-paused": "A device that is paused",
  "device-in-maintenance": "A device in maintenance",
  "device-retired": "A device that is retired",
  "device-broken": "A device with broken qubits or gates",
};

// the console itself would be refused as well
const OFFERED = Object.entries(KINDS).filter(([kind]) => kind !== "refused");
const FIELDS: Field[] = [
  { name: "kind", label: "What goes wrong", options: OFFERED },
  { name: "api", label: "API", placeholder: "all", pattern: "[a-z\\/]+" },
  { name: "device", label: "Device", placeholder: "all" },
  { name: "status", label: "Status", type: "number", min: 200, max: 599 },
  { name: "seconds", label: "Seconds", type: "number", min: 0 },
  { name: "times", label: "Times", type: "number", min: 1 },
  { name: "dry_run", label: "only count", type: "checkbox" },
];
const MORE: Field[] = [
  { name: "operation", label: "Operation", placeholder: "all" },
  { name: "purpose", label: "Purpose", options: [["", "any"], "submit", "result", "token"] },
  { name: "account", label: "Account", placeholder: "all" },
  { name: "tag", label: "Tag", placeholder: "all" },
  { name: "nth", label: "Only number", type: "number", min: 1 },
  { name: "passes", label: "Passes first", type: "number", min: 0 },
  { name: "probability", label: "Probability", type: "number", min: 0, max: 1 },
  { name: "seed", label: "Seed", type: "number", min: 0 },
  { name: "after_seconds", label: "After seconds", type: "number", min: 0 },
  { name: "for_seconds", label: "For seconds", type: "number", min: 0 },
  { name: "begins_at", label: "From", type: "datetime-local" },
  { name: "ends_at", label: "Until", type: "datetime-local" },
  { name: "message", label: "Message" },
  { name: "retry_after", label: "Retry after", type: "number", min: 0, max: 86400 },
  { name: "code", label: "Code", type: "number", min: 0 },
  { name: "qubits", label: "Broken qubits", type: "numbers", placeholder: "0, 3" },
  { name: "note", label: "Note" },
];

export function Faults({ act, turn }: Part) {
  const faults = useLoaded(() => get("/emulator/faults"), turn, () => true);
  const columns: Column<Fault>[] = [
    { title: "Fault", cell: ({ rule }) => KINDS[rule.kind] ?? rule.kind },
    { title: "For", cell: ({ rule }) => told(rule) },
    { title: "Hits", cell: ({ hits, rule }) => `${hits.toLocaleString()}${rule.dry_run ? " would be" : ""}`, by: ({ hits }) => hits, number: true },
    { title: "Of", cell: ({ seen }) => seen.toLocaleString(), number: true },
    { title: "Since", cell: ({ created_at: created }) => time(created) },
    {
      title: "Take back",
      cell: ({ id, rule }) => (
        <button type="button" aria-label={`Take back: ${KINDS[rule.kind]}`} onClick={() => act(() => send("DELETE", "/emulator/faults/{faultId}", { faultId: id }))}>
          Take back
        </button>
      ),
    },
  ];
  return (
    <section aria-labelledby="faults">
      <h2 id="faults">Faults</h2>
      <Problem error={faults.error} />
      <Form label="Add the fault" fields={FIELDS} more={MORE} submit={(rule) => act(() => send("POST", "/emulator/faults", {}, rule))} />
      {faults.data?.faults.length === 0 && <p>Nothing goes wrong on purpose.</p>}
      {faults.data && faults.data.faults.length > 0 && (
        <>
          <Table rows={faults.data.faults} columns={columns} id={({ id }) => id} caption="Faults that are in force or wait for their time" />
          <button type="button" onClick={() => act(() => send("DELETE", "/emulator/faults"))}>
            Take all back
          </button>
        </>
      )}
    </section>
  );
}

function told(rule: NewFault): string {
  const narrowed = (["api", "operation", "purpose", "device", "account", "tag"] as const).flatMap((name) => (rule[name] ? [`${name} ${rule[name]}`] : []));
  const more = [rule.status && `status ${rule.status}`, rule.seconds && seconds(rule.seconds), rule.nth && `number ${rule.nth}`, rule.probability !== undefined && `${100 * rule.probability} %`, rule.times && (rule.times === 1 ? "once" : `${rule.times} times`)];
  return [...narrowed, ...more.filter(Boolean)].join(", ") || "everything";
}
