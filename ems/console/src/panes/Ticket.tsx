import type { JSX } from "preact";
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { useConsole } from "../app";
import { AtdlPanel } from "../forms/AtdlPanel";
import { beginWith, outcome, type Values } from "../forms/atdl";
import { begin, judge } from "../forms/fields";
import { FieldInput } from "../forms/FieldInput";
import { PreTrade } from "../forms/PreTrade";
import { asLines, fixField, ticketFrom, ticketOf } from "../forms/tickets";
import { useForm } from "../forms/useForm";
import { Split } from "../shell/Split";
import { Refused } from "../wire/http";
import type { Cell, Verb } from "../wire/types";
import type { PaneProps } from "./ScreenPane";
import { useAnswer } from "./useAnswer";

/** A new order: the desk's own fields, the algorithm's ticket under them, and beside both what it would cost. */
export function TicketPane(_: PaneProps): JSX.Element {
  const here = useConsole();
  const verb = here.verb("enter_order");
  if (!verb) return <p class="waiting">Your roles may not enter orders.</p>;
  return <Ticket verb={verb} />;
}

function Ticket({ verb }: { verb: Verb }): JSX.Element {
  const here = useConsole();
  const { value: raw } = useAnswer<Record<string, unknown>[]>("/api/tickets");
  const form = useForm(verb.fields, begin(verb.fields, null), () => here.now_ns());
  const [controls, setControls] = useState<Values>({});
  const [shown, setShown] = useState(false); // the ticket's errors, once somebody has tried to send it
  const [sending, setSending] = useState(false);
  const body = useRef<HTMLFormElement>(null);
  const tickets = useMemo(() => (raw ?? []).map(ticketFrom), [raw]);
  const ticket = useMemo(() => ticketOf(tickets, String(form.typed.algo ?? "")), [tickets, form.typed.algo]);
  const order = (field: string) => fixField(form.typed, field);
  const result = ticket ? outcome(ticket.strategy, controls, order, false, here.now_ns()) : { params: {}, errors: {} };
  useEffect(() => setControls(ticket ? beginWith(ticket.strategy) : {}), [ticket]);
  useEffect(() => body.current?.querySelector<HTMLElement>("input, select")?.focus(), []);

  const withParameters = (values: Record<string, Cell>): Record<string, Cell> =>
    ticket && Object.keys(result.params).length > 0 ? { ...values, parameters: asLines(result.params) } : values;
  const sound = useMemo(() => {
    const { values, errors } = judge(verb.fields, form.typed, here.now_ns());
    return Object.keys(errors).length === 0 ? withParameters(values) : null;
  }, [form.typed, controls, ticket]);

  const send = async () => {
    setShown(true);
    const values = form.judged();
    if (values === null || Object.keys(result.errors).length > 0) return body.current?.querySelector<HTMLElement>("[aria-invalid]")?.focus();
    if (here.link.at !== null || here.link.state !== "live") return here.begin(verb); // says why not
    setSending(true);
    try {
      const command = await here.commands.send({ verb: verb.verb, title: verb.title, rows: [], fields: withParameters(values) });
      if (command.results.some((each) => !each.ok)) form.refused(new Refused(422, command.text || "refused"));
      else here.notice.set(null);
    } catch (error) {
      form.refused(error);
    } finally {
      setSending(false);
    }
  };
  const own = verb.fields.filter((field) => !(ticket && field.name === "parameters"));
  return (
    <Split name="ticket" across share={0.5}>
      <section class="pane ticket" aria-label="New order">
        <div class="tools"><h2>New order</h2><span class="gap" /><span class="dim">{here.session.mode.toUpperCase()}</span></div>
        <form ref={body} class="described two" noValidate onSubmit={(event) => (event.preventDefault(), !sending && void send())}>
          {own.map((field) => (
            <FieldInput key={field.name} field={field} form="ticket" value={form.typed[field.name] ?? ""} wrong={form.errors[field.name]}
              onChange={(value) => form.set(field.name, value)} onLeave={() => form.left(field)} />
          ))}
          {ticket && <div class="whole"><h3>{ticket.title}: {ticket.help}</h3>
            <AtdlPanel strategy={ticket.strategy} values={controls} order={order} errors={shown ? result.errors : {}} onChange={setControls} /></div>}
          {form.general && <p class="error whole" role="alert">{form.general}</p>}
          <div class="buttons whole">
            <button type="submit" class={`primary ${form.typed.side === "sell" ? "sell" : form.typed.side === "buy" ? "buy" : ""}`} disabled={sending}>
              {sending ? "Sending…" : form.typed.side === "buy" ? "▲ Send buy order" : form.typed.side === "sell" ? "▼ Send sell order" : "Send order"}
            </button>
            <button type="button" onClick={() => (form.reset(begin(verb.fields, null)), setShown(false))}>Clear</button>
          </div>
        </form>
      </section>
      <PreTrade fields={sound} onErrors={(errors) => errors.length > 0 && form.refused(new Refused(422, "", errors))} />
    </Split>
  );
}
