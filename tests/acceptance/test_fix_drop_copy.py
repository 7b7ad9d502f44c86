"""A drop copy session and cancel on disconnect over real sockets: `ems up` between an OMS, a venue and one that listens."""

from __future__ import annotations

from pathlib import Path

import pytest

from ems.loopback import free_ports
from tests.acceptance.test_fix_lists import NOW, Desk, desk_up
from tests.adapters.fix.raw import RawPeer

pytestmark = pytest.mark.slow
DROP = """
[[sessions]]
name = "DROP"
role = "dropcopy"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "DROP"
port = {port}
sources = ["OMS"]
accounts = ["A1", "A2"]
"""
PROFILE = 'name = "Oms"\n[policy]\ncancel_on_disconnect = "ungraceful"\n'


async def works(desk: Desk, cl_ord_id: str, account: str) -> dict[str, str]:
    """A direct order that the venue has acknowledged."""
    desk.oms.send("D", f"11={cl_ord_id}|1={account}|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
    sent = await desk.at_venue("D", account)
    desk.report(sent, "0", "0")
    await desk.reported(cl_ord_id, "0")
    return sent


async def test_copies_are_told_the_same_and_a_lost_client_leaves_no_orders(tmp_path: Path) -> None:
    (port,) = free_ports(1)
    async with desk_up(tmp_path, DROP.format(port=port), PROFILE) as desk:
        drop = RawPeer("DROP", "EMS")
        await drop.connect(port)
        first = await works(desk, "C1", "A1")
        copy = await drop.take(lambda m: m["35"] == "8" and m["150"] == "0")
        told = await desk.reported("C1", "0")
        assert (copy["797"], copy["17"], copy["11"], copy["37"]) == ("Y", told["17"], "C1", told["37"])
        drop.send("D", f"11=D1|1=A1|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|")
        refused = await drop.take(lambda m: m["35"] == "j")
        assert (refused["372"], refused["380"]) == ("D", "3")

        drop.send("5")
        await drop.take(lambda m: m["35"] == "5")
        await drop.drop()
        second = await works(desk, "C2", "A2")
        await works(desk, "C3", "SECRET")
        desk.report(first, "F", "2", "32=100|31=200|")
        filled = await desk.reported("C1", "F")
        await drop.connect(port)
        drop.send("2", "7=1|16=0|")
        again = await drop.take(lambda m: m["35"] == "8" and m.get("43") == "Y" and m["150"] == "F")
        missed = [(m["11"], m["150"], m["797"]) for m in drop.got("8") if m.get("43") == "Y"]
        assert missed[missed.index(("C2", "0", "Y")) :][:2] == [("C2", "0", "Y"), ("C1", "F", "Y")], "in their order"
        assert again["17"] == filled["17"]
        assert not [m for m in drop.got("8") if m.get("1") == "SECRET"]

        await desk.oms.drop()
        canceled = await desk.venue.take(lambda m: m["35"] == "F" and m["41"] == second["11"])
        assert canceled["11"] != second["11"]
        await drop.close()
