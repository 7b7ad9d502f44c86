import type { JSX } from "preact";
import { useConsole } from "../app";
import { grouped } from "../format/decimal";
import { useWatched } from "../wire/signal";
import type { Command } from "../wire/commands";
import { Popover } from "./Popover";

/** What was asked last and what became of it; all of today's askings in a box. */
export function StatusBar(): JSX.Element {
  const here = useConsole();
  useWatched(here.commands, here.notice, here.active, here.layout);
  const [latest] = here.commands.list;
  const notice = here.notice.get();
  const waiting = here.commands.list.filter((command) => ["asking", "pending", "in doubt"].includes(command.state)).length;
  return (
    <footer class="bottom">
      <span class="latest" role="status" aria-live="polite">
        {notice && notice.at >= (latest?.since ?? 0) ? <span class={notice.bad ? "bad" : ""}>{notice.text} <button type="button" class="plain" aria-label="Put this message away" onClick={() => here.notice.set(null)}>×</button></span>
          : latest ? <Line command={latest} /> : <span class="dim">no command yet</span>}
      </span>
      {waiting > 0 && <span class="count chosen">{waiting} waiting</span>}
      <span class="gap" />
      {here.layout.failed && <span class="bad">layout not saved: {here.layout.failed}</span>}
      <span class="dim keys"><kbd>/</kbd> filter <kbd>↑↓</kbd> select <kbd>.</kbd> act <kbd>Enter</kbd> open <kbd>?</kbd> keys</span>
      <Popover label={`Commands (${here.commands.list.length})`} title="Commands asked from here">
        {(close) => (
          <>
            {here.commands.list.length === 0 && <p class="note">Nothing was asked from here yet.</p>}
            <ol class="commands">{here.commands.list.map((command) => <li key={command.key}><Line command={command} /></li>)}</ol>
            <button type="button" onClick={() => (here.commands.clear(), close())}>Clear what is settled</button>
          </>
        )}
      </Popover>
    </footer>
  );
}

const STATE_TONE = { asking: "warn", pending: "warn", done: "good", approval: "warn", refused: "bad", "in doubt": "bad" } as const;
const STATE_TEXT = { asking: "asking…", pending: "accepted, its event is awaited", done: "done", approval: "waits for a second person", refused: "refused", "in doubt": "in doubt" } as const;

function Line({ command }: { command: Command }): JSX.Element {
  const bad = command.results.filter((result) => !result.ok).length;
  const rows = command.rows.length === 0 ? "" : command.rows.length === 1 ? ` ${command.label ?? command.rows[0]}` : ` ${grouped(String(command.rows.length))} rows`;
  return (
    <span>
      {command.title}{rows}: <b class={STATE_TONE[command.state]}>{STATE_TEXT[command.state]}</b>
      {bad > 0 && command.results.length > 1 && `, ${bad} refused`}{command.text && ` · ${command.text}`}
    </span>
  );
}
