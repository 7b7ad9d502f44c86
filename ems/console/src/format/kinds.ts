import { fromE9, grouped, toE9 } from "./decimal";
import { clockTime, duration } from "./times";
import type { Cell, Kind } from "../wire/types";

const RIGHT: ReadonlySet<Kind> = new Set(["price", "quantity", "money", "int", "bps", "pct", "time", "duration"]);
const NUMBERS: ReadonlySet<Kind> = new Set(["price", "quantity", "money", "int", "bps", "pct", "duration", "time"]);

export const onTheRight = (kind: Kind): boolean => RIGHT.has(kind);
export const isNumber = (kind: Kind): boolean => NUMBERS.has(kind);

/** What a cell says. Unknown is blank, never 0. */
export function said(kind: Kind, value: Cell | undefined): string {
  if (value === null || value === undefined || value === "") return "";
  switch (kind) {
    case "price":
      return grouped(tidyPrice(String(value)));
    case "quantity":
      return grouped(String(value));
    case "money":
      return grouped(cents(String(value)));
    case "int":
      return grouped(String(value));
    case "bps":
      return typeof value === "number" ? signed(value, 1) : String(value);
    case "pct":
      return typeof value === "number" ? `${value.toFixed(1)}%` : String(value);
    case "time":
      return clockTime(value as string | number);
    case "duration":
      return duration(value as string | number);
    case "flag":
      return value === true || value === "true" ? "✓" : "";
    case "side":
      return sideOf(value) === "buy" ? "▲ Buy" : sideOf(value) === "sell" ? "▼ Sell" : words(value);
    case "status":
      return words(value);
    case "bar":
      return Array.isArray(value) && typeof value[0] === "number" ? `${value[0].toFixed(0)}%` : "";
    case "list":
      return Array.isArray(value) ? value.map((each) => String(each)).join(", ") : String(value);
    default:
      return Array.isArray(value) ? value.map(String).join(", ") : String(value);
  }
}

/** -1 buy, +1 sell, both words of a side known to FIX and to us. */
export function sideOf(value: Cell | undefined): "buy" | "sell" | "" {
  const text = String(value ?? "").toLowerCase();
  if (text.startsWith("buy") || text === "b" || text === "bid") return "buy";
  if (text.startsWith("sell") || text === "s" || text === "ask" || text === "offer") return "sell";
  return "";
}

/** A minus in front of a negative, nothing in front of others: a plus is ink. */
function signed(value: number, digits: number): string {
  const text = value.toFixed(digits);
  return Number(text) === 0 ? (0).toFixed(digits) : text.replace("-", "−");
}

export const words = (value: Cell): string => String(value).replaceAll("_", " ");

/** Prices line up: at least two decimals; an average of many, which has nine, is rounded to five on screen alone. */
function tidyPrice(text: string): string {
  const dot = text.indexOf(".");
  if (dot < 0) return /^-?\d+$/.test(text) ? `${text}.00` : text;
  if (text.length - dot <= 6) return text.padEnd(dot + 3, "0");
  const exact = toE9(text);
  if (exact === null) return text;
  const half = exact < 0n ? -5_000n : 5_000n;
  return tidyPrice(fromE9(((exact + half) / 10_000n) * 10_000n));
}

/** Money is shown in hundredths; what is finer is cut from the screen, not from the row. */
function cents(text: string): string {
  const dot = text.indexOf(".");
  return dot < 0 ? text : text.slice(0, dot + 3);
}

/** For sorting: numbers by size, texts as texts, unknown last. */
export function compare(kind: Kind, a: Cell | undefined, b: Cell | undefined): number {
  const blank = Number(a === null || a === undefined || a === "") - Number(b === null || b === undefined || b === "");
  if (blank !== 0) return blank;
  if (kind === "bar") return first(a) - first(b);
  if (isNumber(kind)) {
    const difference = Number(a) - Number(b);
    return Number.isNaN(difference) ? 0 : difference;
  }
  return String(a).localeCompare(String(b), "en", { numeric: true });
}

const first = (value: Cell | undefined): number => (Array.isArray(value) ? Number(value[0] ?? -1) : -1);

/** How a status is to be seen: red is kept for what was refused, broken or breached. */
export function tone(status: Cell | undefined): "bad" | "warn" | "good" | "quiet" | "plain" {
  const text = String(status ?? "").toLowerCase();
  if (/reject|refus|fail|breach|halt|kill|down|dead|broken|error|critical|severe|lost|red/.test(text)) return "bad";
  if (/suspend|pause|pending|stage|doubt|quarantin|warn|await|stale|hold|drift|degraded|approval|unacked|open alert/.test(text)) return "warn";
  if (/work|live|active|open|partial|ok|up|running|logged|champion|armed|ready|healthy/.test(text)) return "good";
  if (/fill|done|complete|cancel|expire|resolved|closed|finish|retired/.test(text)) return "quiet";
  return "plain";
}
