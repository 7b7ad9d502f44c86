"""Two session groups over real sockets: the gateway of one is killed, and the sessions of the other do not notice."""

from __future__ import annotations

import asyncio
from pathlib import Path

import psutil
import pytest

from ems.cli.demo_settings import free_ports
from tests.acceptance.test_fix_lists import NOW, Desk, desk_up
from tests.adapters.fix.raw import RawPeer

pytestmark = pytest.mark.slow
SECOND = """
[[sessions]]
name = "SECOND"
role = "client"
kind = "acceptor"
group = "b"
sender_comp_id = "EMS"
target_comp_id = "SECOND"
port = {port}
"""


def gateway_of(home: Path, group: str) -> psutil.Process:
    """The gateway of a group of the system whose runtime file lies in this directory."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "_gateway" in words and words[-2:] == ["--group", group] and any(word.startswith(str(home)) for word in words):
            return process
    raise AssertionError(f"no gateway of group {group}")


def desk_of(home: Path) -> psutil.Process:
    """The desk of the system whose runtime file lies in this directory."""
    for process in psutil.process_iter(["cmdline"]):
        words = process.info["cmdline"] or []
        if "_desk" in words and any(word.startswith(str(home)) for word in words):
            return process
    raise AssertionError("no desk")


async def works(desk: Desk, client: RawPeer, name: str) -> dict[str, str]:
    """A direct order of a client that the venue has acknowledged; its account is its ClOrdID."""
    client.send("D", f"11={name}|1={name}|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
    sent = await desk.at_venue("D", name)
    desk.report(sent, "0", "0")
    await told(client, name, "0")
    return sent


async def told(client: RawPeer, name: str, exec_type: str) -> dict[str, str]:
    return await client.take(lambda m: m["35"] == "8" and m.get("11") == name and m["150"] == exec_type)


async def test_a_gateway_that_is_killed_takes_only_its_own_group_down(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with desk_up(tmp_path, SECOND.format(port=port)) as desk:
        second = RawPeer("SECOND", "EMS")
        await second.connect(port)
        await works(desk, desk.oms, "M1")
        theirs = await works(desk, second, "B1")
        main = gateway_of(tmp_path, "main").pid

        killed = gateway_of(tmp_path, "b")
        killed.kill()
        await asyncio.to_thread(killed.wait)  # until it is gone its port still takes connections, and then resets them
        await second.drop()
        desk.report(theirs, "F", "2", "32=100|31=199|")
        await works(desk, desk.oms, "M2")  # the venue's session is as it was, and the desk had B1's fill before this
        assert second.got("8")[-1]["150"] == "0"

        await second.connect(port)
        fill = await told(second, "B1", "F")
        assert (fill["14"], fill["151"], fill.get("97")) == ("100", "0", "Y")
        await works(desk, second, "B2")
        assert gateway_of(tmp_path, "main").pid == main
        for peer in (desk.oms, desk.venue):
            assert (len(peer.got("A")), peer.got("5")) == (1, [])
        assert desk.venue.got("H") == [], "nothing of the main group's was in doubt"
        filled = {(m["34"], m["11"]) for m in second.got("8") if m["150"] == "F"}
        assert len(filled) == 1, "FIX itself may repeat it under its number; the desk sends it once"
        await second.close()
