import type { JSX } from "preact";
import { useConsole } from "../app";
import type { Topic } from "../wire/types";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";
import { Bars } from "./Bars";

/** Quotes and who makes them; beside them inventory and markouts, drawn from the same rows. */
export function Quoting({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const drawn = topics.find((topic) => topic.columns.some((column) => /inventory|position/.test(column.name)) || topic.columns.some((column) => column.kind === "bps"));
  return <Tables name={screen.name} topics={topics} beside={drawn && <Bars topic={drawn} prefer={/inventory|position|markout/} />} />;
}
