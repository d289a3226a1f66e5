// The circuits of a job, drawn when somebody wants to see them: a worker has to decode them first.
import { useState } from "preact/hooks";
import { type Drawing, get } from "../api/client";
import { useLoaded } from "../api/live";
import { Circuit, words } from "../charts/circuit";
import { Problem } from "../parts/parts";

const STAGES = { sent: "as it was sent", scheduled: "as the device runs it" } as const;
const MOST_ROWS = 300;

export function Circuits({ job }: { job: string }) {
  const [open, setOpen] = useState(false);
  return (
    <section aria-labelledby="circuits">
      <h2 id="circuits">Circuit</h2>
      {open ? (
        <Shown job={job} />
      ) : (
        <button type="button" onClick={() => setOpen(true)}>
          Draw the circuit
        </button>
      )}
    </section>
  );
}

function Shown({ job }: { job: string }) {
  const [circuit, setCircuit] = useState(0);
  const [stage, setStage] = useState<keyof typeof STAGES>("sent");
  const [zoom, setZoom] = useState(1);
  const { data, error } = useLoaded(() => get("/emulator/jobs/{jobId}/circuits/{circuit}", { jobId: job, circuit }, { stage }), [job, circuit, stage]);
  return (
    <>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        {data && data.circuits > 1 && (
          <label>
            Number <input type="number" min="0" max={data.circuits - 1} value={circuit} onChange={(event) => setCircuit(event.currentTarget.valueAsNumber || 0)} /> of {data.circuits}
          </label>
        )}
        <label>
          Shown{" "}
          <select value={stage} onChange={(event) => setStage(event.currentTarget.value as keyof typeof STAGES)}>
            {Object.entries(STAGES).map(([value, title]) => (
              <option key={value} value={value}>
                {title}
              </option>
            ))}
          </select>
        </label>
        <label>
          Zoom <input type="range" min="-2" max="6" step="0.5" value={Math.log2(zoom)} onInput={(event) => setZoom(2 ** event.currentTarget.valueAsNumber)} />
        </label>
      </form>
      <Problem error={error} />
      {!data && !error && <p role="status">A worker reads the circuit …</p>}
      {data && <One drawing={data} zoom={zoom} />}
    </>
  );
}

function One({ drawing, zoom }: { drawing: Drawing; zoom: number }) {
  return (
    <figure>
      <div class="scroll circuit-frame" tabIndex={0} role="region" aria-label="Drawing of the circuit">
        <Circuit drawing={drawing} zoom={zoom} />
      </div>
      <figcaption>
        {drawing.qubits.length} qubits and {drawing.operations.length.toLocaleString()} operations{drawing.left > 0 && `; ${drawing.left.toLocaleString()} more are not drawn`}.
      </figcaption>
      <details>
        <summary>Operations as a list</summary>
        <ol>
          {drawing.operations.slice(0, MOST_ROWS).map((operation, at) => (
            <li key={at}>{words(operation, drawing.cycle)}</li>
          ))}
        </ol>
      </details>
    </figure>
  );
}
