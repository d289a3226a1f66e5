import { useLocation, useRoute } from "preact-iso/router";
import { useEffect, useMemo, useState } from "preact/hooks";
import { type Calibration, type DeviceSettings, get, send } from "../api/client";
import { useLoaded } from "../api/live";
import { CouplingMap, QUBIT_FIGURES, type QubitFigure } from "../charts/coupling-map";
import { edges, line, places } from "../charts/lattice";
import { csv, download } from "../parts/download";
import { Form, useAct, type Values } from "../parts/forms";
import { type Column, Facts, Problem, Table, Title } from "../parts/parts";
import { number, time } from "../parts/words";

export function Device() {
  const { name } = useRoute().params as { name: string };
  const device = useLoaded(() => get("/emulator/devices/{device}", { device: name }), name, () => true);
  const series = useLoaded(() => get("/emulator/calibrations/{device}", { device: name }), name, () => true);
  const [chosen, setChosen] = useState<string>();
  const calibration = useLoaded(() => get("/emulator/devices/{device}/calibration", { device: name }, { calibration_id: chosen }), [name, chosen]);
  const known = device.data;
  return (
    <>
      <Title text={name}>
        {known && <span class={`state ${known.settings.online ? "succeeded" : "failed"}`}>{known.settings.online ? "online" : "offline"}</span>}
        <a class="button" href={`/console/jobs?device=${name}`}>
          Its jobs
        </a>
      </Title>
      <Problem error={device.error} />
      {known && (
        <Facts
          facts={[
            ["Qubits", known.n_qubits],
            ["Processor", known.family],
            ["Basis gates", known.basis_gates.join(", ")],
            ["Calibrated", time(known.calibrated_at)],
            ["Jobs that wait or run", known.pending],
          ]}
        />
      )}
      <Problem error={calibration.error} />
      {series.data && series.data.calibrations.length > 1 && <Series series={series.data.calibrations} chosen={chosen} choose={setChosen} />}
      {known?.kind === "qpu" && <Drift name={name} changed={series.again} />}
      {calibration.data && <Figures calibration={calibration.data} />}
      {known && <Settings name={name} settings={known.settings} changed={device.again} key={name} />}
    </>
  );
}

type Dated = { id: string; at: string; current: boolean };

/** The calibrations on a slider; without a choice, the current one. */
function Series({ series, chosen, choose }: { series: Dated[]; chosen: string | undefined; choose: (id: string) => void }) {
  const at = Math.max(0, series.findIndex(({ id, current }) => (chosen ? id === chosen : current)));
  const shown = series[at]!;
  return (
    <div class="filters">
      <label>
        Calibration <input type="range" min="0" max={series.length - 1} value={at} onInput={(event) => choose(series[event.currentTarget.valueAsNumber]!.id)} />
      </label>
      <output>
        {at + 1} of {series.length}, {time(shown.at)}
        {shown.current && ", the current one"}
      </output>
    </div>
  );
}

/** Lets calibrations follow the current one, or gives the device its own back. */
function Drift({ name, changed }: { name: string; changed: () => void }) {
  const { act, error } = useAct(changed);
  const add = ({ bad_qubits: bad, since, ...body }: Values) => act(() => send("POST", "/emulator/calibrations/{device}", { device: name }, { ...body, bad_qubits: (bad as number[] | undefined)?.map((qubit) => ({ qubit, since })) }));
  return (
    <details>
      <summary>Let it drift</summary>
      <Problem error={error} />
      <Form
        label="Let calibrations follow"
        fields={[
          { name: "number", label: "How many", type: "number", min: 1, max: 48, value: 7, required: true },
          { name: "every_hours", label: "Hours between two", type: "number", min: 0.01, max: 8784, value: 24 },
          { name: "drift", label: "Drift, of the usual", type: "number", min: 0, max: 10, value: 1 },
          { name: "seed", label: "Seed", type: "number", min: 0 },
          { name: "bad_qubits", label: "Qubits that go bad", type: "numbers", placeholder: "3, 7" },
          { name: "since", label: "since calibration", type: "number", min: 1, max: 48 },
        ]}
        submit={add}
      />
      <button type="button" onClick={() => act(() => send("DELETE", "/emulator/calibrations/{device}", { device: name }))}>
        Give it its own calibration back
      </button>
    </details>
  );
}

function Figures({ calibration }: { calibration: Calibration }) {
  const [figure, setFigure] = useState<QubitFigure>("Readout error");
  const [length, setLength] = useState(0);
  const joined = useMemo(() => edges(calibration), [calibration]);
  const at = useMemo(() => places(calibration, joined), [calibration, joined]);
  const marked = useMemo(() => (length > 1 ? line(calibration, joined, length) : []), [calibration, joined, length]);
  if (!joined.length) return null;
  return (
    <section aria-labelledby="map">
      <h2 id="map">Coupling map</h2>
      <form class="filters" onSubmit={(event) => event.preventDefault()}>
        <label>
          Colour{" "}
          <select value={figure} onChange={(event) => setFigure(event.currentTarget.value as QubitFigure)}>
            {Object.keys(QUBIT_FIGURES).map((each) => (
              <option key={each}>{each}</option>
            ))}
          </select>
        </label>
        <label>
          A good line of <input type="number" min="0" max={calibration.qubits.length} value={length} onInput={(event) => setLength(event.currentTarget.valueAsNumber || 0)} /> qubits
        </label>
        {length > 1 && <output>{marked?.length ? marked.join(", ") : "There is no such line."}</output>}
      </form>
      <CouplingMap calibration={calibration} joined={joined} at={at} figure={figure} marked={marked ?? []} />
      <p class="note">Thick edges have a gate error over 2 %. The calibration is of {time(calibration.at)}.</p>
      <QubitTable calibration={calibration} />
      <GateTable calibration={calibration} />
    </section>
  );
}

