import type { ComponentChildren, JSX } from "preact";
import type { GridState } from "ag-grid-community";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { type ActiveGrid, useConsole } from "../app";
import { parseFilter } from "../format/filter";
import { useWatched } from "../wire/signal";
import type { Column, Topic } from "../wire/types";
import { BlotterGrid } from "./BlotterGrid";
import { GridTools } from "./GridTools";

interface Props {
  topic: Topic;
  filter?: Record<string, unknown> | null;
  title?: string;
  name?: string; // under which its layout is kept
  onSelect?: (keys: string[]) => void;
  extra?: ComponentChildren;
  live?: boolean; // never a replay's rows
}

/** A topic on screen: a title, a filter, what may be done, and the rows. */
export function GridPane({ topic, filter = null, title = topic.title, name = topic.name, onSelect, extra, live }: Props): JSX.Element {
  const here = useConsole();
  const host = useRef<HTMLDivElement>(null);
  const input = useRef<HTMLInputElement>(null);
  const held = useRef<ActiveGrid | null>(null);
  const chosen = useRef(onSelect);
  chosen.current = onSelect;
  const [text, setText] = useState("");
  const [counts, setCounts] = useState<[number, number]>([0, 0]);
  const [selected, setSelected] = useState<string[]>([]);
  const asked = JSON.stringify(filter);
  useWatched(here.commands);

  useEffect(() => {
    const table = here.link.subscribe(topic.name, topic.key, filter, !live);
    const unlisten = table.listen((changes) => changes.published_ns !== undefined && here.paint.applied(changes.published_ns));
    const grid = new BlotterGrid(host.current!, table, topic.columns, title, {
      selected: (keys) => (setSelected(keys), chosen.current?.(keys)),
      opened: (key) => here.openRow(topic, table, key),
      menu: (x, y) => (here.active.set(held.current), here.menu.set({ x, y, grid: held.current! })),
      stateChanged: (state) => here.layout.setGrid(name, state),
      counted: (shown, all) => setCounts([shown, all]),
    }, here.layout.grid<GridState>(name) ?? firstState(topic));
    held.current = { topic, table, grid, filter: input.current, columns: () => undefined };
    if (here.active.get() === null) here.active.set(held.current);
    return () => {
      if (here.active.get() === held.current) here.active.set(null);
      unlisten();
      grid.destroy();
      here.link.release(table);
    };
  }, [topic, asked, name]);

  const parsed = useMemo(() => parseFilter(text, topic.columns), [text, topic]);
  useEffect(() => held.current?.grid.setFilter(text.trim() === "" ? null : parsed.test), [parsed, asked]);
  useEffect(() => held.current?.grid.setPending(here.commands.pendingRows()));

  return (
    <section class="pane grid-pane" aria-label={title} onFocusCapture={() => here.active.set(held.current)} onMouseDownCapture={() => here.active.set(held.current)}>
      <GridTools topic={topic} title={title} counts={counts} text={text} setText={setText} unknown={parsed.unknown}
        input={input} held={held} selected={selected} extra={extra} filter={filter} />
      <div ref={host} class="grid" data-topic={topic.name} />
    </section>
  );
}

/** Newest first where rows are events in time; otherwise in the server's order. */
function firstState(topic: Topic): GridState | undefined {
  const time = topic.columns.find((column: Column) => column.kind === "time" && !column.hidden);
  if (!time || !/time|created|received|since|at|day|begin|start/.test(time.name)) return undefined;
  return { partialColumnState: true, sort: { sortModel: [{ colId: time.name, sort: "desc" }] } };
}
