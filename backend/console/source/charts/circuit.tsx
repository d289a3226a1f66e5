// A circuit: wires from left to right, and what happens on them; in steps as it was sent, in time as it is scheduled.
import { useMemo } from "preact/hooks";
import type { Drawing, Operation } from "../api/client";

const ROW = 40; // between wires
const BOX = 28; // high
const COLUMN = 36; // at least, where there are no times
const LETTER = 7.2;
const TOP = 10;
const LEAST = 3; // wide, of what takes no time
const MOST_LETTERS = 14;

interface Placed {
  operation: Operation;
  x: number;
  width: number;
  rows: number[]; // of its qubits, in its own order
  bits: number | null; // the row of classical bits, where it writes or reads some
}
interface Layout {
  placed: Placed[];
  width: number;
}

/** A circuit as a picture with one label; under the pointer each operation says what it is. */
export function Circuit({ drawing, zoom }: { drawing: Drawing; zoom: number }) {
  const { placed, width } = useMemo(() => (drawing.length === null ? inSteps(drawing) : inTime(drawing, zoom)), [drawing, zoom]);
  const wires = [...drawing.qubits, ...(drawing.clbits.length ? ["bits"] : [])];
  const left = LETTER * Math.max(...wires.map((name) => name.length), 1) + 20;
  const scale = drawing.length === null ? zoom : 1;
  const [wide, high] = [left + width + 20, TOP + ROW * wires.length + 10];
  return (
    <svg class="circuit" role="img" aria-label={summary(drawing)} width={wide * scale} height={high * scale} viewBox={`0 0 ${wide} ${high}`}>
      {wires.map((name, row) => (
        <g key={name} class={row < drawing.qubits.length ? "wire" : "wire bits"}>
          <text x={left - 8} y={y(row) + 4}>
            {name}
          </text>
          <line x1={left} x2={wide - 8} y1={y(row)} y2={y(row)} />
        </g>
      ))}
      <g transform={`translate(${left} 0)`}>
        {placed.map((each, at) => (
          <Mark key={at} {...each} cycle={drawing.cycle} />
        ))}
      </g>
    </svg>
  );
}

const y = (row: number) => TOP + ROW / 2 + ROW * row;

/** Each operation as far to the left as its wires allow, one column a step. */
function inSteps(drawing: Drawing): Layout {
  const free: number[] = [];
  const steps: { each: Omit<Placed, "x" | "width">; step: number }[] = [];
  const widths: number[] = [];
  for (const operation of drawing.operations) {
    const each = { operation, ...rowsOf(operation, drawing) };
    const [from, to] = span(each);
    let step = 0;
    for (let row = from; row <= to; row++) step = Math.max(step, free[row] ?? 0);
    for (let row = from; row <= to; row++) free[row] = step + 1;
    widths[step] = Math.max(widths[step] ?? COLUMN, LETTER * label(operation).length + 20);
    steps.push({ each, step });
  }
  const begins = widths.reduce<number[]>((found, width, step) => [...found, found[step]! + width], [0]);
  const placed = steps.map(({ each, step }) => {
    const width = Math.max(BOX, LETTER * label(each.operation).length + 10);
    return { ...each, width, x: begins[step]! + (widths[step]! - width) / 2 };
  });
  return { placed, width: begins.at(-1)! };
}

const WIDTH = 900; // of a whole schedule without zoom

function inTime(drawing: Drawing, zoom: number): Layout {
  const scale = (WIDTH * zoom) / Math.max(1, drawing.length ?? 1);
  const placed = drawing.operations.map((operation) => ({
    operation,
    ...rowsOf(operation, drawing),
    x: (operation.begin ?? 0) * scale,
    width: Math.max(LEAST, (operation.length ?? 0) * scale - 1),
  }));
  return { placed, width: WIDTH * zoom };
}

