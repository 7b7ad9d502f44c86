import { createContext } from "preact";
import { useContext } from "preact/hooks";
import { holds } from "./format/filter";
import type { BlotterGrid } from "./grid/BlotterGrid";
import { Commands, type Answer } from "./wire/commands";
import { get, post } from "./wire/http";
import { Layout } from "./wire/layout";
import { Link } from "./wire/link";
import { PaintLag } from "./wire/paint";
import { Value } from "./wire/signal";
import type { Table } from "./wire/table";
import type { Catalogue, Cell, Screen, Session, Topic, Verb } from "./wire/types";

/** The grid that keys speak to. */
export interface ActiveGrid {
  topic: Topic;
  table: Table;
  grid: BlotterGrid;
  filter: HTMLInputElement | null;
  columns: () => void;
}

/** A verb about to be carried out: the form, count or word that it still needs is asked for in a dialog. */
export interface Intent {
  verb: Verb;
  topic: Topic | null;
  rows: Record<string, Cell>[];
  keys: string[];
  passed_over: number; // selected rows that the verb is not for
}

export interface MenuAt {
  x: number;
  y: number;
  grid: ActiveGrid;
}

export interface Route {
  screen: string;
  id: string | null;
}

/** Everything a component may need, made once a person has signed in. */
export class Console {
  readonly commands: Commands;
  readonly paint = new PaintLag();
  readonly active = new Value<ActiveGrid | null>(null);
  readonly intent = new Value<Intent | null>(null);
  readonly menu = new Value<MenuAt | null>(null);
  readonly detail = new Value<{ topic: Topic; table: Table; key: string } | null>(null);
  readonly secret = new Value<{ title: string; text: string } | null>(null);
  readonly sheet = new Value(false);
  readonly palette = new Value(false);
  readonly notice = new Value<{ text: string; bad: boolean; at: number } | null>(null);
  readonly route = new Value<Route>(routeOf(location.hash));
  private readonly topics: Map<string, Topic>;
  private readonly verbs: Map<string, Verb>;

  constructor(
    readonly session: Session,
    readonly catalogue: Catalogue,
    readonly link: Link,
    readonly layout: Layout,
  ) {
    this.topics = new Map(catalogue.topics.map((topic) => [topic.name, topic]));
    this.verbs = new Map(catalogue.verbs.map((verb) => [verb.verb, verb]));
    this.commands = new Commands(
      (command) => post<Answer>(`/api/commands/${encodeURIComponent(command.verb)}`,
        { rows: command.rows, fields: command.fields, ...(command.reason ? { reason: command.reason } : {}) },
        { "Idempotency-Key": command.key }),
      sessionStorage,
      (run, ms) => window.setTimeout(run, ms),
      () => Date.now(),
      newKey,
    );
    let trouble = "";
    link.watch(() => {
      if (link.at === null) this.commands.reached(link.seq);
      if (link.trouble !== trouble) this.say((trouble = link.trouble), true);
    });
    window.addEventListener("hashchange", () => this.route.set(routeOf(location.hash)));
  }

  topic(name: string | null | undefined): Topic | null {
    return (name && this.topics.get(name)) || null;
  }

  verb(name: string): Verb | null {
    return this.verbs.get(name) ?? null;
  }

  screen(name: string): Screen | null {
    return this.catalogue.screens.find((screen) => screen.name === name) ?? null;
  }

  screenOf(pane: string): Screen | null {
    return this.catalogue.screens.find((screen) => screen.pane === pane) ?? null;
  }

  go(screen: string, id: string | null = null): void {
    location.hash = `#/${screen}${id === null ? "" : `/${encodeURIComponent(id)}`}`;
  }

  /** Show one row in full: an order has a screen of its own, anything else opens beside the grid. */
  openRow(topic: Topic, table: Table, key: string): void {
    const row = table.rows.get(key);
    if (!row) return;
    const parent = topic.name === "parents" ? key : table.at(row, "parent");
    if (typeof parent === "string" && parent !== "" && this.screenOf("order")) return this.go(this.screenOf("order")!.name, parent);
    this.detail.set({ topic, table, key });
  }

