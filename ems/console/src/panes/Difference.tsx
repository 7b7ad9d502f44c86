import type { JSX } from "preact";
import { useConsole } from "../app";
import { said } from "../format/kinds";
import type { Cell, Row, Topic } from "../wire/types";

export interface Diff {
  cols: string[];
  added: Row[];
  removed: Row[];
  changed: [Row, Row][];
}

export interface Change {
  key: string;
  what: "new" | "gone" | "changed";
  row: Record<string, Cell>;
  columns: { name: string; before: Cell; after: Cell }[];
}

/** Which rows came, went and changed, and in which columns. */
export function changesOf(diff: Diff, key: string): Change[] {
  const keyAt = Math.max(0, diff.cols.indexOf(key));
  const named = (row: Row) => Object.fromEntries(diff.cols.map((name, place) => [name, row[place] ?? null]));
  const of = (row: Row, what: Change["what"]): Change => ({ key: String(row[keyAt]), what, row: named(row), columns: [] });
  return [
    ...diff.changed.map(([before, after]) => ({
      key: String(after[keyAt]), what: "changed" as const, row: named(after),
      columns: diff.cols.map((name, place) => ({ name, before: before[place] ?? null, after: after[place] ?? null })).filter((each) => JSON.stringify(each.before) !== JSON.stringify(each.after)),
    })),
    ...diff.added.map((row) => of(row, "new")),
    ...diff.removed.map((row) => of(row, "gone")),
  ];
}

export function DifferenceTable({ diff, topic }: { diff: Diff; topic: Topic }): JSX.Element {
  const here = useConsole();
  const changes = changesOf(diff, topic.key);
  const column = (name: string) => topic.columns.find((each) => each.name === name);
  const shown = (name: string, value: Cell) => said(column(name)?.kind ?? "text", value) || "nothing";
  if (changes.length === 0) return <p class="waiting">Nothing changed there.</p>;
  return (
    <table class="plain-table">
      <thead><tr><th>Row</th><th>What</th><th>From, to</th></tr></thead>
      <tbody>
        {changes.slice(0, 500).map((change) => (
          <tr key={change.what + change.key}>
            <td class="clip" title={change.key}>{here.labelOf(topic, change.row, change.key)}</td><td>{change.what}</td>
            <td>{change.columns.map((each) => <div key={each.name}><span class="dim">{column(each.name)?.title ?? each.name}</span> {shown(each.name, each.before)} → <b>{shown(each.name, each.after)}</b></div>)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
