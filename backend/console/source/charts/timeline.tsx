import { useEffect, useState } from "preact/hooks";
import { get, type Job } from "../api/client";
import { useLoaded } from "../api/live";
import { seconds, time, waiting } from "../parts/words";

const TICK_MILLISECONDS = 250;
const LEAST_SECONDS = 0.001; // between making a job and submitting it, where the client does both at once

/** How long a job was in each state; what has no end yet grows. */
export function Timeline({ job }: { job: Job }) {
  const now = useNow(waiting(job), job.id);
  const end = job.ended_at ?? new Date(now).toISOString();
  const steps = [
    { name: "registered", from: job.created_at, to: job.queued_at ?? (waiting(job) ? end : null) },
    { name: "waited", from: job.queued_at, to: job.running_at ?? end },
    { name: "ran", from: job.running_at, to: job.running_at && end },
  ].flatMap(({ name, from, to }) => (from && to ? [{ name, length: Math.max(0, (Date.parse(to) - Date.parse(from)) / 1000) }] : []));
  const shown = steps.filter(({ name, length }) => name !== "registered" || length >= LEAST_SECONDS);
  const whole = shown.reduce((sum, { length }) => sum + length, 0) || 1;
  return (
    <section aria-labelledby="timeline">
      <h2 id="timeline">When</h2>
      <div class="timeline">
        {shown.map(({ name, length }) => (
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

/** The time of the cloud's clock, which may be another one than the machine's. */
function useNow(moves: boolean, key: string): number {
  const [, tick] = useState(0);
  const clock = useLoaded(async () => ({ ...(await get("/emulator/clock")), asked: Date.now() }), key, () => moves).data;
  useEffect(() => {
    if (!moves) return undefined;
    const timer = setInterval(() => tick((count) => count + 1), TICK_MILLISECONDS);
    return () => clearInterval(timer);
  }, [moves]);
  return clock ? Date.parse(clock.now) + (Date.now() - clock.asked) * clock.rate : Date.now();
}
