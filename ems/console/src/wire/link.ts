import { Watched } from "./signal";
import { Table } from "./table";
import type { FromServer } from "./types";

export type LinkState = "connecting" | "live" | "stale" | "lost" | "signed-out";

/** What of a WebSocket the link uses, so that a test can be one. */
export interface Socket {
  send(text: string): void;
  close(): void;
  onopen: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
}

export interface Surroundings {
  open(): Socket;
  now(): number;
  later(run: () => void, ms: number): unknown;
  random(): number;
}

export const SILENCE_MS = 3_000; // heartbeats come each second
const BACK_OFF_MS = [250, 500, 1_000, 2_000, 4_000, 8_000];

interface Held {
  id: number;
  table: Table;
  users: number;
  replayable: boolean;
}

/** The one WebSocket: subscriptions that survive it, a heartbeat that is watched, a replay position shared by all. */
export class Link extends Watched {
  state: LinkState = "connecting";
  lag_ms: number | null = null;
  seq = 0;
  at: number | null = null; // the replay's position, null when live
  playing = false;
  speed = 1;
  server_ns: number | null = null;
  why = "";
  trouble = ""; // what the server would not do of what was asked last
  private socket: Socket | null = null;
  private heard = 0;
  private open = false;
  private attempt = 0;
  private last_id = 0;
  private stopped = false;
  private readonly held = new Map<string, Held>();
  private readonly byId = new Map<number, Held>();

  constructor(private readonly world: Surroundings) {
    super();
  }

  start(): void {
    this.stopped = false;
    this.connect();
    this.watchSilence();
  }

  stop(): void {
    this.stopped = true;
    this.socket?.close();
    this.socket = null;
  }

  /** The table of a topic under a filter; the same for all that ask the same. Give it back with `release`. */
  subscribe(topic: string, key: string, filter: Record<string, unknown> | null = null, replayable = true): Table {
    const name = `${topic} ${JSON.stringify(filter)} ${replayable}`;
    const known = this.held.get(name);
    if (known) {
      known.users += 1;
      return known.table;
    }
    const held: Held = { id: 0, table: new Table(topic, key, filter), users: 1, replayable };
    this.held.set(name, held);
    this.ask(held);
    return held.table;
  }

  release(table: Table): void {
    for (const [name, held] of this.held) {
      if (held.table !== table) continue;
      held.users -= 1;
      if (held.users > 0) return;
      this.held.delete(name);
      this.byId.delete(held.id);
      this.tell({ t: "unsub", id: held.id });
      return;
    }
  }

  tables(): Table[] {
    return [...this.held.values()].map((held) => held.table);
  }

  /** Show the log as of an event, or (null) as it is now. */
  replay(at: number | null): void {
    const moved = this.at !== null && at !== null;
    this.at = at;
    if (at === null) this.playing = false;
    if (moved) this.tell({ t: "seek", at });
    else for (const held of this.held.values()) if (held.replayable) this.askAgain(held);
    this.changed();
  }

  play(speed: number): void {
    this.playing = true;
    this.speed = speed;
    this.tell({ t: "play", speed });
    this.changed();
  }

  pause(): void {
    this.playing = false;
    this.tell({ t: "pause" });
    this.changed();
  }

  private connect(): void {
    if (this.stopped) return;
    const socket = this.world.open();
    this.socket = socket;
    this.heard = this.world.now();
    socket.onopen = () => {
      this.open = true;
      this.heard = this.world.now();
      for (const held of this.held.values()) this.ask(held);
    };
    socket.onmessage = (event: { data: unknown }) => this.receive(JSON.parse(String(event.data)) as FromServer);
    socket.onclose = () => {
      if (this.socket !== socket) return;
      this.socket = null;
      this.open = false;
      this.byId.clear();
      for (const held of this.held.values()) held.table.forget();
      if (this.state === "signed-out" || this.stopped) return;
      this.become("lost");
      const wait = BACK_OFF_MS[Math.min(this.attempt, BACK_OFF_MS.length - 1)] ?? 8_000;
      this.attempt += 1;
      this.world.later(() => this.connect(), wait * (0.75 + this.world.random() / 2));
    };
  }

  private receive(message: FromServer): void {
    if (message.t === "snap") {
      this.seen(message.seq);
      this.byId.get(message.id)?.table.snapshot(message.n, message.seq, message.cols, message.rows);
    } else if (message.t === "upd") {
      this.seen(message.seq);
      const held = this.byId.get(message.id);
      const published = message.p === undefined ? undefined : Number(message.p);
      if (held && !held.table.update(message.n, message.seq, message.rows ?? [], (message.del ?? []).map(String), published)) {
        this.askAgain(held);
      }
    } else if (message.t === "hb") {
      this.heartbeat(message);
    } else if (message.t === "gap") {
      const held = this.byId.get(message.id);
      if (held) this.askAgain(held);
    } else if (message.t === "err") {
      this.trouble = message.text;
      this.changed();
    } else if (message.t === "bye") {
      this.why = message.why ?? "";
      this.become("signed-out");
    }
  }

  private heartbeat(message: Extract<FromServer, { t: "hb" }>): void {
    this.attempt = 0;
    this.heard = this.world.now();
    this.lag_ms = message.lag_ms ?? null;
    this.server_ns = message.t_ns === undefined ? null : Number(message.t_ns);
    if (this.at === null) this.seen(message.seq);
    else if (message.seq > this.seq) this.seq = message.seq;
    if (this.at !== null && this.at >= message.seq) this.playing = false; // the replay has come to the log's end
    this.become(message.live ? "live" : "stale");
    this.changed();
  }

  private seen(seq: number): void {
    if (this.at === null) {
      if (seq > this.seq) this.seq = seq;
    } else if (this.playing && seq > this.at) {
      this.at = seq;
    }
  }

  private watchSilence(): void {
    if (this.stopped) return;
    const silent = this.world.now() - this.heard > SILENCE_MS;
    if (this.socket && silent && this.state === "live") this.become("stale");
    if (this.socket && this.world.now() - this.heard > 3 * SILENCE_MS) this.socket.close();
    this.world.later(() => this.watchSilence(), 500);
  }

  private ask(held: Held): void {
    if (!this.open) return; // all that is held is asked for when it opens
    held.id = ++this.last_id;
    this.byId.set(held.id, held);
    const { topic, filter } = held.table;
    const at = held.replayable && this.at !== null ? { at: this.at } : {};
    this.tell({ t: "sub", id: held.id, topic, ...(filter ? { filter } : {}), ...at });
  }

  private askAgain(held: Held): void {
    this.byId.delete(held.id);
    this.tell({ t: "unsub", id: held.id });
    held.table.forget();
    this.ask(held);
  }

  private tell(message: Record<string, unknown>): void {
    if (this.open) this.socket?.send(JSON.stringify(message));
  }

  private become(state: LinkState): void {
    if (this.state === state) return;
    this.state = state;
    this.changed();
  }
}
