import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { ScheduleChart } from "../chart/ScheduleChart";
import { said } from "../format/kinds";
import { cellClasses } from "../grid/cells";
import { GridPane } from "../grid/GridPane";
import { Dialog } from "../shell/Dialog";
import { Tabs, type Tab } from "../shell/Tabs";
import type { Table } from "../wire/table";
import type { Cell, Topic } from "../wire/types";
import { Facts, heading, Rows } from "./Facts";
import type { PaneProps } from "./ScreenPane";
import { Timeline, type LoggedEvent } from "./Timeline";
import { useAnswer } from "./useAnswer";

interface Detail {
  order?: Record<string, unknown>;
  events?: LoggedEvent[];
  children?: Record<string, unknown>[];
  [part: string]: unknown;
}

const AGAIN_MS = 1_500;

/** One order: what it is, what happened to it and why, and what may be done about it. */
export function OrderPane({ id }: PaneProps): JSX.Element {
  const here = useConsole();
  const parents = here.topic("parents");
  const at = here.link.at;
  const until = (events: LoggedEvent[]) => (at === null ? events : events.filter((event) => event.seq <= at));
  const row = useRow(parents, id);
  const { value, trouble, again } = useAnswer<Detail>(id === null ? null : `/api/orders/${encodeURIComponent(id)}`);
  const [why, setWhy] = useState<string | null>(null);
  const changed = JSON.stringify(row?.named ?? null);
  useEffect(() => {
    const timer = window.setTimeout(again, AGAIN_MS);
    return () => window.clearTimeout(timer);
  }, [changed]);

  if (id === null) return <p class="waiting">Open an order from the blotter with Enter.</p>;
  const known = new Set(["order", "events", "children", "parent", "id", "seq"]);
  const tabs: Tab[] = [
    { name: "timeline", title: "Timeline", body: () => <Timeline events={until(value?.events ?? [])} /> },
    { name: "schedule", title: "Schedule", body: () => <ScheduleChart order={id} /> },
    { name: "children", title: "Why each child", body: () => <Rows rows={(value?.children ?? []).map((child) => shownOf(here.topic("children"), child))} label="Children" onPick={(_, index) => setWhy(String(value?.children?.[index]?.id ?? ""))} /> },
    ...["children", "fills"].map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null && topic.columns.some((column) => column.name === "parent"))
      .map((topic) => ({ name: `live-${topic.name}`, title: `${topic.title} (live)`, body: () => <GridPane topic={topic} filter={{ parent: [id] }} name={`order.${topic.name}`} /> })),
    ...Object.entries(value ?? {}).filter(([part, each]) => !known.has(part) && filled(each))
      .map(([part, each]) => ({ name: part, title: heading(part), body: () => <Facts value={each} name={part} /> })),
  ];
  return (
    <section class="pane order" aria-label={`Order ${id}`}>
      <div class="tools">
        <button type="button" onClick={() => history.back()}>Back<kbd>Esc</kbd></button>
        <h2>{row?.named.order_id ? String(row.named.order_id) : `Order ${id}`}</h2>
        <span class="gap" />
        {parents && row && here.rowVerbs(parents).filter((verb) => here.eligible(verb, row.table, [id]).length > 0).map((verb) => (
          <button key={verb.verb} type="button" class={verb.danger ? "danger" : ""} onClick={() => here.begin(verb, parents, row.table, [id])}>{verb.title}{verb.key && <kbd>{verb.key}</kbd>}</button>
        ))}
      </div>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {parents && row && <Summary topic={parents} named={row.named} />}
      <Tabs label="About this order" tabs={tabs} />
      {why !== null && <Why order={id} child={why} onClose={() => setWhy(null)} />}
    </section>
  );
}

/** A row under its columns' titles, without what the blotter hides. */
function shownOf(topic: Topic | null, row: Record<string, unknown>): Record<string, unknown> {
  if (!topic) return row;
  return Object.fromEntries(topic.columns.filter((column) => !column.hidden).map((column) => [column.title, said(column.kind, row[column.name] as Cell)]));
}

/** What decided stands above what was decided. */
function reasonsFirst(value: Record<string, unknown>): Record<string, unknown> {
  const order = ["cause", "plan", "decision", "checks", "child", "created"];
  const rank = (name: string) => (order.indexOf(name) + order.length + 1) % (order.length + 1);
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== null).sort(([a], [b]) => rank(a) - rank(b)));
}

const filled = (value: unknown): boolean => value !== null && typeof value === "object" && (Array.isArray(value) ? value.length > 0 : Object.keys(value).length > 0);

function Summary({ topic, named }: { topic: Topic; named: Record<string, Cell> }): JSX.Element {
  return (
    <dl class="strip">
      {topic.columns.filter((column) => !column.hidden && said(column.kind, named[column.name]) !== "").map((column) => (
        <div key={column.name}><dt>{column.title}</dt><dd class={cellClasses(column, named[column.name])}>{said(column.kind, named[column.name])}</dd></div>
      ))}
    </dl>
  );
}

/** The order's own row, live, out of the same table that the blotter shows. */
function useRow(topic: Topic | null, id: string | null): { table: Table; named: Record<string, Cell> } | null {
  const here = useConsole();
  const [found, setFound] = useState<{ table: Table; named: Record<string, Cell> } | null>(null);
  useEffect(() => {
    if (!topic || id === null) return;
    const table = here.link.subscribe(topic.name, topic.key);
    const look = () => {
      const row = table.rows.get(id);
      setFound(row ? { table, named: table.named(row) } : null);
    };
    look();
    const unlisten = table.listen((changes) => (changes.whole || changes.put.some((row) => table.keyOf(row) === id)) && look());
    return () => (unlisten(), here.link.release(table));
  }, [topic, id]);
  return found;
}

/** Why a child was sent: the forecast it rests on, what bound the plan, at what price, and what weighed how much. */
function Why({ order, child, onClose }: { order: string; child: string; onClose: () => void }): JSX.Element {
  const { value, trouble } = useAnswer<Record<string, unknown>>(`/api/orders/${encodeURIComponent(order)}/why/${encodeURIComponent(child)}`);
  return (
    <Dialog title={`Why child ${(value?.child as Record<string, unknown> | undefined)?.cl_ord_id ?? child}`} wide onClose={onClose}>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      <div class="scroll tall" tabIndex={0} role="group" aria-label="Reasons">{value === null ? !trouble && <p class="waiting">Asking…</p> : <Facts value={reasonsFirst(value)} />}</div>
      <div class="buttons"><button type="button" class="primary" onClick={onClose}>Back<kbd>Esc</kbd></button></div>
    </Dialog>
  );
}
