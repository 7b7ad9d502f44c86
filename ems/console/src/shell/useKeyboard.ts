import { useEffect } from "preact/hooks";
import { type Console, useConsole } from "../app";
import type { Verb } from "../wire/types";
import { named, pressed, Sequence, typing } from "./keys";

/** Keys for the whole console: verbs of the grid in hand first, then verbs for no row, then screens. */
export function useKeyboard(): void {
  const here = useConsole();
  useEffect(() => {
    const sequence = new Sequence(() => performance.now());
    const keydown = (event: KeyboardEvent) => {
      if (event.defaultPrevented || ["Shift", "Control", "Alt", "Meta"].includes(event.key)) return;
      if (here.intent.get() || here.menu.get() || document.querySelector("dialog[open]")) return;
      const key = pressed(event);
      if (typing(event.target) && !/^(F\d+|Escape|Alt\+.*|Ctrl\+k)$/.test(key)) return;
      for (const meant of sequence.meant(key)) {
        if (!act(here, meant, event)) continue;
        event.preventDefault();
        sequence.forget();
        return;
      }
    };
    document.addEventListener("keydown", keydown);
    return () => document.removeEventListener("keydown", keydown);
  }, [here]);
}

function act(here: Console, key: string, event: KeyboardEvent): boolean {
  const active = here.active.get();
  if (key === "Ctrl+k" || key === ":") return here.palette.set(true), true;
  const far = key.startsWith(", ") ? here.catalogue.screens.find((each) => each.key && `, ${named(each.key)}` === key) : undefined;
  if (far) return here.go(far.name), true;
  if (key === "?") return here.sheet.set(true), true;
  if (key === "Escape") return back(here);
  if (key === "/" && active) return active.filter?.focus(), true;
  if (key === "\\") return (here.layout.rail = !here.layout.rail), true;
  if ((key === "." || key === "ContextMenu" || key === "Shift+F10") && active && active.grid.selectedKeys().length > 0) return openMenu(here, event), true;
  const verb = verbFor(here, key);
  if (verb) return startVerb(here, verb), true;
  const screen = here.catalogue.screens.find((each) => each.key && named(each.key) === key);
  if (screen) return here.go(screen.name), true;
  return false;
}

/** New orders are entered on the ticket, which knows the algorithms' own parameters. */
export const isTicket = (verb: Verb): boolean => verb.verb === "enter_order";

/** Begin a verb on what is selected, or on nothing where it needs no row. */
export function startVerb(here: Console, verb: Verb): void {
  const active = here.active.get();
  const ticket = here.screenOf("ticket");
  if (isTicket(verb) && ticket) return here.go(ticket.name);
  if (active?.topic.verbs.includes(verb.verb)) return here.begin(verb, active.topic, active.table, active.grid.selectedKeys());
  here.begin(verb);
}

function verbFor(here: Console, key: string): Verb | undefined {
  const fits = (verb: Verb) => Boolean(verb.key) && named(verb.key!) === key;
  const active = here.active.get();
  return (active && here.rowVerbs(active.topic).find(fits)) || (active && here.freeVerbs(active.topic).find(fits)) || here.catalogue.verbs.find((verb) => !verb.topic && fits(verb));
}

function back(here: Console): boolean {
  if (here.detail.get()) return here.detail.set(null), true;
  if (here.route.get().id !== null) return history.back(), true;
  here.active.get()?.grid.focus();
  return false;
}

function openMenu(here: Console, event: KeyboardEvent): void {
  const cell = (event.target as HTMLElement).getBoundingClientRect();
  here.menu.set({ x: cell.left + 16, y: cell.top + 22, grid: here.active.get()! });
}
