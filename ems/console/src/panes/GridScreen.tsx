import type { ComponentChildren, JSX } from "preact";
import { useState } from "preact/hooks";
import { useConsole } from "../app";
import { GridPane } from "../grid/GridPane";
import { ScreenVerbs } from "../shell/ScreenVerbs";
import { Split } from "../shell/Split";
import { Tabs } from "../shell/Tabs";
import type { Topic } from "../wire/types";
import type { PaneProps } from "./ScreenPane";

/** A screen of tables: the first above, the others under it; where they are linked, rows selected above filter below. */
export function GridScreen({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  return <Tables name={screen.name} topics={topics} extra={<ScreenVerbs screen={screen} />} />;
}

export function Tables({ name, topics, share = 0.55, beside, extra }: { name: string; topics: Topic[]; share?: number; beside?: ComponentChildren; extra?: ComponentChildren }): JSX.Element {
  const [selected, setSelected] = useState<string[]>([]);
  const [first, ...others] = topics;
  if (!first) return <p class="waiting">Your roles may read none of this screen's tables.</p>;
  const top = <GridPane key={first.name} topic={first} onSelect={setSelected} extra={extra} />;
  if (others.length === 0 && !beside) return top;
  const filterOf = (topic: Topic) => (first.link?.topic === topic.name && selected.length > 0 ? { [first.link.column]: selected } : null);
  const pane = (topic: Topic) => <GridPane key={topic.name} topic={topic} filter={filterOf(topic)} />;
  const below = others.length === 1 ? pane(others[0]!) : <Tabs label="Tables" tabs={others.map((topic) => ({ name: topic.name, title: topic.title, body: () => pane(topic) }))} />;
  if (others.length === 0) return <Split name={name} share={share}>{top}{beside}</Split>;
  return <Split name={name} share={share}>{top}{beside ? <Split name={`${name}.low`} across>{below}{beside}</Split> : below}</Split>;
}
