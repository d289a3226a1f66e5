import { get, send } from "../../api/client";
import { useLoaded } from "../../api/live";
import { type Act, Form } from "../../parts/forms";
import { Facts, Problem } from "../../parts/parts";

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

export interface Part {
  act: Act;
  turn: number; // differs after each action
}

export function Clock({ act, turn }: Part) {
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
      <details>
        <summary>Any time, any speed</summary>
        <Form
          label="Set the clock"
          fields={[
            { name: "rate", label: "Times as fast", type: "number", min: 0, max: 10000, value: 1, required: true },
            { name: "now", label: "It is now", type: "datetime-local" },
            { name: "bearer_tokens", label: "bearer tokens end by it, too", type: "checkbox" },
          ]}
          submit={(values) => act(() => send("PUT", "/emulator/clock", {}, values))}
        />
        <Form
          label="Advance"
          fields={[{ name: "seconds", label: "Seconds", type: "number", min: 0, max: 315360000, value: 60, required: true }]}
          submit={(values) => act(() => send("POST", "/emulator/clock/advance", {}, values))}
        />
        <Form
          label="Advance as far as a job needs"
          fields={[
            { name: "job", label: "Job", required: true },
            { name: "until", label: "until it has", options: ["started", "ended"] },
          ]}
          submit={({ job, until }) => act(() => send("POST", "/emulator/clock/advance/{jobId}", { jobId: String(job) }, { until }))}
        />
      </details>
    </section>
  );
}
