// Numbers and times as people read them.
import type { Job, JobState } from "../api/client";

export const FINAL: readonly JobState[] = ["succeeded", "failed", "cancelled"];
export const STATES: readonly JobState[] = ["queued", "claimed", "running", "cancelling", "registered", ...FINAL];

export function time(text: string | null | undefined): string {
  if (!text) return "–";
  const at = new Date(text);
  const today = at.toDateString() === new Date().toDateString();
  return today ? at.toLocaleTimeString() : at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" });
}

export function seconds(value: number | null | undefined): string {
  if (value === null || value === undefined) return "–";
  if (value === 0) return "0 s";
  if (value < 0.001) return `${(value * 1e6).toFixed(0)} µs`;
  if (value < 1) return `${(value * 1e3).toFixed(value < 0.01 ? 1 : 0)} ms`;
  if (value < 120) return `${value.toFixed(1)} s`;
  if (value < 7200) return `${(value / 60).toFixed(0)} min`;
  return `${(value / 3600).toFixed(1)} h`;
}

export function number(value: number | null | undefined, digits = 3): string {
  return value === null || value === undefined || Number.isNaN(value) ? "–" : Number(value.toPrecision(digits)).toLocaleString();
}

export function between(from: string | null | undefined, to: string | null | undefined): number | null {
  return from && to ? (Date.parse(to) - Date.parse(from)) / 1000 : null;
}

/** What an API is called by people, from what jobs are marked with. */
export function cloud(api: string): string {
  const [family] = api.split("/");
  return { ibm: "IBM Quantum", oqtopus: "OQTOPUS", planqk: "PLANQK", kipu: "Kipu Quantum Hub" }[family!] ?? api;
}

export function waiting(job: Job): boolean {
  return !FINAL.includes(job.state);
}

/** An identifier that fits into a table: its end differs most. */
export function short(id: string): string {
  return id.length > 16 ? `…${id.slice(-12)}` : id;
}
