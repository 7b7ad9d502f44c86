"""One system that runs for all tests of the console, a real browser for each file, and people who sign in."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ems.bench.console_browser import LACKING, find_browser, launch_options
from ems.bootstrap.runtime import Runtime
from tests.acceptance.conftest import Program, watched
from tests.console.people import PEOPLE, make_people
from tests.console.tab import Tab
from tests.in_ci import load

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "var" / "console"  # screenshots, and what a test that failed saw
CLIENT = "OMS1"  # as the template calls it
CARE = """
[[care.rules]]  # what is large waits for a trader
name = "large"
quantity_min = 50000
handling = "stage"
"""
FIRST_ORDER, FIRST_QUANTITY = "LONG", "45,000"


@pytest.fixture(scope="package")
def page_is_built() -> None:
    """Skips where there is no browser or no page; where continuous integration runs, both must be there."""
    must = os.environ.get("CI") == "true"
    if find_browser() is None:
        assert not must, LACKING
        pytest.skip(LACKING)
    bundles = load("console_bundle")
    try:
        bundles.ensure(ROOT)
    except bundles.NodeMissing as why:
        missing = str(why)
    else:
        return
    assert not must, missing
    pytest.skip(missing)


class Running(Program):
    """A system with a simulated venue, one order of a client's at work, and an account for everybody."""

    up: subprocess.Popen[str]

    @property
    def runtime(self) -> Runtime:
        return Runtime.load(self.home / "var" / "ems" / "runtime.json")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.runtime.settings.console.port}"

    def begin(self) -> None:
        self.configure()
        self.up = self.start("up")
        assert self.up.stdout is not None
        said: list[str] = []
        while "console: http" not in "".join(said):
            said.append(self.up.stdout.readline())
            assert said[-1], f"ems up ended: {''.join(said)}"
        make_people(self.runtime)
        done = self.send(
            "--qty",
            FIRST_QUANTITY.replace(",", ""),
            "--algo",
            "pov",
            "--param",
            "ParticipationRate=10",
            "--minutes",
            "60",
            "--cl-ord-id",
            FIRST_ORDER,
        )
        assert done.returncode == 0, done.stderr

    def configure(self) -> None:
        """The template on free ports, trading what trades around the clock."""
        from ems.loopback import free_ports

        assert self.run("init").returncode == 0
        path = self.home / "ems.toml"
        text = path.read_text()
        for old, new in zip((9876, 9880, 8410), free_ports(3), strict=True):
            text = text.replace(f"port = {old}", f"port = {new}")
        for usual, brisk in (
            ('["DEMO", "AMZN"]', '["DEMO"]'),
            ("patience_s = 30 ", "patience_s = 1 "),
            ("pov_s = 5 ", "pov_s = 1 "),
        ):
            assert usual in text
            text = text.replace(usual, brisk)
        path.write_text(text + CARE)

    def send(self, *words: str) -> subprocess.CompletedProcess[str]:
        """An order over the client's FIX session."""
        return self.run("oms", "send", "--symbol", "DEMO", *words, "--json")

    def end(self) -> None:
        assert self.up.stdout is not None
        self.up.send_signal(signal.SIGINT)
        self.up.stdout.read()
        assert self.up.wait(60) == 0
        self.up.stdout.close()


@pytest.fixture(scope="package")
def running(page_is_built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The system; a test leaves it as it found it: nothing killed, the first order at work."""
    with watched(Running(tmp_path_factory.mktemp("console"))) as program:
        program.begin()
        yield program
        program.end()


@pytest.fixture(scope="module")
def chromium(page_is_built: None) -> Iterator[Any]:
    """A browser for a file of tests. Not for the whole run: Playwright's loop would be in the way of other tests' own."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(**launch_options())
        yield browser
        browser.close()


class Desks:
    """Signed-in people at browsers of their own. A person signs in once for each file of tests."""

    def __init__(self, chromium: Any, running: Running) -> None:
        self._chromium, self._running = chromium, running
        self._tabs: dict[str, Tab] = {}

    def of(self, person: str, screen: str = "blotter") -> Tab:
        """Somebody's tab, on a screen; the same tab again for whoever is there already."""
        if person not in self._tabs:
            self._tabs[person] = tab = self.stranger()
            self.sign_in(tab, person)
        self._tabs[person].go(screen)
        return self._tabs[person]

    def sign_in(self, tab: Tab, person: str) -> None:
        """At the door."""
        tab.sign_in(person, PEOPLE[person].password)

    def stranger(self) -> Tab:
        """A browser that nobody has signed in at."""
        return Tab(self._chromium, self._running.url, KEPT)

    def close(self) -> list[str]:
        found = [line for person, tab in self._tabs.items() for line in tab.close(person)]
        self._tabs.clear()
        return found


@pytest.fixture(scope="module")
def desks(chromium: Any, running: Running) -> Iterator[Desks]:
    """Everybody's desks; none may have complained in its console or asked anybody but our server for anything."""
    made = Desks(chromium, running)
    yield made
    assert made.close() == []
