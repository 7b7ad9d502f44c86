"""A tab of the console as a person uses it: what is seen in grids, what is pressed, what the page complained of."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from ems.bench.console_browser import SIZE

PATIENCE_MS = 30_000
AXE = Path(__file__).resolve().parents[2] / "ems" / "console" / "node_modules" / "axe-core" / "axe.min.js"
# What a refusal looks like in the browser's own console: the page shows it to the person, so it is no error of the page's.
REFUSED = re.compile(r"Failed to load resource: the server responded with a status of (401|403|409|422|429|503)")


def number(text: str) -> float:
    """A figure as a grid shows it; nothing is 0."""
    return float(text.replace(",", "") or 0)


def same(shown: str, wanted: str) -> bool:
    """Does a cell say this? 1.00 says 1."""
    try:
        return number(shown) == number(wanted) and bool(shown) == bool(wanted)
    except ValueError:
        return shown.lower() == wanted.lower()


class Tab:
    """One browser context with one page. complaints: whatever its console called an error, and every request elsewhere."""

    def __init__(self, chromium: Any, url: str, kept: Path) -> None:
        self.context = chromium.new_context(viewport=dict(SIZE), base_url=url)
        self.context.set_default_timeout(PATIENCE_MS)
        self.page = self.context.new_page()
        self.url, self.kept = url, kept
        self.complaints: list[str] = []
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(f"error: {error}"))
        self.page.on("request", self._asked)

    def _said(self, message: Any) -> None:
        if message.type == "error" and not REFUSED.match(message.text):
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Any) -> None:
        found = urlsplit(request.url)
        if found.scheme not in ("data", "blob") and found.netloc != urlsplit(self.url).netloc:
            self.complaints.append(f"asked elsewhere: {request.url}")

    # ------------------------------------------------------------------------------------------ places

    def sign_in(self, user: str, password: str) -> None:
        """Through the form."""
        self.page.goto(self.url + "/")
        self.page.locator("[name=user]").fill(user)
        self.page.locator("[name=password]").fill(password)
        self.page.get_by_role("button", name="Sign in").click()
        self.live()

    def live(self) -> None:
        """Until the page says that what it shows is live."""
        self.page.locator("header .state.live").wait_for()

    def go(self, screen: str, row: str = "") -> None:
        """To a screen, as its link does."""
        place = f"#/{screen}" + (f"/{row}" if row else "")
        self.page.evaluate("place => { location.hash = place; }", place)
        self.page.wait_for_function("screen => location.hash.startsWith('#/' + screen)", arg=screen)

    # ------------------------------------------------------------------------------------------ grids

    def rows(self, topic: str) -> dict[str, dict[str, str]]:
        """What a grid shows on screen now, by row and column."""
        return self.page.evaluate(
            """topic => {
                const found = {};
                for (const row of document.querySelectorAll(`[data-topic="${topic}"] [row-id]`)) {
                    const said = (found[row.getAttribute("row-id")] ??= {});
                    for (const one of row.querySelectorAll("[col-id]")) said[one.getAttribute("col-id")] = one.textContent.trim();
                }
                return found;
            }""",
            topic,
        )  # fmt: skip

    def until(self, what: str, holds: Callable[[], Any]) -> Any:
        """Wait until something holds; what it gave."""
        for _ in range(PATIENCE_MS // 50):
            if found := holds():
                return found
            self.page.wait_for_timeout(50)
        raise AssertionError(f"{what}: not within {PATIENCE_MS} ms")

    def row(self, topic: str, **cells: str) -> str:
        """The row that says this in these columns, once there is one."""
        return self.until(f"a row of {topic} with {cells}", lambda: next(self._found(topic, cells), ""))

    def _found(self, topic: str, cells: Mapping[str, str]) -> Any:
        for key, row in self.rows(topic).items():
            if all(same(row.get(column, ""), text) for column, text in cells.items()):
                yield key

    def says(self, topic: str, row: str, column: str) -> str:
        """What a cell says now, "" where the row is not there."""
        return self.rows(topic).get(row, {}).get(column, "")

    def select(self, topic: str, row: str) -> None:
        """Click a row."""
        self.page.locator(f'[data-topic="{topic}"] [row-id="{row}"] [col-id]').first.click()

    # ------------------------------------------------------------------------------------------ acts

    def press(self, key: str) -> None:
        self.page.keyboard.press(key)

    def dialog(self, **fields: str) -> Any:
        """Fill in the dialog that is open, by the fields' names."""
        dialog = self.page.locator("dialog[open]")
        dialog.wait_for()
        for name, text in fields.items():
            field = dialog.locator(f'[name="{name}"]')
            if field.evaluate("element => element.tagName") == "SELECT":
                field.select_option(text)
            else:
                field.fill(text)
        return dialog

    def submit(self) -> None:
        """Press the open dialog's main button, and wait until it has gone."""
        dialog = self.page.locator("dialog[open]")
        dialog.locator("button.primary").click()
        dialog.wait_for(state="detached")

    def last_command(self) -> str:
        """What the status line says of the last command."""
        return str(self.page.locator("footer .latest").inner_text())

    # ------------------------------------------------------------------------------------------ looks

    def picture(self, name: str) -> None:
        """Keep what is on screen."""
        self.kept.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=self.kept / f"{name}.png")

    def breaches(self) -> list[str]:
        """What axe finds wrong for people who read screens otherwise, a line each."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text("utf-8") + "; undefined")
        found = self.page.evaluate("() => axe.run(document, { resultTypes: ['violations'] })")
        return [f"{one['id']} ({one['impact']}): {node['target']}" for one in found["violations"] for node in one["nodes"]]

    def close(self, name: str) -> list[str]:
        self.context.close()
        return [f"{name}: {line}" for line in self.complaints]
