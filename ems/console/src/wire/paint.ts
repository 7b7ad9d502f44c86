const KEPT = 512;

/** How long it took from the server's stamp on a change to the end of the frame that shows it, in ms. */
export class PaintLag {
  private readonly kept: number[] = [];
  private waiting: number[] = [];

  /** A change with this stamp (nanoseconds since 1970 by the server's clock) has just been given to the grid. */
  applied(published_ns: number): void {
    this.waiting.push(published_ns);
    if (this.waiting.length > 1) return;
    requestAnimationFrame(() => {
      const after = new MessageChannel(); // its message comes after the frame has been painted
      after.port1.onmessage = () => {
        const now = Date.now(); // the wall clock, which the server's stamp is of; the page's own origin drifts away from it
        for (const stamp of this.waiting) this.kept.push(now - stamp / 1e6);
        this.waiting = [];
        if (this.kept.length > KEPT) this.kept.splice(0, this.kept.length - KEPT);
        after.port1.close();
      };
      after.port2.postMessage(null);
    });
  }

  samples(): readonly number[] {
    return this.kept;
  }

  /** A percentile of the latest samples, null without any. */
  percentile(share: number): number | null {
    const sorted = [...this.kept].sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? null;
  }
}
