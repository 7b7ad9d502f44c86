/** Which cells may flash now: at most three times a second each, and not at all for who asked for less motion. */
export class Flashes {
  private readonly last = new Map<string, number>();

  constructor(
    private readonly now: () => number,
    private readonly still: () => boolean,
    private readonly apart_ms = 350,
  ) {}

  may(cell: string): boolean {
    if (this.still()) return false;
    const now = this.now();
    const before = this.last.get(cell);
    if (before !== undefined && now - before < this.apart_ms) return false;
    if (this.last.size > 20_000) this.last.clear();
    this.last.set(cell, now);
    return true;
  }
}
