import type { JSX } from "preact";
import { useEffect } from "preact/hooks";
import { useConsole } from "../app";
import { Intents } from "../forms/VerbDialog";
import { ScreenPane } from "../panes/ScreenPane";
import { useWatched } from "../wire/signal";
import { Banner } from "./Banner";
import { CheatSheet } from "./CheatSheet";
import { DetailDrawer } from "./DetailDrawer";
import { Header } from "./Header";
import { Palette } from "./Palette";
import { Rail } from "./Rail";
import { ReplayBar } from "./ReplayBar";
import { RowMenu } from "./RowMenu";
import { Secret } from "./Secret";
import { StatusBar } from "./StatusBar";
import { useKeyboard } from "./useKeyboard";

export function Frame({ onLeave }: { onLeave: () => void }): JSX.Element {
  const here = useConsole();
  useWatched(here.link, here.layout, here.route);
  useKeyboard();
  const route = here.route.get();
  const screen = here.screen(route.screen) ?? here.catalogue.screens[0] ?? null;
  useEffect(() => void (document.documentElement.dataset.theme = here.layout.theme), [here.layout.theme]);
  useEffect(() => {
    document.title = `${screen?.title ?? "EMS"} · ${here.session.mode.toUpperCase()} · EMS console`;
    here.detail.set(null);
  }, [screen]);
  const old = here.link.state !== "live";
  return (
    <div class={`frame${here.layout.rail ? "" : " narrow"}${here.link.at !== null ? " replaying" : ""}${old ? " stale" : ""}`}>
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), here.active.get()?.grid.focus())}>To the rows</a>
      <Header onLeave={onLeave} />
      <Rail current={screen?.name ?? ""} />
      <div class="middle">
        <Banner />
        {here.link.at !== null && <ReplayBar />}
        <main id="main" tabIndex={-1}>
          <RowMenu />
          {screen === null ? <p class="waiting">There is no screen for your roles: {here.session.roles.join(", ") || "none"}.</p> : <ScreenPane key={screen.name} screen={screen} id={route.id} />}
        </main>
        <DetailDrawer />
      </div>
      <StatusBar />
      <Intents />
      <Secret />
      <CheatSheet />
      <Palette />
    </div>
  );
}
