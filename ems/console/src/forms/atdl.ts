// FIXatdl 1.1 tickets as the server hands them on: parameters, panels of controls, state rules, strategy edits.

export interface Parameter {
  name: string;
  type: string; // "Price", "UTCTimestamp", "Boolean", ...
  tag?: number | null;
  required?: boolean;
  min?: string | null;
  max?: string | null;
  min_length?: number | null;
  max_length?: number | null;
  const?: string | null;
  default?: string | null;
  mutable?: boolean; // in a replace
  times_100?: boolean; // a percentage goes as 20 rather than 0.2
  yes?: string; // a boolean's words on the wire
  no?: string;
  enum?: { id: string; wire: string; text?: string }[];
  help?: string;
}

export type Edit =
  | { op: "EX" | "NX" | "EQ" | "NE" | "LT" | "LE" | "GT" | "GE"; field: string; value?: string | null; field2?: string | null }
  | { op: "AND" | "OR" | "XOR" | "NOT"; edits: Edit[] };

export interface Rule {
  edit: Edit;
  enabled?: boolean | null;
  visible?: boolean | null;
  value?: string | null;
}

export interface Control {
  id: string;
  type: string; // "Clock_t", "DropDownList_t", ...
  label?: string;
  parameter?: string | null;
  init?: string | null;
  items?: [string, string][];
  rules?: Rule[];
}

export interface Panel {
  title?: string;
  orientation?: string;
  content: (Panel | Control)[];
}

export interface Strategy {
  name: string;
  ui_rep?: string;
  parameters: Parameter[];
  panels: Panel[];
  edits: { message: string; edit: Edit }[];
}

export const NULL = "{NULL}";

/** What stands in the controls, by control id. Empty is no value. */
export type Values = Record<string, string>;

export interface State {
  enabled: boolean;
  visible: boolean;
}

export const isPanel = (part: Panel | Control): part is Panel => "content" in part;

export function controlsOf(panels: Panel[]): Control[] {
  return panels.flatMap((panel) => panel.content.flatMap((part) => (isPanel(part) ? controlsOf([part]) : [part])));
}

/** Whether an edit is true. A field without a value equals only {NULL}; it is neither above nor below anything. */
export function holds(edit: Edit, at: (field: string) => string): boolean {
  if ("edits" in edit) {
    if (edit.op === "AND") return edit.edits.every((part) => holds(part, at));
    if (edit.op === "OR") return edit.edits.some((part) => holds(part, at));
    const true_ones = edit.edits.filter((part) => holds(part, at)).length;
    return edit.op === "XOR" ? true_ones === 1 : true_ones === 0;
  }
  const left = at(edit.field);
  if (edit.op === "EX" || edit.op === "NX") return (left === "") === (edit.op === "NX");
  const given = edit.field2 !== undefined && edit.field2 !== null ? at(edit.field2) : (edit.value ?? "");
  const right = given === NULL ? "" : given;
  if (left === "" || right === "") return left === right ? edit.op === "EQ" : edit.op === "NE";
  const order = ordered(left, right);
  return { EQ: order === 0, NE: order !== 0, LT: order < 0, LE: order <= 0, GT: order > 0, GE: order >= 0 }[edit.op];
}

function ordered(left: string, right: string): number {
  const a = Number(left);
  const b = Number(right);
  if (left.trim() !== "" && right.trim() !== "" && !Number.isNaN(a) && !Number.isNaN(b)) return a - b;
  return left < right ? -1 : left > right ? 1 : 0;
}

/** The values a ticket begins with: those given (an amend), else the controls' own. */
export function beginWith(strategy: Strategy, given: Record<string, string> = {}): Values {
  const parameters = new Map(strategy.parameters.map((parameter) => [parameter.name, parameter]));
  return Object.fromEntries(
    controlsOf(strategy.panels).map((control) => {
      const parameter = control.parameter ? parameters.get(control.parameter) : undefined;
      const wire = control.parameter ? given[control.parameter] : undefined;
      const known = wire === undefined ? undefined : (parameter?.enum?.find((pair) => pair.wire === wire)?.id ?? wire);
      const initial = known ?? control.init ?? parameter?.default ?? "";
      return [control.id, control.type === "CheckBox_t" ? ticked(initial) : initial === NULL ? "" : initial];
    }),
  );
}

const ticked = (text: string): string => (/^(true|y|yes|1)$/i.test(text) ? "true" : "false");

/**
 * Each control's state after the rules. Rules speak of controls (or FIX_ fields of the order); a rule that gives a value
 * changes what stands in the control, so rules run until nothing changes, at most as often as there are controls.
 */
export function settle(strategy: Strategy, values: Values, order: (field: string) => string): { values: Values; states: Record<string, State> } {
  const controls = controlsOf(strategy.panels);
  let current = values;
  const at = (field: string) => (field.startsWith("FIX_") ? order(field) : (current[field] ?? ""));
  const states: Record<string, State> = {};
  for (let round = 0; round <= controls.length; round += 1) {
    let changed = false;
    for (const control of controls) {
      const state: State = { enabled: true, visible: true };
      for (const rule of control.rules ?? []) {
        const met = holds(rule.edit, at);
        if (typeof rule.enabled === "boolean") state.enabled = met ? rule.enabled : state.enabled && !rule.enabled;
        if (typeof rule.visible === "boolean") state.visible = met ? rule.visible : state.visible && !rule.visible;
        if (met && rule.value !== null && rule.value !== undefined) {
          const value = rule.value === NULL ? "" : rule.value;
          if (current[control.id] !== value) {
            current = { ...current, [control.id]: value };
            changed = true;
          }
        }
      }
      states[control.id] = state;
    }
    if (!changed) break;
  }
  return { values: current, states };
}

