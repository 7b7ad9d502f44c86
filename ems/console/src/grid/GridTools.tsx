import type { ComponentChildren, JSX, RefObject } from "preact";
import { useState } from "preact/hooks";
import { type ActiveGrid, useConsole } from "../app";
import { Popover } from "../shell/Popover";
import { useWatched } from "../wire/signal";
import type { Topic } from "../wire/types";

interface Props {
  topic: Topic;
  title: string;
  counts: [number, number];
  text: string;
  setText: (text: string) => void;
  unknown: string[];
  input: RefObject<HTMLInputElement | null>;
  held: RefObject<ActiveGrid | null>;
  selected: string[];
  extra?: ComponentChildren;
  filter: Record<string, unknown> | null;
}

/** The line above a grid. */
export function GridTools({ topic, title, counts, text, setText, unknown, input, held, selected, extra, filter }: Props): JSX.Element {
  const here = useConsole();
  useWatched(here.layout);
  const [shown, all] = counts;
  const rowVerbs = here.rowVerbs(topic);
  const openMenu = (event: MouseEvent) => {
    const box = (event.currentTarget as HTMLElement).getBoundingClientRect();
    here.active.set(held.current);
    here.menu.set({ x: box.left, y: box.bottom, grid: held.current! });
  };
  return (
    <div class="tools">
      <h2>{title}</h2>
      <span class="count" title="rows shown of all">{shown === all ? all : `${shown} of ${all}`}</span>
      {selected.length > 1 && <span class="count chosen">{selected.length} selected</span>}
      {extra}
      <span class="gap" />
      <input
        ref={input} type="search" class={unknown.length ? "filter wrong" : "filter"} placeholder="/ filter" aria-label={`Filter ${title}`}
        title="words, or column:word, column>number; a minus in front turns it around" value={text} spellcheck={false}
        list={`views-${topic.name}`}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === "Enter" || event.key === "ArrowDown") (event.preventDefault(), held.current?.grid.focus());
          if (event.key === "Escape") (event.stopPropagation(), text ? setText("") : held.current?.grid.focus());
        }}
      />
      {unknown.length > 0 && <span class="error" role="status">no column {unknown.join(", ")}</span>}
      <Views topic={topic} text={text} setText={setText} />
      {here.freeVerbs(topic).map((verb) => (
        <button key={verb.verb} type="button" class={verb.danger ? "danger" : ""} onClick={() => here.begin(verb, topic, held.current?.table ?? null)}>
          {verb.title}{verb.key && <kbd>{verb.key}</kbd>}
        </button>
      ))}
      {rowVerbs.length > 0 && (
        <button type="button" disabled={selected.length === 0} aria-haspopup="menu" onClick={openMenu}>Act<kbd>.</kbd></button>
      )}
      <Popover label="Columns" title={`Columns of ${title}`}>
        {() => held.current?.grid.columns().map((column) => <ColumnBox key={column.name} {...column} held={held} />)}
      </Popover>
      <a class="button" href={csvPath(topic, filter)} download title="all rows, as the server has them, exact">CSV</a>
    </div>
  );
}

function ColumnBox({ name, title, shown, held }: { name: string; title: string; shown: boolean; held: RefObject<ActiveGrid | null> }): JSX.Element {
  const [on, setOn] = useState(shown);
  return (
    <label class="box">
      <input type="checkbox" checked={on} onChange={(event) => {
        setOn(event.currentTarget.checked);
        held.current?.grid.showColumn(name, event.currentTarget.checked);
      }} />
      {title || name}
    </label>
  );
}

function Views({ topic, text, setText }: { topic: Topic; text: string; setText: (text: string) => void }): JSX.Element {
  const here = useConsole();
  const views = here.layout.views(topic.name);
  const keep = (name: string) => {
    if (name.trim()) here.layout.setViews(topic.name, [...views.filter((view) => view.name !== name.trim()), { name: name.trim(), filter: text }]);
  };
  return (
    <Popover label="Views" title={`Views of ${topic.title}`}>
      {(close) => (
        <>
          {views.length === 0 && <p class="note">Type a filter, then keep it here under a name.</p>}
          {views.map((view) => (
            <div class="view" key={view.name}>
              <button type="button" onClick={() => (setText(view.filter), close())}>{view.name}</button>
              <span class="dim">{view.filter}</span>
              <button type="button" aria-label={`Forget the view ${view.name}`} onClick={() => here.layout.setViews(topic.name, views.filter((each) => each !== view))}>×</button>
            </div>
          ))}
          {text && (
            <form class="view" onSubmit={(event) => {
              event.preventDefault();
              const input = event.currentTarget.elements.namedItem("name") as HTMLInputElement;
              keep(input.value);
              close();
            }}>
              <input name="name" aria-label="Name of the view" placeholder={`keep “${text}” as`} maxLength={40} />
              <button type="submit">Keep</button>
            </form>
          )}
        </>
      )}
    </Popover>
  );
}

function csvPath(topic: Topic, filter: Record<string, unknown> | null): string {
  return `/api/export/${topic.name}.csv${filter ? `?filter=${encodeURIComponent(JSON.stringify(filter))}` : ""}`;
}