type QubitRow = Calibration["qubits"][number] & { qubit: number };
const QUBIT_COLUMNS: (Column<QubitRow> & { by: (row: QubitRow) => number | null })[] = [
  { title: "Qubit", cell: (row) => row.qubit, by: (row) => row.qubit, number: true },
  { title: "T1 (µs)", cell: (row) => number(row.t1_us), by: (row) => row.t1_us, number: true },
  { title: "T2 (µs)", cell: (row) => number(row.t2_us), by: (row) => row.t2_us, number: true },
  { title: "Readout error", cell: (row) => number(row.readout_error), by: (row) => row.readout_error, number: true },
  { title: "Readout (ns)", cell: (row) => number(row.readout_length_ns, 5), by: (row) => row.readout_length_ns, number: true },
  { title: "Frequency (GHz)", cell: (row) => number(row.frequency_ghz, 5), by: (row) => row.frequency_ghz, number: true },
];

function QubitTable({ calibration }: { calibration: Calibration }) {
  const rows = calibration.qubits.map((each, qubit) => ({ ...each, qubit }));
  return (
    <details>
      <summary>Qubits as a table</summary>
      <Save name={`${calibration.device}-qubits.csv`} rows={rows} columns={QUBIT_COLUMNS} />
      <Table rows={rows} columns={QUBIT_COLUMNS} id={(row) => String(row.qubit)} caption="Qubits" />
    </details>
  );
}

type GateRow = Calibration["gates"][number];
const GATE_COLUMNS: (Column<GateRow> & { by: (row: GateRow) => number | string | null })[] = [
  { title: "Gate", cell: (row) => row.gate, by: (row) => row.gate },
  { title: "Qubits", cell: (row) => row.qubits.join(", "), by: (row) => row.qubits.join(" ") },
  { title: "Error", cell: (row) => number(row.error), by: (row) => row.error, number: true },
  { title: "Length (ns)", cell: (row) => number(row.length_ns, 5), by: (row) => row.length_ns, number: true },
];

function GateTable({ calibration }: { calibration: Calibration }) {
  const [open, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>Gates as a table</summary>
      {open && (
        <>
          <Save name={`${calibration.device}-gates.csv`} rows={calibration.gates} columns={GATE_COLUMNS} />
          <Table rows={calibration.gates} columns={GATE_COLUMNS} id={(row) => `${row.gate} ${row.qubits.join()}`} caption="Gates" />
        </>
      )}
    </details>
  );
}

function Save<T>({ name, rows, columns }: { name: string; rows: readonly T[]; columns: (Column<T> & { by: (row: T) => number | string | null })[] }) {
  const table = () =>
    csv(
      columns.map(({ title }) => title),
      rows.map((row) => columns.map(({ by }) => by(row))),
    );
  return (
    <button type="button" onClick={() => download(name, table(), "text/csv")}>
      Download as CSV
    </button>
  );
}

function Settings({ name, settings, changed }: { name: string; settings: DeviceSettings; changed: () => void }) {
  const { route } = useLocation();
  const { act, error } = useAct(changed);
  const [wanted, setWanted] = useState<Partial<DeviceSettings>>({}); // shown until the server has said what is set
  useEffect(() => setWanted({}), [settings, error]);
  const shown = { ...settings, ...wanted };
  const set = (more: Partial<DeviceSettings>) => {
    setWanted({ ...wanted, ...more });
    void act(() => send("PUT", "/emulator/devices/{device}/settings", { device: name }, { ...shown, ...more }));
  };
  const remove = () => {
    if (confirm(`Remove the device ${name}? Those that come with the server stay.`))
      void act(async () => {
        await send("DELETE", "/emulator/devices/{device}", { device: name });
        route("/console/devices");
      });
  };
  return (
    <section aria-labelledby="settings">
      <h2 id="settings">Settings</h2>
      <Problem error={error} />
      <div class="filters">
        <label>
          <input type="checkbox" checked={shown.online} onChange={(event) => set({ online: event.currentTarget.checked })} /> takes jobs
        </label>
        <label>
          <input type="checkbox" checked={shown.one_at_a_time} onChange={(event) => set({ one_at_a_time: event.currentTarget.checked })} /> one job at a time
        </label>
        <label>
          <input type="checkbox" checked={shown.provider} onChange={(event) => set({ provider: event.currentTarget.checked })} /> an engine fetches its jobs
        </label>
        {(["least_queue_seconds", "least_run_seconds"] as const).map((each) => (
          <label key={each}>
            {each === "least_queue_seconds" ? "Waits at least" : "Runs at least"}{" "}
            <input type="number" min="0" max="3600" step="any" value={shown[each]} onChange={(event) => set({ [each]: event.currentTarget.valueAsNumber || 0 })} /> s
          </label>
        ))}
        <label>
          Message <input type="text" maxLength={1000} value={shown.message} onChange={(event) => set({ message: event.currentTarget.value })} />
        </label>
      </div>
      <button type="button" class="danger" onClick={remove}>
        Remove the device
      </button>
    </section>
  );
}
