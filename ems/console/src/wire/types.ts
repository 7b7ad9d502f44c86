// What the server describes. Numbers that must be exact travel as decimal text, times as text of nanoseconds, null is unknown.

export type Cell = string | number | boolean | null | Cell[];
export type Row = Cell[];

export type Kind =
  | "text" | "id" | "symbol" | "side" | "price" | "quantity" | "money" | "int" | "bps" | "pct"
  | "time" | "duration" | "flag" | "status" | "bar" | "list";

export interface Column {
  name: string;
  title: string;
  kind: Kind;
  width?: number;
  flash?: boolean;
  hidden?: boolean;
  pin?: boolean | "left" | "right";
}

export interface Topic {
  name: string;
  title: string;
  key: string;
  columns: Column[];
  filters?: Record<string, Condition>[] | string[];
  flush_ms?: number;
  verbs: string[];
  link?: { topic: string; column: string } | null;
}

export type Condition = Cell | { [operator: string]: Cell };
export type When = Record<string, Condition>;

export type FieldKind =
  | "text" | "quantity" | "price" | "choice" | "flag" | "time" | "duration" | "symbol" | "person" | "reason" | "json"
  | "lines" | "int" | "password" | "money" | "bps" | "pct";

export interface Field {
  name: string;
  title: string;
  kind: FieldKind;
  required?: boolean;
  choices?: (string | { value: string; title: string })[];
  default?: Cell;
  min?: string | number;
  max?: string | number;
  help?: string;
}

export interface Verb {
  verb: string;
  title: string;
  key?: string | null;
  topic?: string | null;
  when?: When | null;
  bulk?: boolean;
  danger?: boolean;
  confirm?: string;
  second_person?: boolean;
  fields: Field[];
}

export interface Screen {
  name: string;
  title: string;
  key?: string | null;
  group?: string;
  topics: string[];
  verbs?: string[]; // that need no row and belong to this screen
  pane: string;
}

export interface Catalogue {
  topics: Topic[];
  verbs: Verb[];
  screens: Screen[];
}

export interface Session {
  user: string;
  roles: string[];
  csrf: string;
  mode: string;
  name: string;
  clock?: unknown;
  expires_ns?: string | number;
  build?: string;
}

export interface FieldError {
  field: string | null;
  text: string;
}

export interface CommandResult {
  row?: string | null;
  ok: boolean;
  text?: string;
  seq?: number | null;
  pending?: string | null;
  secret?: string | null; // shown once, kept nowhere
}

export type FromServer =
  | { t: "snap"; id: number; n: number; seq: number; cols: string[]; rows: Row[] }
  | { t: "upd"; id: number; n: number; seq: number; p?: number | string; rows?: Row[]; del?: string[] }
  | { t: "hb"; seq: number; lag_ms?: number | null; live: boolean; t_ns?: string | number }
  | { t: "gap"; id: number; why?: string }
  | { t: "err"; text: string }
  | { t: "bye"; why?: string };
