import type { JSX } from "preact";
import { useState } from "preact/hooks";
import { useConsole } from "../app";
import { ScheduleChart } from "../chart/ScheduleChart";
import { GridPane } from "../grid/GridPane";
import { Split } from "../shell/Split";
import { Tabs } from "../shell/Tabs";
import type { Topic } from "../wire/types";
import { Groups } from "./Groups";
import type { PaneProps } from "./ScreenPane";

/** Parents above, the selected parents' children below, and beside them the schedule of the first that is selected. */
export function Blotter({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const [selected, setSelected] = useState<string[]>([]);
  const [by, setBy] = useState("");
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const [parents, ...others] = topics;
  if (!parents) return <p class="waiting">Your roles may read no orders.</p>;
  const groupable = parents.columns.filter((column) => ["symbol", "side", "status", "text", "id"].includes(column.kind) && /symbol|algo|trader|owner|desk|client|session|side|status|account/.test(column.name));
  const group = (
    <label class="inline">by{" "}
      <select value={by} onChange={(event) => setBy(event.currentTarget.value)} aria-label="Group parents by">
        <option value="">order</option>
        {groupable.map((column) => <option key={column.name} value={column.name}>{column.title.toLowerCase()}</option>)}
      </select>
    </label>
  );
  const filterOf = (topic: Topic) => (parents.link?.topic === topic.name && selected.length > 0 ? { [parents.link.column]: selected } : null);
  const pane = (topic: Topic) => <GridPane key={topic.name} topic={topic} filter={filterOf(topic)} />;
  const first = selected[0];
  return (
    <Split name="blotter" share={0.55}>
      {by ? <Groups topic={parents} by={by} extra={group} /> : <GridPane topic={parents} onSelect={setSelected} extra={group} />}
      <Split name="blotter.low" across share={0.6}>
        {others.length > 1 ? <Tabs label="Of the selected parents" tabs={others.map((topic) => ({ name: topic.name, title: topic.title, body: () => pane(topic) }))} /> : others[0] ? pane(others[0]) : <div />}
        {first === undefined ? <section class="pane" aria-label="Schedule"><p class="waiting">Select a parent to see its schedule.</p></section> : <ScheduleChart key={first} order={first} />}
      </Split>
    </Split>
  );
}
