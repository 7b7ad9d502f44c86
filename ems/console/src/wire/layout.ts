import { call, get, Refused } from "./http";
import { Watched } from "./signal";

export interface View {
  name: string;
  filter: string;
}

interface Kept {
  theme?: "dark" | "light";
  rail?: boolean;
  grids?: Record<string, unknown>;
  splits?: Record<string, number>;
  views?: Record<string, View[]>;
  screen?: string;
}

const NAME = "console";
const PATH = `/api/layouts/${NAME}`;
const SAVE_MS = 1_000;

/** How one person has the console arranged; kept on the server, so that it is the same at every desk. */
export class Layout extends Watched {
  private timer = 0;
  failed = "";

  constructor(
    private kept: Kept,
    private readonly lost = "", // why it could not be read; it is then not written over either
  ) {
    super();
    this.failed = lost;
  }

  static async load(): Promise<Layout> {
    try {
      const kept = await get<string[]>("/api/layouts");
      return new Layout(kept.includes(NAME) ? ((await get<{ body: Kept | null }>(PATH)).body ?? {}) : {});
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return new Layout({}, error.message);
    }
  }

  get theme(): "dark" | "light" {
    return this.kept.theme ?? "dark";
  }

  set theme(theme: "dark" | "light") {
    this.put({ theme });
  }

  get rail(): boolean {
    return this.kept.rail ?? true;
  }

  set rail(rail: boolean) {
    this.put({ rail });
  }

  grid<T>(name: string): T | undefined {
    return this.kept.grids?.[name] as T | undefined;
  }

  setGrid(name: string, state: unknown): void {
    this.put({ grids: { ...this.kept.grids, [name]: state } }, false);
  }

  split(name: string): number | undefined {
    return this.kept.splits?.[name];
  }

  setSplit(name: string, share: number): void {
    this.put({ splits: { ...this.kept.splits, [name]: share } }, false);
  }

  views(topic: string): View[] {
    return this.kept.views?.[topic] ?? [];
  }

  setViews(topic: string, views: View[]): void {
    this.put({ views: { ...this.kept.views, [topic]: views } });
  }

  /** As delivered, but for the colours; resolves when the server has it. */
  async reset(): Promise<void> {
    this.kept = { theme: this.theme };
    window.clearTimeout(this.timer);
    await this.save();
  }

  private put(part: Kept, shown = true): void {
    this.kept = { ...this.kept, ...part };
    window.clearTimeout(this.timer);
    if (!this.lost) this.timer = window.setTimeout(() => void this.save(), SAVE_MS);
    if (shown) this.changed();
  }

  private async save(): Promise<void> {
    try {
      await call("PUT", PATH, { body: this.kept });
      this.failed = "";
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.failed = error.message;
      this.changed();
    }
  }
}