function rowsOf(operation: Operation, { qubits, clbits }: Drawing): { rows: number[]; bits: number | null } {
  return { rows: operation.qubits.map((name) => qubits.indexOf(name)), bits: operation.clbits.length && clbits.length ? qubits.length : null };
}

function span({ rows, bits }: { rows: number[]; bits: number | null }): [number, number] {
  const all = bits === null ? rows : [...rows, bits];
  return [Math.min(...all), Math.max(...all)];
}

const SHORT: Record<string, string> = { measure: "M", reset: "|0⟩", delay: "wait" };

function label({ name, parameters }: Operation): string {
  const whole = parameters.length && name !== "delay" ? `${name}(${parameters.join(", ")})` : (SHORT[name] ?? name);
  return whole.length > MOST_LETTERS ? `${whole.slice(0, MOST_LETTERS - 1)}…` : whole;
}

/** What an operation is, in words. */
export function words(operation: Operation, cycle: number | null): string {
  const { name, parameters, qubits, clbits, within, begin, length } = operation;
  const time = begin === null || cycle === null ? "" : `, from ${nanoseconds(begin, cycle)} for ${nanoseconds(length ?? 0, cycle)}`;
  return `${name}${parameters.length ? `(${parameters.join(", ")})` : ""} on ${qubits.join(", ") || "no qubit"}${clbits.length ? `, ${clbits.join(", ")}` : ""}${time}${within ? `, within ${within}` : ""}`;
}

function nanoseconds(cycles: number, cycle: number): string {
  return `${(cycles * cycle * 1e9).toLocaleString(undefined, { maximumFractionDigits: 1 })} ns`;
}

function summary({ qubits, operations, left, length, cycle }: Drawing): string {
  const time = length === null || cycle === null ? "" : `, ${nanoseconds(length, cycle)} long`;
  return `Circuit of ${(operations.length + left).toLocaleString()} operations on ${qubits.length} qubits${time}`;
}

const CONTROLS: Record<string, number> = { cx: 1, cy: 1, ccx: 2, cp: 1, crx: 1, cry: 1, crz: 1, ch: 1 };
const DOTS = new Set(["cz", "ccz", "cp"]); // symmetric: a dot on every qubit

function Mark({ operation, x, width, rows, bits, cycle }: Placed & { cycle: number | null }) {
  const { name } = operation;
  const middle = x + width / 2;
  const [from, to] = span({ rows, bits });
  const controls = CONTROLS[name] ?? 0;
  const fits = width >= LETTER * label(operation).length;
  if (name === "barrier") return <path class="barrier" d={rows.map((row) => `M${middle} ${y(row) - ROW / 2}v${ROW}`).join("")} />;
  return (
    <g class={`mark ${SHORT[name] ? name : ""} ${operation.within ? "within" : ""}`}>
      <title>{words(operation, cycle)}</title>
      {from !== to && <line class={bits === null ? "" : "bits"} x1={middle} x2={middle} y1={y(from)} y2={y(to)} />}
      {rows.map((row, at) => {
        if (at < controls || DOTS.has(name)) return <circle key={row} class="dot" cx={middle} cy={y(row)} r={4.5} />;
        if (name === "cx" || name === "ccx") return <path key={row} class="plus" d={`M${middle - 9} ${y(row)}a9 9 0 1 0 18 0a9 9 0 1 0 -18 0h18M${middle} ${y(row) - 9}v18`} />;
        if (name === "swap") return <path key={row} class="plus" d={`M${middle - 6} ${y(row) - 6}l12 12m0 -12l-12 12`} />;
        return (
          <g key={row}>
            <rect x={x} y={y(row) - BOX / 2} width={width} height={BOX} rx={3} />
            {fits && (
              <text x={middle} y={y(row) + 4}>
                {label(operation)}
              </text>
            )}
          </g>
        );
      })}
      {bits !== null && <circle class="dot" cx={middle} cy={y(bits)} r={3} />}
    </g>
  );
}
