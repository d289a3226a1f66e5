import { useLocation } from "preact-iso/router";
import { bytes, get } from "../api/client";
import { useLoaded } from "../api/live";
import { Drawing } from "../charts/plot";
import { Problem, State, Title } from "../parts/parts";
import { number, seconds, time } from "../parts/words";
import { outcomeOf, type Register } from "../results/outcome";

const MOST_BYTES = 16 << 20;
const MOST_BARS = 24;

/** Two jobs side by side: their counts, and how far these are apart. */
export function Compare() {
  const { a, b } = useLocation().query;
  const both = useLoaded(() => Promise.all([one(a ?? ""), one(b ?? "")]), [a, b]);
  const [left, right] = both.data ?? [];
  const registers = left?.registers && right?.registers ? ([left.registers, right.registers] as const) : null;
  return (
    <>
      <Title text="Compare two jobs" />
      <Problem error={both.error} />
      {left && right && (
        <table>
          <thead>
            <tr>
              <th scope="col">Job</th>
              <th scope="col">State</th>
              <th scope="col">Device</th>
              <th scope="col">Created</th>
              <th scope="col">Device time</th>
              <th scope="col">Method</th>
            </tr>
          </thead>
          <tbody>
            {[left.job, right.job].map((job) => (
              <tr key={job.id}>
                <td>
                  <a href={`/console/jobs/${job.id}`}>{job.name || job.id}</a>
                </td>
                <td>
                  <State state={job.state} />
                </td>
                <td>{job.device}</td>
                <td>{time(job.created_at)}</td>
                <td>{seconds(job.run_seconds)}</td>
                <td>{String(job.metadata.method ?? "–")}</td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {registers ? registers[0].map((register, at) => registers[1][at] && <Both key={register.name} left={register} right={registers[1][at]} />) : both.data && <p>One of them has no counts to compare.</p>}
    </>
  );
}

async function one(jobId: string) {
  const job = await get("/emulator/jobs/{jobId}", { jobId });
  const content = job.state === "succeeded" ? await bytes("/emulator/jobs/{jobId}/result", { jobId }, MOST_BYTES) : null;
  return { job, registers: content ? (await outcomeOf(content)).pubs[0]?.registers : undefined };
}

function Both({ left, right }: { left: Register; right: Register }) {
  const names = new Set([...left.counts.keys(), ...right.counts.keys()]);
  const share = ({ counts, shots }: Register, bits: string) => (counts.get(bits) ?? 0) / shots;
  const distance = [...names].reduce((sum, bits) => sum + Math.abs(share(left, bits) - share(right, bits)), 0) / 2;
  const shown = [...names].sort((x, y) => share(left, y) + share(right, y) - share(left, x) - share(right, x)).slice(0, MOST_BARS);
  const rows = shown.flatMap((bits) => [
    { bits, job: "first", share: share(left, bits) },
    { bits, job: "second", share: share(right, bits) },
  ]);
  const label = `Register ${left.name}: the total variation distance of the two is ${number(distance)}`;
  return (
    <figure>
      <Drawing
        label={label}
        redraw={rows}
        draw={(plot, width) =>
          plot.plot({
            width,
            height: 300,
            fx: { label: null, domain: shown, tickRotate: -60 },
            marginBottom: 120,
            x: { axis: null },
            y: { label: "share of shots", grid: true },
            color: { legend: true, domain: ["first", "second"], range: ["var(--accent)", "var(--second)"] },
            marks: [plot.ruleY([0]), plot.barY(rows, { fx: "bits", x: "job", y: "share", fill: "job", tip: true })],
          })
        }
      />
      <figcaption>{label}.</figcaption>
    </figure>
  );
}
