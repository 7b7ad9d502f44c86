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

TALL: Final = {"width": 2400, "height": 1600}  # so that a grid of thousands of rows is read in few steps
PATIENCE_S: Final = 60.0
# Every row that a grid of a topic shows from its first line to its last, as {row: {column: text}}, each taken when its cells of
# these columns have been drawn, which the grid does a frame or more after it has scrolled.
READ: Final = """
async ([topic, columns]) => {
  const grid = document.querySelector(`[data-topic="${topic}"]`);
  const body = grid.querySelector(".ag-grid-viewport") ?? grid.querySelector(".ag-body-viewport");
  const frame = () => new Promise((done) => requestAnimationFrame(() => done()));
  const found = {};
  const drawn = () => {
    const here = {};
    for (const row of grid.querySelectorAll("[row-id]")) {
      const cells = (here[row.getAttribute("row-id")] ??= {});
      for (const column of columns) {
        const cell = row.querySelector(`[col-id="${column}"]`);
        if (cell) cells[column] = cell.textContent;
      }
    }
    return here;
  };
  let keys = "";
  for (let top = 0; top <= body.scrollHeight; top += Math.max(22, body.clientHeight - 66)) {
    body.scrollTop = top;
    for (let tries = 0; tries < 120; tries += 1) {
      await frame();
      const here = Object.entries(drawn());
      for (const [row, cells] of here) if (Object.keys(cells).length === columns.length) found[row] = cells;
      const scrolled = here.map(([row]) => row).join() !== keys || tries > 20; // at the end there is nowhere to scroll to
      if (scrolled && here.every(([row]) => row in found)) {
        keys = here.map(([row]) => row).join();
        break;
      }
    }
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

    async def differing(self, topic: str, expected: Mapping[str, Mapping[str, str]]) -> int:
        """How many rows of a grid are missing, too many, or say anything else in these columns than they should."""
        size, columns = self.tab.viewport_size, sorted({name for row in expected.values() for name in row})
        await self.tab.set_viewport_size(TALL)
        try:
            shown: dict[str, dict[str, str]] = await self.tab.evaluate(READ, [topic, columns])
        finally:
            await self.tab.set_viewport_size(size)
        said = {row: {name: text.replace(",", "").strip() for name, text in cells.items()} for row, cells in shown.items()}
        return sum(said.get(row) != expected.get(row) for row in said.keys() | expected.keys())


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
