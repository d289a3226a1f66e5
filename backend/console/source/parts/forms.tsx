// Forms as tables of their fields, and actions whose refusal is shown.
import type { ComponentProps } from "preact";
import { useState } from "preact/hooks";

export interface Field {
  name: string;
  label: string;
  type?: "text" | "number" | "checkbox" | "datetime-local" | "list" | "numbers"; // a list is separated by commas
  options?: readonly (string | readonly [value: string, title: string])[];
  value?: string | number;
  placeholder?: string;
  required?: boolean;
  min?: number | string;
  max?: number | string;
  pattern?: string;
  size?: number;
}

export type Values = Record<string, unknown>;
export type Act = (action: () => Promise<unknown>) => Promise<void>;

/** What runs an action and keeps why it was refused; `after` is called when it was done. */
export function useAct(after?: () => void): { act: Act; error: Error | undefined } {
  const [error, setError] = useState<Error>();
  const act = async (action: () => Promise<unknown>) => {
    try {
      setError(undefined);
      await action();
      after?.();
    } catch (failed) {
      setError(failed as Error);
    }
  };
  return { act, error };
}

/** A form that hands over what was filled in; what was left empty is undefined. */
export function Form({ fields, more, submit, label }: { fields: readonly Field[]; more?: readonly Field[]; submit: (values: Values) => void; label: string }) {
  const sent = (event: SubmitEvent) => {
    event.preventDefault();
    submit(read(new FormData(event.currentTarget as HTMLFormElement), [...fields, ...(more ?? [])]));
  };
  return (
    <form class="filters" onSubmit={sent} aria-label={label}>
      {fields.map(input)}
      {more && (
        <details class="more">
          <summary>More</summary>
          <div class="filters">{more.map(input)}</div>
        </details>
      )}
      <button type="submit">{label}</button>
    </form>
  );
}

function input({ name, label, type = "text", options, value, ...rest }: Field) {
  if (options)
    return (
      <label key={name}>
        {label}{" "}
        <select name={name} defaultValue={value}>
          {options.map((option) => {
            const [key, title] = typeof option === "string" ? [option, option] : option;
            return (
              <option key={key} value={key}>
                {title}
              </option>
            );
          })}
        </select>
      </label>
    );
  if (type === "checkbox")
    return (
      <label key={name}>
        <input name={name} type="checkbox" /> {label}
      </label>
    );
  const attributes = { name, type: type === "list" || type === "numbers" ? "text" : type, step: type === "number" ? "any" : undefined, defaultValue: value, size: 14, ...rest };
  return (
    <label key={name}>
      {label} <input {...(attributes as ComponentProps<"input">)} />
    </label>
  );
}

const READERS: Record<NonNullable<Field["type"]>, (text: string) => unknown> = {
  text: String,
  number: Number,
  checkbox: () => true,
  "datetime-local": (text) => new Date(text).toISOString(),
  list: parts,
  numbers: (text) => parts(text).map(Number),
};

function parts(text: string): string[] {
  return text.split(",").map((part) => part.trim()).filter(Boolean);
}

function read(form: FormData, fields: readonly Field[]): Values {
  return Object.fromEntries(
    fields.map(({ name, type = "text" }) => {
      const text = String(form.get(name) ?? "").trim();
      return [name, text ? READERS[type](text) : undefined];
    }),
  );
}
