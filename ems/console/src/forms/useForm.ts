import { useState } from "preact/hooks";
import { Refused } from "../wire/http";
import type { Cell, Field } from "../wire/types";
import { judge, judgeOne, type Typed } from "./fields";

export interface Form {
  typed: Typed;
  errors: Record<string, string>;
  general: string; // what is wrong with no field alone
  set: (name: string, value: string | boolean) => void;
  left: (field: Field) => void;
  /** The values to send, or null where something is wrong and shown. */
  judged: () => Record<string, Cell> | null;
  refused: (error: unknown) => void;
  reset: (typed: Typed) => void;
}

/** The state of a described form: judged beside each field when it is left and before sending, then by the server. */
export function useForm(fields: Field[], start: Typed, now_ns: () => number): Form {
  const [typed, setTyped] = useState(start);
  const [errors, setErrors] = useState<Record<string, string>>({});
  const [general, setGeneral] = useState("");
  return {
    typed,
    errors,
    general,
    set: (name, value) => {
      setTyped((before) => ({ ...before, [name]: value }));
      setErrors(({ [name]: _gone, ...others }) => others);
      setGeneral("");
    },
    left: (field) => {
      const [, wrong] = judgeOne({ ...field, required: false }, typed[field.name], now_ns());
      if (wrong) setErrors((before) => ({ ...before, [field.name]: wrong }));
    },
    judged: () => {
      const { values, errors: found } = judge(fields, typed, now_ns());
      setErrors(found);
      return Object.keys(found).length === 0 ? values : null;
    },
    refused: (error) => {
      if (!(error instanceof Refused)) throw error;
      const known = new Set(fields.map((field) => field.name));
      const mine = error.errors.filter((each) => each.field !== null && known.has(each.field));
      const others = error.errors.filter((each) => each.field === null || !known.has(each.field));
      setErrors(Object.fromEntries(mine.map((each) => [each.field!, each.text])));
      const rest = others.map((each) => (each.field ? `${each.field}: ${each.text}` : each.text)).join("; ");
      setGeneral(rest || (mine.length > 0 ? "" : error.message));
    },
    reset: (fresh) => (setTyped(fresh), setErrors({}), setGeneral("")),
  };
}
