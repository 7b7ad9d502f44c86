import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { useConsole } from "../app";
import { said } from "../format/kinds";
import { cellClasses } from "../grid/cells";
import { Reach } from "../forms/Reach";
import { ScreenVerbs } from "../shell/ScreenVerbs";
import { Split } from "../shell/Split";
import type { Cell, Topic } from "../wire/types";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";

/** What stops the desk, and what has: scopes killed or suspended with their proof of flat, limits, and who must still approve. */
export function Controls({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  return (
    <section class="pane controls" aria-label={screen.title}>
      <div class="tools kill-line">
        <h2>{screen.title}</h2>
        <Reach scope={null} />
        <span class="gap" />
        <ScreenVerbs screen={screen} />
      </div>
      <Trips />
      <Halves name={screen.name} topics={topics} />
    </section>
  );
}

function Halves({ name, topics }: { name: string; topics: Topic[] }): JSX.Element {
  const left = topics.filter((topic) => /kill|suspension|strateg/.test(topic.name));
  const right = topics.filter((topic) => !left.includes(topic)).sort((a, b) => Number(b.name === "approvals") - Number(a.name === "approvals"));
  if (left.length === 0 || right.length === 0) return <Tables name={name} topics={topics} />;
  return <Split name={`${name}.halves`} across><Tables name={`${name}.left`} topics={left} /><Tables name={`${name}.right`} topics={right} /></Split>;
}

/** Every scope that is stopped, in full: by whom and why, what is still open, and whether it is proved flat. */
function Trips(): JSX.Element | null {
  const here = useConsole();
  const topic = here.topic("kills");
  const [rows, setRows] = useState<Record<string, Cell>[]>([]);
  useEffect(() => {
    if (!topic) return;
    const table = here.link.subscribe(topic.name, topic.key);
    const look = () => setRows([...table.rows.values()].filter((row) => table.at(row, "tripped") === true).map((row) => table.named(row)));
    look();
    const unlisten = table.listen(look);
    return () => (unlisten(), here.link.release(table));
  }, [topic]);
  if (!topic || rows.length === 0) return null;
  return (
    <div class="trips" role="group" aria-label="Stopped" tabIndex={0}>
      {rows.map((row) => (
        <dl key={String(row[topic.key])} class="strip trip">
          {topic.columns.filter((column) => !column.hidden && said(column.kind, row[column.name]) !== "").map((column) => (
            <div key={column.name}><dt>{column.title}</dt><dd class={cellClasses(column, row[column.name])}>{said(column.kind, row[column.name])}</dd></div>
          ))}
        </dl>
      ))}
    </div>
  );
}
