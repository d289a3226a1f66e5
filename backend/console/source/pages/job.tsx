import { useLocation, useRoute } from "preact-iso/router";
import { useState } from "preact/hooks";
import { bytes, get, type Job as OneJob, type LogLine, send } from "../api/client";
import { useLoaded } from "../api/live";
import { Timeline } from "../charts/timeline";
import { Code, type Column, Copy, Facts, Problem, State, Table, Title } from "../parts/parts";
import { download } from "../parts/download";
import { Place } from "../parts/place";
import { cloud, number, seconds, time, waiting } from "../parts/words";
import { requests } from "../parts/requests";
import { Circuits } from "../results/circuits";
import { Files } from "../results/files";
import { outcomeOf } from "../results/outcome";
import { Result } from "../results/result";

const MOST_BYTES = 16 << 20; // of a result that is drawn; a larger one can still be downloaded

const PROGRAMS = new Set(["service", "program"]); // kinds of jobs that users have written: they have no circuits

export function Job() {
  const { id } = useRoute().params as { id: string };
  const { route } = useLocation();
  const [error, setError] = useState<Error>();
  const ours = (changed: ReadonlySet<string> | null) => changed === null || changed.has(id);
  const job = useLoaded(() => get("/emulator/jobs/{jobId}", { jobId: id }), id, ours);
  const log = useLoaded(() => get("/emulator/jobs/{jobId}/log", { jobId: id }), id, ours);
  const ended = job.data?.state === "succeeded";
  const result = useLoaded(async () => (ended ? await loaded(id) : undefined), [id, ended]);

  if (!job.data)
    return (
      <>
        <Title text="Job" />
        <Problem error={job.error} />
      </>
    );
  const known = job.data;
  const act = async (action: () => Promise<unknown>) => {
    try {
      setError(undefined);
      await action();
      job.again();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  const save = () => act(async () => download(`${id}.json`, (await bytes("/emulator/jobs/{jobId}/result", { jobId: id }, Infinity))!, "application/json"));
  return (
    <>
      <Title text={known.name || known.id}>
        <State state={known.state} />
        {waiting(known) && (
          <button type="button" onClick={() => act(() => send("POST", "/emulator/jobs/{jobId}/cancel", { jobId: id }))}>
            Cancel
          </button>
        )}
        {!waiting(known) && !PROGRAMS.has(known.kind) && (
          <button type="button" onClick={() => act(async () => route(`/console/jobs/${(await send<OneJob>("POST", "/emulator/jobs/{jobId}/rerun", { jobId: id }))!.id}`))}>
            Run it again
          </button>
        )}
        {ended && (
          <button type="button" onClick={save}>
            Download the result
          </button>
        )}
        <button type="button" onClick={() => route(`/console/jobs?device=${encodeURIComponent(known.device)}`)}>
          {PROGRAMS.has(known.kind) ? "Other executions" : "Jobs of this device"}
        </button>
      </Title>
      <Problem error={error ?? job.error} />
      {known.reason && <Reason job={known} />}
      <Timeline job={known} />
      {known.progress && waiting(known) && <Progress progress={known.progress} />}
      {result.data && <Result outcome={result.data} />}
      {ended && result.data === null && <p>The result is too large to be drawn here. Download it.</p>}
      {result.error && <p class="note">The result is not drawn: {result.error.message}. Download it.</p>}
      {!waiting(known) && PROGRAMS.has(known.kind) && <Files job={known.id} />}
      <section aria-labelledby="facts">
        <h2 id="facts">What it is</h2>
        <Facts
          facts={[
            [
              "Identifier",
              <>
                <code>{known.id}</code> <Copy text={known.id} />
              </>,
            ],
            ["Cloud", cloud(known.api)],
            ["Program", known.kind],
            ["Device", <Place device={known.device} />],
            ["Account", known.account],
            ["Session", known.session && <a href={`/console/jobs?session=${known.session}`}>{known.session}</a>],
            ["Shots", known.shots?.toLocaleString()],
            ["Tags", known.tags.join(", ") || "–"],
            ["Device time", seconds(known.run_seconds)],
            ["Attempts", known.attempt],
          ]}
        />
      </section>
      {!PROGRAMS.has(known.kind) && <Circuits job={known.id} key={known.id} />}
      <Simulation metadata={known.metadata} />
      <Log lines={log.data?.lines ?? []} running={waiting(known)} />
      <section aria-labelledby="requests">
        <h2 id="requests">Ask for this job</h2>
        {requests(known, location.origin).map(({ title, text }) => (
          <div key={title}>
            <h3>{title}</h3>
            <Code text={text} label={title} />
          </div>
        ))}
      </section>
    </>
  );
}

async function loaded(id: string) {
  const content = await bytes("/emulator/jobs/{jobId}/result", { jobId: id }, MOST_BYTES);
  return content && (await outcomeOf(content));
}

function Reason({ job }: { job: OneJob }) {
  return (
    <section class="reason" aria-labelledby="reason">
      <h2 id="reason">Why it {job.state === "cancelled" ? "was cancelled" : "failed"}</h2>
      <p>{job.reason}</p>
      {job.reason_code && <p>Code {job.reason_code}</p>}
    </section>
  );
}

function Progress({ progress }: { progress: NonNullable<OneJob["progress"]> }) {
  const { parts, parts_done: done, text } = progress;
  return (
    <section aria-labelledby="progress">
      <h2 id="progress">How far it is</h2>
      {parts ? <progress max={parts} value={done ?? 0} aria-labelledby="progress" /> : null}
      <p role="status">{text}</p>
    </section>
  );
}

interface Way {
  method?: string;
  engine?: string;
  approximation?: string | null;
  accuracy?: Record<string, unknown>;
  noise?: string;
  seconds?: number;
}

/** How each pub was computed and what was left out; what else is known is folded away. */
function Simulation({ metadata }: { metadata: Record<string, unknown> }) {
  if (!Object.keys(metadata).length) return null;
  const ways = (Array.isArray(metadata.pubs) ? metadata.pubs : metadata.method ? [metadata] : []) as Way[];
  return (
    <section aria-labelledby="simulation">
      <h2 id="simulation">How it was simulated</h2>
      {ways.length > 0 && (
        <Table rows={ways.map((way, pub) => ({ ...way, pub }))} columns={WAYS} id={({ pub }) => String(pub)} caption="Method and accuracy of each pub" />
      )}
      <details>
        <summary>All that is known</summary>
        <Code text={JSON.stringify(metadata, null, 2)} label="Metadata of the simulation" />
      </details>
    </section>
  );
}

const WAYS: Column<Way & { pub: number }>[] = [
  { title: "Pub", cell: ({ pub }) => pub, number: true },
  { title: "Method", cell: ({ method }) => method ?? "–" },
  { title: "Noise", cell: ({ noise }) => noise ?? "–" },
  { title: "Left out", cell: ({ approximation }) => approximation ?? "nothing" },
  { title: "Accuracy", cell: ({ accuracy }) => Object.entries(accuracy ?? {}).map(([name, value]) => `${name.replaceAll("_", " ")} ${typeof value === "number" ? number(value) : String(value)}`).join(", ") || "exact" },
  { title: "Took", cell: (way) => seconds(way.seconds), number: true },
];

function Log({ lines, running }: { lines: LogLine[]; running: boolean }) {
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      {lines.length === 0 && <p>{running ? "Nothing yet." : "It wrote nothing."}</p>}
      {lines.length > 0 && (
        <ol class="log" tabIndex={0} aria-labelledby="log">
          {lines.map((line, at) => (
            <li key={at} class={line.severity.toLowerCase()}>
              <time dateTime={line.time}>{time(line.time)}</time> <b>{line.severity}</b> <span>{line.text}</span>
            </li>
          ))}
        </ol>
      )}
    </section>
  );
}
