// Small things that every page is made of.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { JobState } from "../api/client";

export function Title({ children, text }: { children?: ComponentChildren; text: string }) {
  useEffect(() => {
    document.title = `${text} – Qumulus`;
  }, [text]);
  return (
    <header class="title">
      <h1>{text}</h1>
      {children}
    </header>
  );
}

export function State({ state }: { state: JobState }) {
  return <span class={`state ${state}`}>{state}</span>;
}

export function Problem({ error }: { error: Error | undefined }) {
  return error ? (
    <p class="problem" role="alert">
      {error.message}
    </p>
  ) : null;
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  const copy = async () => {
    await navigator.clipboard.writeText(text);
    setDone(true);
    setTimeout(setDone, 1500, false);
  };
  return (
    <button type="button" class="copy" onClick={copy}>
      {done ? "Copied" : label}
    </button>
  );
}

export function Code({ text, label }: { text: string; label: string }) {
  return (
    <div class="code">
      <pre tabIndex={0} aria-label={label}>
        <code>{text}</code>
      </pre>
      <Copy text={text} />
    </div>
  );
}

export interface Column<T> {
  title: string;
  cell: (row: T) => ComponentChildren;
  by?: (row: T) => number | string | null; // what to sort by; without it the column can't be sorted
  number?: boolean;
}

/** A table that sorts where its columns say how, in the browser. */
export function Table<T>({ rows, columns, id, caption }: { rows: readonly T[]; columns: Column<T>[]; id: (row: T) => string; caption: string }) {
  const [order, setOrder] = useState<{ at: number; down: boolean }>();
  const by = order && columns[order.at]?.by;
  const shown = by ? [...rows].sort((a, b) => compare(by(a), by(b)) * (order.down ? -1 : 1)) : rows;
  const turn = (at: number) => setOrder((before) => ({ at, down: before?.at === at && !before.down }));
  const direction = (at: number) => (order?.at === at ? (order.down ? "descending" : "ascending") : undefined);
  return (
    <div class="scroll" tabIndex={0} role="region" aria-label={caption}>
      <table>
        <caption>{caption}</caption>
        <thead>
          <tr>
            {columns.map(({ title, by: sortable, number: right }, at) => (
              <th key={title} scope="col" class={right ? "number" : undefined} aria-sort={direction(at)}>
                {sortable ? (
                  <button type="button" class="plain" onClick={() => turn(at)}>
                    {title}
                    <span aria-hidden="true">{direction(at) ? (order?.down ? " ↓" : " ↑") : " ↕"}</span>
                  </button>
                ) : (
                  title
                )}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {shown.map((row) => (
            <tr key={id(row)}>
              {columns.map(({ title, cell, number: right }) => (
                <td key={title} class={right ? "number" : undefined}>
                  {cell(row)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function compare(a: number | string | null, b: number | string | null): number {
  if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
  return a < b ? -1 : a > b ? 1 : 0;
}

export function Facts({ facts }: { facts: [string, ComponentChildren][] }) {
  return (
    <dl class="facts">
      {facts.map(([name, value]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>{value ?? "–"}</dd>
        </div>
      ))}
    </dl>
  );
}
