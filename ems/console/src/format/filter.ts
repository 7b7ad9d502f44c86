import { compare, isNumber, said } from "./kinds";
import type { Cell, Column, Condition, When } from "../wire/types";

/** Whether a row (by column names) meets a server's condition: each column named has one of the values given. */
export function holds(when: When | null | undefined, at: (column: string) => Cell): boolean {
  if (!when) return true;
  return Object.entries(when).every(([column, condition]) => meets(condition, at(column)));
}

function meets(condition: Condition, value: Cell): boolean {
  if (Array.isArray(condition)) return condition.some((each) => same(each, value));
  if (condition !== null && typeof condition === "object") {
    return Object.entries(condition).every(([operator, given]) => OPERATORS[operator]?.(value, given) ?? false);
  }
  return same(condition, value);
}

const OPERATORS: Record<string, (value: Cell, given: Cell) => boolean> = {
  eq: (value, given) => same(given, value),
  ne: (value, given) => !same(given, value),
  not: (value, given) => (Array.isArray(given) ? !given.some((each) => same(each, value)) : !same(given, value)),
  in: (value, given) => Array.isArray(given) && given.some((each) => same(each, value)),
  gt: (value, given) => value !== null && Number(value) > Number(given),
  ge: (value, given) => value !== null && Number(value) >= Number(given),
  lt: (value, given) => value !== null && Number(value) < Number(given),
  le: (value, given) => value !== null && Number(value) <= Number(given),
};

function same(a: Cell, b: Cell): boolean {
  if (a === b) return true;
  if (a === null || b === null) return false;
  return String(a) === String(b);
}

export type Test = (at: (column: string) => Cell) => boolean;

/**
 * The filter that a person types: words that any column may hold, and `column:word`, `column=`, `!=`, `>`, `>=`, `<`, `<=`.
 * A minus in front turns a term around; "quoted words" stay together; all terms must hold. Columns go by name or title.
 */
export function parseFilter(text: string, columns: Column[]): { test: Test; unknown: string[] } {
  const unknown: string[] = [];
  const tests = terms(text).map((term) => one(term, columns, unknown));
  return { test: (at) => tests.every((test) => test(at)), unknown };
}

function terms(text: string): string[] {
  return [...text.matchAll(/-?(?:[\w.]+(?:!=|>=|<=|[:=<>]))?(?:"[^"]*"|\S+)/g)].map((found) => found[0]);
}

function one(term: string, columns: Column[], unknown: string[]): Test {
  const found = /^(-?)(?:([\w.]+)(!=|>=|<=|[:=<>]))?(.*)$/.exec(term);
  const [, minus = "", name, operator, rest = ""] = found ?? [];
  const word = rest.replaceAll('"', "").toLowerCase();
  const turned = (test: Test): Test => (minus ? (at) => !test(at) : test);
  if (name === undefined || operator === undefined) {
    return turned((at) => columns.some((column) => said(column.kind, at(column.name)).toLowerCase().includes(word)));
  }
  const column = columns.find((each) => squeezed(each.name) === squeezed(name) || squeezed(each.title) === squeezed(name));
  if (!column) {
    unknown.push(name);
    return () => false;
  }
  return turned(compared(column, operator, word));
}

function compared(column: Column, operator: string, word: string): Test {
  const shown = (at: (column: string) => Cell) => said(column.kind, at(column.name)).toLowerCase();
  const raw = (at: (column: string) => Cell) => String(at(column.name) ?? "").toLowerCase();
  if (operator === ":") return (at) => shown(at).includes(word) || raw(at).includes(word);
  if (operator === "=") return (at) => equal(column, at(column.name), word) || shown(at) === word;
  if (operator === "!=") return (at) => !equal(column, at(column.name), word) && shown(at) !== word;
  const plain = word.replaceAll(",", "");
  return (at) => {
    const value = at(column.name);
    if (value === null || value === "") return false;
    const order = column.kind === "time" ? shown(at).localeCompare(word) : compare(column.kind, value, plain);
    return operator === ">" ? order > 0 : operator === ">=" ? order >= 0 : operator === "<" ? order < 0 : order <= 0;
  };
}

function equal(column: Column, value: Cell, word: string): boolean {
  if (value === null) return word === "";
  if (isNumber(column.kind) && word !== "" && !Number.isNaN(Number(word.replaceAll(",", "")))) return Number(value) === Number(word.replaceAll(",", ""));
  return String(value).toLowerCase() === word;
}

const squeezed = (text: string): string => text.toLowerCase().replace(/[^a-z0-9]/g, "");
