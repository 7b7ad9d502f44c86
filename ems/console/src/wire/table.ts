import type { Cell, Row } from "./types";

export interface Changes {
  whole: boolean; // a snapshot: what was there before is gone
  put: Row[];
  del: string[];
  published_ns?: number;
}

export type Listener = (changes: Changes) => void;

/** The rows of one subscription as the server last told them. Rows are arrays in the order of `cols`. */
export class Table {
  cols: string[] = [];
  seq = 0;
  ready = false;
  readonly rows = new Map<string, Row>();
  private next = 0;
  private keyAt = 0;
  private readonly places = new Map<string, number>();
  private readonly listeners = new Set<Listener>();

  constructor(
    readonly topic: string,
    readonly key: string,
    readonly filter: Record<string, unknown> | null = null,
  ) {}

  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  keyOf(row: Row): string {
    return String(row[this.keyAt]);
  }

  at(row: Row, column: string): Cell {
    const place = this.places.get(column);
    return place === undefined ? null : (row[place] ?? null);
  }

  place(column: string): number | undefined {
    return this.places.get(column);
  }

  /** A row by column names, for forms and conditions. */
  named(row: Row): Record<string, Cell> {
    return Object.fromEntries(this.cols.map((column, index) => [column, row[index] ?? null]));
  }

  snapshot(n: number, seq: number, cols: string[], rows: Row[]): void {
    this.cols = cols;
    this.places.clear();
    cols.forEach((column, index) => this.places.set(column, index));
    this.keyAt = this.places.get(this.key) ?? 0;
    this.rows.clear();
    for (const row of rows) this.rows.set(this.keyOf(this.trim(row)), this.trim(row));
    this.next = n + 1;
    this.seq = seq;
    this.ready = true;
    this.tell({ whole: true, put: [...this.rows.values()], del: [] });
  }

  /** False where messages are missing: the table is then to be asked for again. */
  update(n: number, seq: number, rows: Row[], del: string[], published_ns?: number): boolean {
    if (!this.ready || n !== this.next) return false;
    this.next += 1;
    this.seq = seq;
    const put = rows.map((row) => this.trim(row));
    for (const row of put) this.rows.set(this.keyOf(row), row);
    const gone = del.filter((key) => this.rows.delete(key));
    this.tell({ whole: false, put, del: gone, published_ns });
    return true;
  }

  /** Until the next snapshot nothing of it is known to be true. */
  forget(): void {
    this.ready = false;
  }

  private trim(row: Row): Row {
    return row.length === this.cols.length + 1 ? row.slice(1) : row;
  }

  private tell(changes: Changes): void {
    for (const listener of [...this.listeners]) listener(changes);
  }
}
