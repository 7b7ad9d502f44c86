import type { JSX } from "preact";
import { useConsole } from "../app";
import { Reach } from "../forms/Reach";
import { Split } from "../shell/Split";
import type { Topic } from "../wire/types";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";

/** What stops the desk, and what has: scopes killed or suspended with their proof of flat, limits, and who must still approve. */
export function Controls({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const verbs = screen.verbs?.map((name) => here.verb(name)) ?? here.catalogue.verbs.filter((verb) => !verb.topic && verb.danger);
  return (
    <section class="pane controls" aria-label={screen.title}>
      <div class="tools kill-line">
        <h2>{screen.title}</h2>
        <Reach scope={null} />
        <span class="gap" />
        {verbs.map((verb) => verb && (
          <button key={verb.verb} type="button" class={verb.danger ? "danger primary" : ""} onClick={() => here.begin(verb)}>{verb.title}{verb.key && <kbd>{verb.key}</kbd>}</button>
        ))}
      </div>
      <Halves name={screen.name} topics={topics} />
    </section>
  );
}

function Halves({ name, topics }: { name: string; topics: Topic[] }): JSX.Element {
  const left = topics.filter((topic) => /kill|suspension/.test(topic.name));
  const right = topics.filter((topic) => !left.includes(topic));
  if (left.length === 0 || right.length === 0) return <Tables name={name} topics={topics} />;
  return <Split name={`${name}.halves`} across><Tables name={`${name}.left`} topics={left} /><Tables name={`${name}.right`} topics={right} /></Split>;
}
