import type { JSX } from "preact";
import { fromE9, grouped } from "../format/decimal";
import { words } from "../format/kinds";
import { dateTime, duration } from "../format/times";

/** Anything the server says, as it says it: objects as facts, lists of objects as tables, numbers by what their names end in. */
export function Facts({ value, name = "" }: { value: unknown; name?: string }): JSX.Element {
  if (Array.isArray(value) && value.length > 0 && value.every(Array.isArray)) return <Pairs rows={value as unknown[][]} name={name} />;
  if (Array.isArray(value)) return isTable(value) ? <Rows rows={value} label={name} /> : <span>{value.map((each) => plain(name, each)).join(", ")}</span>;
  if (value !== null && typeof value === "object") {
    return (
      <dl class="facts nested">
        {Object.entries(value).map(([key, each]) => (
          <div key={key} class={isDeep(each) ? "deep" : ""}>
            <dt>{heading(key)}</dt>
            <dd><Facts value={each} name={key} /></dd>
          </div>
        ))}
      </dl>
    );
  }
  return <span class={typeof value === "number" ? "figure" : ""}>{plain(name, value) || <span class="dim">unknown</span>}</span>;
}

export function Rows({ rows, label, onPick }: { rows: Record<string, unknown>[]; label: string; onPick?: (row: Record<string, unknown>, index: number) => void }): JSX.Element {
  const names = [...new Set(rows.slice(0, 200).flatMap((row) => Object.keys(row)))];
  const right = new Set(names.filter((name) => rows.every((row) => row[name] === null || row[name] === undefined || isFigure(name, row[name]))));
  return (
    <div class={onPick ? "scroll" : "scroll table"} tabIndex={0} role="group" aria-label={label ? heading(label) : "Rows"}>
      <table class="plain-table">
        <thead><tr>{names.map((name) => <th key={name} class={right.has(name) ? "right" : ""}>{heading(name)}</th>)}{onPick && <th><span class="unseen">Open</span></th>}</tr></thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {names.map((name) => <td key={name} class={right.has(name) ? "right" : ""}>{isDeep(row[name]) ? <Facts value={row[name]} name={name} /> : plain(name, row[name])}</td>)}
              {onPick && <td><button type="button" onClick={() => onPick(row, index)}>Open</button></td>}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Rows without names: points of a curve, a constraint and its dual. */
function Pairs({ rows, name }: { rows: unknown[][]; name: string }): JSX.Element {
  const unit = (cell: unknown) => (/^\d{18,20}$/.test(String(cell)) ? "_ns" : name);
  return <table class="plain-table pairs"><tbody>{rows.map((row, index) => <tr key={index}>{row.map((cell, place) => <td key={place} class={typeof cell === "string" && !/^[\d.-]+$/.test(cell) ? "" : "right"}>{plain(unit(cell), cell)}</td>)}</tr>)}</tbody></table>;
}

export const heading = (name: string): string => {
  const text = words(name.replace(/_(ns|e9|e18)$/, ""));
  return text.charAt(0).toUpperCase() + text.slice(1);
};

const isTable = (value: unknown[]): value is Record<string, unknown>[] => value.length > 0 && value.every((each) => each !== null && typeof each === "object" && !Array.isArray(each));
const isDeep = (value: unknown): boolean => value !== null && typeof value === "object" && (Array.isArray(value) ? value.some((each) => typeof each === "object") : true);
const isFigure = (name: string, value: unknown): boolean => typeof value === "number" || (typeof value === "string" && (/_(ns|e9)$/.test(name) || /^-?[0-9][0-9.,]*$/.test(value)));

/** A value as text, by the unit that its name ends in. */
export function plain(name: string, value: unknown): string {
  if (value === null || value === undefined || value === "") return "";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (Array.isArray(value)) return value.map((each) => plain(name, each)).join(", ");
  if (typeof value === "object") return JSON.stringify(value);
  const text = String(value);
  const whole = /^-?\d+$/.test(text);
  if (name.endsWith("_ns") && whole) return Math.abs(Number(text)) > 1e17 ? dateTime(text) : duration(text);
  if (name.endsWith("_e9") && whole) return grouped(fromE9(BigInt(text)));
  if (/_(bps|pct)$/.test(name) && typeof value === "number") return value.toFixed(2);
  if (/(^|_)(quantity|filled|price|px|notional|volume|leaves|open)$/.test(name) && /^-?\d+(\.\d+)?$/.test(text)) return grouped(text);
  if (typeof value === "number" && !Number.isInteger(value)) return String(Number(value.toPrecision(6)));
  return text;
}
