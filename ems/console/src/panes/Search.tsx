import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { judgeOne } from "../forms/fields";
import { FieldInput } from "../forms/FieldInput";
import { useConsole } from "../app";
import { GridPane } from "../grid/GridPane";
import { Split } from "../shell/Split";
import { Tabs } from "../shell/Tabs";
import type { Field, Topic } from "../wire/types";
import type { PaneProps } from "./ScreenPane";
import { Timeline, type LoggedEvent } from "./Timeline";
import { useAnswer } from "./useAnswer";

const FIELDS: Field[] = [
  { name: "q", title: "Words", kind: "text", help: "a topic, stream, person or id" },
  { name: "from", title: "From event", kind: "int", min: "0" },
  { name: "to", title: "To event", kind: "int", min: "0" },
];

/** The audit's search over all events. What is asked here is itself written to the log. */
export function Search({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  if (topics.length === 0) return <Find />;
  return (
    <Split name="search" share={0.6}>
      <Find />
      <Tabs label="Reads and commands" tabs={topics.map((topic) => ({ name: topic.name, title: topic.title, body: () => <GridPane topic={topic} /> }))} />
    </Split>
  );
}

function Find(): JSX.Element {
  const here = useConsole();
  const [typed, setTyped] = useState<Record<string, string>>({ q: "", from: "", to: "" });
  const [wrong, setWrong] = useState<Record<string, string>>({});
  const [path, setPath] = useState<string | null>(null);
  const { value, trouble, again } = useAnswer<{ events: LoggedEvent[]; next: number | null }>(path);
  const ask = (from?: number) => {
    const errors: Record<string, string> = {};
    const asked = new URLSearchParams();
    for (const field of FIELDS) {
      const [found, error] = judgeOne(field, typed[field.name], here.now_ns());
      if (error) errors[field.name] = error;
      else if (found !== null) asked.set(field.name, String(found));
    }
    setWrong(errors);
    if (Object.keys(errors).length > 0) return;
    if (from !== undefined) asked.set("from", String(from));
    const next = `/api/log?${asked.toString()}`;
    if (next === path) again();
    else setPath(next);
  };
  return (
    <section class="pane" aria-label="Audit search">
      <form class="tools form-line" noValidate onSubmit={(event) => (event.preventDefault(), ask())}>
        <h2>Audit search</h2>
        {FIELDS.map((field) => (
          <FieldInput key={field.name} field={field} form="search" value={typed[field.name] ?? ""} wrong={wrong[field.name]}
            onChange={(text) => setTyped({ ...typed, [field.name]: String(text) })} />
        ))}
        <button type="submit" class="primary">Search</button>
        {value?.next && <button type="button" onClick={() => ask(value.next!)}>Further</button>}
      </form>
      {trouble && <p class="error" role="alert">{trouble}</p>}
      {path === null ? <p class="waiting">Every event can be found here. What you ask is itself logged.</p> : <Timeline events={value?.events ?? []} />}
    </section>
  );
}
