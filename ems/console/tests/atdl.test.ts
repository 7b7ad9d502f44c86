import { describe, expect, it } from "vitest";
import { asLines, ticketFrom, ticketOf } from "../src/forms/tickets";
import { beginWith, type Edit, holds, outcome, settle, type Strategy } from "../src/forms/atdl";

const STRATEGY: Strategy = {
  name: "VWAP",
  parameters: [
    { name: "EndTime", type: "UTCTimestamp_t", required: true },
    { name: "MaxPart", type: "Percentage_t", min: "0.01", max: "0.4", times_100: true },
    { name: "Style", type: "Char_t", enum: [{ id: "p", wire: "1" }, { id: "a", wire: "2" }] },
    { name: "Kind", type: "String_t", const: "V" },
    { name: "Fixed", type: "Int_t", mutable: false },
    { name: "Dark", type: "Boolean_t" },
  ],
  panels: [{ title: "All", content: [
    { id: "end", type: "Clock_t", parameter: "EndTime" },
    { title: "Limits", content: [
      { id: "part", type: "SingleSpinner_t", parameter: "MaxPart", init: "20" },
      { id: "style", type: "DropDownList_t", parameter: "Style", rules: [{ edit: { op: "EX", field: "part" }, enabled: true }] },
    ] },
    { id: "fixed", type: "TextField_t", parameter: "Fixed", rules: [{ edit: { op: "EQ", field: "style", value: "a" }, visible: true, value: "7" }] },
    { id: "dark", type: "CheckBox_t", parameter: "Dark", init: "true" },
  ] }],
  edits: [{ message: "Aggressive needs a limit.", edit: { op: "OR", edits: [{ op: "NE", field: "Style", value: "2" }, { op: "EX", field: "FIX_Price" }] } }],
};
const order = (price: string) => (field: string) => (field === "FIX_Price" ? price : "");

describe("edits", () => {
  const at = (field: string) => ({ a: "10", b: "9", text: "x" } as Record<string, string>)[field] ?? "";
  it.each<[Edit, boolean]>([
    [{ op: "GT", field: "a", field2: "b" }, true], // as numbers, though "10" < "9" as texts
    [{ op: "EQ", field: "a", value: "10.0" }, true],
    [{ op: "EQ", field: "none", value: "{NULL}" }, true],
    [{ op: "NE", field: "a", value: "{NULL}" }, true],
    [{ op: "LT", field: "none", value: "5" }, false],
    [{ op: "GE", field: "none", value: "5" }, false],
    [{ op: "EX", field: "a" }, true],
    [{ op: "NX", field: "a" }, false],
    [{ op: "XOR", edits: [{ op: "EX", field: "a" }, { op: "EX", field: "b" }] }, false],
    [{ op: "NOT", edits: [{ op: "EX", field: "none" }] }, true],
    [{ op: "AND", edits: [{ op: "EQ", field: "text", value: "x" }, { op: "LT", field: "b", value: "10" }] }, true],
  ])("%j -> %s", (edit, expected) => expect(holds(edit, at)).toBe(expected));
});

describe("a ticket", () => {
  it("begins with its controls' own values, or in an amend with the order's", () => {
    expect(beginWith(STRATEGY)).toEqual({ end: "", part: "20", style: "", fixed: "", dark: "true" });
    expect(beginWith(STRATEGY, { Style: "2", Dark: "N" })).toMatchObject({ style: "a", dark: "false" });
  });

  it("enables, shows and fills controls by their rules, also one after the other", () => {
    const start = { ...beginWith(STRATEGY), style: "a" };
    const { values, states } = settle(STRATEGY, start, order(""));
    expect([values.fixed, states.fixed!.visible, states.style!.enabled]).toEqual(["7", true, true]);
    expect(settle(STRATEGY, { ...start, part: "" }, order("")).states.style!.enabled).toBe(false);
  });

  it("sends wire values, constants and nothing that is hidden or off", () => {
    const given = { ...beginWith(STRATEGY), end: "14:30:00", style: "p", fixed: "9" };
    expect(outcome(STRATEGY, given, order(""), false, 1_764_000_000e9)).toEqual({ params: { EndTime: "20251124-14:30:00", MaxPart: "20", Style: "1", Kind: "V", Dark: "Y" }, errors: {} });
  });

  it("says what is wrong beside each control, and a strategy's own words for what concerns several", () => {
    const given = { ...beginWith(STRATEGY), end: "", part: "41", style: "a" };
    expect(outcome(STRATEGY, given, order("")).errors).toEqual({ end: "is needed", part: "is above 40 %", "": "Aggressive needs a limit." });
    expect(outcome(STRATEGY, { ...given, end: "soon", part: "x" }, order("10")).errors).toEqual({ end: "is no time: 14:30:00", part: "is no number" });
  });

  it("leaves out of an amend what may not be amended", () => {
    const given = { ...beginWith(STRATEGY), end: "14:30:00", style: "a" };
    expect(outcome(STRATEGY, given, order("10"), true).params).not.toHaveProperty("Fixed");
    expect(outcome(STRATEGY, given, order("10"), false).params.Fixed).toBe("7");
  });
});

describe("a ticket as the server describes it", () => {
  const raw = {
    provider: "EMS", session: "", name: "AlmgrenChriss", ui_rep: "Almgren-Chriss", description: "", strategy_edits: [
      { error_message: "EndTime must be after StartTime", edit: { operator: "OR", edits: [{ operator: "NX", field: "EndTime" }, { operator: "NX", field: "StartTime" }, { operator: "GT", field: "EndTime", field2: "StartTime" }] } },
    ],
    parameters: [{ name: "StartTime", type: 19 }, { name: "EndTime", type: 19 }, { name: "MaxParticipation", type: 11, maximum: "1", multiply_by_100: true }, { name: "Style", type: 12, enum_pairs: [{ enum_id: "a", wire_value: "2", ui_rep: "Active" }] }],
    panels: [{ title: "", orientation: "VERTICAL", content: ["StartTime", "EndTime", "MaxParticipation", "Style"].map((name) => ({ id: `c_${name}`, type: "TextField_t", parameter_ref: name, label: name, items: [], state_rules: [] })) }],
  };
  const ticket = ticketFrom(raw);

  it("is found by name, title or initials, ours apart from brokers'", () => {
    expect(["ac", "almgrenchriss", "Almgren-Chriss"].map((algo) => ticketOf([ticket], algo)?.name)).toEqual(Array(3).fill("AlmgrenChriss"));
    expect([ticketOf([ticket], "vwap"), ticketOf([ticket], "ac", "BROKER"), ticketOf([ticket], "")]).toEqual([null, null, null]);
  });

  it("goes to the desk as lines, times on its day, percentages as percent", () => {
    const given = { c_StartTime: "9:30", c_EndTime: "16:00:00", c_MaxParticipation: "12.5", c_Style: "a" };
    const { params, errors } = outcome(ticket.strategy, given, () => "", false, 1_764_000_000e9);
    expect([asLines(params), errors]).toEqual([["StartTime=20251124-09:30:00", "EndTime=20251124-16:00:00", "MaxParticipation=12.5", "Style=2"], {}]);
    expect(outcome(ticket.strategy, { ...given, c_EndTime: "09:00", c_MaxParticipation: "101" }, () => "", false, 1_764_000_000e9).errors).toEqual({ c_MaxParticipation: "is above 100 %", "": "EndTime must be after StartTime" });
  });
});
