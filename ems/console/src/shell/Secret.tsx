import type { JSX } from "preact";
import { useConsole } from "../app";
import { useWatched } from "../wire/signal";
import { Dialog } from "./Dialog";

/** A secret that the server tells once: shown until it is put away, and kept nowhere. */
export function Secret(): JSX.Element | null {
  const here = useConsole();
  useWatched(here.secret);
  const shown = here.secret.get();
  if (shown === null) return null;
  const close = () => here.secret.set(null);
  return (
    <Dialog title={shown.title} onClose={close}>
      <div class="described">
        <div class="field"><label for="secret">Copy it now: it is not shown again.</label>
          <input id="secret" type="text" readOnly value={shown.text} onFocus={(event) => event.currentTarget.select()} /></div>
        <div class="buttons"><button type="button" class="primary" onClick={close}>I have it</button></div>
      </div>
    </Dialog>
  );
}
