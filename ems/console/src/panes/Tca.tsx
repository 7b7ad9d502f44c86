import type { JSX } from "preact";
import { useConsole } from "../app";
import type { Topic } from "../wire/types";
import { Bars } from "./Bars";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";

/** What orders cost against their benchmarks, and the same by algorithm, venue or symbol with how sure that is. */
export function Tca({ screen }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const drawn = topics.find((topic) => topic.columns.some((column) => column.kind === "bps"));
  return <Tables name={screen.name} topics={topics} share={0.5} beside={drawn && <Bars topic={drawn} prefer={/shortfall|is_bps|slippage/} />} />;
}