  /** Verbs for rows of a topic, in the order of its menu. */
  rowVerbs(topic: Topic): Verb[] {
    return topic.verbs.map((name) => this.verbs.get(name)).filter((verb): verb is Verb => verb !== undefined);
  }

  /** Verbs that belong to a topic and need none of its rows. */
  freeVerbs(topic: Topic): Verb[] {
    return this.catalogue.verbs.filter((verb) => verb.topic === topic.name && !topic.verbs.includes(verb.verb));
  }

  /** Verbs that need no row and belong to no one screen: the header has them. */
  homelessVerbs(): Verb[] {
    const housed = new Set(this.catalogue.screens.flatMap((screen) => screen.verbs ?? []));
    return this.catalogue.verbs.filter((verb) => !verb.topic && !housed.has(verb.verb));
  }

  /** Of the rows given, those that a verb is for. */
  eligible(verb: Verb, table: Table, keys: string[]): string[] {
    return keys.filter((key) => {
      const row = table.rows.get(key);
      return row !== undefined && holds(verb.when, (column) => table.at(row, column));
    });
  }

  /** Begin a verb on rows of a table; `topic` null for one that needs no row. */
  begin(verb: Verb, topic: Topic | null = null, table: Table | null = null, keys: string[] = []): void {
    if (this.link.at !== null) return this.say("this is a replay: commands are off", true);
    if (this.link.state !== "live") return this.say("not connected: what is on screen may be old, so nothing is sent", true);
    let chosen = keys;
    if (topic && table && topic.verbs.includes(verb.verb)) {
      if (keys.length === 0) return this.say(`${verb.title}: select a row first`, true);
      chosen = this.eligible(verb, table, keys);
      if (chosen.length === 0) return this.say(`${verb.title}: not for ${keys.length === 1 ? "this row" : "these rows"} as they stand`, true);
      if (chosen.length > 1 && !verb.bulk) return this.say(`${verb.title}: one row at a time`, true);
    }
    const rows = table ? chosen.map((key) => table.named(table.rows.get(key) ?? [])) : [];
    this.intent.set({ verb, topic, rows, keys: chosen, passed_over: keys.length - chosen.length });
  }

  /** What people call a row: its first visible id, or else its key. */
  labelOf(topic: Topic | null, row: Record<string, Cell> | null, key = ""): string {
    const column = topic?.columns.find((each) => each.kind === "id" && !each.hidden) ?? topic?.columns.find((each) => !each.hidden);
    return String((column && row?.[column.name]) ?? row?.[topic?.key ?? ""] ?? key);
  }

  /** What people call an order, as far as a table on screen knows it. */
  orderLabel(id: string): string {
    const table = this.link.tables().find((each) => each.topic === "parents" && each.rows.has(id));
    return this.labelOf(this.topic("parents"), table ? table.named(table.rows.get(id)!) : null, id);
  }

  say(text: string, bad = false): void {
    this.notice.set({ text, bad, at: Date.now() });
  }

  /** The desk's time in nanoseconds, as its last heartbeat said it. */
  now_ns(): number {
    return this.link.server_ns ?? Date.now() * 1e6;
  }
}

export const Here = createContext<Console | null>(null);

export function useConsole(): Console {
  const here = useContext(Here);
  if (here === null) throw new Error("no console is here");
  return here;
}

function routeOf(hash: string): Route {
  const [screen = "", id] = hash.replace(/^#\/?/, "").split("/");
  return { screen, id: id === undefined ? null : decodeURIComponent(id) };
}

/** A key of its own for each act; randomUUID is missing where the page is not on a secure or loopback address. */
function newKey(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  return [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

export async function open(session: Session): Promise<Console> {
  const [catalogue, layout] = await Promise.all([get<Catalogue>("/api/catalogue"), Layout.load()]);
  const link = new Link({
    open: () => new WebSocket(`${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`),
    now: () => performance.now(),
    later: (run, ms) => window.setTimeout(run, ms),
    random: () => Math.random(),
  });
  return new Console(session, catalogue, link, layout);
}
