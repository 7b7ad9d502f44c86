import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { said } from "../format/kinds";
import { dateTime } from "../format/times";
import { useWatched } from "../wire/signal";

/** One row in full, beside its grid, and kept up to date. */
export function DetailDrawer(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.detail);
  const [, draw] = useState(0);
  const shown = here.detail.get();
  useEffect(() => shown?.table.listen((changes) => changes.whole || changes.del.includes(shown.key) || changes.put.some((row) => shown.table.keyOf(row) === shown.key) ? draw((n) => n + 1) : undefined), [shown]);
  if (shown === null) return null;
  const { topic, table, key } = shown;
  const row = table.rows.get(key);
  const close = () => (here.detail.set(null), here.active.get()?.grid.focus());
  return (
    <aside class="drawer" aria-label={`${topic.title}: ${key}`}>
      <div class="tools"><h2>{topic.title}</h2><span class="gap" /><button type="button" onClick={close}>Close<kbd>Esc</kbd></button></div>
      {row === undefined ? <p class="note">The row has gone.</p> : (
        <div class="scroll" tabIndex={0} role="group" aria-label="Values of the row"><dl class="facts">
          {topic.columns.map((column) => {
            const value = table.at(row, column.name);
            return (
              <div key={column.name}>
                <dt>{column.title || column.name}</dt>
                <dd class={column.kind}>{column.kind === "time" && value !== null ? dateTime(value as string) : said(column.kind, value) || <span class="dim">unknown</span>}</dd>
              </div>
            );
          })}
        </dl></div>
      )}
    </aside>
  );
}
