import { useLocation } from "preact-iso/router";
import { get, type Instance, type Session } from "../api/client";
import { useLoaded } from "../api/live";
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

const INSTANCES: Column<Instance>[] = [
  { title: "Instance", cell: (instance) => instance.name },
  { title: "Account", cell: (instance) => instance.account },
  { title: "Plan", cell: (instance) => instance.plan },
  { title: "Limit", cell: (instance) => (instance.limit_seconds === null ? "of the plan" : seconds(instance.limit_seconds)), number: true },
  { title: "Tags", cell: (instance) => instance.tags.join(", ") || "–" },
  { title: "CRN", cell: (instance) => <code>{instance.crn}</code> },
];

export function Sessions() {
  const { query, route } = useLocation();
  const offset = Number(query.offset) || 0;
  const sessions = useLoaded(() => get("/emulator/sessions", {}, { offset, limit: PAGE }), offset, () => true);
  const instances = useLoaded(() => get("/emulator/instances"), 0);
  const total = sessions.data?.total ?? 0;
  return (
    <>
      <Title text="Sessions">
        <p>{sessions.data && `${total.toLocaleString()} in all`}</p>
      </Title>
      <Problem error={sessions.error ?? instances.error} />
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
      <h2>Instances</h2>
      {instances.data && <Table rows={instances.data.instances} columns={INSTANCES} id={(each) => each.crn} caption="Service instances of IBM Quantum" />}
    </>
  );
}
