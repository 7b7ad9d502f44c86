import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { words } from "../format/kinds";
import { clockTime } from "../format/times";
import { Facts } from "./Facts";

export interface LoggedEvent {
  seq: number;
  time_ns: string | number;
  topic: string;
  stream?: string;
  actor?: string;
  cause?: string | number | null;
  summary?: string;
  wire?: string | null;
  [more: string]: unknown;
}

const SHOWN = new Set(["seq", "time_ns", "topic", "stream", "actor", "cause", "summary", "wire"]);

/** Events in the log's order: when, what, by whom, and the event that caused each. One opens to all it holds. */
export function Timeline({ events }: { events: LoggedEvent[] }): JSX.Element {
  const [open, setOpen] = useState<number | null>(null);
  if (events.length === 0) return <p class="waiting">No events.</p>;
  const go = (seq: string) => {
    setOpen(Number(seq));
    document.getElementById(`event-${seq}`)?.scrollIntoView({ block: "center" });
  };
  return (
    <div class="scroll" tabIndex={0} role="group" aria-label="Events">
      <table class="plain-table timeline">
        <thead><tr><th class="right">Event</th><th class="right">Time</th><th>What</th><th>Says</th><th>By</th><th>Caused by</th><th><span class="unseen">More</span></th></tr></thead>
        <tbody>
          {events.map((event) => (
            <>
              <tr key={event.seq} id={`event-${event.seq}`} class={open === event.seq ? "opened" : ""}>
                <td class="right figure">{event.seq}</td>
                <td class="right figure">{clockTime(event.time_ns, 6)}</td>
                <td>{words(event.topic.replace(/\.v\d+$/, "")).replaceAll(".", " ")}</td>
                <td class="says">{event.summary ?? ""}</td>
                <td>{event.actor ?? ""}</td>
                <td>{causeOf(event.cause, go)}</td>
                <td><button type="button" aria-expanded={open === event.seq} onClick={() => setOpen(open === event.seq ? null : event.seq)}>{open === event.seq ? "less" : "more"}</button></td>
              </tr>
              {open === event.seq && <tr class="inside" key={`${event.seq}-inside`}><td colSpan={7}><Inside event={event} /></td></tr>}
            </>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function causeOf(cause: LoggedEvent["cause"], go: (seq: string) => void): JSX.Element | string {
  if (cause === null || cause === undefined || cause === "") return "";
  const text = String(cause);
  return /^\d+$/.test(text) ? <button type="button" class="link" onClick={() => go(text)}>{text}</button> : <span class="clip" title={text}>{text}</span>;
}

function Inside({ event }: { event: LoggedEvent }): JSX.Element {
  const rest = Object.fromEntries(Object.entries(event).filter(([name]) => !SHOWN.has(name)));
  return (
    <div class="inside">
      {event.wire && <pre class="wire" tabIndex={0} aria-label="Bytes on the wire">{String(event.wire).replaceAll("\u0001", " | ")}</pre>}
      {event.stream && <p class="dim">stream {event.stream}</p>}
      <Facts value={rest} />
    </div>
  );
}
