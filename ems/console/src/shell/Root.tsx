import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { type Console, Here, open } from "../app";
import { call, get, Refused, useToken } from "../wire/http";
import type { Session } from "../wire/types";
import { Frame } from "./Frame";
import { SignIn } from "./SignIn";

type Stage = { at: "asking" } | { at: "door"; again: boolean; trouble: string } | { at: "in"; console: Console };

const BEEN_IN = "been-in"; // whether it is worth asking who is here: the sign-in itself is a cookie that no script can read

/** Who is here? Nobody yet: the door. Somebody: the console. An expired sign-in opens the door over what is on screen. */
export function Root(): JSX.Element {
  const [stage, setStage] = useState<Stage>({ at: "asking" });
  const [expired, setExpired] = useState(false);

  const enter = async (session: Session) => {
    localStorage.setItem(BEEN_IN, "yes");
    useToken(session.csrf, () => setExpired(true));
    const here = await open(session);
    here.link.watch(() => here.link.state === "signed-out" && setExpired(true));
    here.link.start();
    here.commands.resume();
    publish(here);
    setExpired(false);
    setStage({ at: "in", console: here });
  };
  const begin = async () => {
    if (localStorage.getItem(BEEN_IN) === null) return setStage({ at: "door", again: false, trouble: "" });
    try {
      await enter(await get<Session>("/api/session"));
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      localStorage.removeItem(BEEN_IN);
      setStage({ at: "door", again: false, trouble: error.status === 401 ? "" : error.message });
    }
  };
  useEffect(() => void begin(), []);

  const signedInAgain = (session: Session) => {
    if (stage.at === "in") stage.console.link.stop();
    void enter(session);
  };
  const leave = async () => {
    await call("DELETE", "/api/session").catch((error: unknown) => {
      if (!(error instanceof Refused)) throw error;
    });
    localStorage.removeItem(BEEN_IN);
    location.assign("/");
  };
  if (stage.at === "asking") return <p class="waiting" role="status">Asking who is here…</p>;
  if (stage.at === "door") return <SignIn trouble={stage.trouble} onEnter={(session) => void enter(session)} />;
  return (
    <Here.Provider value={stage.console} key={stage.console.session.csrf}>
      <Frame onLeave={() => void leave()} />
      {expired && <div class="over"><SignIn again trouble="The sign-in has ended. What was on its way is asked again once you are back." onEnter={signedInAgain} /></div>}
    </Here.Provider>
  );
}

/** For measurements and tests from outside: what is on screen and how long it took, to read and nothing else. */
function publish(here: Console): void {
  const view = {
    rows: (topic: string) => here.link.tables().filter((table) => table.topic === topic).map((table) => [...table.rows.values()])[0] ?? null,
    cols: (topic: string) => here.link.tables().find((table) => table.topic === topic)?.cols ?? null,
    paint_ms: () => [...here.paint.samples()],
    seq: () => here.link.seq,
  };
  Object.defineProperty(window, "ems", { value: Object.freeze(view), configurable: true });
}
