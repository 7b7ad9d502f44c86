import type { ColDef, ICellRendererComp, ICellRendererParams } from "ag-grid-community";
import { compare, onTheRight, said } from "../format/kinds";
import type { Table } from "../wire/table";
import type { Cell, Column, Kind, Row } from "../wire/types";
import { barElement, cellClasses, drawBar } from "./cells";

const WIDTHS: Record<Kind, number> = {
  text: 150, id: 120, symbol: 82, side: 72, price: 92, quantity: 92, money: 112, int: 76, bps: 76, pct: 74,
  time: 106, duration: 84, flag: 54, status: 118, bar: 132, list: 150,
};

class BarCell implements ICellRendererComp {
  private element!: HTMLElement;

  init(params: ICellRendererParams): void {
    this.element = barElement(params.value as Cell);
  }

  getGui(): HTMLElement {
    return this.element;
  }

  refresh(params: ICellRendererParams): boolean {
    drawBar(this.element, params.value as Cell);
    return true;
  }
}

/** Widths are told for text of 12 pixels; on a large screen the text is larger. */
const scale = (): number => (Number.parseFloat(getComputedStyle(document.documentElement).getPropertyValue("--size")) || 12) / 12;

/** A column of ours as one of the grid's. Cells are read from the row by the column's place, written as text. */
export function colDef(column: Column, table: Table): ColDef<Row> {
  return {
    colId: column.name,
    headerName: column.title,
    width: Math.round((column.width ?? WIDTHS[column.kind] ?? 120) * scale()),
    minWidth: 44,
    hide: column.hidden === true,
    pinned: column.pin === true ? "left" : (column.pin || null),
    sortable: true,
    resizable: true,
    valueGetter: (params) => (params.data ? table.at(params.data, column.name) : null),
    valueFormatter: (params) => said(column.kind, params.value as Cell),
    comparator: (a: Cell, b: Cell) => compare(column.kind, a, b),
    equals: (a: Cell, b: Cell) => a === b || (Array.isArray(a) && JSON.stringify(a) === JSON.stringify(b)),
    headerClass: onTheRight(column.kind) ? "right" : undefined,
    cellClass: (params) => (onTheRight(column.kind) ? `right ${column.kind}` : cellClasses(column, params.value as Cell)),
    ...(column.kind === "bar" ? { cellRenderer: BarCell } : {}),
  };
}
