// What a result says, whichever cloud's form it has: registers of counts, and expectation values.
import { decoded, type Numbers } from "./numpy";

export interface Register {
  name: string;
  bits: number;
  shots: number;
  counts: Map<string, number>; // by bit string, most frequent first
}
export interface Expectation {
  label: string;
  value: number;
  error?: number;
}
export interface Cloud {
  name: string;
  points: { i: number; q: number; bit: number }[]; // of each shot and bit of the register
}
/** An expectation value at amplified noise, and what each extrapolator makes of it. */
export interface Curve {
  label: string;
  measured: { factor: number; value: number; error: number }[];
  fits: { extrapolator: string; factor: number; value: number }[];
}
export interface Pub {
  registers: Register[];
  expectations: Expectation[];
  curves: Curve[];
  clouds: Cloud[];
  notes: Record<string, unknown>; // its metadata
}
export interface Outcome {
  pubs: Pub[];
  raw: unknown; // what was read
}

type Json = Record<string, any>;
const MOST_BYTES = 64 << 20;
const MOST_POINTS = 4000;
const MOST_CURVES = 6;

/** Read a result. Throws where it is no JSON. */
export async function outcomeOf(content: ArrayBuffer): Promise<Outcome> {
  const raw = JSON.parse(new TextDecoder().decode(content));
  return { raw, pubs: await pubsOf(raw) };
}

async function pubsOf(raw: Json): Promise<Pub[]> {
  if (raw?.__type__ === "PrimitiveResult") return Promise.all(raw.__value__.pub_results.map((each: Json) => typedPub(each, amplified(raw.__value__.metadata))));
  if (Array.isArray(raw?.results)) return raw.results.map((each: Json) => plainPub(each, amplified(raw.metadata)));
  const counts = raw?.sampling?.counts ?? raw?.counts;
  if (counts && typeof counts === "object") return [pub({ registers: [register("c", counts)] })];
  const estimated = raw?.estimation ?? raw;
  if (typeof estimated?.exp_value === "number")
    return [pub({ expectations: [{ label: "operator", value: estimated.exp_value, error: estimated.stds }] })];
  return [];
}

function pub(parts: Partial<Pub>): Pub {
  return { registers: [], expectations: [], curves: [], clouds: [], notes: {}, ...parts };
}

interface Amplified {
  noise_factors: number[];
  extrapolator: string[];
  extrapolated_noise_factors: number[];
}

/** How the noise of the whole result was amplified, if it was. */
function amplified(metadata: Json | undefined): Amplified | undefined {
  const zne = metadata?.resilience?.zne;
  return [zne?.noise_factors, zne?.extrapolator, zne?.extrapolated_noise_factors].every(Array.isArray) ? zne : undefined;
}

/** All numbers of a pub lie in rows of `noise_factors`, and of `extrapolator` times `extrapolated_noise_factors`. */
function curves(of: Amplified | undefined, values: number[], errors: number[], fitted: number[]): Curve[] {
  if (!of || !values.length) return [];
  const { noise_factors: factors, extrapolator: extrapolators, extrapolated_noise_factors: points } = of;
  const [row, fits] = [factors.length, extrapolators.length * points.length];
  return Array.from({ length: Math.min(MOST_CURVES, values.length / row) }, (_, at) => ({
    label: String(at),
    measured: factors.map((factor, f) => ({ factor, value: values[at * row + f]!, error: errors[at * row + f] ?? 0 })),
    fits: extrapolators.flatMap((extrapolator, e) => points.map((factor, p) => ({ extrapolator, factor, value: fitted[at * fits + e * points.length + p]! }))),
  }));
}

function register(name: string, counts: Record<string, number> | Map<string, number>, bits?: number): Register {
  const sorted = [...(counts instanceof Map ? counts : Object.entries(counts))].sort((a, b) => b[1] - a[1]);
  const shots = sorted.reduce((sum, [, count]) => sum + count, 0);
  return { name, bits: bits ?? sorted[0]?.[0].length ?? 0, shots, counts: new Map(sorted) };
}

