import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { grouped } from "../format/decimal";
import { clockTime, dateTime } from "../format/times";
import { Split } from "../shell/Split";
import type { Span } from "../shell/ReplayBar";
import type { Topic } from "../wire/types";
import { type Diff, DifferenceTable } from "./Difference";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";
import { useAnswer } from "./useAnswer";

/** Choose a moment of the log, see every screen as it was then, and what differs between two moments. */
export function Replay({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const { value: span, trouble, again } = useAnswer<Span>("/api/replay/span");
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  return (
    <Split name="replay" across share={0.34}>
      <section class="pane" aria-label="Moments">
        <div class="tools"><h2>Replay</h2><span class="gap" /><button type="button" onClick={again}>Look again</button></div>
        {trouble && <p class="error" role="alert">{trouble}</p>}
        {span ? <Moments span={span} /> : !trouble && <p class="waiting">Asking…</p>}
        {span && <Difference span={span} />}
      </section>
      {here.link.at === null
        ? <section class="pane" aria-label="The log"><p class="waiting">Choose a moment: every screen then shows the desk as it was, under a banner, with commands off.</p></section>
        : <Tables name="replay.tables" topics={topics.length > 0 ? topics : ["parents", "children"].map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null)} />}
    </Split>
  );
}

function Moments({ span }: { span: Span }): JSX.Element {
  const here = useConsole();
  const [at, setAt] = useState(String(here.link.at ?? span.last_seq));
  useEffect(() => {
    if (here.link.at !== null) setAt(String(here.link.at));
  }, [here.link.at]);
  const seq = Number(at);
  const last = Math.max(span.last_seq, here.link.seq); // the log goes on while this is looked at
  const right = Number.isInteger(seq) && seq >= span.first_seq && seq <= last;
  return (
    <>
      <p class="note">Events {grouped(String(span.first_seq))} to {grouped(String(span.last_seq))}: {dateTime(span.first_ns).slice(0, 19)} to {dateTime(span.last_ns).slice(0, 19)} UTC.</p>
      <form class="form-line" onSubmit={(event) => (event.preventDefault(), right && here.link.replay(seq))}>
        <label>As of event <input inputMode="numeric" value={at} aria-invalid={right ? undefined : "true"} onInput={(event) => setAt(event.currentTarget.value)} /></label>
        <button type="submit" class="primary" disabled={!right}>Show</button>
        {!right && <span class="error" role="alert">no such event</span>}
      </form>
      <div class="scroll" tabIndex={0} role="group" aria-label="Marks">
        <table class="plain-table">
          <thead><tr><th class="right">Event</th><th class="right">Time</th><th>Mark</th><th><span class="unseen">Show</span></th></tr></thead>
          <tbody>
            {(span.marks ?? []).map((mark) => (
              <tr key={`${mark.seq}${mark.what}`}>
                <td class="right figure">{grouped(String(mark.seq))}</td>
                <td class="right figure">{mark.time_ns ? clockTime(mark.time_ns, 0) : ""}</td>
                <td>{mark.what}</td>
                <td><button type="button" aria-label={`Show event ${mark.seq}`} onClick={() => here.link.replay(mark.seq)}>Show</button></td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

function Difference({ span }: { span: Span }): JSX.Element {
  const here = useConsole();
  const [from, setFrom] = useState(String(span.first_seq));
  const [to, setTo] = useState(String(span.last_seq));
  const [topic, setTopic] = useState("parents");
  const [path, setPath] = useState<string | null>(null);
  const { value, trouble } = useAnswer<Diff>(path);
  const asked = here.topic(path === null ? null : new URLSearchParams(path.split("?")[1]).get("topic"));
  const right = [from, to].every((text) => /^\d+$/.test(text)) && Number(from) <= Number(to);
  return (
    <div class="difference">
      <form class="form-line" onSubmit={(event) => (event.preventDefault(), right && setPath(`/api/diff?from=${from}&to=${to}&topic=${topic}`))}>
        <h3>What changed</h3>
        <label>from <input inputMode="numeric" value={from} onInput={(event) => setFrom(event.currentTarget.value)} /></label>
        <label>to <input inputMode="numeric" value={to} onInput={(event) => setTo(event.currentTarget.value)} /></label>
        <label>in <select value={topic} onChange={(event) => setTopic(event.currentTarget.value)}>
          {here.catalogue.topics.map((each) => <option key={each.name} value={each.name}>{each.title}</option>)}
        </select></label>
        <button type="submit" disabled={!right}>Compare</button>
      </form>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {value !== null && asked && <div class="scroll" tabIndex={0} role="group" aria-label="Differences"><DifferenceTable diff={value} topic={asked} /></div>}
    </div>
  );
}
