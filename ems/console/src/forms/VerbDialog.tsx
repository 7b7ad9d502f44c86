import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { type Intent, useConsole } from "../app";
import { said } from "../format/kinds";
import { Dialog } from "../shell/Dialog";
import { useWatched } from "../wire/signal";
import type { Cell, Topic } from "../wire/types";
import { begin, isSecret } from "./fields";
import { FieldInput } from "./FieldInput";
import { worth } from "./notional";
import { Reach, scopeIn } from "./Reach";
import { useForm } from "./useForm";

/** Carries out the intent: at once where nothing is to be asked, else through a dialog. */
export function Intents(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.intent);
  const intent = here.intent.get();
  return intent === null ? null : <VerbDialog key={`${intent.verb.verb} ${intent.keys.join()}`} intent={intent} />;
}

export function asksNothing(intent: Intent): boolean {
  const { verb, keys } = intent;
  return verb.fields.length === 0 && (verb.confirm ?? "none") === "none" && !verb.danger && keys.length <= 1;
}

function VerbDialog({ intent }: { intent: Intent }): JSX.Element | null {
  const here = useConsole();
  const { verb, topic, rows, keys, passed_over } = intent;
  const word = verb.confirm?.startsWith("word:") ? verb.confirm.slice(5) : "";
  const single = rows.length === 1 ? (rows[0] ?? null) : null;
  const form = useForm(verb.fields, begin(verb.fields, single && { price: single.limit_px ?? null, ...single }), () => here.now_ns());
  const [typedWord, setWord] = useState("");
  const [sending, setSending] = useState(false);
  const close = () => here.intent.set(null);
  const quiet = asksNothing(intent);
  const body = useRef<HTMLFormElement>(null);

  const send = async () => {
    const values = form.judged();
    if (values === null) return body.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    const { reason, ...fields } = values;
    setSending(true);
    try {
      const command = await here.commands.send({ secret: verb.fields.some(isSecret), verb: verb.verb, title: verb.title, rows: keys, ...(single ? { label: here.labelOf(topic, single) } : {}), fields: verb.fields.some((field) => field.name === "reason") ? values : fields, reason: reason === undefined ? undefined : String(reason) });
      close();
      const secret = command.results.find((result) => result.secret)?.secret;
      if (secret) here.secret.set({ title: verb.title, text: secret });
    } catch (error) {
      setSending(false);
      form.refused(error);
      if (quiet) (here.say(`${verb.title}: ${(error as Error).message}`, true), close());
    }
  };
  useEffect(() => {
    if (quiet) void send();
  }, []);
  if (quiet) return null;

  const ready = !sending && (word === "" || typedWord === word);
  return (
    <Dialog title={verb.title} danger={verb.danger === true} onClose={close}>
      <form ref={body} class="described" noValidate onSubmit={(event) => (event.preventDefault(), ready && void send())}>
        <Scope topic={topic} rows={rows} passed_over={passed_over} />
        {verb.fields.map((field) => (
          <FieldInput key={field.name} field={field} form="verb" value={form.typed[field.name] ?? ""} wrong={form.errors[field.name]}
            onChange={(value) => form.set(field.name, value)} onLeave={() => form.left(field)} />
        ))}
        {verb.danger && !verb.topic && verb.fields.some((field) => field.name === "kind") && <div class="scope"><Reach scope={scopeIn(form.typed)} label="Reaches " /></div>}
        {word && (
          <div class="field word">
            <label for="verb-word">Type <b>{word}</b> to confirm</label>
            <input id="verb-word" autocomplete="off" spellcheck={false} value={typedWord} onInput={(event) => setWord(event.currentTarget.value)} />
          </div>
        )}
        {verb.second_person && <p class="note warn">A second person must approve this from a sign-in of their own before it is done.</p>}
        {form.general && <p class="error" role="alert">{form.general}</p>}
        <div class="buttons">
          <button type="submit" class={verb.danger ? "danger primary" : "primary"} disabled={!ready}>
            {sending ? "Sending…" : verb.second_person ? `Propose: ${verb.title}` : verb.title}{rows.length > 1 && ` (${rows.length})`}
          </button>
          <button type="button" onClick={close}>Back<kbd>Esc</kbd></button>
        </div>
      </form>
    </Dialog>
  );
}

/** What the act is about: the row in a line, or the count and the notional of many. */
function Scope({ topic, rows, passed_over }: { topic: Topic | null; rows: Record<string, Cell>[]; passed_over: number }): JSX.Element | null {
  const here = useConsole();
  if (rows.length === 0) return null;
  const { count, notional, missing } = worth(topic, rows);
  const one = rows[0]!;
  return (
    <div class="scope">
      {count === 1
        ? <p>{summary(topic, one)}</p>
        : <p><b>{count}</b> {topic?.title.toLowerCase() ?? "rows"}: {count <= 6 ? rows.map((row) => here.labelOf(topic, row)).join(", ") : `${here.labelOf(topic, one)} and ${count - 1} more`}</p>}
      {notional !== null && <p>Notional <b class="figure">{said("money", notional)}</b>{missing > 0 && ` without ${missing} that have no price yet`}</p>}
      {passed_over > 0 && <p class="note">{passed_over} selected {passed_over === 1 ? "row is" : "rows are"} left out: not for their state.</p>}
    </div>
  );
}

function summary(topic: Topic | null, row: Record<string, Cell>): string {
  const columns = (topic?.columns ?? []).filter((column) => !column.hidden && column.kind !== "bar" && column.kind !== "time").slice(0, 8);
  return columns.map((column) => said(column.kind, row[column.name])).filter(Boolean).join(" · ");
}
