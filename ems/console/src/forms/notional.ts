import { fromE9, timesE9, toE9 } from "../format/decimal";
import type { Cell, Topic } from "../wire/types";

export interface Sum {
  count: number;
  notional: string | null; // decimal text; null where no row says enough to reckon it
  missing: number; // rows without a price or quantity
}

const QUANTITIES = ["leaves", "open", "remaining", "quantity"];
const PRICES = ["mark", "last", "price", "limit_px", "limit_price", "avg_px", "arrival_px", "arrival"];

/** How many rows and what they are worth: the topic's own notional column, else open quantity times the best price known. */
export function worth(topic: Topic | null, rows: Record<string, Cell>[]): Sum {
  const own = topic?.columns.find((column) => column.kind === "money" && /notional/.test(column.name))?.name;
  let sum = 0n;
  let missing = 0;
  for (const row of rows) {
    const value = own ? number(row[own]) : product(row);
    if (value === null) missing += 1;
    else sum += value < 0n ? -value : value;
  }
  return { count: rows.length, notional: missing === rows.length ? null : fromE9(sum), missing };
}

function product(row: Record<string, Cell>): bigint | null {
  const quantity = firstOf(row, QUANTITIES);
  const price = firstOf(row, PRICES);
  return quantity === null || price === null ? null : timesE9(quantity, price);
}

function firstOf(row: Record<string, Cell>, names: string[]): bigint | null {
  for (const name of names) {
    const value = number(row[name]);
    if (value !== null) return value;
  }
  return null;
}

const number = (value: Cell | undefined): bigint | null => (typeof value === "string" || typeof value === "number" ? toE9(String(value)) : null);
