import type { JSX } from "preact";
import type { Screen } from "../wire/types";
import { Blotter } from "./Blotter";
import { Controls } from "./Controls";
import { GridScreen } from "./GridScreen";
import { LadderPane } from "./Ladder";
import { OrderPane } from "./Order";
import { Quoting } from "./Quoting";
import { Replay } from "./Replay";
import { SchedulePane } from "./SchedulePane";
import { Search } from "./Search";
import { Tca } from "./Tca";
import { TicketPane } from "./Ticket";

export interface PaneProps {
  screen: Screen;
  id: string | null;
}

const PANES: Record<string, (props: PaneProps) => JSX.Element> = {
  blotter: Blotter, controls: Controls, ladder: LadderPane, order: OrderPane, quoting: Quoting, replay: Replay,
  schedule: SchedulePane, search: Search, tca: Tca, ticket: TicketPane,
};

/** The pane that a screen asks for; tables, one under the other, where it asks for none of its own. */
export function ScreenPane(props: PaneProps): JSX.Element {
  const Pane = PANES[props.screen.pane] ?? GridScreen;
  return <Pane {...props} />;
}
