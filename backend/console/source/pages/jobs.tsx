import { useLocation } from "preact-iso/router";
import { useRef, useState } from "preact/hooks";
import { get, type Job, type JobState } from "../api/client";
import { useLoaded } from "../api/live";
import { type Column, Problem, State, Table, Title } from "../parts/parts";
import { Place } from "../parts/place";
import { between, cloud, seconds, short, STATES, time, waiting } from "../parts/words";

const PAGE = 50;
const TYPING_MILLISECONDS = 250; // until a filter that is being typed is asked for
const TEXTS = ["device", "account", "q"] as const;
const FILTERS = ["state", "session", "api", ...TEXTS] as const;
const APIS = ["ibm/runtime", "ibm/functions", "oqtopus/task", "oqtopus/user", "planqk/quantum", "planqk/service"];

export const JOB_COLUMNS: Column<Job>[] = [
  { title: "Job", cell: (job) => <a href={`/console/jobs/${job.id}`} title={job.id}>{job.name || short(job.id)}</a> },
  { title: "State", cell: (job) => <State state={job.state} /> },
  { title: "Device", cell: (job) => <Place device={job.device} /> },
  { title: "Cloud", cell: (job) => cloud(job.api) },
  { title: "Account", cell: (job) => job.account },
  { title: "Shots", cell: (job) => job.shots?.toLocaleString() ?? "–", number: true },
  { title: "Created", cell: (job) => time(job.created_at) },
  { title: "Took", cell: (job) => seconds(between(job.queued_at, job.ended_at)), number: true },
];

export function Jobs() {
  const { query, route } = useLocation();
  const [picked, setPicked] = useState<string[]>([]);
  const offset = Number(query.offset) || 0;
  const asked = Object.fromEntries(FILTERS.map((name) => [name, query[name]]));
  const page = useLoaded(
    () => get("/emulator/jobs", {}, { ...asked, offset, limit: PAGE }),
    { ...asked, offset },
    () => true,
  );
  const go = (changed: Record<string, string | number | undefined>) => {
    const wanted = Object.entries({ ...asked, offset: undefined, ...changed }).filter(([, value]) => value);
    route(`/console/jobs?${new URLSearchParams(wanted.map(([name, value]) => [name, String(value)]))}`);
  };
  const [typed, setTyped] = useState<Record<string, string>>({});
  const timer = useRef<number>(undefined);
  const type = (name: string, text: string) => {
    setTyped({ ...typed, [name]: text });
    clearTimeout(timer.current);
    timer.current = window.setTimeout(() => {
      go({ [name]: text.trim() });
      setTyped({});
    }, TYPING_MILLISECONDS);
  };
  const pick: Column<Job> = {
    title: "Compare",
    cell: (job) => (
      <input
        type="checkbox"
        aria-label={`Compare ${job.name || job.id}`}
        checked={picked.includes(job.id)}
        onChange={() => setPicked((before) => (before.includes(job.id) ? before.filter((id) => id !== job.id) : [...before, job.id].slice(-2)))}
      />
    ),
  };
  const total = page.data?.total ?? 0;
  return (
    <>
      <Title text="Jobs">
        <p>{page.data && `${total.toLocaleString()} in all`}</p>
      </Title>
      <form class="filters" role="search" onSubmit={(event) => event.preventDefault()}>
        <label>
          State{" "}
          <select value={asked.state ?? ""} onChange={(event) => go({ state: event.currentTarget.value as JobState })}>
            <option value="">any</option>
            {STATES.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          API{" "}
          <select value={asked.api ?? ""} onChange={(event) => go({ api: event.currentTarget.value })}>
            <option value="">any</option>
            {APIS.map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        {TEXTS.map((name) => (
          <label key={name}>
            {name === "q" ? "Text" : name[0]!.toUpperCase() + name.slice(1)}{" "}
            <input type="search" value={typed[name] ?? asked[name] ?? ""} onInput={(event) => type(name, event.currentTarget.value)} />
          </label>
        ))}
        {picked.length === 2 && (
          <a class="button" href={`/console/compare?a=${picked[0]}&b=${picked[1]}`}>
            Compare the two
          </a>
        )}
      </form>
      <Problem error={page.error} />
      {page.data && total === 0 && <p>No job is like this. {Object.values(asked).some(Boolean) && <a href="/console/jobs">Show all.</a>}</p>}
      {total > 0 && <Table rows={page.data!.jobs} columns={[pick, ...JOB_COLUMNS]} id={(job) => job.id} caption="Jobs, newest first" />}
      {total > PAGE && (
        <p class="pages">
          <button type="button" disabled={offset === 0} onClick={() => go({ offset: Math.max(0, offset - PAGE) })}>
            Newer
          </button>
          <span>
            {offset + 1} to {Math.min(offset + PAGE, total)} of {total.toLocaleString()}
          </span>
          <button type="button" disabled={offset + PAGE >= total} onClick={() => go({ offset: offset + PAGE })}>
            Older
          </button>
        </p>
      )}
      {page.data?.jobs.some(waiting) && <p class="note">Rows change by themselves while jobs wait or run.</p>}
    </>
  );
}