export interface Outcome {
  params: Record<string, string>; // wire values by parameter
  errors: Record<string, string>; // by control id; "" for what concerns no control alone
}

/** What a ticket would send, and everything wrong with it. A control that is hidden or disabled sends nothing. */
export function outcome(strategy: Strategy, given: Values, order: (field: string) => string, amend = false, today_ns = 0): Outcome {
  const { values, states } = settle(strategy, given, order);
  const params: Record<string, string> = {};
  const compared: Record<string, string> = {}; // what rules see: a percentage as a ratio, all else as it is sent
  const errors: Record<string, string> = {};
  const controls = controlsOf(strategy.panels);
  for (const parameter of strategy.parameters) {
    if (parameter.const !== null && parameter.const !== undefined && parameter.const !== "") {
      params[parameter.name] = compared[parameter.name] = parameter.const;
      continue;
    }
    if (amend && parameter.mutable === false) continue;
    const control = controls.find((each) => each.parameter === parameter.name && states[each.id]!.enabled && states[each.id]!.visible);
    const text = control ? (values[control.id] ?? "").trim() : "";
    const place = control?.id ?? "";
    if (text === "") {
      if (parameter.required && control) errors[place] = "is needed";
      continue;
    }
    const wrong = wrongWith(parameter, text);
    if (wrong) errors[place] = wrong;
    else {
      const wire = wireValue(parameter, text, today_ns);
      compared[parameter.name] = isPercentage(parameter) ? String(Number(text) / 100) : wire;
      if (wire !== "" && wire !== NULL) params[parameter.name] = wire;
    }
  }
  const at = (field: string) => (field.startsWith("FIX_") ? order(field) : (compared[field] ?? (values[field] ?? "")));
  for (const rule of strategy.edits) if (!holds(rule.edit, at)) errors[""] = errors[""] ? `${errors[""]} ${rule.message}` : rule.message;
  return { params, errors };
}

const NUMERIC = /^(Int|Length|NumInGroup|SeqNum|TagNum|Float|Qty|Price|PriceOffset|Amt|Percentage)$/;
const WHOLE = /^(Int|Length|NumInGroup|SeqNum|TagNum)$/;
const CLOCK = /^(UTCTimestamp|UTCTimeOnly|TZTimestamp|TZTimeOnly)$/i;

function wrongWith(parameter: Parameter, text: string): string {
  const type = parameter.type.replace(/_t$/, "");
  if (parameter.enum?.length) return "";
  if (NUMERIC.test(type)) {
    const value = isPercentage(parameter) ? Number(text) / 100 : Number(text);
    if (text === "" || Number.isNaN(value)) return "is no number";
    if (WHOLE.test(type) && !Number.isInteger(value)) return "is no whole number";
    if (present(parameter.min) && value < Number(parameter.min)) return `is below ${bound(parameter, parameter.min)}`;
    if (present(parameter.max) && value > Number(parameter.max)) return `is above ${bound(parameter, parameter.max)}`;
  }
  if (CLOCK.test(type) && !/^(\d{8}-)?\d{1,2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}(:?\d{2})?)?$/.test(text)) return "is no time: 14:30:00";
  if (present(parameter.min_length) && text.length < Number(parameter.min_length)) return `is shorter than ${parameter.min_length} characters`;
  if (present(parameter.max_length) && text.length > Number(parameter.max_length)) return `is longer than ${parameter.max_length} characters`;
  return "";
}

const isPercentage = (parameter: Parameter): boolean => parameter.type.startsWith("Percentage");
const bound = (parameter: Parameter, text: string | null | undefined): string => (isPercentage(parameter) ? `${Number(text) * 100} %` : String(text));
const present = (bound: unknown): boolean => bound !== null && bound !== undefined && bound !== "";

function wireValue(parameter: Parameter, text: string, today_ns: number): string {
  const pair = parameter.enum?.find((each) => each.id === text);
  if (pair) return pair.wire;
  if (parameter.type.startsWith("Boolean")) return text === "true" || text === "Y" ? (parameter.yes ?? "Y") : (parameter.no ?? "N");
  if (isPercentage(parameter)) return parameter.times_100 ? text : String(Number(text) / 100);
  if (/^(UTCTimestamp|TZTimestamp)/.test(parameter.type) && !/^\d{8}-/.test(text)) return `${day(today_ns)}-${padded(text)}`;
  if (/^(UTCTimeOnly|TZTimeOnly)/.test(parameter.type)) return padded(text);
  if (/^(MultipleCharValue|MultipleStringValue)/.test(parameter.type) && parameter.enum?.length) {
    return text.split(" ").map((id) => parameter.enum?.find((each) => each.id === id)?.wire ?? id).join(" ");
  }
  return text;
}

const day = (ns: number): string => new Date(ns / 1e6).toISOString().slice(0, 10).replaceAll("-", "");

/** 9:30 -> 09:30:00 */
const padded = (text: string): string => {
  const [, hour = "", rest = "", seconds = ":00", zone = ""] = /^(\d{1,2})(:\d{2})(:\d{2}(?:\.\d+)?)?(.*)$/.exec(text) ?? [];
  return `${hour.padStart(2, "0")}${rest}${seconds}${zone}`;
};
