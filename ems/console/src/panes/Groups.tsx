import type { ComponentChildren, JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { fromE9, grouped, timesE9, toE9 } from "../format/decimal";
import { said, words } from "../format/kinds";
import type { Table } from "../wire/table";
import type { Cell, Topic } from "../wire/types";

export interface Group {
  name: string;
  count: number;
  sums: Record<string, bigint>;
  done_pct: number | null;
}

/** Rows reckoned together by one column: how many, and the sum of each quantity and money column. */
export function groupsOf(topic: Topic, by: string, rows: Iterable<(column: string) => Cell>): Group[] {
  const summed = topic.columns.filter((column) => column.kind === "quantity" || column.kind === "money").map((column) => column.name);
  const groups = new Map<string, Group>();
  for (const at of rows) {
    const name = String(at(by) ?? "");
    const group = groups.get(name) ?? { name, count: 0, sums: {}, done_pct: null };
    groups.set(name, group);
    group.count += 1;
    for (const column of summed) group.sums[column] = (group.sums[column] ?? 0n) + (toE9(String(at(column) ?? "")) ?? 0n);
  }
  for (const group of groups.values()) {
    const [filled, whole] = [group.sums.filled, group.sums.quantity];
    if (filled !== undefined && whole) group.done_pct = Number((timesE9(filled, 100_000_000_000n) * 1_000n) / whole) / 1_000;
  }
  return [...groups.values()].sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
}

/** The blotter by symbol, algorithm, trader...: one line a group, reckoned again twice a second. */
export function Groups({ topic, by, extra }: { topic: Topic; by: string; extra: ComponentChildren }): JSX.Element {
  const here = useConsole();
  const [groups, setGroups] = useState<Group[]>([]);
  useEffect(() => {
    const table: Table = here.link.subscribe(topic.name, topic.key);
    const reckon = () => setGroups(groupsOf(topic, by, [...table.rows.values()].map((row) => (column: string) => table.at(row, column))));
    reckon();
    const timer = window.setInterval(reckon, 500);
    return () => (window.clearInterval(timer), here.link.release(table));
  }, [topic, by]);
  const column = topic.columns.find((each) => each.name === by);
  const summed = topic.columns.filter((each) => each.kind === "quantity" || each.kind === "money");
  return (
    <section class="pane" aria-label={`${topic.title} by ${column?.title ?? by}`}>
      <div class="tools"><h2>{topic.title}</h2>{extra}</div>
      <div class="scroll" tabIndex={0} role="group" aria-label="Groups">
        <table class="plain-table">
          <thead><tr><th>{column?.title ?? by}</th><th class="right">Orders</th>{summed.map((each) => <th key={each.name} class="right">{each.title}</th>)}<th class="right">Done</th></tr></thead>
          <tbody>
            {groups.map((group) => (
              <tr key={group.name}>
                <td>{said(column?.kind ?? "text", group.name) || words(group.name) || "none"}</td>
                <td class="right">{group.count}</td>
                {summed.map((each) => <td key={each.name} class="right">{grouped(fromE9(group.sums[each.name] ?? 0n))}</td>)}
                <td class="right">{group.done_pct === null ? "" : `${group.done_pct.toFixed(1)}%`}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}
