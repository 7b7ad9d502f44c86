import { Link, type Socket, type Surroundings } from "../src/wire/link";

/** The server's end of sockets, and a clock that a test turns by hand. */
export class Server {
  sockets: FakeSocket[] = [];
  time = 0;
  private waiting: { at: number; run: () => void }[] = [];
  readonly link: Link;

  constructor() {
    const world: Surroundings = {
      open: () => {
        const socket = new FakeSocket();
        this.sockets.push(socket);
        return socket;
      },
      now: () => this.time,
      later: (run, ms) => this.waiting.push({ at: this.time + ms, run }),
      random: () => 0.5,
    };
    this.link = new Link(world);
  }

  get socket(): FakeSocket {
    return this.sockets.at(-1)!;
  }

  pass(ms: number): void {
    const until = this.time + ms;
    for (;;) {
      const due = this.waiting.filter((each) => each.at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.waiting = this.waiting.filter((each) => each !== due);
      this.time = due.at;
      due.run();
    }
    this.time = until;
  }

  beat(seq: number, live = true, more: object = {}): void {
    this.socket.say({ t: "hb", seq, lag_ms: 1, live, t_ns: "0", ...more });
  }
}

export class FakeSocket implements Socket {
  heard: Record<string, unknown>[] = [];
  closed = false;
  onopen: ((event: unknown) => void) | null = null;
  onclose: ((event: unknown) => void) | null = null;
  onmessage: ((event: unknown) => void) | null = null;

  send(text: string): void {
    this.heard.push(JSON.parse(text) as Record<string, unknown>);
  }

  close(): void {
    if (this.closed) return;
    this.closed = true;
    this.onclose?.({});
  }

  say(message: object): void {
    this.onmessage?.({ data: JSON.stringify(message) });
  }

  subs(): number[] {
    return this.heard.filter((each) => each.t === "sub").map((each) => each.id as number);
  }
}
