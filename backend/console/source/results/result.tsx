import { useState } from "preact/hooks";
import { Histogram } from "../charts/histogram";
import { Drawing } from "../charts/plot";
import { Code } from "../parts/parts";
import { number } from "../parts/words";
import type { Cloud, Curve, Expectation, Outcome, Pub } from "./outcome";

const MOST_PUBS = 20;
const MOST_TEXT = 20_000;

export function Result({ outcome }: { outcome: Outcome }) {
  const shown = outcome.pubs.slice(0, MOST_PUBS);
  return (
    <section aria-labelledby="result">
      <h2 id="result">Result</h2>
      {shown.map((pub, at) => (
        <OnePub key={at} pub={pub} title={outcome.pubs.length > 1 ? `Pub ${at}` : undefined} />
      ))}
      {outcome.pubs.length > MOST_PUBS && <p>{outcome.pubs.length - MOST_PUBS} further pubs are in the download.</p>}
      {outcome.pubs.length === 0 && <Code text={JSON.stringify(outcome.raw, null, 2).slice(0, MOST_TEXT)} label="Result" />}
    </section>
  );
}

function OnePub({ pub, title }: { pub: Pub; title?: string }) {
  return (
    <div class="pub">
      {title && <h3>{title}</h3>}
      {pub.registers.map((register) => (
        <Histogram key={register.name} register={register} />
      ))}
      {pub.expectations.length > 0 && <Expectations values={pub.expectations} />}
      {pub.curves.map((curve) => (
        <Extrapolation key={curve.label} curve={curve} />
      ))}
      {pub.clouds.map((cloud) => (
        <IqCloud key={cloud.name} cloud={cloud} />
      ))}
      <Notes notes={pub.notes} />
    </div>
  );
}

function Expectations({ values }: { values: Expectation[] }) {
  return (
    <>
      <Drawing
        label={`${values.length} expectation values with their standard errors`}
        redraw={values}
        draw={(plot, width) =>
          plot.plot({
            width,
            height: 240,
            y: { label: "expectation value", grid: true },
            x: { type: "point", label: "observable", ticks: values.length > 40 ? 10 : undefined },
            marks: [
              plot.ruleY([0]),
              plot.ruleX(values, { x: "label", y1: (each) => each.value - (each.error ?? 0), y2: (each) => each.value + (each.error ?? 0), strokeOpacity: 0.6 }),
              plot.dot(values, { x: "label", y: "value", fill: "var(--accent)", tip: true, sort: null }),
            ],
          })
        }
      />
      <ul class="values">
        {values.slice(0, 50).map((each) => (
          <li key={each.label}>
            {each.label}: <b>{number(each.value, 5)}</b>
            {each.error !== undefined && ` ± ${number(each.error, 2)}`}
          </li>
        ))}
      </ul>
    </>
  );
}

function Extrapolation({ curve }: { curve: Curve }) {
  const { label, measured, fits } = curve;
  const zero = fits.filter(({ factor }) => factor === 0).map(({ extrapolator, value }) => `${extrapolator} ${number(value, 4)}`);
  return (
    <figure>
      <Drawing
        label={`Observable ${label} at ${measured.length} noise factors, extrapolated to no noise`}
        redraw={curve}
        draw={(plot, width) =>
          plot.plot({
            width: Math.min(width, 560),
            height: 260,
            x: { label: "noise factor", domain: [0, Math.max(...measured.map(({ factor }) => factor))], grid: true },
            y: { label: "expectation value", grid: true },
            color: { type: "categorical", legend: true, label: "extrapolator" },
            marks: [
              plot.line(fits, { x: "factor", y: "value", stroke: "extrapolator", sort: "factor", tip: true }),
              plot.ruleX(measured, { x: "factor", y1: (each) => each.value - each.error, y2: (each) => each.value + each.error }),
              plot.dot(measured, { x: "factor", y: "value", fill: "var(--ink)" }),
            ],
          })
        }
      />
      <figcaption>
        Observable {label} without noise: {zero.join(", ")}.
      </figcaption>
    </figure>
  );
}

function IqCloud({ cloud }: { cloud: Cloud }) {
  return (
    <Drawing
      label={`${cloud.points.length} measured points of ${cloud.name} in the IQ plane`}
      redraw={cloud}
      draw={(plot, width) =>
        plot.plot({
          width: Math.min(width, 480),
          height: 360,
          x: { label: "I" },
          y: { label: "Q" },
          color: { type: "categorical", legend: true, label: "bit" },
          marks: [plot.dot(cloud.points, { x: "i", y: "q", r: 1.5, fill: "bit", fillOpacity: 0.5 })],
        })
      }
    />
  );
}

function Notes({ notes }: { notes: Record<string, unknown> }) {
  const [open, setOpen] = useState(false);
  if (!Object.keys(notes).length) return null;
  return (
    <details open={open} onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Metadata</summary>
      {open && <Code text={JSON.stringify(notes, null, 2).slice(0, MOST_TEXT)} label="Metadata" />}
    </details>
  );
}
