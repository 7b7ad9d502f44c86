import type { JSX } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { FieldInput } from "../forms/FieldInput";
import { useForm } from "../forms/useForm";
import { post, Refused } from "../wire/http";
import type { Field, Session } from "../wire/types";

const USER: Field = { name: "user", title: "User", kind: "text", required: true, max: 64 };
const PASSWORD: Field = { name: "password", title: "Password", kind: "password", required: true };
const AGAIN: Field = { name: "again", title: "Password again", kind: "password", required: true };

/** The door: sign in, or with a one-time link make the account that it invites to. */
export function SignIn({ trouble, again = false, onEnter }: { trouble: string; again?: boolean; onEnter: (session: Session) => void }): JSX.Element {
  const invite = again ? null : new URLSearchParams(location.search).get("invite");
  const fields = invite === null ? [USER, PASSWORD] : [USER, { ...PASSWORD, help: "at least 12 characters; a sentence is easier to keep than a riddle" }, AGAIN];
  const form = useForm(fields, { user: "", password: "", again: "" }, () => 0);
  const [busy, setBusy] = useState(false);
  const [wait_s, setWait] = useState(0);
  const box = useRef<HTMLFormElement>(null);
  useEffect(() => box.current?.querySelector("input")?.focus(), []);
  useEffect(() => {
    if (wait_s <= 0) return;
    const timer = window.setTimeout(() => setWait(wait_s - 1), 1_000);
    return () => window.clearTimeout(timer);
  }, [wait_s]);

  const enter = async () => {
    const values = form.judged();
    if (values === null) return;
    if (invite !== null && values.password !== values.again) return form.refused(new Refused(422, "", [{ field: "again", text: "is not the same" }]));
    setBusy(true);
    try {
      const { user, password } = values;
      const session = invite === null
        ? await post<Session>("/api/session", { user, password })
        : await post<Session>("/api/session/invite", { invite, user, password });
      if (invite !== null) history.replaceState(null, "", "/");
      const whole = await fetch("/api/session", { cache: "no-store" }).then((answer) => (answer.ok ? (answer.json() as Promise<Session>) : session));
      onEnter({ ...session, ...whole });
    } catch (error) {
      setBusy(false);
      form.refused(error);
      if (error instanceof Refused && error.status === 429) setWait(error.retry_after_s || 30);
    }
  };
  return (
    <main class="door">
      <form ref={box} noValidate aria-labelledby="door-title" onSubmit={(event) => (event.preventDefault(), !busy && wait_s === 0 && void enter())}>
        <h1 id="door-title"><span class="mark" aria-hidden="true" />EMS console</h1>
        <p class="note">{invite === null ? (again ? "Sign in again to go on." : "Sign in to see and work orders.") : "This link makes one account. Choose its name and password."}</p>
        {trouble && <p class="error" role="alert">{trouble}</p>}
        {fields.map((field) => (
          <FieldInput key={field.name} field={field} form="door" value={form.typed[field.name] ?? ""} wrong={form.errors[field.name]}
            onChange={(value) => form.set(field.name, value)} />
        ))}
        {form.general && <p class="error" role="alert">{form.general}</p>}
        {wait_s > 0 && <p class="note" role="status">Too many tries: wait {wait_s} s.</p>}
        <button type="submit" class="primary" disabled={busy || wait_s > 0}>{busy ? "Asking…" : invite === null ? "Sign in" : "Make the account"}</button>
      </form>
    </main>
  );
}
