import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { said } from "../format/kinds";
import type { Table } from "../wire/table";
import type { Cell } from "../wire/types";
import { worth } from "./notional";

/** Which column of an order holds what a scope of the kill switch names. */
const COLUMN: Record<string, string> = { client: "client", account: "account", trader: "trader", desk: "desk", strategy: "algo", algo: "algo", instrument: "symbol", symbol: "symbol" };

export interface Scope {
  kind: string; // "firm", "client", "venue", ...
  id: string;
}

/** The live orders that a scope reaches; null where orders do not say (a venue's are the children's). */
export function reached(table: Table, scope: Scope | null): Record<string, Cell>[] | null {
  const column = scope === null || scope.kind === "firm" ? null : COLUMN[scope.kind];
  if (column === undefined || (column !== null && table.place(column) === undefined)) return null;
  const wanted = scope?.id.trim().toLowerCase() ?? "";
  return [...table.rows.values()]
    .filter((row) => table.at(row, "live") === true && (column === null || String(table.at(row, column) ?? "").toLowerCase() === wanted))
    .map((row) => table.named(row));
}

/** What stands in a form's scope fields, if it has any. */
export function scopeIn(typed: Record<string, string | boolean>): Scope | null {
  const kind = String(typed.kind ?? typed.scope_kind ?? typed.scope ?? "");
  const found = /^(\w+):(.*)$/.exec(kind);
  return found ? { kind: found[1]!, id: found[2]! } : { kind: kind || "firm", id: String(typed.id ?? typed.scope_id ?? typed.value ?? "") };
}

/** How many live orders a stop of a scope would reach now, and what they are worth. */
export function Reach({ scope, label }: { scope: Scope | null; label?: string }): JSX.Element | null {
  const here = useConsole();
  const topic = here.topic("parents");
  const [rows, setRows] = useState<Record<string, Cell>[] | null>(null);
  const asked = JSON.stringify(scope);
  useEffect(() => {
    if (!topic) return;
    const table = here.link.subscribe(topic.name, topic.key);
    const reckon = () => setRows(reached(table, scope));
    reckon();
    const timer = window.setInterval(reckon, 1_000);
    return () => (window.clearInterval(timer), here.link.release(table));
  }, [topic, asked]);
  if (rows === null) return scope === null ? null : <p class="note">How many orders that reaches is known once it is done.</p>;
  const { count, notional, missing } = worth(topic, rows);
  return (
    <p class="reach">
      {label}<b>{count}</b> live {count === 1 ? "order" : "orders"}
      {notional !== null && <>, notional <b class="figure">{said("money", notional)}</b></>}{missing > 0 && count > 0 && <span class="dim"> ({missing} without a price)</span>}
    </p>
  );
}
