// The emulator's API, with the types that its specification declares.
import { signal } from "@preact/signals";
import type { components, paths } from "./schema";

type Schemas = components["schemas"];
export type Job = Schemas["jobs.Job"];
export type JobState = Schemas["jobs.JobState"];
export type LogLine = Schemas["jobs.LogLine"];
export type Device = Schemas["devices.Device"];
export type DeviceSettings = Schemas["devices.DeviceSettings"];
export type Calibration = Schemas["devices.Calibration"];
export type Session = Schemas["sessions.Session"];
export type Instance = Schemas["instances.Instance"];
export type Service = Schemas["services.Service"];
export type Token = Schemas["tokens.Token"];
export type Fault = Schemas["faults.Fault"];
export type NewFault = Schemas["faults.NewFault"];
export type FaultKind = Schemas["faults.FaultKind"];
export type Queue = Schemas["queues.Queue"];
export type Held = Schemas["state.Storage"]["held"][number];
export type Drawing = Schemas["drawings.Drawing"];
export type Operation = Schemas["drawings.Operation"];
export type Medians = Schemas["devices.Medians"];
export type Snapshot = Schemas["snapshots.Snapshot"];
export type Namespace = Schemas["namespaces.Namespace"];
export type Finding = Schemas["emulator.Finding"];
export type Account = Schemas["accounts.Account"];
export type Health = Schemas["emulator.Health"];

type Answer<P extends keyof paths> = paths[P] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : never;
type Values = Record<string, string | number | boolean | undefined>;

const KEY = "qumulus.token";
const DEFAULT_TOKEN = "qumulus-admin"; // what a server on loopback starts with
const REST_MILLISECONDS = 1000;

/** The administrator's token; null: nobody has signed in; undefined: it is not known yet. */
export const token = signal<string | null | undefined>(undefined);
/** Whether the stream of events stands. */
export const live = signal(false);

/** What the server answered, in its own words. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

/** Look for a token that is let in: the one of this tab, else the default one. */
export async function signInAgain(): Promise<void> {
  for (const known of [sessionStorage.getItem(KEY), DEFAULT_TOKEN]) if (known && (await signIn(known))) return;
  token.value = null;
}

/** Try a token; say whether it is the administrator's. */
export async function signIn(text: string): Promise<boolean> {
  const answered = await fetch("/emulator/accounts", { headers: { Authorization: `Bearer ${text}` } });
  if (!answered.ok) return false;
  sessionStorage.setItem(KEY, text);
  token.value = text;
  return true;
}

export function signOut(): void {
  sessionStorage.removeItem(KEY);
  token.value = null;
}

export function filled(path: string, values: Values = {}): string {
  return path.replace(/{(\w+)}/g, (_, name: string) => encodeURIComponent(String(values[name])));
}

function withQuery(path: string, query: Values): string {
  const asked = Object.entries(query).filter(([, value]) => value !== undefined && value !== "");
  return asked.length ? `${path}?${new URLSearchParams(asked.map(([name, value]) => [name, String(value)]))}` : path;
}

async function ask(method: string, path: string, body?: unknown, signal?: AbortSignal, secret = token.value): Promise<Response> {
  const headers: Record<string, string> = { Authorization: `Bearer ${secret}` };
  if (body !== undefined) headers["Content-Type"] = "application/json";
  const init = { method, headers, signal, body: body === undefined ? undefined : JSON.stringify(body) };
  const answered = await fetch(path, init).catch((error: unknown) => {
    if (signal?.aborted) throw error;
    throw new Refused(0, "The server does not answer. Is it running?");
  });
  if (answered.ok) return answered;
  if (answered.status === 401 && secret === token.value) token.value = null;
  const said = await answered.json().catch(() => ({ detail: answered.statusText }));
  throw new Refused(answered.status, said.detail ?? said.message ?? said.error_message ?? String(answered.status));
}

/** Read a resource. */
export async function get<P extends keyof paths>(path: P, values: Values = {}, query: Values = {}): Promise<Answer<P>> {
  return (await ask("GET", withQuery(filled(path, values), query))).json();
}

/** Read bytes, unless there are more than `most` of them: then null. */
export async function bytes(path: keyof paths, values: Values, most: number): Promise<ArrayBuffer | null> {
  const stop = new AbortController();
  const answered = await ask("GET", filled(path, values), undefined, stop.signal);
  if (Number(answered.headers.get("content-length")) > most) {
    stop.abort();
    return null;
  }
  return answered.arrayBuffer();
}

/** Change something; what is answered, if anything. */
export async function send<T = unknown>(method: "POST" | "PUT" | "DELETE", path: keyof paths, values: Values = {}, body?: unknown): Promise<T | null> {
  const text = await (await ask(method, filled(path, values), body)).text();
  return text ? JSON.parse(text) : null;
}

const TOKEN_MILLISECONDS = 86_400_000; // the program of an execution has the token too, while it runs

/** Start an execution in the name of an account, as its client would, with a token that ends by itself; return its identifier. */
export async function runService(service: string, account: string, input: unknown): Promise<string> {
  const clock = await get("/emulator/clock");
  const ends = new Date(Date.parse(clock.now) + TOKEN_MILLISECONDS).toISOString();
  const made = await send<{ secret: string }>("POST", "/emulator/tokens", {}, { api: "planqk", account, expires_at: ends });
  const answered = await ask("POST", `/services/${encodeURIComponent(service)}`, input, undefined, made!.secret);
  return (await answered.json()).id;
}

export type Changes = ReadonlySet<string> | null; // null: something, and it is not known what
const listeners = new Set<(changed: Changes) => void>();
let following = false;

/** Call `listener` when something happens to jobs, for as long as it is not taken back. */
export function onChange(listener: (changed: Changes) => void): () => void {
  listeners.add(listener);
  if (!following) void follow();
  return () => listeners.delete(listener);
}

async function follow(): Promise<void> {
  following = true;
  while (listeners.size) {
    try {
      await stream(await ask("GET", "/emulator/events"));
    } catch {
      live.value = false;
      await new Promise((resume) => setTimeout(resume, REST_MILLISECONDS));
    }
    if (!token.value) break;
  }
  live.value = following = false;
}

async function stream(answered: Response): Promise<void> {
  const reader = answered.body!.pipeThrough(new TextDecoderStream()).getReader();
  live.value = true;
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const events = (text + value).split("\n\n");
    text = events.pop()!;
    for (const event of events) tell(event);
  }
}

function tell(event: string): void {
  const data = event.split("\n").find((line) => line.startsWith("data: "));
  if (!data) return;
  const jobs: string[] = JSON.parse(data.slice(6)).jobs;
  const changed = jobs.length ? new Set(jobs) : null;
  for (const listener of listeners) listener(changed);
}
