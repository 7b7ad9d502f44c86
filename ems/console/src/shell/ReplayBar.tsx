import type { JSX } from "preact";
import { useConsole } from "../app";
import { grouped } from "../format/decimal";
import { useAnswer } from "../panes/useAnswer";
import { useWatched } from "../wire/signal";

export interface Span {
  first_seq: number;
  last_seq: number;
  first_ns: string | number;
  last_ns: string | number;
  marks?: { seq: number; what: string; time_ns?: string | number }[];
}

export const SPEEDS = [1, 2, 5, 10, 25, 50, 100];

/** Stands over every screen while a replay is shown: where in the log, playing or not, and the way back. */
export function ReplayBar(): JSX.Element {
  const here = useConsole();
  useWatched(here.link);
  const { value: span } = useAnswer<Span>("/api/replay/span");
  const { link } = here;
  const at = link.at ?? 0;
  return (
    <section class="banner replay" aria-label="Replay">
      <b>REPLAY</b>
      <span>event {grouped(String(at))}. Commands are off.</span>
      {span && (
        <>
          <button type="button" aria-label="One event back" onClick={() => link.replay(Math.max(span.first_seq, at - 1))}>‹</button>
          <input type="range" aria-label="Position in the log" min={span.first_seq} max={Math.max(span.last_seq, link.seq)} step={1} value={at}
            onChange={(event) => link.replay(Number(event.currentTarget.value))} />
          <button type="button" aria-label="One event on" onClick={() => link.replay(Math.min(Math.max(span.last_seq, link.seq), at + 1))}>›</button>
        </>
      )}
      {link.playing ? <button type="button" onClick={() => link.pause()}>Pause</button> : <button type="button" onClick={() => link.play(link.speed)}>Play</button>}
      <label class="inline">at{" "}
        <select aria-label="Speed" value={String(link.speed)} onChange={(event) => {
          link.speed = Number(event.currentTarget.value);
          if (link.playing) link.play(link.speed);
        }}>{SPEEDS.map((speed) => <option key={speed} value={String(speed)}>{speed}×</option>)}</select>
      </label>
      <button type="button" class="primary" onClick={() => link.replay(null)}>Back to now</button>
    </section>
  );
}
