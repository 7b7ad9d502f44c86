import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { grouped } from "../format/decimal";
import { clockTime } from "../format/times";
import { useWatched } from "../wire/signal";
import { isTicket } from "./useKeyboard";

/** Always in sight: PAPER or LIVE, the desk's clock, how old the picture is, what needs a person, who one is. */
export function Header({ onLeave }: { onLeave: () => void }): JSX.Element {
  const here = useConsole();
  const { link, session, layout } = here;
  useWatched(link, layout);
  const live = session.mode.toLowerCase() === "live";
  const verbs = here.homelessVerbs().filter((verb) => !isTicket(verb)).sort((a, b) => Number(b.danger ?? false) - Number(a.danger ?? false));
  const stops = here.catalogue.verbs.filter((verb) => verb.danger && verb.key && !verb.topic && !verbs.includes(verb)); // in reach on every screen
  const ticket = here.screenOf("ticket");
  return (
    <header class="top">
      <button type="button" class="plain" aria-label={layout.rail ? "Hide the list of screens" : "Show the list of screens"} aria-expanded={layout.rail} onClick={() => (layout.rail = !layout.rail)}>≡</button>
      <h1><span class="mark" aria-hidden="true" />EMS</h1>
      <span class={`badge ${live ? "live" : "paper"}`}>{session.mode.toUpperCase()}</span>
      <span class="who">{session.name}</span>
      {ticket && <button type="button" onClick={() => here.go(ticket.name)}>New order{ticket.key && <kbd>{ticket.key}</kbd>}</button>}
      {[...stops, ...verbs].slice(0, SHOWN_MAX).map((verb) => (
        <button key={verb.verb} type="button" class={verb.danger ? "danger" : ""} onClick={() => here.begin(verb)}>{verb.title}{verb.key && <kbd>{verb.key}</kbd>}</button>
      ))}
      <button type="button" onClick={() => here.palette.set(true)}>{verbs.length > SHOWN_MAX ? "More" : "Find"}<kbd>Ctrl K</kbd></button>
      <span class="gap" />
      <Waiting topic="approvals" one="approval" many="approvals" open={["open", "pending", "proposed", "waiting"]} />
      <Waiting topic="alerts" one="alert" many="alerts" open={["open"]} always />
      <span class="fact" title="the desk's clock, UTC"><small>UTC</small>{link.server_ns === null ? "--:--:--" : clockTime(link.server_ns, 0)}</span>
      <span class="fact" title="the last event of the log that is on screen"><small>event</small>{grouped(String(link.at ?? link.seq))}</span>
      <Lag />
      <span class={`state ${link.state}`} role="status"><i aria-hidden="true" />{STATES[link.state]}</span>
      <button type="button" class="plain" onClick={() => (layout.theme = layout.theme === "dark" ? "light" : "dark")} aria-label={`Use the ${layout.theme === "dark" ? "light" : "dark"} colours`}>{layout.theme === "dark" ? "☀" : "☾"}</button>
      <button type="button" class="plain" aria-label="Keys" onClick={() => here.sheet.set(true)}>?</button>
      <span class="who" title={session.roles.join(", ")}>{session.user}</span>
      <button type="button" onClick={onLeave}>Sign out</button>
    </header>
  );
}

const SHOWN_MAX = 3;
const STATES = { connecting: "connecting", live: "live", stale: "stale", lost: "lost", "signed-out": "signed out" } as const;

/** The log's lag behind the desk, and from the server's stamp to paint, over the latest changes. */
function Lag(): JSX.Element {
  const here = useConsole();
  const [, draw] = useState(0);
  useEffect(() => {
    const timer = window.setInterval(() => draw((n) => n + 1), 1_000);
    return () => window.clearInterval(timer);
  }, []);
  const shown = (ms: number | null) => (ms === null ? "–" : `${ms < 10 ? ms.toFixed(1) : Math.round(ms)} ms`);
  const p99 = here.paint.percentile(0.99);
  const slow = (here.link.lag_ms ?? 0) > 1_000;
  return (
    <span class={slow ? "fact warn" : "fact"} title={`log to server ${shown(here.link.lag_ms)}; server to paint median ${shown(here.paint.percentile(0.5))}, 99th of a hundred ${shown(p99)}`}>
      <small>lag</small>{shown(here.link.lag_ms)}<small>paint</small>{shown(here.paint.percentile(0.5))}
    </span>
  );
}

interface Waits {
  topic: string;
  one: string;
  many: string;
  open: string[]; // the states in which a row waits for somebody
  always?: boolean;
}

/** How many rows of a table wait for a person, and the way to them. */
function Waiting({ topic: name, one, many, open, always = false }: Waits): JSX.Element | null {
  const here = useConsole();
  const topic = here.topic(name);
  const [count, setCount] = useState(0);
  useEffect(() => {
    if (!topic) return;
    const table = here.link.subscribe(topic.name, topic.key, null, false);
    const state = topic.columns.find((column) => column.kind === "status")?.name;
    const tally = () => setCount([...table.rows.values()].filter((row) => state === undefined || open.includes(String(table.at(row, state)))).length);
    tally();
    const unlisten = table.listen(tally);
    return () => (unlisten(), here.link.release(table));
  }, [topic]);
  const screen = here.catalogue.screens.find((each) => each.topics[0] === name) ?? here.catalogue.screens.find((each) => each.topics.includes(name));
  if (!topic || !screen || (count === 0 && !always)) return null;
  return (
    <button type="button" class={count > 0 ? "alerts some" : "alerts"} onClick={() => here.go(screen.name)}>
      {count > 0 ? "⚠ " : ""}{count} {count === 1 ? one : many}
    </button>
  );
}
