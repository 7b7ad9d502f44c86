import type { JSX } from "preact";
import { useConsole } from "../app";
import { useWatched } from "../wire/signal";

/** Loud when what is on screen may not be so any more. */
export function Banner(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.link, here.commands);
  const { state, why } = here.link;
  const doubtful = here.commands.list.filter((command) => command.state === "in doubt").length;
  const doubt = doubtful > 0 ? ` ${doubtful} ${doubtful === 1 ? "command is" : "commands are"} without an answer and will be asked again under the same key.` : "";
  if (state === "lost") return <p class="banner bad" role="alert"><b>NOT CONNECTED.</b> What is on screen may be old. Trying again.{doubt}</p>;
  if (state === "stale") return <p class="banner bad" role="alert"><b>STALE.</b> The server follows no log at present, or says nothing: what is on screen may be old.{doubt}</p>;
  if (state === "signed-out") return <p class="banner bad" role="alert"><b>SIGNED OUT.</b> {why || "The sign-in has ended."}{doubt}</p>;
  if (doubt) return <p class="banner warn" role="alert"><b>IN DOUBT.</b>{doubt}</p>;
  return null;
}
