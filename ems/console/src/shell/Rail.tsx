import type { JSX } from "preact";
import { useConsole } from "../app";
import type { Screen } from "../wire/types";

/** The screens, by group, as the server lists them for this person. */
export function Rail({ current }: { current: string }): JSX.Element {
  const here = useConsole();
  const groups = new Map<string, Screen[]>();
  for (const screen of here.catalogue.screens) {
    if (screen.pane === "order") continue; // opened from a row
    groups.set(screen.group ?? "", [...(groups.get(screen.group ?? "") ?? []), screen]);
  }
  return (
    <nav class="rail" aria-label="Screens">
      {[...groups].map(([group, screens]) => (
        <div key={group} role="group" aria-label={group || "screens"}>
          {group && <h2>{group}</h2>}
          {screens.map((screen) => (
            <a key={screen.name} href={`#/${screen.name}`} aria-current={screen.name === current ? "page" : undefined}>
              {screen.title}{screen.key && <kbd>{screen.key}</kbd>}
            </a>
          ))}
        </div>
      ))}
    </nav>
  );
}
