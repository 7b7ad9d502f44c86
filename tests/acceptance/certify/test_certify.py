"""Every quantity of the certification table: an OMS's order through the EMS to the scripted counterparty, and what it is told.

EMS_FIX_VERSIONS: the version that everybody speaks, 4.4 by default; "all" plays 4.2, 4.4 and 5.0SP2.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from ems.certify_table import SESSIONS, TABLE, Script
from tests.acceptance.certify.room import ANSWER_S, STEADY, CertifyRoom, Played, inconsistent, now, open_room
from tests.acceptance.fix.oms import Mailbox
from tests.acceptance.fix.versions import VERSIONS, Fields, Version

pytestmark = pytest.mark.slow
CHOSEN = os.environ.get("EMS_FIX_VERSIONS", "4.4")
PLAYED = list(VERSIONS) if CHOSEN == "all" else CHOSEN.split(",")
SETTLE_S = 2.0  # for what nobody expects


# Of the list that a client can run alone: what is sent, and what it is told.
STEPS: dict[str, tuple[tuple[tuple[str, Fields], ...], tuple[str, ...]]] = {
    "13 the cancel of an order that was never answered": (
        (("D", {"11": "S13", "38": "1109"}), ("F", {"11": "S13F", "41": "S13"})), ("0/0", "4/4")
    ),
    "15 an order again": (
        (("D", {"11": "S15"}), ("D", {"11": "S15", "97": "Y"}), ("D", {"11": "S15"})), ("0/0", "I/0", "8/0 103=6")
    ),
    "16 no quantity": ((("D", {"11": "S16", "38": "0"}),), ("8/8 103=13",)),
    "17 a cancel of nothing": ((("F", {"11": "S17F", "41": "S17"}),), ("9/8/1 NONE",)),
}  # fmt: skip


class Outcome(NamedTuple):
    """What came of one order."""

    told: tuple[str, ...]
    inconsistent: str
    reports: list[Fields]
    version: str


def in_version(version: str, told: tuple[str, ...]) -> tuple[str, ...]:
    """What a table says, in the words that a version has: FIX 4.2 has no ExecType L, and fewer reasons."""
    if version != "4.2":
        return told
    lesser = [said.replace("9/0/99", "9/0/2").replace("103=13", "103=0") for said in told if not said.startswith("L/")]
    return tuple(lesser)


@pytest.fixture(scope="module", params=PLAYED)
def everything(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> tuple[dict[int, Outcome], dict[str, tuple[str, ...]]]:
    """All orders of the table, at once; those that shake their session one after the other."""
    return asyncio.run(play_all(list(TABLE.values()), tmp_path_factory.mktemp("certify"), VERSIONS[request.param]))


@pytest.fixture(scope="module")
def outcomes(everything: tuple[dict[int, Outcome], dict[str, tuple[str, ...]]]) -> dict[int, Outcome]:
    return everything[0]


@pytest.fixture(scope="module")
def steps(everything: tuple[dict[int, Outcome], dict[str, tuple[str, ...]]]) -> dict[str, tuple[str, ...]]:
    return everything[1]


async def play_all(scripts: list[Script], home: Path, version: Version) -> tuple[dict[int, Outcome], dict[str, tuple[str, ...]]]:
    async with open_room(home, version) as room:
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
        steps = {name: await step(room, sent, len(told)) for name, (sent, told) in STEPS.items()}
        steps["version"] = (version.name,)
        steps["14"] = await away_for_a_fill(room)
        found = {n: Outcome(one.told(), inconsistent(one.reports), one.reports, version.name) for n, one in played.items()}
        return found, steps


@pytest.mark.parametrize("quantity", TABLE)
def test_a_client_is_told_what_the_table_says(outcomes: dict[int, Outcome], quantity: int) -> None:
    outcome = outcomes[quantity]
    assert outcome.told == in_version(outcome.version, TABLE[quantity].told), outcome.reports
    assert outcome.inconsistent == ""


@pytest.mark.parametrize("name", STEPS)
def test_a_step_of_the_list(steps: dict[str, tuple[str, ...]], name: str) -> None:
    assert steps[name] == in_version(steps["version"][0], STEPS[name][1])


def test_what_was_told_while_a_client_was_away_comes_once(steps: dict[str, tuple[str, ...]]) -> None:
    assert steps["14"] == ("0/0", "F/1", "F/2 PossDup")


async def step(room: CertifyRoom, sent: tuple[tuple[str, Fields], ...], expected: int) -> tuple[str, ...]:
    """Send these, and take as many answers as are expected, and what else comes within a moment."""
    box = Mailbox()
    for number, (kind, fields) in enumerate(sent):
        room.oms.watch(fields["11"], box)
        terms = {"38": "77", "40": "2", "44": "50", "59": "0"} if kind == "D" else {}
        room.peer.send(kind, {"55": STEADY, "54": "1", "60": now()} | terms | fields)
        if kind == "D" and number == 0:
            await asyncio.sleep(1)  # the first order is answered, or is not, before the next message
    answers = []
    while True:
        try:
            async with asyncio.timeout(ANSWER_S if len(answers) < expected else 0.5):
                answers.append(await box.messages.get())
        except TimeoutError:
            return tuple(words(answer) for answer in answers)


def words(m: Fields) -> str:
    if m["35"] == "9":
        return f"9/{m['39']}/{m['102']}" + (" NONE" if m["37"] == "NONE" else "")
    reason = f" 103={m['103']}" if "103" in m else ""
    return f"{m['150']}/{m['39']}{reason}" + (" PossDup" if m.get("43") == "Y" else "")


async def away_for_a_fill(room: CertifyRoom) -> tuple[str, ...]:
    """Log out after the first of two fills, and come back when the second one has been made."""
    box, told = Mailbox(), []
    room.oms.watch("S14", box)
    order = {"11": "S14", "38": "1215", "55": STEADY, "54": "1", "40": "2", "44": "50", "59": "0", "60": now()}
    room.peer.send("D", order)
    async with asyncio.timeout(ANSWER_S):
        told += [await box.messages.get() for _ in "12"]
        await room.peer.close()
        await asyncio.sleep(3)
        await room.peer.connect(room.ports["OMS"])
        told.append(await box.messages.get())
    await asyncio.sleep(0.5)
    told += [box.messages.get_nowait() for _ in range(box.messages.qsize())]
    return tuple(words(m) for m in told)
