// Where qubits are drawn, and paths through them.
import { forceCenter, forceLink, forceManyBody, forceSimulation } from "d3-force";
import type { Calibration } from "../api/client";

export interface Place {
  qubit: number;
  x: number;
  y: number;
}
export interface Edge {
  qubits: [number, number];
  error: number | null; // the worse of both directions, the best gate
  length: number | null;
}

const TICKS = 400;

/** One edge for each pair of qubits that a gate joins. */
export function edges({ gates }: Calibration): Edge[] {
  const found = new Map<string, Edge>();
  for (const { qubits, error, length_ns: length } of gates) {
    if (qubits.length !== 2) continue;
    const pair = [...qubits].sort((a, b) => a - b) as [number, number];
    const before = found.get(pair.join());
    if (!before || (error ?? 1) < (before.error ?? 1)) found.set(pair.join(), { qubits: pair, error, length });
  }
  return [...found.values()];
}

/** Places as the device's documents say, or by forces along the edges where they say nothing. */
export function places(calibration: Calibration, joined: Edge[]): Place[] {
  const known = calibration.qubits.map(({ at }, qubit) => ({ qubit, x: at?.[0] ?? NaN, y: at?.[1] ?? NaN }));
  if (known.every(({ x }) => !Number.isNaN(x))) return known;
  const nodes: (Place & { index?: number })[] = known.map(({ qubit }) => ({ qubit, x: 10 * (qubit % 8), y: 10 * Math.floor(qubit / 8) }));
  forceSimulation(nodes)
    .force("charge", forceManyBody().strength(-30))
    .force("link", forceLink(joined.map(({ qubits: [source, target] }) => ({ source, target }))).distance(10).strength(1))
    .force("center", forceCenter())
    .stop()
    .tick(TICKS);
  return nodes;
}

const WIDTH = 200; // how many beginnings are followed at once

/** A line of `length` qubits with small errors of gates and readout: a beam search, which may miss the best. */
export function line(calibration: Calibration, joined: Edge[], length: number): number[] | null {
  const cost = (error: number | null | undefined) => -Math.log(1 - Math.min(error ?? 0.5, 0.999));
  const next = new Map<number, { to: number; cost: number }[]>();
  for (const { qubits: [a, b], error } of joined) {
    for (const [from, to] of [[a, b], [b, a]] as const) next.set(from, [...(next.get(from) ?? []), { to, cost: cost(error) }]);
  }
  const readout = calibration.qubits.map(({ readout_error: error }) => cost(error));
  let beam = calibration.qubits.map((_, qubit) => ({ path: [qubit], cost: readout[qubit]! }));
  for (let step = 1; step < length; step++) {
    beam = beam
      .flatMap(({ path, cost: so }) => (next.get(path.at(-1)!) ?? []).filter(({ to }) => !path.includes(to)).map(({ to, cost: more }) => ({ path: [...path, to], cost: so + more + readout[to]! })))
      .sort((x, y) => x.cost - y.cost)
      .slice(0, WIDTH);
  }
  return beam[0]?.path ?? null;
}
