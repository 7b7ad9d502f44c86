import { Refused } from "./http";
import { Watched } from "./signal";
import type { Cell, CommandResult } from "./types";

export type CommandState = "asking" | "pending" | "done" | "approval" | "refused" | "in doubt";

export interface Request {
  verb: string;
  title: string;
  rows: string[];
  label?: string; // what people call the row
  fields: Record<string, Cell | Record<string, Cell>>;
  reason?: string;
  secret?: boolean; // holds a password: never written down, so a reload of the page asks it no second time
}

export interface Command extends Request {
  key: string; // the idempotency key: the same for every asking
  state: CommandState;
  since: number;
  tries: number;
  text: string;
  results: CommandResult[];
  command_id?: string;
}

export interface Answer {
  command_id: string;
  results: CommandResult[];
}

export type Ask = (command: Command) => Promise<Answer>;

export interface Memory {
  getItem(name: string): string | null;
  setItem(name: string, text: string): void;
}

const KEPT = "commands";
const SHOWN_MAX = 50;
const AGAIN_MS = [500, 1_000, 2_000, 5_000];

/**
 * What this person asked for and what became of it. No outcome is guessed: an act whose answer is missing is asked again
 * under its own key, also after the page was loaded anew, until the server says what it was.
 */
export class Commands extends Watched {
  list: Command[] = [];

  constructor(
    private readonly ask: Ask,
    private readonly memory: Memory,
    private readonly later: (run: () => void, ms: number) => unknown,
    private readonly now: () => number,
    private readonly newKey: () => string,
  ) {
    super();
    this.list = kept(memory).filter((each) => each.state === "asking" || each.state === "in doubt");
  }

  /** Ask for what a reload of the page interrupted. */
  resume(): void {
    for (const command of this.list) if (unsettled(command)) void this.attempt(command);
  }

  /** Send a command. Resolves with its first answer; throws Refused where the server would not have it. */
  async send(request: Request): Promise<Command> {
    const command: Command = { ...request, key: this.newKey(), state: "asking", since: this.now(), tries: 0, text: "", results: [] };
    this.list = [command, ...this.list].slice(0, SHOWN_MAX);
    this.keep();
    const refused = await this.attempt(command);
    if (refused) throw refused;
    return command;
  }

  /** The log has been read up to an event: commands whose event it holds are done. */
  reached(seq: number): void {
    let some = false;
    for (const command of this.list) {
      if (command.state !== "pending") continue;
      if (command.results.every((result) => !result.ok || (result.seq ?? 0) <= seq)) {
        command.state = "done";
        some = true;
      }
    }
    if (some) this.keep();
  }

  /** Whether something asked of a row has not been answered by its event yet. */
  pendingRows(): Map<string, string> {
    const found = new Map<string, string>();
    for (const command of this.list) {
      if (command.state === "asking" || command.state === "pending" || command.state === "in doubt") {
        for (const row of command.rows) found.set(row, command.title);
      }
    }
    return found;
  }

  clear(): void {
    this.list = this.list.filter((command) => unsettled(command) || command.state === "pending");
    this.keep();
  }

  private async attempt(command: Command): Promise<Refused | null> {
    command.tries += 1;
    try {
      const answer = await this.ask(command);
      command.command_id = answer.command_id;
      command.results = answer.results;
      this.settle(command);
      return null;
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      if (error.inDoubt || error.status === 401) {
        command.state = "in doubt";
        command.text = error.status === 401 ? "sign in again: it is asked again then" : "no answer yet: asked again under the same key";
        this.keep();
        if (error.status !== 401) {
          const wait = AGAIN_MS[Math.min(command.tries - 1, AGAIN_MS.length - 1)] ?? 5_000;
          this.later(() => void (command.state === "in doubt" && this.attempt(command)), wait);
        }
        return null;
      }
      command.state = "refused";
      command.text = error.message;
      this.keep();
      return error;
    }
  }

  private settle(command: Command): void {
    const { results } = command;
    command.text = [...new Set(results.map((result) => result.text ?? "").filter(Boolean))].join("; ");
    if (results.some((result) => result.pending === "approval")) command.state = "approval";
    else if (results.length > 0 && results.every((result) => !result.ok)) command.state = "refused";
    else command.state = results.some((result) => result.ok && result.seq) ? "pending" : "done";
    this.keep();
  }

  private keep(): void {
    const plain = this.list.filter((command) => !command.secret);
    this.memory.setItem(KEPT, JSON.stringify(plain.map(({ results, ...rest }) => ({ ...rest, results: results.map(({ secret: _unkept, ...result }) => result) }))));
    this.changed();
  }
}

function unsettled(command: Command): boolean {
  return command.state === "asking" || command.state === "in doubt";
}

function kept(memory: Memory): Command[] {
  try {
    const found: unknown = JSON.parse(memory.getItem(KEPT) ?? "[]");
    return Array.isArray(found) ? (found as Command[]) : [];
  } catch {
    return [];
  }
}
