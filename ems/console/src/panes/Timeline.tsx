import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { words } from "../format/kinds";
import { clockTime } from "../format/times";
import { Facts, heading, plain } from "./Facts";

export interface LoggedEvent {
  seq: number;
  time_ns: string | number;
  topic: string;
  stream?: string;
  actor?: string;
  event_id?: string;
  cause?: string | null; // an event's id, or a command's
  summary?: string;
  message?: { session: string; number: number } | null; // the FIX message that brought it
  data?: Record<string, unknown> | null;
  [more: string]: unknown;
}

const SHOWN = new Set(["seq", "time_ns", "topic", "stream", "actor", "cause", "summary", "data"]);
const QUIET = /(^|_)(id|sha256|schema|version|hash|raw|request|schedule|evidence|terms|notes|observed|limits|market|arrival|instructions|parameters)$/;

/** The short of an event: the first of its figures and words, each with its name. */
export function gist(event: LoggedEvent): string {
  if (event.summary) return event.summary;
  const said = Object.entries(event.data ?? {}).filter(([name, value]) => value !== null && value !== "" && typeof value !== "object" && !QUIET.test(name) && !/^[0-9a-f]{8}-[0-9a-f]{4}-/.test(String(value)));
  return said.slice(0, 7).map(([name, value]) => `${heading(name).toLowerCase()} ${plain(name, value)}`).join(" · ");
}

/** The bytes that came or went, where an event holds them. */
const wireOf = (event: LoggedEvent): string | null => {
  const raw = event.data?.raw ?? event.data?.wire;
  return typeof raw === "string" && raw !== "" ? raw.replaceAll("\u0001", " | ") : null;
};

/** Events in the log's order: when, what, by whom, and the event that caused each. One opens to all it holds. */
export function Timeline({ events }: { events: LoggedEvent[] }): JSX.Element {
  const [open, setOpen] = useState<number | null>(null);
  if (events.length === 0) return <p class="waiting">No events.</p>;
  const bySeq = new Map(events.map((event) => [event.event_id ?? "", event.seq]));
  const go = (seq: number) => {
    setOpen(seq);
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
                <td class="says">{gist(event)}</td>
                <td>{event.actor ?? ""}</td>
                <td>{causeOf(event.cause, bySeq, go)}</td>
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

function causeOf(cause: LoggedEvent["cause"], bySeq: Map<string, number>, go: (seq: number) => void): JSX.Element | string {
  if (!cause) return "";
  const seq = bySeq.get(cause) ?? bySeq.get(cause.replace(/^\w+:/, ""));
  return seq === undefined ? <span class="clip cause" title={cause}>{cause}</span> : <button type="button" class="link" onClick={() => go(seq)}>event {seq}</button>;
}

function Inside({ event }: { event: LoggedEvent }): JSX.Element {
  const rest = Object.fromEntries(Object.entries(event).filter(([name]) => !SHOWN.has(name)));
  return (
    <div class="inside">
      {wireOf(event) && <pre class="wire" tabIndex={0} role="group" aria-label="Bytes on the wire">{wireOf(event)}</pre>}
      {event.data && <Facts value={event.data} />}
      {event.stream && <p class="dim">stream {event.stream}</p>}
      <Facts value={rest} />
    </div>
  );
}
