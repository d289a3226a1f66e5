import { useLocation, useRoute } from "preact-iso/router";
import { useState } from "preact/hooks";
import { get, runService, send } from "../api/client";
import { useLoaded } from "../api/live";
import { download } from "../parts/download";
import { useAct } from "../parts/forms";
import { Facts, Problem, Table, Title } from "../parts/parts";
import { queue } from "../parts/place";
import { time } from "../parts/words";
import { JOB_COLUMNS } from "./jobs";
import { SERVICE_STATES } from "./services";

const RECENT = 20;
const INPUT = '{\n  "data": {"values": [1, 2, 3]},\n  "params": {}\n}';

/** One service: what it is, a form to run it, and its executions as they happen. */
export function OneService() {
  const { name } = useRoute().params as { name: string };
  const { route } = useLocation();
  const service = useLoaded(() => get("/emulator/services/{service}", { service: name }), name, () => true);
  const executions = useLoaded(() => get("/emulator/jobs", {}, { device: queue(name), limit: RECENT }), name, () => true);
  const { act, error } = useAct(service.again);
  const known = service.data;
  const remove = () => {
    if (confirm(`Remove the service ${name}? Its executions stay in the records.`))
      void act(async () => {
        await send("DELETE", "/emulator/services/{service}", { service: name });
        route("/console/services");
      });
  };
  const describe = () => act(async () => download(`${name}.json`, JSON.stringify(await get("/emulator/services/{service}/openapi", { service: name }), null, 2), "application/json"));
  return (
    <>
      <Title text={known?.title || name}>
        {known && <span class={`state ${SERVICE_STATES[known.state]}`}>{known.state.toLowerCase()}</span>}
        <a class="button" href={`/docs?api=services/${name}`}>
          Try its API
        </a>
        <button type="button" onClick={describe}>
          Download its description
        </button>
        <button type="button" class="danger" onClick={remove}>
          Remove
        </button>
      </Title>
      <Problem error={error ?? service.error} />
      {known?.reason && <p class={known.state === "FAILED" ? "problem" : "note"}>{known.reason}</p>}
      {known && (
        <Facts
          facts={[
            ["Name", <code>{known.name}</code>],
            ["What it does", known.description || "–"],
            ["Entry point", <code>{known.entrypoint}</code>],
            ["Version", <code>{known.version}</code>],
            ["Deployed", time(known.deployed_at)],
            ["Clients call it at", <code>{known.url}</code>],
          ]}
        />
      )}
      {known && <Run service={name} />}
      <h2>Executions</h2>
      <Problem error={executions.error} />
      {executions.data?.total === 0 && <p>Nobody has called it yet.</p>}
      {executions.data && executions.data.total > 0 && <Table rows={executions.data.jobs} columns={JOB_COLUMNS} id={(job) => job.id} caption="Executions, newest first" />}
      {executions.data && executions.data.total > RECENT && (
        <p>
          <a href={`/console/jobs?device=${encodeURIComponent(queue(name))}`}>All {executions.data.total.toLocaleString()} executions</a>
        </p>
      )}
    </>
  );
}

function Run({ service }: { service: string }) {
  const { route } = useLocation();
  const { act, error } = useAct();
  const accounts = useLoaded(() => get("/emulator/accounts"), 0);
  const [account, setAccount] = useState("local");
  const [text, setText] = useState(INPUT);
  const run = (event: SubmitEvent) => {
    event.preventDefault();
    void act(async () => {
      const input: unknown = JSON.parse(text);
      route(`/console/jobs/${await runService(service, account, input)}`);
    });
  };
  return (
    <section aria-labelledby="run">
      <h2 id="run">Run it</h2>
      <Problem error={error} />
      <form onSubmit={run}>
        <label class="wide">
          Input, a JSON object with one member a parameter
          <textarea rows={6} spellcheck={false} value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </label>
        <div class="filters">
          <label>
            As{" "}
            <select value={account} onChange={(event) => setAccount(event.currentTarget.value)}>
              {accounts.data?.accounts.map((each) => (
                <option key={each.id} value={each.id}>
                  {each.name ?? each.id}
                </option>
              ))}
            </select>
          </label>
          <button type="submit">Run</button>
        </div>
      </form>
    </section>
  );
}
