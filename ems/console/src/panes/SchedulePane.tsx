import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useConsole } from "../app";
import { ScheduleChart } from "../chart/ScheduleChart";
import { GridPane } from "../grid/GridPane";
import { Split } from "../shell/Split";
import { Tabs } from "../shell/Tabs";
import type { Topic } from "../wire/types";
import type { PaneProps } from "./ScreenPane";

/** Orders on the left, the schedule of the selected one on the right, its plans beneath. */
export function SchedulePane({ screen, id }: PaneProps): JSX.Element {
  const here = useConsole();
  const [order, setOrder] = useState<string | null>(id);
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const [parents, ...others] = topics;
  if (!parents) return <p class="waiting">Your roles may read no orders.</p>;
  const chart = order === null ? <section class="pane" aria-label="Schedule"><p class="waiting">Select an order.</p></section> : <ScheduleChart key={order} order={order} />;
  const filterOf = (topic: Topic) => {
    const column = topic.columns.find((each) => each.name === "parent" || each.name === "order")?.name;
    return column && order !== null ? { [column]: [order] } : null;
  };
  const pane = (topic: Topic) => <GridPane key={topic.name} topic={topic} filter={filterOf(topic)} name={`schedule.${topic.name}`} />;
  const right = others.length === 0 ? chart : (
    <Split name="schedule.right" share={0.6}>
      {chart}
      {others.length === 1 ? pane(others[0]!) : <Tabs label="Of this order" tabs={others.map((topic) => ({ name: topic.name, title: topic.title, body: () => pane(topic) }))} />}
    </Split>
  );
  return (
    <Split name="schedule" across share={0.4}>
      <GridPane topic={parents} name="schedule.parents" onSelect={(keys) => keys[0] !== undefined && setOrder(keys[0])} />
      {right}
    </Split>
  );
}
