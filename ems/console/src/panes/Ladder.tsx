import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useConsole } from "../app";
import { grouped } from "../format/decimal";
import { said, sideOf } from "../format/kinds";
import type { Table } from "../wire/table";
import type { Cell, Column, Topic } from "../wire/types";
import { Tables } from "./GridScreen";
import type { PaneProps } from "./ScreenPane";

interface Level {
  key: string;
  price: string;
  side: "buy" | "sell";
  at: (column: string) => Cell;
}

/** Depth by price, bids left and asks right, our own orders and their place in the queue beside each. */
export function LadderPane({ screen, id }: PaneProps): JSX.Element {
  const here = useConsole();
  const topics = screen.topics.map((name) => here.topic(name)).filter((topic): topic is Topic => topic !== null);
  const ladder = topics.find((topic) => topic.columns.some((column) => column.kind === "price") && topic.columns.some((column) => column.kind === "side"));
  if (!ladder) return <Tables name={screen.name} topics={topics} />;
  return <Ladder topic={ladder} wanted={id} />;
}

function Ladder({ topic, wanted }: { topic: Topic; wanted: string | null }): JSX.Element {
  const here = useConsole();
  const [table, setTable] = useState<Table | null>(null);
  const [drawn, draw] = useState(0);
  const [symbol, setSymbol] = useState(wanted ?? "");
  useEffect(() => {
    const held = here.link.subscribe(topic.name, topic.key);
    setTable(held);
    let asked = 0;
    const unlisten = held.listen((changes) => {
      if (changes.published_ns !== undefined) here.paint.applied(changes.published_ns);
      if (asked === 0) asked = requestAnimationFrame(() => ((asked = 0), draw((n) => n + 1)));
    });
    return () => (cancelAnimationFrame(asked), unlisten(), here.link.release(held));
  }, [topic]);
  const symbolColumn = topic.columns.find((column) => column.kind === "symbol")?.name ?? "symbol";
  const symbols = useMemo(() => [...new Set([...(table?.rows.values() ?? [])].map((row) => String(table!.at(row, symbolColumn) ?? "")))].filter(Boolean).sort(), [table, drawn]);
  const shown = symbols.includes(symbol) ? symbol : (symbols[0] ?? "");
  return (
    <section class="pane" aria-label="Ladder">
      <div class="tools">
        <h2>{topic.title}</h2>
        <label class="inline">Symbol <select value={shown} onChange={(event) => setSymbol(event.currentTarget.value)}>{symbols.map((each) => <option key={each} value={each}>{each}</option>)}</select></label>
        <span class="gap" /><span class="legend"><i class="bid" />bids<i class="ask" />asks<i class="own" />own</span>
      </div>
      {table && shown ? <Levels topic={topic} levels={levelsOf(topic, table, symbolColumn, shown)} /> : <p class="waiting">No book yet.</p>}
    </section>
  );
}

function levelsOf(topic: Topic, table: Table, symbolColumn: string, symbol: string): Level[] {
  const side = topic.columns.find((column) => column.kind === "side")!.name;
  const price = topic.columns.find((column) => column.kind === "price")!.name;
  return [...table.rows.values()]
    .filter((row) => table.at(row, symbolColumn) === symbol && sideOf(table.at(row, side)) !== "" && table.at(row, price) !== null)
    .map((row) => ({ key: table.keyOf(row), price: String(table.at(row, price)), side: sideOf(table.at(row, side)) as "buy" | "sell", at: (column: string) => table.at(row, column) }))
    .sort((a, b) => Number(b.price) - Number(a.price));
}

function Levels({ topic, levels }: { topic: Topic; levels: Level[] }): JSX.Element {
  const quantity = topic.columns.find((column) => column.kind === "quantity")?.name ?? "quantity";
  const others = topic.columns.filter((column) => !column.hidden && column.name !== quantity && !["price", "side", "symbol"].includes(column.kind) && column.name !== topic.key);
  const most = Math.max(1, ...levels.map((level) => Number(level.at(quantity) ?? 0)));
  const touch = levels.findIndex((level) => level.side === "buy");
  const box = useRef<HTMLDivElement>(null);
  const centred = useRef(false);
  useEffect(() => {
    if (centred.current || touch < 0) return;
    centred.current = true;
    box.current?.querySelector(".touch")?.scrollIntoView({ block: "center" });
  }, [touch]);
  const cells = (level: Level, side: "buy" | "sell", columns: Column[]) => columns.map((column) => <td key={column.name} class="right extra">{level.side === side ? said(column.kind, level.at(column.name)) : ""}</td>);
  const depth = (level: Level, side: "buy" | "sell") => {
    if (level.side !== side) return <td class={`depth ${side}`} />;
    const value = level.at(quantity);
    return <td class={`depth ${side}`}><i style={{ width: `${(100 * Number(value ?? 0)) / most}%` }} /><span>{grouped(String(value ?? ""))}</span></td>;
  };
  return (
    <div class="scroll" ref={box} tabIndex={0} role="group" aria-label="Levels">
      <table class="ladder">
        <thead><tr>{[...others].reverse().map((column) => <th key={column.name} class="right">{column.title}</th>)}<th class="right">Bid</th><th class="price">Price</th><th>Ask</th>{others.map((column) => <th key={column.name} class="right">{column.title}</th>)}</tr></thead>
        <tbody>
          {levels.map((level, index) => (
            <tr key={level.key} class={`${index === touch ? "touch" : ""}${others.some((column) => /own/.test(column.name) && Number(level.at(column.name) ?? 0) > 0) ? " own" : ""}`}>
              {cells(level, "buy", [...others].reverse())}{depth(level, "buy")}
              <td class={`price ${level.side}`}>{grouped(level.price)}</td>
              {depth(level, "sell")}{cells(level, "sell", others)}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
