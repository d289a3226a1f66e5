import type { Calibration } from "../api/client";
import { number } from "../parts/words";
import type { Edge, Place } from "./lattice";
import { Drawing } from "./plot";

type Qubit = Calibration["qubits"][number];
type Ask = (qubit: Qubit, number: number, joined: readonly Edge[], gates: Calibration["gates"]) => number | null | undefined;
export const QUBIT_FIGURES: Record<string, { of: Ask; unit: string; scale: "log" | "linear"; bad: "high" | "low" }> = {
  "Readout error": { of: (qubit: Qubit) => qubit.readout_error, unit: "", scale: "log", bad: "high" },
  T1: { of: (qubit: Qubit) => qubit.t1_us, unit: " µs", scale: "linear", bad: "low" },
  T2: { of: (qubit: Qubit) => qubit.t2_us, unit: " µs", scale: "linear", bad: "low" },
  "Error of a one-qubit gate": { of: (_qubit, number, _joined, gates) => errorOf(gates, number, ["sx", "x"]), unit: "", scale: "log", bad: "high" },
  "Error while idle": { of: (_qubit, number, _joined, gates) => errorOf(gates, number, ["id"]), unit: "", scale: "log", bad: "high" },
  "Worst error of a two-qubit gate": { of: (_qubit, number, joined) => worst(number, joined), unit: "", scale: "log", bad: "high" },
  Frequency: { of: (qubit: Qubit) => qubit.frequency_ghz, unit: " GHz", scale: "linear", bad: "high" },
};
export type QubitFigure = keyof typeof QUBIT_FIGURES;

/** The error of the first of these gates that the qubit has. */
function errorOf(gates: Calibration["gates"], qubit: number, names: readonly string[]): number | null {
  for (const name of names) {
    const found = gates.find(({ gate, qubits }) => gate === name && qubits.length === 1 && qubits[0] === qubit);
    if (found) return found.error ?? null;
  }
  return null;
}

function worst(qubit: number, joined: readonly Edge[]): number | null {
  const errors = joined.filter(({ qubits }) => qubits.includes(qubit)).flatMap(({ error }) => (error === null ? [] : [error]));
  return errors.length ? Math.max(...errors) : null;
}

interface Props {
  calibration: Calibration;
  joined: Edge[];
  at: Place[];
  figure: QubitFigure;
  marked: readonly number[];
}

/** Qubits coloured by one of their figures, edges by their gate error; what is under the pointer says its numbers. */
export function CouplingMap({ calibration, joined, at, figure, marked }: Props) {
  const { of, unit, scale, bad } = QUBIT_FIGURES[figure]!;
  const dots = at.map((place) => ({ ...place, qubit: place.qubit, value: of(calibration.qubits[place.qubit]!, place.qubit, joined, calibration.gates), said: calibration.qubits[place.qubit]! }));
  const lines = joined.map((edge) => ({ ...edge, from: at[edge.qubits[0]]!, to: at[edge.qubits[1]]! }));
  const tall = extent(at.map(({ y }) => y)) / (extent(at.map(({ x }) => x)) || 1);
  const radius = at.length > 60 ? 9 : 13;
  return (
    <Drawing
      label={`Coupling map of ${calibration.device}: ${at.length} qubits, ${joined.length} pairs with a gate, coloured by ${figure.toLowerCase()}. The tables below have the numbers.`}
      redraw={[calibration, figure, marked]}
      draw={(plot, width) =>
        plot.plot({
          width,
          height: Math.min(700, Math.max(220, width * tall + 60)),
          axis: null,
          y: { reverse: true },
          inset: 24,
          color: { type: scale, scheme: "viridis", reverse: bad === "high", legend: true, label: figure + unit },
          marks: [
            plot.link(lines, {
              x1: (each) => each.from.x,
              y1: (each) => each.from.y,
              x2: (each) => each.to.x,
              y2: (each) => each.to.y,
              strokeWidth: (each) => (each.error !== null && each.error > 0.02 ? 5 : 2.5),
              stroke: (each) => (each.error !== null && each.error > 0.02 ? "var(--bad)" : "var(--line)"),
              title: (each) => `${each.qubits.join(" – ")}\ngate error ${number(each.error)}\n${number(each.length)} ns`,
              tip: true,
            }),
            plot.dot(dots, { x: "x", y: "y", r: radius, fill: "value", stroke: (each) => (marked.includes(each.qubit) ? "var(--second)" : "none"), strokeWidth: 4 }),
            plot.text(dots, { x: "x", y: "y", text: (each) => String(each.qubit), fill: "white", stroke: "black", strokeWidth: 2, fontSize: 9 }),
            plot.tip(dots, plot.pointer({ x: "x", y: "y", title: (each) => told(each.qubit, each.said) })),
          ],
        })
      }
    />
  );
}

function told(qubit: number, said: Qubit): string {
  return [`qubit ${qubit}`, `T1 ${number(said.t1_us)} µs`, `T2 ${number(said.t2_us)} µs`, `readout error ${number(said.readout_error)}`, `${number(said.frequency_ghz, 5)} GHz`].join("\n");
}

function extent(values: number[]): number {
  return Math.max(...values) - Math.min(...values);
}
