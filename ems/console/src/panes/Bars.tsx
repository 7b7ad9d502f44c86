import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { said } from "../format/kinds";
import type { Cell, Topic } from "../wire/types";

export interface Bar {
  name: string;
  count: number;
  mean: number;
  error: number | null; // 1.96 standard errors of the mean, null with fewer than two
}

/** Means by group with their 95 % intervals; groups in order of their mean, the largest first. */
export function barsOf(rows: { group: Cell; value: Cell }[]): Bar[] {
  const groups = new Map<string, number[]>();
  for (const { group, value } of rows) {
    const figure = value === null ? Number.NaN : Number(value);
    if (Number.isNaN(figure)) continue;
    const name = String(group ?? "");
    groups.set(name, [...(groups.get(name) ?? []), figure]);
  }
  return [...groups].map(([name, values]) => {
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    const spread = values.reduce((sum, each) => sum + (each - mean) ** 2, 0);
    return { name, count: values.length, mean, error: values.length < 2 ? null : 1.96 * Math.sqrt(spread / (values.length - 1) / values.length) };
  }).sort((a, b) => b.mean - a.mean);
}

/** A figure of a table by group, as bars either side of zero. */
export function Bars({ topic, prefer }: { topic: Topic; prefer: RegExp }): JSX.Element {
  const here = useConsole();
  const figures = topic.columns.filter((column) => ["bps", "pct", "quantity", "money", "int", "duration"].includes(column.kind));
  const groups = topic.columns.filter((column) => ["text", "symbol", "side", "status"].includes(column.kind) && !/text|reason|summary/.test(column.name));
  const [figure, setFigure] = useState((figures.find((column) => prefer.test(column.name)) ?? figures[0])?.name ?? "");
  const [group, setGroup] = useState((groups.find((column) => /algo/.test(column.name)) ?? groups[0])?.name ?? "");
  const [bars, setBars] = useState<Bar[]>([]);
  useEffect(() => {
    const table = here.link.subscribe(topic.name, topic.key);
    const reckon = () => setBars(barsOf([...table.rows.values()].map((row) => ({ group: table.at(row, group), value: table.at(row, figure) }))).slice(0, 40));
    reckon();
    const timer = window.setInterval(reckon, 1_000);
    return () => (window.clearInterval(timer), here.link.release(table));
  }, [topic, figure, group]);
  const column = topic.columns.find((each) => each.name === figure);
  const most = Math.max(1e-9, ...bars.map((bar) => Math.abs(bar.mean) + (bar.error ?? 0)));
  const place = (value: number) => 50 + (50 * value) / most;
  const shown = (value: number) => (column?.kind === "bps" || column?.kind === "pct" ? said(column.kind, value) : value.toLocaleString("en", { maximumFractionDigits: 2 }));
  return (
    <section class="pane" aria-label={`${column?.title ?? figure} by group`}>
      <div class="tools">
        <label class="inline">Mean <select value={figure} onChange={(event) => setFigure(event.currentTarget.value)}>{figures.map((each) => <option key={each.name} value={each.name}>{each.title}</option>)}</select></label>
        <label class="inline">by <select value={group} onChange={(event) => setGroup(event.currentTarget.value)}>{groups.map((each) => <option key={each.name} value={each.name}>{each.title}</option>)}</select></label>
        <span class="gap" /><span class="dim">lines are 95 % intervals</span>
      </div>
      <div class="scroll" tabIndex={0} role="group" aria-label="Means">
        <table class="plain-table bars">
          <thead><tr><th>{groups.find((each) => each.name === group)?.title}</th><th class="right">n</th><th class="right">Mean</th><th>Mean and interval</th></tr></thead>
          <tbody>
            {bars.map((bar) => (
              <tr key={bar.name}>
                <td>{bar.name || "none"}</td><td class="right">{bar.count}</td><td class="right figure">{shown(bar.mean)}</td>
                <td class="bar-line" aria-hidden="true">
                  <i class={bar.mean > 0 ? "cost" : "gain"} style={{ left: `${Math.min(50, place(bar.mean))}%`, width: `${Math.abs(place(bar.mean) - 50)}%` }} />
                  {bar.error !== null && <b style={{ left: `${place(bar.mean - bar.error)}%`, width: `${place(bar.mean + bar.error) - place(bar.mean - bar.error)}%` }} />}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
        {bars.length === 0 && <p class="waiting">Nothing to reckon yet.</p>}
      </div>
    </section>
  );
}
