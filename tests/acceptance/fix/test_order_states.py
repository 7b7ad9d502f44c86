"""Every published order state scenario, and more of its kind, from a client's FIX session to a venue's and back.

EMS_FIX_VERSIONS: versions to play, such as "4.2,4.4"; "all" plays 4.2, 4.4 and 5.0SP2, and clients of one with venues of
another. 4.4 alone by default.
"""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path
from traceback import format_exception
from typing import NamedTuple

import pytest
from _pytest.mark import ParameterSet

from tests.acceptance.fix.matrices import Case, scenarios
from tests.acceptance.fix.play import Failed, Play
from tests.acceptance.fix.room import NotStarted, Room, open_room
from tests.acceptance.fix.versions import VERSIONS, not_expressible
from tests.acceptance.fix.walks import walk

pytestmark = pytest.mark.slow
AT_ONCE = 24  # cases that are played at the same time
CHOSEN = os.environ.get("EMS_FIX_VERSIONS", "4.4")
PAIRS = (
    [(name, name) for name in VERSIONS] + [("4.2", "5.0SP2"), ("5.0SP2", "4.2")]
    if CHOSEN == "all"
    else [(name, name) for name in CHOSEN.split(",")]
)
STYLE_OF = {"exchange": "exchange", "refuse": "refuse", "closed": "closed"}


class Run(NamedTuple):
    """A case between two versions: the client's and the venue's."""

    case: Case
    client: str
    venue: str
    engine: str = ""  # the client's, where it is not the raw peer

    @property
    def name(self) -> str:
        name = f"{self.case.name}@{self.client}" + (f"-{self.venue}" if self.venue != self.client else "")
        return f"{name}-{self.engine}" if self.engine else name

    @property
    def style(self) -> str:
        """Which client plays it."""
        return self.engine or next((STYLE_OF[option] for option in self.case.scenario.options if option in STYLE_OF), "plain")


CASES = [case for file in ("published.txt", "further.txt") for scenario in scenarios(file) for case in scenario.cases()]
OTHERS = [Run(case, "4.4", "4.4", "asyncfix") for case in CASES if not case.scenario.options]
WALKS = int(os.environ.get("EMS_FIX_WALKS", "60"))
CASES += [Case(scenario, scenario.name, scenario.steps) for scenario in map(walk, range(WALKS))]
RUNS = {run.name: run for run in [Run(case, *pair) for pair in PAIRS for case in CASES] + OTHERS * (("4.4", "4.4") in PAIRS)}


def skipped(run: Run) -> str:
    """Why a case is not played, empty where it is."""
    return not_expressible(run.case, run.client) or not_expressible(run.case, run.venue)


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """What went wrong in each chosen case, empty where nothing did. All are played at once, over the same sessions."""
    chosen = [item.callspec for item in request.session.items if isinstance(item, pytest.Function) and hasattr(item, "callspec")]
    wanted = {callspec.params.get("name") for callspec in chosen}
    runs = [run for name, run in RUNS.items() if name in wanted and not skipped(run)]
    try:
        return asyncio.run(play_all(runs, tmp_path_factory.mktemp("fix")))
    except NotStarted as why:
        return dict.fromkeys([*RUNS, "sessions"], str(why))


async def play_all(runs: list[Run], home: Path) -> dict[str, str]:
    versions = tuple(dict.fromkeys(version for run in runs for version in (run.client, run.venue)))
    began_s = time.monotonic()
    async with open_room(home, versions) as room:
        up_s = time.monotonic()
        at_once = asyncio.Semaphore(AT_ONCE)
        outcomes = await asyncio.gather(*(play(room, run, at_once) for run in runs), return_exceptions=True)
        played_s = time.monotonic()
    ended_s = time.monotonic()
    found = {run.name: _said(outcome) for run, outcome in zip(runs, outcomes, strict=True)}
    found["sessions"] = "\n".join([*room.faults(), *room.program.left_over()])
    print(f"{len(runs)} cases; start, play, stop: {up_s - began_s:.1f}, {played_s - up_s:.1f}, {ended_s - played_s:.1f} s")
    return found


def _said(outcome: str | BaseException) -> str:
    return outcome if isinstance(outcome, str) else "".join(format_exception(outcome))


async def play(room: Room, run: Run, at_once: asyncio.Semaphore) -> str:
    assert room.desk is not None
    played = Play(run.case, room.clients[run.style, run.client], room.venues[run.venue], room.desk, room.symbol(run.venue))
    async with at_once:
        if troubles := room.troubles():  # nothing that follows would tell more than the first trouble does
            return f"not played, because a process is in trouble: {troubles[0]}"
        try:
            await played.run()
        except Failed as why:
            return str(why)
    return ""


def _params() -> list[ParameterSet]:
    """Every case by name; those that are not played say why."""
    reasons = {name: skipped(run) for name, run in RUNS.items()}
    return [pytest.param(name, marks=pytest.mark.skip(reason=why) if why else ()) for name, why in reasons.items()]


@pytest.mark.parametrize("name", _params())
def test_order_state(results: dict[str, str], name: str) -> None:
    assert results[name] == "", results[name]


def test_the_sessions_kept_to_the_rules(results: dict[str, str]) -> None:
    assert results["sessions"] == ""
