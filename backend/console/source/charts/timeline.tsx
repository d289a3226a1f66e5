import { useEffect, useState } from "preact/hooks";
import type { Job } from "../api/client";
import { seconds, time, waiting } from "../parts/words";

const TICK_MILLISECONDS = 250;

/** How long a job was in each state; what has no end yet grows. */
export function Timeline({ job }: { job: Job }) {
  const now = useNow(waiting(job));
  const end = job.ended_at ?? new Date(now).toISOString();
  const steps = [
    { name: "waited", from: job.queued_at ?? job.created_at, to: job.running_at ?? end },
    { name: "ran", from: job.running_at, to: job.running_at && end },
  ].flatMap(({ name, from, to }) => (from && to ? [{ name, length: Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) }] : []));
  const whole = steps.reduce((sum, { length }) => sum + length, 0) || 1;
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">When</h2>
      <div class="timeline">
        {steps.map(({ name, length }) => (
          <div key={name} class={name} style={{ flexGrow: Math.max(length / whole, 0.12) }}>
            {name} {seconds(length)}
          </div>
        ))}
      </div>
      <p class="note">
        Created {time(job.created_at)}
        {job.running_at && `, begun ${time(job.running_at)}`}
        {job.ended_at && `, ended ${time(job.ended_at)}`}.
      </p>
    </section>
  );
}

function useNow(moves: boolean): number {
  const [now, setNow] = useState(Date.now);
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => setNow(Date.now()), TICK_MILLISECONDS);
    return () => clearInterval(timer);
  }, [moves]);
  return now;
}
