import type { JSX } from "preact";
import { useConsole } from "../app";
import { useWatched } from "../wire/signal";
import type { Verb } from "../wire/types";
import { Dialog } from "./Dialog";

const ALWAYS: [string, string][] = [
  ["/", "filter the grid in hand"], ["↑ ↓", "move the selection (Shift adds)"], ["Enter", "open the row"], [".", "menu of the selected rows"], ["Ctrl+K", "go anywhere, do anything, by name"],
  ["Esc", "back out"], ["\\", "show or hide the list of screens"], ["?", "this sheet"],
];

/** Every key that does something here and now. */
export function CheatSheet(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.sheet);
  if (!here.sheet.get()) return null;
  const active = here.active.get();
  const verbs = active ? [...here.rowVerbs(active.topic), ...here.freeVerbs(active.topic)] : [];
  const free = here.catalogue.verbs.filter((verb) => !verb.topic);
  return (
    <Dialog title="Keys" wide onClose={() => here.sheet.set(false)}>
      <div class="sheet">
        <List title="Everywhere" keys={ALWAYS} />
        {verbs.length > 0 && <List title={active!.topic.title} keys={keysOf(verbs)} />}
        {free.length > 0 && <List title="Without a row" keys={keysOf(free)} />}
        <List title="Screens (, first where a verb has the key)" keys={here.catalogue.screens.filter((screen) => screen.key).map((screen) => [screen.key!, screen.title])} />
      </div>
      <p class="note">Filters: words, <code>symbol:AAA</code>, <code>open&gt;1000</code>, <code>status!=filled</code>, <code>-word</code> for without.</p>
      <div class="buttons"><button type="button" class="primary" onClick={() => here.sheet.set(false)}>Back<kbd>Esc</kbd></button>
        <button type="button" onClick={() => void here.layout.reset().then(() => location.reload())}>Put the layout back as delivered</button></div>
    </Dialog>
  );
}

const keysOf = (verbs: Verb[]): [string, string][] => verbs.filter((verb) => verb.key).map((verb) => [verb.key!, verb.title]);

function List({ title, keys }: { title: string; keys: [string, string][] }): JSX.Element {
  return (
    <section>
      <h3>{title}</h3>
      <dl>{keys.map(([key, what]) => <div key={key + what}><dt><kbd>{key}</kbd></dt><dd>{what}</dd></div>)}</dl>
    </section>
  );
}
