import { describe, expect, it } from "vitest";
import { fromE9, grouped, toE9, typed } from "../src/format/decimal";
import { said } from "../src/format/kinds";
import { clockTime, durationToNs, timeToNs } from "../src/format/times";
import { begin, judge, judgeOne } from "../src/forms/fields";
import { worth } from "../src/forms/notional";
import type { Field } from "../src/wire/types";

const DAY = 1_764_000_000 * 1e9; // 2025-11-24 16:00 UTC
const field = (kind: Field["kind"], more: Partial<Field> = {}): Field => ({ name: "f", title: "F", kind, ...more });

describe("numbers", () => {
  it("stay exact", () => {
    expect(toE9("0.1")! + toE9("0.2")!).toBe(toE9("0.3"));
    expect(fromE9(toE9("-1234567890.000000001")!)).toBe("-1234567890.000000001");
    expect([toE9("1e3"), toE9(""), toE9("."), toE9("1.0000000001")]).toEqual([null, null, null, null]);
  });

  it("are read as traders type them", () => expect(["10k", "1.5m", "2,000", "12"].map(typed)).toEqual(["10000", "1500000", "2000", "12"]));
  it("are shown in thousands", () => expect([grouped("1234567.5"), grouped("-999"), grouped("1000")]).toEqual(["1,234,567.5", "-999", "1,000"]));
  it("that are prices have two decimals to five", () => expect(["220", "10.5", "1234.56789", "220.031195000", "-1.999999"].map((text) => said("price", text))).toEqual(["220.00", "10.50", "1,234.56789", "220.0312", "-2.00"]));
  it("that are unknown are blank, never 0", () => expect([said("price", null), said("bps", null), said("bps", 0), said("quantity", "0")]).toEqual(["", "", "0.0", "0"]));
});

describe("times", () => {
  it("keep their nanoseconds", () => expect(clockTime("1764000000123456789", 9)).toBe("16:00:00.123456789"));
  it("of day belong to the desk's day", () => expect(timeToNs("09:30", DAY)).toBe("1763976600000000000"));
  it("that long are read in the usual ways", () => expect(["90s", "10m", "1h30m", "45", "250ms", "x"].map(durationToNs)).toEqual(["90000000000", "600000000000", "5400000000000", "45000000000", "250000000", null]));
});

describe("a field", () => {
  it.each<[Field, string | boolean, unknown, string]>([
    [field("quantity", { required: true }), "", null, "is needed"],
    [field("quantity"), "", null, ""],
    [field("quantity"), "2k", "2000", ""],
    [field("quantity"), "0", null, "must be above zero"],
    [field("quantity"), "-5", null, "must be above zero"],
    [field("quantity"), "abc", null, "is no number of at most nine decimals"],
    [field("quantity", { max: "1000" }), "1001", null, "is above 1,000"],
    [field("price", { min: "0.01" }), "0.001", null, "is below 0.01"],
    [field("choice", { choices: ["buy", "sell"] }), "hold", null, "is none of the choices"],
    [field("symbol"), "abc", "ABC", ""],
    [field("symbol"), "a b", null, "is no symbol"],
    [field("time"), "25:00", null, "is no time of day (UTC): 14:30 or 14:30:15"],
    [field("flag"), true, true, ""],
    [field("json"), '{"a": 1}', { a: 1 }, ""],
    [field("int"), "1.5", null, "is no whole number"],
  ])("%j given %j", (described, given, value, wrong) => {
    const [found, error] = judgeOne(described, given, DAY);
    expect([found, error]).toEqual([value, wrong]);
  });

  it("left empty is not sent, and every error is found at once", () => {
    const fields = [field("quantity", { name: "quantity", required: true }), field("price", { name: "price" }), field("symbol", { name: "symbol", required: true })];
    expect(judge(fields, { quantity: "x", price: "", symbol: "" }, DAY)).toEqual({ values: {}, errors: { quantity: "is no number of at most nine decimals", symbol: "is needed" } });
    expect(judge(fields, { quantity: "5", price: "", symbol: "abc" }, DAY).values).toEqual({ quantity: "5", symbol: "ABC" });
  });

  it("begins with the row's value, else its default", () => {
    const fields = [field("quantity", { name: "quantity", default: "1" }), field("text", { name: "note", default: "none" }), field("flag", { name: "live" })];
    expect(begin(fields, { quantity: "500", live: true })).toEqual({ quantity: "500", note: "none", live: true });
  });
});

describe("what an act is worth", () => {
  it("is left quantity times price, exact, and says what it does not know", () => {
    expect(worth(null, [{ leaves: "1000", limit_px: "10.01" }, { leaves: "5", limit_px: null, avg_px: "2" }, { leaves: "1" }])).toEqual({ count: 3, notional: "10020", missing: 1 });
    expect(worth(null, [{ leaves: "1" }]).notional).toBeNull();
  });
});
