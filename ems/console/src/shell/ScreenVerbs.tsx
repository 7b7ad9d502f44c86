import type { JSX } from "preact";
import { useConsole } from "../app";
import type { Screen } from "../wire/types";

/** What is done from a screen without choosing a row. */
export function ScreenVerbs({ screen }: { screen: Screen }): JSX.Element | null {
  const here = useConsole();
  const verbs = (screen.verbs ?? []).map((name) => here.verb(name)).filter((verb) => verb !== null);
  if (verbs.length === 0) return null;
  return (
    <>
      {verbs.map((verb) => (
        <button key={verb.verb} type="button" class={verb.danger ? "danger" : ""} onClick={() => here.begin(verb)}>{verb.title}{verb.key && <kbd>{verb.key}</kbd>}</button>
      ))}
    </>
  );
}
