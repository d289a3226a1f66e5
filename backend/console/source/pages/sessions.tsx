import { useLocation } from "preact-iso/router";
import { get, type Instance, send, type Session } from "../api/client";
import { useLoaded } from "../api/live";
import { Form, useAct } from "../parts/forms";
import { type Column, Problem, Table, Title } from "../parts/parts";
import { seconds, time } from "../parts/words";

const PAGE = 50;

const SESSIONS: Column<Session>[] = [
  { title: "Session", cell: (session) => <a href={`/console/jobs?session=${session.id}`}>{session.id}</a> },
  { title: "Mode", cell: (session) => (session.mode === "batch" ? "batch" : "session") },
  { title: "State", cell: (session) => <span class={`state ${session.state}`}>{session.state}</span> },
  { title: "Device", cell: (session) => <a href={`/console/devices/${session.device}`}>{session.device}</a> },
  { title: "Account", cell: (session) => session.account },
  { title: "Wait or run", cell: (session) => session.pending_jobs, number: true },
  { title: "Device time", cell: (session) => seconds(session.run_seconds), number: true },
  { title: "Created", cell: (session) => time(session.created_at) },
  { title: "Ends", cell: (session) => time(session.closed_at ?? session.expires_at) },
];

const PLANS = ["internal", "open", "pay-as-you-go", "flex", "premium"];

export function Sessions() {
  const { query, route } = useLocation();
  const offset = Number(query.offset) || 0;
  const sessions = useLoaded(() => get("/emulator/sessions", {}, { offset, limit: PAGE }), offset, () => true);
  const total = sessions.data?.total ?? 0;
  return (
    <>
      <Title text="Sessions">
        <p>{sessions.data && `${total.toLocaleString()} in all`}</p>
      </Title>
      <Problem error={sessions.error} />
      {total > 0 && <Table rows={sessions.data!.sessions} columns={SESSIONS} id={(each) => each.id} caption="Sessions and batches, newest first" />}
      {sessions.data && total === 0 && <p>Nobody has opened a session or a batch yet.</p>}
      {total > PAGE && (
        <p class="pages">
          <button type="button" disabled={offset === 0} onClick={() => route(`/console/sessions?offset=${Math.max(0, offset - PAGE)}`)}>
            Newer
          </button>
          <button type="button" disabled={offset + PAGE >= total} onClick={() => route(`/console/sessions?offset=${offset + PAGE}`)}>
            Older
          </button>
        </p>
      )}
      <Instances />
    </>
  );
}

/** Service instances of IBM Quantum: what each has used, and how much it may. */
function Instances() {
  const instances = useLoaded(() => get("/emulator/instances"), 0, () => true);
  const accounts = useLoaded(() => get("/emulator/accounts"), 0);
  const { act, error } = useAct(instances.again);
  const columns: Column<Instance>[] = [
    { title: "Instance", cell: (instance) => instance.name, by: (instance) => instance.name },
    { title: "Account", cell: (instance) => instance.account, by: (instance) => instance.account },
    { title: "Plan", cell: (instance) => instance.plan },
    { title: "Region", cell: (instance) => instance.region },
    { title: "Used in 28 days", cell: (instance) => seconds(instance.used_seconds), by: (instance) => instance.used_seconds, number: true },
    { title: "Limit", cell: (instance) => (instance.limit_seconds === null ? "of the plan" : seconds(instance.limit_seconds)), number: true },
    { title: "Tags", cell: (instance) => instance.tags.join(", ") || "–" },
    { title: "CRN", cell: (instance) => <code>{instance.crn}</code> },
    {
      title: "Remove",
      cell: ({ name, built_in: stays }) =>
        stays ? (
          "built in"
        ) : (
          <button type="button" aria-label={`Remove ${name}`} onClick={() => act(() => send("DELETE", "/emulator/instances/{instance}", { instance: name }))}>
            Remove
          </button>
        ),
    },
  ];
  const known = instances.data?.instances ?? [];
  return (
    <section aria-labelledby="instances">
      <h2 id="instances">Instances</h2>
      <Problem error={error ?? instances.error} />
      <Form
        label="Make an instance"
        fields={[
          { name: "name", label: "Name", required: true },
          { name: "account", label: "Account", options: accounts.data?.accounts.map(({ id, name }) => [id, name ?? id] as const) ?? [] },
          { name: "plan", label: "Plan", options: PLANS },
          { name: "region", label: "Region", placeholder: "us-east", pattern: "[a-z0-9\\-]+" },
          { name: "tags", label: "Tags", type: "list" },
          { name: "limit_seconds", label: "Limit in seconds", type: "number", min: 0 },
        ]}
        submit={(instance) => act(() => send("POST", "/emulator/instances", {}, instance))}
      />
      <Form
        label="Limit the instance"
        fields={[
          { name: "instance", label: "Instance", options: known.map(({ name }) => name) },
          { name: "limit_seconds", label: "Seconds in 28 days", type: "number", min: 0, placeholder: "of the plan" },
        ]}
        submit={({ instance, limit_seconds: limit }) => act(() => send("PUT", "/emulator/instances/{instance}/limit", { instance: String(instance) }, { limit_seconds: limit ?? null }))}
      />
      {instances.data && <Table rows={known} columns={columns} id={(each) => each.crn} caption="Service instances of IBM Quantum" />}
    </section>
  );
}
