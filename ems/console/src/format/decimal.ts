// Exact decimals: as text on the wire, as whole numbers of 1e-9 here. No price or quantity passes through a float.

const E9 = 1_000_000_000n;
const FORM = /^([+-]?)([0-9]{1,18})?(?:\.([0-9]{0,9}))?$/;

/** Decimal text as a whole number of 1e-9; null where it is no such number. */
export function toE9(text: string): bigint | null {
  const found = FORM.exec(text.trim());
  if (!found || (found[2] === undefined && !found[3])) return null;
  const whole = BigInt(found[2] ?? "0") * E9 + BigInt((found[3] ?? "").padEnd(9, "0"));
  return found[1] === "-" ? -whole : whole;
}

/** The shortest text of a number of 1e-9. */
export function fromE9(value: bigint): string {
  const size = value < 0n ? -value : value;
  const part = (size % E9).toString().padStart(9, "0").replace(/0+$/, "");
  return `${value < 0n ? "-" : ""}${size / E9}${part ? `.${part}` : ""}`;
}

/** The product of two numbers of 1e-9, cut to 1e-9. */
export const timesE9 = (a: bigint, b: bigint): bigint => (a * b) / E9;

/** 1234567.5 -> 1,234,567.5: thousands set apart, nothing rounded. */
export function grouped(text: string): string {
  const dot = text.indexOf(".");
  const whole = dot < 0 ? text : text.slice(0, dot);
  return whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",") + (dot < 0 ? "" : text.slice(dot));
}

/** "10k", "1.5m" and "2,000" as a trader types them -> plain decimal text; the text itself where it is none of these. */
export function typed(text: string): string {
  const plain = text.trim().replace(/[,\s_]/g, "");
  const found = /^([+-]?[0-9]*\.?[0-9]+)([kmb])$/i.exec(plain);
  if (!found) return plain;
  const factor = { k: 3, m: 6, b: 9 }[found[2]!.toLowerCase() as "k" | "m" | "b"];
  const value = toE9(found[1]!);
  return value === null ? plain : fromE9(value * 10n ** BigInt(factor));
}
