import { type Control, type Edit, type Panel, type Parameter, type Strategy } from "./atdl";

/** A ticket that the server offers: an algorithm of ours or of a broker's. */
export interface Ticket {
  name: string;
  title: string;
  provider: string; // "EMS" for ours
  session: string; // of the broker, "" for ours
  help: string;
  strategy: Strategy;
}

type Raw = Record<string, unknown>;
const list = (value: unknown): Raw[] => (Array.isArray(value) ? (value as Raw[]) : []);
const text = (value: unknown): string => (value === null || value === undefined ? "" : String(value));

/** Types of FIX (tag 959) by their numbers. */
const TYPES = " Int Length NumInGroup SeqNum TagNum Float Qty Price PriceOffset Amt Percentage Char Boolean String MultipleCharValue Currency Exchange MonthYear UTCTimestamp UTCTimeOnly LocalMktDate UTCDateOnly Data MultipleStringValue Country Language TZTimeOnly TZTimestamp Tenor".split(" ");

/** A ticket as the server describes it, in this program's words. */
export function ticketFrom(raw: Raw): Ticket {
  const name = text(raw.name);
  return {
    name, title: text(raw.ui_rep) || name, provider: text(raw.provider), session: text(raw.session), help: text(raw.description),
    strategy: {
      name, ui_rep: text(raw.ui_rep), parameters: list(raw.parameters).map(parameter), panels: list(raw.panels).map(panel),
      edits: list(raw.strategy_edits).map((rule) => ({ message: text(rule.error_message), edit: edit(rule.edit as Raw) })),
    },
  };
}

function parameter(raw: Raw): Parameter {
  return {
    name: text(raw.name), type: typeof raw.type === "number" ? (TYPES[raw.type] ?? "String") : text(raw.type), tag: raw.fix_tag as number | null, required: raw.required === true,
    min: raw.minimum as string | null, max: raw.maximum as string | null, min_length: raw.minimum_length as number | null, max_length: raw.maximum_length as number | null,
    const: raw.const as string | null, default: raw.default as string | null, mutable: raw.mutable_on_cxl_rpl !== false, times_100: raw.multiply_by_100 === true,
    yes: text(raw.true_wire_value) || "Y", no: text(raw.false_wire_value) || "N", help: text(raw.description),
    enum: list(raw.enum_pairs).map((pair) => ({ id: text(pair.enum_id), wire: text(pair.wire_value), text: text(pair.ui_rep) })),
  };
}

function panel(raw: Raw): Panel {
  return { title: text(raw.title), orientation: text(raw.orientation), content: list(raw.content).map((part) => ("content" in part ? panel(part) : control(part))) };
}

function control(raw: Raw): Control {
  return {
    id: text(raw.id), type: text(raw.type), label: spaced(text(raw.label)), parameter: raw.parameter_ref as string | null, init: raw.init_value as string | null,
    items: (raw.items as [string, string][] | undefined) ?? [],
    rules: list(raw.state_rules).map((rule) => ({ edit: edit(rule.edit as Raw), enabled: rule.enabled as boolean | null, visible: rule.visible as boolean | null, value: rule.value as string | null })),
  };
}

const edit = (raw: Raw): Edit => (Array.isArray(raw.edits)
  ? { op: raw.operator as "AND", edits: list(raw.edits).map(edit) }
  : { op: raw.operator as "EQ", field: text(raw.field), value: raw.value as string | null, field2: raw.field2 as string | null });

/** "MaxParticipation (%)" -> "Max participation (%)": labels that are a parameter's name, as words. */
function spaced(label: string): string {
  if (!/^[A-Z][a-z]+[A-Z]/.test(label)) return label;
  return label.replace(/([a-z])([A-Z])/g, (_, before: string, after: string) => `${before} ${after.toLowerCase()}`);
}

/** The ticket of the algorithm that stands in a form, if it has one: by name, by title, or by its initials ("ac"). */
export function ticketOf(tickets: Ticket[], algo: string, session = ""): Ticket | null {
  const wanted = algo.toLowerCase();
  if (wanted === "") return null;
  const named = (ticket: Ticket) => [ticket.name, ticket.title, ticket.name.replace(/[a-z]/g, "")].some((name) => name.toLowerCase() === wanted);
  return tickets.find((ticket) => ticket.session === session && named(ticket)) ?? null;
}

/** Parameters as the desk's commands take them: NAME=VALUE, one each. */
export const asLines = (params: Record<string, string>): string[] => Object.entries(params).map(([name, value]) => `${name}=${value}`);

/** Standard fields of the order under the names that FIXatdl's rules call them by. */
export function fixField(values: Record<string, string | boolean>, field: string): string {
  const names: Record<string, string> = { FIX_OrderQty: "quantity", FIX_Price: "price", FIX_Symbol: "symbol", FIX_Account: "account", FIX_Side: "side", FIX_TimeInForce: "time_in_force", FIX_OrdType: "ord_type" };
  const value = values[names[field] ?? ""];
  if (field === "FIX_Side") return value === "buy" ? "1" : value === "sell" ? "2" : "";
  if (field === "FIX_OrdType") return values.price ? "2" : "1";
  return value === undefined ? "" : String(value);
}

