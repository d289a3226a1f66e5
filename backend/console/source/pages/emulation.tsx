import { useState } from "preact/hooks";
import { type Fault, type FaultKind, get, type NewFault, type Queue, send } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Facts, Problem, Table, Title } from "../parts/parts";
import { seconds, time } from "../parts/words";

const RATES = [
  { title: "as the machine", rate: 1 },
  { title: "60 times as fast", rate: 60 },
  { title: "3600 times as fast", rate: 3600 },
  { title: "stands", rate: 0 },
];
const STEPS = [
  { title: "1 minute", seconds: 60 },
  { title: "1 hour", seconds: 3600 },
  { title: "1 day", seconds: 86_400 },
];
const KINDS: Record<FaultKind, string> = {
  error: "An error in place of the answer",
  slow: "A slow answer",
  cut: "An answer that is cut off",
  garbled: "A garbled answer",
  reset: "A connection that is reset",
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

/** What is under a person's control: time, and what goes wrong. */
export function Emulation() {
  const [error, setError] = useState<Error>();
  const [turn, setTurn] = useState(0); // a scenario changes what the other parts show
  const act = async (action: () => Promise<unknown>) => {
    try {
      setError(undefined);
      await action();
      setTurn((before) => before + 1);
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return (
    <>
      <Title text="Emulation" />
      <Problem error={error} />
      <Clock act={act} turn={turn} />
      <Scenarios act={act} />
      <Queues act={act} turn={turn} />
      <Faults act={act} turn={turn} />
    </>
  );
}

type Act = (action: () => Promise<unknown>) => Promise<void>;
interface Part {
  act: Act;
  turn: number; // differs after each action
}

function Clock({ act, turn }: Part) {
  const clock = useLoaded(() => get("/emulator/clock"), turn, () => true);
  const known = clock.data;
  return (
    <section aria-labelledby="clock">
      <h2 id="clock">Clock</h2>
      <Problem error={clock.error} />
      {known && (
        <Facts
          facts={[
            ["In the cloud it is", new Date(known.now).toLocaleString()],
            ["It goes", known.mode === "real" ? "as the machine's" : known.mode === "manual" ? "only when it is advanced" : `${known.rate} times as fast`],
          ]}
        />
      )}
      <div class="filters">
        {RATES.map(({ title, rate }) => (
          <button key={title} type="button" aria-pressed={known?.rate === rate} onClick={() => act(() => send("PUT", "/emulator/clock", {}, { rate }))}>
            {title}
          </button>
        ))}
        <button type="button" onClick={() => act(() => send("DELETE", "/emulator/clock"))}>
          the machine's time again
        </button>
      </div>
      <div class="filters">
        Advance by{" "}
        {STEPS.map(({ title, seconds: far }) => (
          <button key={title} type="button" onClick={() => act(() => send("POST", "/emulator/clock/advance", {}, { seconds: far }))}>
            {title}
          </button>
        ))}
      </div>
    </section>
  );
}

/** What begins with one click: it takes back all faults first. */
function Scenarios({ act }: { act: Act }) {
  const ready = useLoaded(() => get("/emulator/scenario/ready"), 0);
  const [begun, setBegun] = useState<string>();
  const begin = (scenario: unknown, title: string) =>
    act(async () => {
      await send("PUT", "/emulator/scenario", {}, scenario);
      setBegun(title);
    });
  return (
    <section aria-labelledby="scenarios">
      <h2 id="scenarios">Scenarios</h2>
      <Problem error={ready.error} />
      <p role="status">{begun ? `${begun} has begun.` : "A scenario sets clock, devices, queues and faults at once, and takes back all faults that were there."}</p>
      <dl class="scenarios">
        {ready.data?.scenarios.map(({ name, scenario }) => (
          <div key={name}>
            <dt>
              <button type="button" onClick={() => begin(scenario, scenario.name)}>
                {scenario.name}
              </button>
            </dt>
            <dd>{scenario.description}</dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

/** Jobs of others at devices: how many, and how they come. */
function Queues({ act, turn }: Part) {
  const queues = useLoaded(() => get("/emulator/queues"), turn, () => true);
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const setting = Object.fromEntries(["waiting", "arrivals_per_hour", "mean_run_seconds"].map((name) => [name, Number(form.get(name))]));
    void act(() => send("PUT", "/emulator/queues/{device}", { device: String(form.get("device")).trim() }, setting));
  };
  const columns: Column<Queue>[] = [
    { title: "Device", cell: ({ device }) => <a href={`/console/devices/${device}`}>{device}</a>, by: ({ device }) => device },
    { title: "Of others there now", cell: ({ present }) => present.toLocaleString(), by: ({ present }) => present, number: true },
    { title: "Come in an hour", cell: ({ setting }) => setting.recorded ? "as recorded" : setting.arrivals_per_hour, number: true },
    { title: "Each runs", cell: ({ setting }) => seconds(setting.mean_run_seconds), number: true },
    { title: "Free at", cell: ({ free_at: free }) => time(free) },
    {
      title: "Take away",
      cell: ({ device }) => (
        <button type="button" aria-label={`Take away the queue of ${device}`} onClick={() => act(() => send("DELETE", "/emulator/queues/{device}", { device }))}>
          Take away
        </button>
      ),
    },
  ];
  return (
    <section aria-labelledby="queues">
      <h2 id="queues">Queues of others</h2>
      <Problem error={queues.error} />
      <form class="filters" onSubmit={add}>
        <label>
          Queue at <input name="device" required placeholder="torino" size={12} />
        </label>
        <label>
          Jobs there <input name="waiting" type="number" min="0" max="10000" defaultValue="4" />
        </label>
        <label>
          Come in an hour <input name="arrivals_per_hour" type="number" min="0" max="360" step="any" defaultValue="30" />
        </label>
        <label>
          Each runs seconds <input name="mean_run_seconds" type="number" min="0.001" max="86400" step="any" defaultValue="10" />
        </label>
        <button type="submit">Let others queue</button>
      </form>
      {queues.data?.queues.length === 0 && <p>Nobody else queues.</p>}
      {queues.data && queues.data.queues.length > 0 && <Table rows={queues.data.queues} columns={columns} id={({ device }) => device} caption="Devices at which others are served" />}
    </section>
  );
}

function Faults({ act, turn }: Part) {
  const faults = useLoaded(() => get("/emulator/faults"), turn, () => true);
  const add = (event: SubmitEvent) => {
    event.preventDefault();
    const form = new FormData(event.currentTarget as HTMLFormElement);
    const text = (name: string) => String(form.get(name) ?? "").trim() || undefined;
    const count = (name: string) => (text(name) ? Number(text(name)) : undefined);
    const rule: NewFault = { kind: text("kind") as FaultKind, api: text("api"), device: text("device"), status: count("status"), seconds: count("seconds"), times: count("times"), dry_run: form.get("dry_run") ? true : undefined };
    void act(() => send("POST", "/emulator/faults", {}, rule));
  };
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
      <form class="filters" onSubmit={add}>
        <label>
          What goes wrong{" "}
          <select name="kind">
            {Object.entries(KINDS).map(([kind, title]) => (
              <option key={kind} value={kind}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          API <input name="api" placeholder="all" size={12} pattern="[a-z\/]+" />
        </label>
        <label>
          Device <input name="device" placeholder="all" size={12} />
        </label>
        <label>
          Status <input name="status" type="number" min="200" max="599" />
        </label>
        <label>
          Seconds <input name="seconds" type="number" min="0" step="any" />
        </label>
        <label>
          Times <input name="times" type="number" min="1" />
        </label>
        <label>
          <input name="dry_run" type="checkbox" /> only count
        </label>
        <button type="submit">Add the fault</button>
      </form>
      {faults.data?.faults.length === 0 && <p>Nothing goes wrong on purpose.</p>}
      {faults.data && faults.data.faults.length > 0 && <Table rows={faults.data.faults} columns={columns} id={({ id }) => id} caption="Faults that are in force or wait for their time" />}
    </section>
  );
}

function told(rule: NewFault): string {
  const narrowed = (["api", "operation", "purpose", "device", "account", "tag"] as const).flatMap((name) => (rule[name] ? [`${name} ${rule[name]}`] : []));
  const more = [rule.status && `status ${rule.status}`, rule.seconds && seconds(rule.seconds), rule.nth && `number ${rule.nth}`, rule.probability !== undefined && `${100 * rule.probability} %`, rule.times && `${rule.times} times`];
  return [...narrowed, ...more.filter(Boolean)].join(", ") || "everything";
}
