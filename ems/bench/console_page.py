"""The console's page under a probe: what it loaded, what it painted when, what its grids hold."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any, Final
from urllib.parse import urlsplit

from domain.errors import EmsError
from ems.bench.console_room import PASSWORD, USER, Room

PATIENCE_S: Final = 60.0
DRAWN_S: Final = 10.0  # in which a place that was scrolled to is drawn
SCREENS: Final = 9  # of a grid that are read as they are painted, evenly from its first row to its last
# Every row that the page holds of a topic, which is what its grid draws from, as {row: {column: value}}.
HELD: Final = """
([topic, columns]) => {
  const cols = window.ems.cols(topic);
  const places = columns.map((name) => cols.indexOf(name));
  return Object.fromEntries(window.ems.rows(topic).map((row) =>
    [row[0], Object.fromEntries(columns.map((name, n) => [name, row[places[n]] ?? ""]))]));
}
"""
# The rows that are whole on screen, as {row: {column: text}}, at so many places of a topic's grid. A place is read when the rows
# there are others than before it was scrolled to and all their cells of these columns are drawn, a frame or more later.
PAINTED: Final = """
async ([topic, columns, screens, patience_ms]) => {
  const grid = document.querySelector(`[data-topic="${topic}"]`);
  const body = grid.querySelector(".ag-grid-viewport") ?? grid.querySelector(".ag-body-viewport");
  const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
  const drawn = () => {
    const box = body.getBoundingClientRect();
    const here = {};
    for (const row of grid.querySelectorAll("[row-id]")) {
      const { top, bottom, height } = row.getBoundingClientRect();
      if (height === 0 || top < box.top || bottom > box.bottom) continue;
      const cells = (here[row.getAttribute("row-id")] ??= {});
      for (const column of columns) {
        const cell = row.querySelector(`[col-id="${column}"]`);
        if (cell) cells[column] = cell.textContent;
      }
    }
    return here;
  };
  const whole = (here) => Object.values(here).length > 0 &&
    Object.values(here).every((cells) => Object.keys(cells).length === columns.length);
  const found = {};
  for (let n = 0; n < screens; n += 1) {
    const before = body.scrollTop;
    const was = Object.keys(drawn()).join();
    body.scrollTop = Math.round(((body.scrollHeight - body.clientHeight) * n) / Math.max(1, screens - 1));
    const scrolled = body.scrollTop !== before;
    const until = performance.now() + patience_ms;
    let here = {};
    do {
      await frame();
      here = drawn();
    } while (performance.now() < until && !(whole(here) && (!scrolled || Object.keys(here).join() !== was)));
    Object.assign(found, here);
  }
  return found;
}
"""
LOADED: Final = """
() => [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
  .map((entry) => [entry.name, entry.encodedBodySize, entry.decodedBodySize])
"""


class Page:
    """One tab. errors: what its console complained of; external: requests to anywhere but our server."""

    def __init__(self, page: Any, room: Room) -> None:
        self.tab = page
        self.errors: list[str] = []
        self.external: list[str] = []
        self._own = urlsplit(room.url).netloc
        page.on("console", lambda message: self.errors.append(message.text) if message.type == "error" else None)
        page.on("pageerror", lambda error: self.errors.append(str(error)))
        page.on("request", self._requested)

    def _requested(self, request: Any) -> None:
        found = urlsplit(request.url)
        if found.scheme not in ("data", "blob") and found.netloc != self._own:
            self.external.append(request.url)

    async def until_shows(self, topic: str, rows: int) -> None:
        """Until a grid has so many rows, by what it tells a screen reader. Raises EmsError."""
        grid = self.tab.locator(f'[data-topic="{topic}"] [aria-rowcount]').first
        deadline_s = time.monotonic() + PATIENCE_S
        said = None
        while time.monotonic() < deadline_s:
            if await grid.count():
                said = await grid.get_attribute("aria-rowcount")
                if said is not None and int(said) > rows:  # its header is one
                    return
            await asyncio.sleep(0.05)
        raise EmsError(f"the grid {topic} has {said} rows after {PATIENCE_S:.0f} s, of {rows}; the page says {self.errors[:3]}")

    async def until_seen(self, seq: int) -> None:
        """Until the page has been told of an event, and has painted it. Raises EmsError."""
        deadline_s = time.monotonic() + PATIENCE_S
        while await self.tab.evaluate("window.__probe.seq()") < seq:
            if time.monotonic() > deadline_s:
                raise EmsError(f"the page has not heard of event {seq} after {PATIENCE_S:.0f} s")
            await asyncio.sleep(0.05)
        await asyncio.sleep(0.5)

    async def first_load(self) -> dict[str, Any]:
        """What is loaded before the page does anything: the document, scripts, styles and fonts, in KB as they come."""
        entries = [entry for entry in await self.tab.evaluate(LOADED) if not urlsplit(entry[0]).path.startswith("/api/")]
        return {
            "first_load_kb": round(sum(entry[1] for entry in entries) / 1000, 1),
            "first_load_unpacked_kb": round(sum(entry[2] for entry in entries) / 1000, 1),
            "first_load_requests": len(entries),
        }

    async def cookie(self) -> str:
        """The session's, for a client beside the browser."""
        return "; ".join(f"{each['name']}={each['value']}" for each in await self.tab.context.cookies())

    async def probe_start(self) -> None:
        """Time every painted change from now on."""
        await self.tab.evaluate("window.__probe.start()")

    async def probe_stop(self) -> dict[str, Any]:
        """What was timed: `samples`, `firsts` and how many changes of rows on screen were never seen to be painted."""
        told: dict[str, Any] = await self.tab.evaluate("window.__probe.stop()")
        return told

    async def held(self, topic: str, columns: list[str]) -> dict[str, dict[str, str]]:
        """Every row that the page holds of a topic, by these columns, as it was told of it."""
        rows: dict[str, dict[str, str]] = await self.tab.evaluate(HELD, [topic, columns])
        return rows

    async def painted(self, topic: str, columns: list[str]) -> dict[str, dict[str, str]]:
        """The rows on SCREENS places of a topic's grid, by these columns, as they are painted."""
        asked = [topic, columns, SCREENS, 1_000 * DRAWN_S]
        shown: dict[str, dict[str, str]] = await self.tab.evaluate(PAINTED, asked)
        return {row: {name: text.replace(",", "").strip() for name, text in cells.items()} for row, cells in shown.items()}


@asynccontextmanager
async def probed(chromium: Any, room: Room, size: Mapping[str, int], path: str = "") -> AsyncIterator[Page]:
    """A tab of the console, signed in and under the probe."""
    context = await chromium.new_context(viewport=dict(size), base_url=room.url)
    try:
        await room.sign_in(context)
        await context.add_init_script(resources.files("ems.bench").joinpath("console_probe.js").read_text("utf-8"))
        tab = await context.new_page()
        page = Page(tab, room)
        await tab.goto(f"{room.url}/{path}")
        for field, text in (("user", USER), ("password", PASSWORD)):  # a page asks who is here only where somebody has been in
            await tab.locator(f"[name={field}]").fill(text)
        await tab.get_by_role("button", name="Sign in").click()
        await tab.locator("header .state.live").wait_for()
        yield page
    finally:
        await context.close()
