"""An execution in quarantine is resolved by a person at the command line of a running system, and the OMS is told."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import Program
from tests.acceptance.kill_room import SECRETS, Room, now, room, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio]


async def ems(up: Room, *words: str) -> dict[str, Any]:
    """A command's JSON."""
    done = await asyncio.to_thread(Program(up.home).run, *words, "--json")
    assert done.stdout, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


async def listed(up: Room, *words: str, count: int) -> list[dict[str, Any]]:
    """What is open, as soon as there are so many."""
    async with asyncio.timeout(60):
        while True:  # another process: there is nothing here to wait on
            if len(found := (await ems(up, *words))["open"]) == count:
                return list(found)
            await asyncio.sleep(0.2)


def person(up: Room) -> list[str]:
    (up.home / "jane").write_text(SECRETS["jane"])
    return ["--person", "jane", "--secret-file", "jane", "--reason", "the venue confirms it"]


def executes(up: Room, exec_id: str, cl_ord_id: str = "SOMEBODYS-ORDER1", side: str = "2") -> None:
    """The venue executes 100 of some order at 200."""
    price = "32=100|31=200|151=0|14=100|6=200"
    up.venue.send("8", f"37=V1|11={cl_ord_id}|17={exec_id}|150=F|39=2|55=DEMO|54={side}|38=100|{price}|60={now()}|")


async def test_from_the_venues_message_to_the_report_of_the_oms(tmp_path: Path) -> None:
    async with room(tmp_path) as up:
        await up.work(1)
        order, sent = next(iter(up.venue.open.items()))
        for exec_id in ("E7", "E8"):
            executes(up, exec_id, side=sent["54"])
        up.oms.send("D", f"11=BAD|1=FUND|21=1|55=DEMO|54=1|60={now()}|38=many|40=2|44=200|59=0|")
        first, second = await listed(up, "fills", "quarantined", count=2)
        assert [first["exec_id"], first["why"], first["session"]] == ["E7", "unknown_order", "VENUE"]
        assert "2" not in up.oms.told.values()
        assert (await ems(up, "fills", "book", first["alert"], "--order", order, *person(up)))["ok"]
        await until(lambda: "2" in up.oms.told.values())
        assert (await ems(up, "fills", "dismiss", second["alert"], *person(up)))["ok"]
        assert (await ems(up, "fills", "dismiss", first["alert"], *person(up)))["reason"] == "already_resolved"
        executes(up, "E7", order, sent["54"])
        executes(up, "E8", side=sent["54"])
        (message,) = await listed(up, "alerts", "list", count=1)
        health = (await ems(up, "health"))["desk"]
        assert (health["quarantined_fills"], health["unreadable_messages"]) == (0, 1)
        assert (await ems(up, "alerts", "acknowledge", message["alert"], *person(up)))["ok"]
        assert "ATTENTION" not in (await asyncio.to_thread(Program(up.home).run, "health")).stdout
        assert [fill["cl_ord_id"] for fill in (await ems(up, "replay"))["fills"]] == [order]
        assert list(up.oms.told.values()).count("2") == 1
