import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Console, useConsole } from "../app";
import { useWatched } from "../wire/signal";
import { Dialog } from "./Dialog";
import { startVerb } from "./useKeyboard";

interface Entry {
  title: string;
  group: string;
  key: string;
  run: () => void;
}

/** Everything that can be gone to or done from here, by typing a part of its name. */
export function Palette(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.palette);
  return here.palette.get() ? <Open /> : null;
}

function Open(): JSX.Element {
  const here = useConsole();
  const [text, setText] = useState("");
  const [at, setAt] = useState(0);
  const close = () => here.palette.set(false);
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const found = entries(here).filter((entry) => words.every((word) => `${entry.group} ${entry.title}`.toLowerCase().includes(word))).slice(0, 14);
  const chosen = Math.min(at, Math.max(0, found.length - 1));
  const list = useRef<HTMLUListElement>(null);
  useEffect(() => list.current?.children[chosen]?.scrollIntoView({ block: "nearest" }), [chosen]);
  const run = (entry: Entry | undefined) => {
    if (!entry) return;
    close();
    window.setTimeout(entry.run); // after this dialog has given the focus back
  };
  return (
    <Dialog title="Go to, or do" onClose={close}>
      <div class="palette">
        <input type="text" role="combobox" aria-label="Screen or act" aria-expanded="true" aria-controls="palette-list" aria-activedescendant={found.length > 0 ? `palette-${chosen}` : undefined}
          spellcheck={false} autocomplete="off" value={text} placeholder="blotter, kill, new order…"
          onInput={(event) => (setText(event.currentTarget.value), setAt(0))}
          onKeyDown={(event) => {
            if (event.key === "ArrowDown" || event.key === "ArrowUp") (event.preventDefault(), setAt((chosen + (event.key === "ArrowDown" ? 1 : -1) + found.length) % Math.max(1, found.length)));
            if (event.key === "Enter") (event.preventDefault(), run(found[chosen]));
          }} />
        <ul id="palette-list" role="listbox" aria-label="Found" ref={list}>
          {found.map((entry, index) => (
            <li key={entry.group + entry.title} id={`palette-${index}`} role="option" aria-selected={index === chosen} onClick={() => run(entry)}>
              <span class="dim">{entry.group}</span> {entry.title}{entry.key && <kbd>{entry.key}</kbd>}
            </li>
          ))}
        </ul>
        {found.length === 0 && <p class="note">Nothing of that name.</p>}
      </div>
    </Dialog>
  );
}

function entries(here: Console): Entry[] {
  const active = here.active.get();
  const verbs = [...(active ? here.rowVerbs(active.topic) : []), ...here.catalogue.verbs.filter((verb) => !verb.topic)];
  return [
    ...here.catalogue.screens.filter((screen) => screen.pane !== "order").map((screen) => ({ title: screen.title, group: "go to", key: screen.key ?? "", run: () => here.go(screen.name) })),
    ...verbs.map((verb) => ({ title: verb.title, group: verb.topic ? "selected rows" : "do", key: verb.key ?? "", run: () => startVerb(here, verb) })),
  ];
}