/** The form of IBM's document: `data.c.samples`, `data.evs`. */
function plainPub(said: Json, factors?: Amplified): Pub {
  const made = pub({ notes: said.metadata ?? {} });
  for (const [name, value] of Object.entries<any>(said.data ?? {})) {
    if (!Array.isArray(value?.samples)) continue;
    const counts = new Map<string, number>();
    for (const sample of value.samples.flat(Infinity)) {
      const bits = BigInt(sample).toString(2).padStart(value.num_bits, "0");
      counts.set(bits, (counts.get(bits) ?? 0) + 1);
    }
    made.registers.push(register(name, counts, value.num_bits));
  }
  made.expectations = expectations(said.data?.evs, said.data?.stds);
  const [values, errors, fitted] = CURVES.map((name) => [said.data?.[name] ?? []].flat(Infinity) as number[]);
  made.curves = curves(factors, values!, errors!, fitted!);
  return made;
}

const CURVES = ["evs_noise_factors", "stds_noise_factors", "evs_extrapolated"];
const OF_VALUES = new Set(["evs", "stds", "ensemble_standard_error", "ensemble_stds_noise_factors", "stds_extrapolated", ...CURVES]);

function expectations(values: unknown, errors: unknown): Expectation[] {
  const flat = [values ?? []].flat(Infinity) as number[];
  const by = [errors ?? []].flat(Infinity) as number[];
  return flat.map((value, at) => ({ label: String(at), value, error: by[at] }));
}

/** The form of Qiskit's encoder: objects with `__type__`, arrays compressed. */
async function typedPub(said: Json, factors?: Amplified): Promise<Pub> {
  const made = pub({ notes: said.__value__.metadata ?? {} });
  const fields: Json = said.__value__.data.__value__.fields;
  for (const [name, value] of Object.entries<any>(fields)) {
    if (value?.__type__ === "BitArray") {
      const array = await decoded(value.__value__.array.__value__, MOST_BYTES);
      made.registers.push(register(name, countsOf(array, value.__value__.num_bits), value.__value__.num_bits));
    } else if (value?.__type__ === "ndarray" && !OF_VALUES.has(name)) {
      const array = await decoded(value.__value__, MOST_BYTES);
      if (array.complex) made.clouds.push({ name, points: points(array) });
    }
  }
  made.expectations = expectations(await numbers(fields.evs), await numbers(fields.stds));
  const [values, errors, fitted] = await Promise.all(CURVES.map((name) => numbers(fields[name])));
  made.curves = curves(factors, values!, errors!, fitted!);
  return made;
}

async function numbers(value: any): Promise<number[]> {
  if (value === undefined) return [];
  if (value?.__type__ !== "ndarray") return [value];
  return Array.from((await decoded(value.__value__, MOST_BYTES)).values);
}

/** Shots are packed into bytes, the first bits first; the last axis are the bytes of a shot. */
function countsOf({ shape, values }: Numbers, bits: number): Map<string, number> {
  const width = shape[shape.length - 1] ?? 1;
  const found = new Map<string, number>();
  for (let at = 0; at < values.length; at += width) {
    let text = "";
    for (let byte = 0; byte < width; byte++) text += values[at + byte]!.toString(2).padStart(8, "0");
    const shot = text.slice(text.length - bits);
    found.set(shot, (found.get(shot) ?? 0) + 1);
  }
  return found;
}

function points({ shape, values }: Numbers): Cloud["points"] {
  const bits = shape[shape.length - 1] ?? 1; // the last axis
  const shots = values.length / 2 / bits;
  const found: Cloud["points"] = [];
  for (let shot = 0; shot < shots; shot += Math.max(1, Math.ceil((shots * bits) / MOST_POINTS)))
    for (let bit = 0; bit < bits; bit++) {
      const at = 2 * (shot * bits + bit);
      found.push({ i: values[at]!, q: values[at + 1]!, bit });
    }
  return found;
}
