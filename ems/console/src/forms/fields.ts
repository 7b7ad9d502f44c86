import { fromE9, grouped, toE9, typed } from "../format/decimal";
import { durationToNs, timeToNs } from "../format/times";
import type { Cell, Field } from "../wire/types";

/** What stands in a form's inputs: text as typed, or whether a box is ticked. */
export type Typed = Record<string, string | boolean>;

export interface Judged {
  values: Record<string, Cell>; // as the wire carries them; a field left empty is not in it
  errors: Record<string, string>; // what is wrong, by field
}

/** Judge a whole form as the server will again. today_ns: whose day a time of day belongs to. */
export function judge(fields: Field[], given: Typed, today_ns: number): Judged {
  const values: Record<string, Cell> = {};
  const errors: Record<string, string> = {};
  for (const field of fields) {
    const [value, wrong] = judgeOne(field, given[field.name], today_ns);
    if (wrong) errors[field.name] = wrong;
    else if (value !== null) values[field.name] = value;
  }
  return { values, errors };
}

type Verdict = [value: Cell, wrong: string];

export function judgeOne(field: Field, given: string | boolean | undefined, today_ns: number): Verdict {
  if (field.kind === "flag") return [given === true, ""];
  const text = String(given ?? "").trim();
  if (text === "") return [null, field.required ? "is needed" : ""];
  switch (field.kind) {
    case "quantity":
    case "price":
    case "money":
      return number(field, text);
    case "bps":
    case "pct":
    case "int":
      return plainNumber(field, text);
    case "choice":
      return choices(field).some((choice) => choice.value === text) ? [text, ""] : [null, "is none of the choices"];
    case "time":
      return given_time(field, text, today_ns);
    case "duration": {
      const ns = durationToNs(text);
      return ns === null ? [null, "is no length of time: 90s, 10m or 1h30m"] : [ns, ""];
    }
    case "symbol":
      return /^[A-Za-z0-9][A-Za-z0-9._/-]{0,31}$/.test(text) ? [text.toUpperCase(), ""] : [null, "is no symbol"];
    case "json":
      return json(text);
    case "password":
      return [String(given), ""];
    default:
      return sized(field, text);
  }
}

function number(field: Field, text: string): Verdict {
  const value = toE9(typed(text));
  if (value === null) return [null, "is no number of at most nine decimals"];
  if (field.kind === "quantity" && value <= 0n && field.min === undefined) return [null, "must be above zero"];
  const { min, max } = bounds(field);
  if (min !== null && value < min) return [null, `is below ${grouped(fromE9(min))}`];
  if (max !== null && value > max) return [null, `is above ${grouped(fromE9(max))}`];
  return [fromE9(value), ""];
}

function plainNumber(field: Field, text: string): Verdict {
  const value = Number(typed(text));
  if (!Number.isFinite(value)) return [null, "is no number"];
  if (field.kind === "int" && !Number.isSafeInteger(value)) return [null, "is no whole number"];
  if (field.min !== undefined && value < Number(field.min)) return [null, `is below ${field.min}`];
  if (field.max !== undefined && value > Number(field.max)) return [null, `is above ${field.max}`];
  return [value, ""];
}

function bounds(field: Field): { min: bigint | null; max: bigint | null } {
  const read = (bound: string | number | undefined) => (bound === undefined || bound === null ? null : toE9(String(bound)));
  return { min: read(field.min), max: read(field.max) };
}

function given_time(field: Field, text: string, today_ns: number): Verdict {
  if (/^\d{15,20}$/.test(text)) return [text, ""];
  const ns = timeToNs(text, today_ns);
  if (ns === null) return [null, "is no time of day (UTC): 14:30 or 14:30:15"];
  if (field.min !== undefined && BigInt(ns) < BigInt(field.min)) return [null, "is too early"];
  if (field.max !== undefined && BigInt(ns) > BigInt(field.max)) return [null, "is too late"];
  return [ns, ""];
}

function json(text: string): Verdict {
  try {
    return [JSON.parse(text) as Cell, ""];
  } catch (error) {
    return [null, `is no JSON: ${(error as Error).message}`];
  }
}

function sized(field: Field, text: string): Verdict {
  if (field.min !== undefined && text.length < Number(field.min)) return [null, `is shorter than ${field.min} characters`];
  if (field.max !== undefined && text.length > Number(field.max)) return [null, `is longer than ${field.max} characters`];
  return [text, ""];
}

/** What must not be seen on screen nor kept by the browser. */
export const isSecret = (field: Field): boolean => field.kind === "password" || field.name === "password";

export interface Choice {
  value: string;
  title: string;
}

export function choices(field: Field): Choice[] {
  return (field.choices ?? []).map((choice) => (typeof choice === "string" ? { value: choice, title: choice.replaceAll("_", " ") } : choice));
}

/** What a form begins with: the row's own values where the form is about a row, else the field's default. */
export function begin(fields: Field[], row: Record<string, Cell> | null): Typed {
  return Object.fromEntries(
    fields.map((field) => {
      const value = row?.[field.name] ?? field.default ?? null;
      if (field.kind === "flag") return [field.name, value === true || value === "true"];
      if (Array.isArray(value)) return [field.name, value.map(String).join("\n")];
      return [field.name, value === null ? "" : typeof value === "object" ? JSON.stringify(value) : String(value)];
    }),
  );
}
