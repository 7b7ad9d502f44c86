import type { JSX } from "preact";
import type { Field } from "../wire/types";
import { choices, isSecret } from "./fields";

interface Props {
  field: Field;
  form: string; // begins the ids, so that two forms on a page do not meet
  value: string | boolean;
  wrong?: string;
  disabled?: boolean;
  onChange: (value: string | boolean) => void;
  onLeave?: () => void;
}

const HINTS: Partial<Record<Field["kind"], string>> = {
  quantity: "2,000 or 2k", price: "decimal", time: "HH:MM[:SS] UTC", duration: "90s, 10m, 1h30m", lines: "one to a line", json: "{ }",
};

/** A field as its kind asks to be shown, with what is wrong with it beside it. */
export function FieldInput({ field, form, value, wrong, disabled, onChange, onLeave }: Props): JSX.Element {
  const id = `${form}-${field.name}`;
  const described = [wrong ? `${id}-wrong` : "", field.help ? `${id}-help` : ""].filter(Boolean).join(" ") || undefined;
  const shared = {
    id, name: field.name, disabled, "aria-invalid": wrong ? ("true" as const) : undefined, "aria-describedby": described,
    "aria-required": field.required ? ("true" as const) : undefined, onBlur: onLeave,
  };
  return (
    <div class={`field ${field.kind}${wrong ? " wrong" : ""}`}>
      <label for={id}>{field.title}{field.required && field.kind !== "flag" && <span class="needed" aria-hidden="true"> *</span>}</label>
      {input(field, shared, value, onChange)}
      {wrong && <span class="error" id={`${id}-wrong`} role="alert">{wrong}</span>}
      {field.help && <span class="help" id={`${id}-help`}>{field.help}</span>}
    </div>
  );
}

function input(field: Field, shared: Record<string, unknown>, value: string | boolean, onChange: (value: string | boolean) => void): JSX.Element {
  if (field.kind === "flag") {
    return <input {...shared} type="checkbox" checked={value === true} onChange={(event) => onChange(event.currentTarget.checked)} />;
  }
  const text = String(value);
  if (field.kind === "choice" || (field.choices?.length ?? 0) > 0) {
    return (
      <select {...shared} value={text} onChange={(event) => onChange(event.currentTarget.value)}>
        {(!field.required || text === "") && <option value="">{field.required ? "choose" : ""}</option>}
        {choices(field).map((choice) => <option key={choice.value} value={choice.value}>{choice.title}</option>)}
      </select>
    );
  }
  if (field.kind === "lines" || field.kind === "json") {
    return <textarea {...shared} rows={4} spellcheck={false} placeholder={HINTS[field.kind]} value={text} onInput={(event) => onChange(event.currentTarget.value)} />;
  }
  const numeric = ["quantity", "price", "money", "bps", "pct", "int"].includes(field.kind);
  if (isSecret(field)) {
    return <input {...shared} type="password" value={text} autocomplete="new-password" onInput={(event) => onChange(event.currentTarget.value)} />;
  }
  return (
    <input {...shared} type="text" value={text} spellcheck={false} autocomplete="off"
      inputMode={numeric ? "decimal" : "text"} placeholder={HINTS[field.kind] ?? ""} onInput={(event) => onChange(event.currentTarget.value)} />
  );
}
