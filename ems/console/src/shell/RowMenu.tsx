import type { JSX } from "preact";
import { useEffect, useLayoutEffect, useRef } from "preact/hooks";
import { type MenuAt, useConsole } from "../app";
import { useWatched } from "../wire/signal";

/** The menu of the selected rows: the server's verbs in the server's order; what is not for these rows is grey. */
export function RowMenu(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.menu);
  const at = here.menu.get();
  return at === null ? null : <Menu at={at} />;
}

function Menu({ at }: { at: MenuAt }): JSX.Element {
  const here = useConsole();
  const list = useRef<HTMLDivElement>(null);
  const { topic, table, grid } = at.grid;
  const keys = grid.selectedKeys();
  const close = (back: boolean) => {
    here.menu.set(null);
    if (back) grid.focus();
  };
  useLayoutEffect(() => {
    const box = list.current!.getBoundingClientRect();
    list.current!.style.left = `${Math.max(0, Math.min(at.x, window.innerWidth - box.width - 4))}px`;
    list.current!.style.top = `${Math.max(0, Math.min(at.y, window.innerHeight - box.height - 4))}px`;
    list.current!.querySelector<HTMLElement>("[role=menuitem]:not([aria-disabled=true])")?.focus();
  }, [at]);
  useEffect(() => {
    const outside = (event: MouseEvent) => !list.current?.contains(event.target as Node) && close(false);
    document.addEventListener("mousedown", outside);
    return () => document.removeEventListener("mousedown", outside);
  }, [at]);
  const move = (step: number) => {
    const items = [...list.current!.querySelectorAll<HTMLElement>("[role=menuitem]:not([aria-disabled=true])")];
    const next = items[(items.indexOf(document.activeElement as HTMLElement) + step + items.length) % items.length];
    next?.focus();
  };
  const key = (event: KeyboardEvent) => {
    event.stopPropagation();
    if (event.key === "Escape" || event.key === "Tab") (event.preventDefault(), close(true));
    if (event.key === "ArrowDown") (event.preventDefault(), move(1));
    if (event.key === "ArrowUp") (event.preventDefault(), move(-1));
  };
  const first = keys[0];
  return (
    <div class="menu" role="menu" ref={list} aria-label={`Act on ${keys.length} selected`} onKeyDown={key}>
      {first !== undefined && keys.length === 1 && (
        <button type="button" role="menuitem" onClick={() => (close(false), here.openRow(topic, table, first))}>Open<kbd>Enter</kbd></button>
      )}
      {here.rowVerbs(topic).map((verb) => {
        const count = here.eligible(verb, table, keys).length;
        const off = count === 0 || (count > 1 && !verb.bulk) || here.link.at !== null;
        return (
          <button key={verb.verb} type="button" role="menuitem" aria-disabled={off} class={verb.danger ? "danger" : ""}
            onClick={() => off || (close(false), here.begin(verb, topic, table, keys))}>
            {verb.title}{keys.length > 1 && count > 0 && ` (${count})`}{verb.key && <kbd>{verb.key}</kbd>}
          </button>
        );
      })}
    </div>
  );
}
