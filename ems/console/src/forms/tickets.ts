import type { Strategy } from "./atdl";

/** A ticket that the server offers: an algorithm of ours or of a broker's. */
export interface Ticket {
  name: string; // what the order's `algo` field says
  title: string;
  broker: string | null;
  strategy: Strategy;
}

export interface Tickets {
  tickets: Ticket[];
}

/** The ticket of the algorithm that stands in a form, if it has one. */
export function ticketOf(tickets: Ticket[], algo: string, broker: string | null = null): Ticket | null {
  const wanted = algo.toLowerCase();
  return tickets.find((ticket) => ticket.name.toLowerCase() === wanted && (ticket.broker ?? null) === broker) ?? tickets.find((ticket) => ticket.name.toLowerCase() === wanted) ?? null;
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
