"""Every quantity of the certification table: an OMS's order through the EMS to the scripted counterparty, and what it is told."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import NamedTuple

import pytest

from ems.certify_table import SESSIONS, TABLE, Script
from tests.acceptance.certify.room import Played, inconsistent, open_room
from tests.acceptance.fix.versions import Fields

pytestmark = pytest.mark.slow
SETTLE_S = 2.0  # for what nobody expects


class Outcome(NamedTuple):
    """What came of one order."""

    told: tuple[str, ...]
    inconsistent: str
    reports: list[Fields]


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Outcome]:
    """All orders of the table, at once; those that shake their session one after the other."""
    return asyncio.run(play_all(list(TABLE.values()), tmp_path_factory.mktemp("certify")))


async def play_all(scripts: list[Script], home: Path) -> dict[int, Outcome]:
    async with open_room(home) as room:
        played = {script.quantity: Played(room, script) for script in scripts}

        async def one_by_one() -> None:
            for script in scripts:
                if script in SESSIONS:
                    await played[script.quantity].play()
                    await asyncio.sleep(4)

        await asyncio.gather(one_by_one(), *(p.play() for p in played.values() if p.script not in SESSIONS))
        await asyncio.sleep(SETTLE_S)
        await asyncio.gather(*(one.ask() for one in played.values()))
        strays = [stray for stray in room.oms.strays if stray["35"] != "B"]
        assert (room.peer.faults, strays) == ([], [])
        return {n: Outcome(one.told(), inconsistent(one.reports), one.reports) for n, one in played.items()}


@pytest.mark.parametrize("quantity", TABLE)
def test_a_client_is_told_what_the_table_says(outcomes: dict[int, Outcome], quantity: int) -> None:
    outcome = outcomes[quantity]
    assert outcome.told == TABLE[quantity].told, outcome.reports
    assert outcome.inconsistent == ""
