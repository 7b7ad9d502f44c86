import { describe, expect, it } from "vitest";
import { lines, type Schedule } from "../src/chart/schedule";
import { Flashes } from "../src/grid/flash";
import { barsOf } from "../src/panes/Bars";
import { groupsOf } from "../src/panes/Groups";
import { named, Sequence } from "../src/shell/keys";
import { tone } from "../src/format/kinds";
import type { Topic } from "../src/wire/types";

describe("the schedule's lines", () => {
  const schedule = {
    quantity: "100", start_ns: "0", end_ns: "100000000000", now_ns: "25000000000",
    target: [["0", "0"], ["50000000000", "60"], ["50000000000", "60"], ["100000000000", "100"]],
    bounds: [], actual: [["10000000000", "20", "10.5"]], market_volume: [],
    replans: [{ time_ns: "0", reason: "accepted" }, { time_ns: "25000000000", reason: "amended" }],
  } as Schedule;

  it("follow the plan straight, what is done in steps, and stop at now", () => {
    const { data, behind, replans } = lines(schedule);
    const [xs, low, , plan, done] = data;
    expect([...xs]).toEqual([0, 10, 25, 50, 100]);
    expect(plan).toEqual([0, 12, 30, 60, 100]);
    expect(done).toEqual([0, 20, 20, null, null]);
    expect(low).toEqual([null, null, null, null, null]);
    expect([behind, replans]).toEqual([-10, [{ x: 25, why: "amended" }]]);
  });

  it("of an order without a plan say nothing of a plan", () => expect(lines({ quantity: "1", start_ns: null, end_ns: null, now_ns: "5", target: [], bounds: [], actual: [], replans: [], market_volume: [] }).behind).toBeNull());
});

describe("flashes", () => {
  it("come at most three times a second in a cell, and not for who asked for less motion", () => {
    let now = 0;
    const flashes = new Flashes(() => now, () => false);
    const seen = Array.from({ length: 100 }, (_, tick) => ((now = tick * 10), flashes.may("a price"))).filter(Boolean).length;
    expect(seen).toBe(3);
    expect(flashes.may("b price")).toBe(true);
    expect(new Flashes(() => 0, () => true).may("a price")).toBe(false);
  });
});

describe("groups", () => {
  it("add up exactly", () => {
    const topic = { name: "parents", title: "", key: "id", verbs: [], columns: [{ name: "symbol", title: "", kind: "symbol" }, { name: "quantity", title: "", kind: "quantity" }, { name: "filled", title: "", kind: "quantity" }] } as Topic;
    const rows = [{ symbol: "B", quantity: "0.1", filled: "0.1" }, { symbol: "A", quantity: "10", filled: null }, { symbol: "B", quantity: "0.3", filled: "0.1" }];
    const groups = groupsOf(topic, "symbol", rows.map((row) => (column: string) => (row as Record<string, string | null>)[column] ?? null));
    expect(groups.map((group) => [group.name, group.count, group.sums.quantity, group.done_pct])).toEqual([["A", 1, 10_000_000_000n, 0], ["B", 2, 400_000_000n, 50]]);
  });

  it("have means with intervals where there is more than one", () => {
    expect(barsOf([{ group: "a", value: 1 }, { group: "b", value: "4" }, { group: "a", value: 3 }, { group: "b", value: null }])).toEqual([
      { name: "b", count: 1, mean: 4, error: null }, { name: "a", count: 2, mean: 2, error: expect.closeTo(1.96, 5) as number },
    ]);
  });
});

describe("keys", () => {
  it("go by either of their names", () => expect([named("Del"), named("Alt+Esc"), named("g b")]).toEqual(["Delete", "Alt+Escape", "g b"]));

  it("in pairs are meant together for a moment", () => {
    let now = 0;
    const sequence = new Sequence(() => now);
    expect(sequence.meant("g")).toEqual(["g"]);
    expect(sequence.meant("b")).toEqual(["g b", "b"]);
    now = 5_000;
    expect(sequence.meant("b")).toEqual(["b"]);
  });
});

describe("a status", () => {
  it("is red only where something was refused, broken or breached", () => {
    expect(["rejected", "working", "pending_cancel", "filled", "suspended", "new"].map(tone)).toEqual(["bad", "good", "warn", "quiet", "warn", "plain"]);
  });
});
