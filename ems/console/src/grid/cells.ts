import { said, sideOf, tone } from "../format/kinds";
import type { Cell, Column } from "../wire/types";

/** Classes of a cell by its kind and value; colour never says alone what text or glyph does not. */
export function cellClasses(column: Column, value: Cell | undefined): string {
  if (column.kind === "side") return `side ${sideOf(value)}`;
  if (column.kind === "status") return `status ${tone(value)}`;
  return column.kind;
}

/** The done-against-schedule bar: filled length, a tick where the schedule is, the figure beside it, never under it. */
export function barElement(value: Cell | undefined): HTMLElement {
  const cell = document.createElement("div");
  cell.className = "bar-cell";
  drawBar(cell, value);
  return cell;
}

export function drawBar(cell: HTMLElement, value: Cell | undefined): void {
  const [done, target] = Array.isArray(value) ? value : [null, null];
  if (typeof done !== "number") {
    cell.replaceChildren();
    cell.title = "";
    return;
  }
  let track = cell.firstElementChild as HTMLElement | null;
  if (!track) {
    track = document.createElement("span");
    track.className = "bar-track";
    track.append(document.createElement("i"), document.createElement("b"));
    const figure = document.createElement("span");
    figure.className = "bar-figure";
    cell.append(track, figure);
  }
  const [fill, tick] = [...track.children] as [HTMLElement, HTMLElement];
  fill.style.width = `${clamp(done)}%`;
  tick.hidden = typeof target !== "number";
  if (typeof target === "number") tick.style.left = `${clamp(target)}%`;
  (cell.lastElementChild as HTMLElement).textContent = said("bar", value);
  const late = typeof target === "number" && done < target - 5;
  track.classList.toggle("late", late);
  cell.title = typeof target === "number" ? `${done.toFixed(1)} % done, the schedule is at ${target.toFixed(1)} %` : `${done.toFixed(1)} % done`;
}

const clamp = (value: number): number => Math.max(0, Math.min(100, value));
