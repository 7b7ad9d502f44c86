"""A care order between an OMS and a venue: `ems up` between two raw peers, on sockets and a log, and a trader at its door."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import pytest

from ems.bootstrap.runtime import Runtime
from ems.health import ask_socket
from ems.peer import own_account
from tests.acceptance.between import between
from tests.adapters.fix.raw import RawPeer

pytestmark = pytest.mark.slow
NOW = "60=20260302-15:00:00|"
CARE = """
[care]
pull_back = "done_for_day"

[[care.rules]]
name = "large"
client = "OMS"
quantity_min = 500
"""
E9 = 10**9


class Trader:
    """A person at the desk's own door."""

    def __init__(self, home: Path) -> None:
        self._socket = Runtime.load(home / "state" / "runtime.json").socket("desk")
        self._numbers = itertools.count(1)

    async def ask(self, command: str, order_id: str, **fields: Any) -> dict[str, Any]:
        given = {"command_id": f"T{next(self._numbers)}", "actor": f"person:{own_account()}", "reason": "by telephone"}
        answer = await ask_socket(self._socket, {**given, "command": command, "order_id": order_id, **fields}, timeout_s=15)
        assert answer is not None and answer["ok"], answer
        return answer


async def told(oms: RawPeer, cl_ord_id: str, exec_type: str, filled: str = "0") -> dict[str, str]:
    return await oms.take(
        lambda m: m["35"] == "8" and m.get("11") == cl_ord_id and m["150"] == exec_type and float(m["14"]) == float(filled)
    )


@pytest.mark.parametrize("version", ["FIX.4.2", "FIX.4.4"])
async def test_an_order_is_staged_taken_routed_filled_by_telephone_and_given_back(tmp_path: Path, version: str) -> None:
    trade = "1" if version == "FIX.4.2" else "F"
    async with between(
        tmp_path, of_oms=f'begin_string = "{version}"', oms_begin_string=version, more=CARE
    ) as (oms, venue):  # fmt: skip
        trader = Trader(tmp_path)
        oms.send("D", f"11=C1|1=C1|21=1|55=DEMO|54=1|{NOW}38=1000|40=2|44=200|59=0|")
        oms.send("D", f"11=S1|1=S1|21=1|55=DEMO|54=1|{NOW}38=100|40=2|44=200|59=0|")
        small = await venue.take(lambda m: m["35"] == "D")
        assert small["1"] == "S1"  # no rule is about it
        staged = await told(oms, "C1", "A")
        assert (staged["39"], staged["151"], staged["58"]) == ("A", "1000", "staged: a trader has yet to take it")

        order_id = staged["37"]
        await trader.ask("accept_order", order_id, algo="manual")
        assert (await told(oms, "C1", "0"))["39"] == "0"
        seen = len(venue.messages)
        await trader.ask("route_order", order_id, venue="VENUE", quantity_e9=400 * E9)
        sent = await venue.take(lambda m: m["35"] == "D", after=seen)
        assert (sent["38"], sent["44"], sent["1"]) == ("400", "200", "C1")
        venue.send("8", f"37=V1|11={sent['11']}|17=X1|150=0|39=0|55=DEMO|54=1|38=400|151=400|14=0|6=0|")
        venue.send("8", f"37=V1|11={sent['11']}|17=X2|150=F|39=2|55=DEMO|54=1|38=400|151=0|14=400|6=199|32=400|31=199|")
        filled = await told(oms, "C1", trade, "400")
        assert (filled["37"], filled["39"], filled["151"], filled["32"], filled["31"]) == (order_id, "1", "600", "400", "199")

        phone = {"broker": "JPM", "reference": "T-77", "quantity_e9": 300 * E9, "price_e9": 198 * E9}
        await trader.ask("enter_fill", order_id, **phone)
        assert (await trader.ask("enter_fill", order_id, **phone))["text"] == "entered before"
        by_phone = await told(oms, "C1", trade, "700")
        assert (by_phone["32"], by_phone["31"], by_phone["151"]) == ("300", "198", "300")
        assert by_phone["17"] != filled["17"]

        await trader.ask("pull_back", order_id)
        back = await told(oms, "C1", "3", "700")
        assert (back["39"], back["151"], back["58"]) == ("3", "0", "returned by the desk: by telephone")

        oms.send("D", f"11=C2|1=C2|21=1|55=DEMO|54=2|{NOW}38=600|40=2|44=200|59=0|")
        await trader.ask("reject_order", (await told(oms, "C2", "A"))["37"])
        refused = await told(oms, "C2", "8")
        assert (refused["39"], refused["58"]) == ("8", "by telephone")
        assert oms.got("3") == oms.got("j") == []
        assert len([m for m in venue.messages if m["35"] == "D"]) == 2
