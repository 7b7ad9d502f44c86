import type { JSX } from "preact";
import { type Control, isPanel, type Outcome, type Panel, type Parameter, settle, type Strategy, type Values } from "./atdl";

interface Props {
  strategy: Strategy;
  values: Values;
  order: (field: string) => string;
  errors: Outcome["errors"];
  amend?: boolean;
  onChange: (values: Values) => void;
}

/** An algorithm's own ticket: its panels and controls, in the state that its rules put them. */
export function AtdlPanel({ strategy, values, order, errors, amend = false, onChange }: Props): JSX.Element {
  const settled = settle(strategy, values, order);
  const parameters = new Map(strategy.parameters.map((parameter) => [parameter.name, parameter]));
  const draw = (part: Panel | Control): JSX.Element | null => {
    if (isPanel(part)) {
      return (
        <fieldset key={part.title} aria-label={part.title || strategy.name} class={`atdl ${(part.orientation ?? "VERTICAL").toLowerCase()}`}>
          {part.title && part.title.toLowerCase() !== strategy.name.toLowerCase() && <legend>{part.title}</legend>}
          {part.content.map(draw)}
        </fieldset>
      );
    }
    const state = settled.states[part.id];
    if (!state?.visible || part.type === "HiddenField_t") return null;
    const parameter = part.parameter ? parameters.get(part.parameter) : undefined;
    const off = !state.enabled || (amend && parameter?.mutable === false);
    return <One key={part.id} control={part} parameter={parameter} value={settled.values[part.id] ?? ""} off={off} wrong={errors[part.id]}
      onChange={(value) => onChange({ ...settled.values, ...radios(strategy, part, value), [part.id]: value })} />;
  };
  return <div class="atdl-ticket">{strategy.panels.map(draw)}{errors[""] && <p class="error" role="alert">{errors[""]}</p>}</div>;
}

/** Of single radio buttons bound to one parameter only one is on. */
function radios(strategy: Strategy, chosen: Control, value: string): Values {
  if (chosen.type !== "RadioButton_t" || value !== "true") return {};
  const others: Values = {};
  const clear = (part: Panel | Control): void => {
    if (isPanel(part)) part.content.forEach(clear);
    else if (part.type === "RadioButton_t" && part.parameter === chosen.parameter) others[part.id] = "false";
  };
  strategy.panels.forEach(clear);
  return others;
}

interface OneProps {
  control: Control;
  parameter: Parameter | undefined;
  value: string;
  off: boolean;
  wrong: string | undefined;
  onChange: (value: string) => void;
}

function One({ control, parameter, value, off, wrong, onChange }: OneProps): JSX.Element {
  const id = `atdl-${control.id}`;
  const label = control.label || parameter?.name || control.id; // controls without a label are common
  if (control.type === "Label_t") return <p class="note">{control.label || control.init}</p>;
  const help = parameter?.help;
  const shared = { id, disabled: off, "aria-invalid": wrong ? ("true" as const) : undefined, "aria-describedby": wrong ? `${id}-wrong` : undefined, "aria-required": parameter?.required ? ("true" as const) : undefined, title: help };
  return (
    <div class={`field${wrong ? " wrong" : ""}`}>
      <label for={id}>{label}{parameter?.required && <span class="needed" aria-hidden="true"> *</span>}</label>
      {input(control, parameter, value, shared, onChange)}
      {wrong && <span class="error" id={`${id}-wrong`} role="alert">{wrong}</span>}
    </div>
  );
}

function input(control: Control, parameter: Parameter | undefined, value: string, shared: Record<string, unknown>, onChange: (value: string) => void): JSX.Element {
  const items: [string, string][] = control.items?.length ? control.items : (parameter?.enum ?? []).map((pair) => [pair.id, pair.text || pair.id]);
  switch (control.type) {
    case "CheckBox_t":
    case "RadioButton_t":
      return <input {...shared} type="checkbox" checked={value === "true"} onChange={(event) => onChange(String(event.currentTarget.checked))} />;
    case "DropDownList_t":
    case "SingleSelectList_t":
    case "RadioButtonList_t":
      return (
        <select {...shared} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
          <option value="">{parameter?.required ? "choose" : ""}</option>
          {items.map(([item, text]) => <option key={item} value={item}>{text}</option>)}
        </select>
      );
    case "MultiSelectList_t":
    case "CheckBoxList_t": {
      const chosen = new Set(value.split(" ").filter(Boolean));
      return (
        <select {...shared} multiple size={Math.min(5, items.length)} onChange={(event) => onChange([...event.currentTarget.selectedOptions].map((option) => option.value).join(" "))}>
          {items.map(([item, text]) => <option key={item} value={item} selected={chosen.has(item)}>{text}</option>)}
        </select>
      );
    }
    case "Slider_t": {
      if (items.length > 0) {
        const at = Math.max(0, items.findIndex(([item]) => item === value));
        return <span class="slider"><input {...shared} type="range" min={0} max={items.length - 1} value={at} onInput={(event) => onChange(items[Number(event.currentTarget.value)]?.[0] ?? "")} /><output>{items[at]?.[1]}</output></span>;
      }
      return <span class="slider"><input {...shared} type="range" min={parameter?.min ?? 0} max={parameter?.max ?? 100} value={value} onInput={(event) => onChange(event.currentTarget.value)} /><output>{value}</output></span>;
    }
    default:
      return (
        <input {...shared} type="text" value={value} spellcheck={false} autocomplete="off" placeholder={control.type === "Clock_t" ? "HH:MM:SS" : ""}
          onInput={(event) => onChange(event.currentTarget.value)} />
      );
  }
}
