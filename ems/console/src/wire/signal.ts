import { useEffect, useState } from "preact/hooks";

/** Something that may be watched: listeners are told after it has changed. */
export class Watched {
  private readonly watchers = new Set<() => void>();

  watch(watcher: () => void): () => void {
    this.watchers.add(watcher);
    return () => void this.watchers.delete(watcher);
  }

  protected changed(): void {
    for (const watcher of [...this.watchers]) watcher();
  }
}

/** Draw a component again when what it shows has changed, at most once a frame. */
export function useWatched(...things: Watched[]): void {
  const [, draw] = useState(0);
  useEffect(() => {
    let asked = 0;
    const later = () => {
      if (asked === 0) asked = requestAnimationFrame(() => ((asked = 0), draw((n) => n + 1)));
    };
    const stop = things.map((thing) => thing.watch(later));
    return () => {
      cancelAnimationFrame(asked);
      for (const each of stop) each();
    };
  }, things);
}

/** One value that may be watched. */
export class Value<T> extends Watched {
  constructor(private value: T) {
    super();
  }

  get(): T {
    return this.value;
  }

  set(value: T): void {
    if (Object.is(value, this.value)) return;
    this.value = value;
    this.changed();
  }
}
