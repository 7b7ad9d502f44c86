import { describe, expect, it } from "vitest";
import { holds, parseFilter } from "../src/format/filter";
import type { Cell, Column } from "../src/wire/types";

const COLUMNS: Column[] = [
  { name: "symbol", title: "Symbol", kind: "symbol" }, { name: "side", title: "Side", kind: "side" },
  { name: "leaves", title: "Left", kind: "quantity" }, { name: "status", title: "Status", kind: "status" },
  { name: "is_bps", title: "Shortfall", kind: "bps" }, { name: "start_ns", title: "Start", kind: "time" },
];
const ROW: Record<string, Cell> = { symbol: "EFG", side: "buy", leaves: "12500", status: "pending_replace", is_bps: null, start_ns: "1764000000000000000" };
const passes = (text: string, row = ROW) => parseFilter(text, COLUMNS).test((column) => row[column] ?? null);

describe("the filter that is typed", () => {
  it.each([
    ["", true], ["efg", true], ["efg buy", true], ["efg sell", false], ["-sell", true], ["-efg", false],
    ["symbol:ef", true], ["symbol=EFG", true], ["symbol=EF", false], ["symbol!=ABC", true], ["-symbol:e", false],
    ["leaves>12000", true], ["left>=12,500", true], ["leaves<12500", false], ["leaves=12500.0", true],
    ['status:"pending replace"', true], ["status=pending_replace", true], ["12,500", true],
    ["start>15", true], ["start<15:59", false],
  ])("%s -> %s", (text, expected) => expect(passes(text)).toBe(expected));

  it("takes unknown values for neither large nor small", () => {
    expect(passes("shortfall>-100")).toBe(false);
    expect(passes("shortfall<100")).toBe(false);
    expect(passes("shortfall=")).toBe(true);
  });

  it("says which columns it does not know, and shows nothing rather than everything", () => {
    const { test, unknown } = parseFilter("colour:red", COLUMNS);
    expect([unknown, test(() => null)]).toEqual([["colour"], false]);
  });
});

describe("a verb's condition", () => {
  const at = (column: string) => ({ live: true, worked: "algo", used: 80 } as Record<string, Cell>)[column] ?? null;
  it.each([
    [null, true], [{}, true], [{ live: true }, true], [{ live: false }, false], [{ live: true, worked: ["algo", "paused"] }, true],
    [{ worked: ["paused"] }, false], [{ nobody: null }, true], [{ nobody: "x" }, false], [{ used: { gt: 75 } }, true], [{ used: { unheard: 1 } }, false],
  ])("%j -> %s", (when, expected) => expect(holds(when as never, at)).toBe(expected));
});
