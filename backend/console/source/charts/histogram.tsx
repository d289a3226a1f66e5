import type { Register } from "../results/outcome";
import { number } from "../parts/words";
import { Drawing } from "./plot";

const MOST_BARS = 32;

/** The most frequent outcomes of a register, in the order of their bit strings. */
export function Histogram({ register }: { register: Register }) {
  const { name, shots, counts } = register;
  const most = [...counts].slice(0, MOST_BARS).map(([bits, count]) => ({ bits, count, share: count / shots }));
  const bars = [...most].sort((a, b) => (a.bits < b.bits ? -1 : 1));
  const left = counts.size - bars.length;
  const leading = most[0];
  const summary = leading ? `${shots.toLocaleString()} shots of ${name}, ${counts.size.toLocaleString()} outcomes, most often ${leading.bits} with ${number(100 * leading.share)} %` : `no shots of ${name}`;
  return (
    <figure>
      <Drawing
        label={summary}
        redraw={register}
        draw={(plot, width) =>
          plot.plot({
            width,
            height: 280,
            marginBottom: Math.min(140, 30 + 7 * (bars[0]?.bits.length ?? 1)),
            x: { type: "band", label: null, tickRotate: -60, tickFormat: (bits: string) => (bits.length > 18 ? `${bits.slice(0, 8)}…${bits.slice(-8)}` : bits) },
            y: { label: "shots", grid: true },
            marks: [plot.ruleY([0]), plot.barY(bars, { x: "bits", y: "count", fill: "var(--accent)", tip: true })],
          })
        }
      />
      <figcaption>
        {summary}.{left > 0 && ` The ${left.toLocaleString()} rarer ones are not drawn.`}
      </figcaption>
      <details>
        <summary>Counts as a table</summary>
        <table>
          <thead>
            <tr>
              <th scope="col">Outcome</th>
              <th scope="col" class="number">
                Shots
              </th>
              <th scope="col" class="number">
                Share
              </th>
            </tr>
          </thead>
          <tbody>
            {most.map(({ bits, count, share }) => (
              <tr key={bits}>
                <td>
                  <code>{bits}</code>
                </td>
                <td class="number">{count.toLocaleString()}</td>
                <td class="number">{number(100 * share)} %</td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  );
}
