"""Allocations from an OMS's session to a venue's and back: `ems up` between two raw peers, on real sockets and a real log."""

from __future__ import annotations

import contextlib
import itertools
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.between import between
from tests.adapters.fix.raw import SOH, RawPeer

pytestmark = pytest.mark.slow
BY_PRIORITY = """
[sessions.allocation]
method = "priority"
accounts = ["A", "B", "C"]
"""


class Desk:
    """The running system and both its peers; the venue executes as it is told."""

    def __init__(self, oms: RawPeer, venue: RawPeer) -> None:
        self.oms, self.venue = oms, venue
        self._numbers = itertools.count(1)

    async def order(self, cl_ord_id: str, fills: list[tuple[int, str]], groups: str = "") -> dict[str, str]:
        """A direct order that is filled whole; the venue's order."""
        quantity = sum(filled for filled, _ in fills)
        terms = f"55=DEMO|54=1|60=20260302-15:00:00|38={quantity}|40=2|44=200|59=0|"
        self.oms.send("D", f"11={cl_ord_id}|1={cl_ord_id}|{groups}{terms}")
        sent = await self.venue.take(lambda m: m["35"] == "D" and m.get("1") == cl_ord_id)
        self.execution(sent, f"150=0|39=0|151={quantity}|14=0|6=0|")
        done = 0
        for filled, price in fills:
            done += filled
            status = "2" if done == quantity else "1"
            said = f"150=F|39={status}|32={filled}|31={price}|151={quantity - done}|14={done}|6=1|"
            self.execution(sent, said, exec_id=f"{cl_ord_id}-{done}")
        await self.oms.take(lambda m: m["35"] == "8" and m.get("11") == cl_ord_id and m["39"] == "2")
        return sent

    def execution(self, sent: dict[str, str], said: str, *, exec_id: str = "") -> None:
        """A report of the venue."""
        unique = exec_id or f"X{next(self._numbers)}"
        self.venue.send("8", f"37=V{sent['11']}|11={sent['11']}|17={unique}|55=DEMO|54=1|38={sent['38']}|{said}")

    async def said(self, msg_type: str, number: int) -> str:
        """The n-th message of a type that the OMS had, from its body on."""
        await self.oms.take(lambda m: len(self.oms.got(msg_type)) >= number)
        texts = [text for text in self.oms.texts if f"{SOH}35={msg_type}{SOH}" in text]
        return texts[number - 1].replace(SOH, "|")


@contextlib.asynccontextmanager
async def desk_up(home: Path) -> AsyncIterator[Desk]:
    """Everything running and logged on."""
    async with between(home, of_oms=BY_PRIORITY) as (oms, venue):
        yield Desk(oms, venue)


def accounts(text: str) -> dict[str, tuple[str, str, str]]:
    """AllocAccount: quantity, average price, net money."""
    entry = re.compile(r"\|79=([^|]+)\|80=([^|]+)\|(?:467=[^|]+\|)?153=([^|]+)\|154=([^|]+)(?=\|)")
    return {account: (quantity, price, money) for account, quantity, price, money in entry.findall(text)}


async def test_allocations_before_and_after_the_trade_and_after_a_bust(tmp_path: Path) -> None:
    async with desk_up(tmp_path) as desk:
        sent = await desk.order("D1", [(600, "100.01"), (300, "100.02")], "78=2|79=A|467=I1|80=500|79=B|80=400|")
        first = await desk.said("AS", 1)
        assert "|71=0|" in first
        assert "|794=4|" in first
        assert "|73=1|11=D1|" in first
        assert "|53=900|" in first
        assert "|6=100.0133|" in first
        assert "|74=4|" in first
        assert accounts(first) == {"A": ("500", "100.0133", "50006.65"), "B": ("400", "100.0133", "40005.32")}
        assert "|381=90012|" in first
        assert "|118=90011.97|" in first
        assert "quantity x price is 0.03 less than executed" in first
        replaced = re.search(r"\|755=(\w+)\|", first)
        assert replaced is not None
        day = re.search(r"\|75=(\d+)\|", first)
        assert day is not None
        desk.oms.send("AT", f"755={replaced[1]}|70=D1|75={day[1]}|60=20260302-21:00:00|87=1|88=2|58=another price|")

        desk.execution(sent, "150=H|39=4|19=D1-900|32=300|31=100.02|151=0|14=600|6=100.01|", exec_id="D1-bust")
        second = await desk.said("AS", 2)
        assert f"|795={replaced[1]}|796=2|" in second
        assert accounts(second) == {"A": ("500", "100.0100", "50005"), "B": ("100", "100.0100", "10001")}, "by priority"
        assert desk.oms.got("3") == desk.oms.got("j") == [], "the answer to the first report was taken"


async def test_instructions_are_answered_by_p_and_reported_by_as(tmp_path: Path) -> None:
    async with desk_up(tmp_path) as desk:
        await desk.order("E1", [(1000, "50")])
        day = await trade_date(desk)
        instruct = f"626=1|857=1|73=1|11=E1|54=1|55=DEMO|53={{0}}|6={{1}}|74=2|75={day}|78=2|79={{2}}|80=700|79=C|80={{3}}|"
        for alloc_id, values in enumerate([("1100", "50", "A", "400"), ("1000", "51", "A", "300"), ("1000", "50", "Z", "300")]):
            desk.oms.send("J", f"70=J{alloc_id}|71=0|{instruct.format(*values)}")
        assert "|87=1|88=1|" in await desk.said("P", 1)
        assert "|87=1|88=2|" in await desk.said("P", 2)
        by_account = await desk.said("P", 3)
        assert "|87=2|88=0|" in by_account
        assert "|78=1|79=Z|776=0|" in by_account
        desk.oms.send("J", f"70=J7|71=0|{instruct.format('1000', '50', 'A', '300')}")
        assert "|70=J7|" in (accepted := await desk.said("P", 4))
        assert "|87=0|" in accepted
        report = await desk.said("AS", 1)
        assert accounts(report) == {"A": ("700", "50.00", "35000"), "C": ("300", "50.00", "15000")}
        desk.oms.send("J", f"70=J8|71=2|72=J7|{instruct.format('1000', '50', 'A', '300')}")
        assert "|87=0|" in await desk.said("P", 5)
        assert "|71=2|" in (last := await desk.said("AS", 2))
        assert "|796=1|" in last
        assert desk.oms.got("3") == desk.oms.got("j") == []


async def test_an_oms_of_fix_42_answers_a_report_with_p(tmp_path: Path) -> None:
    of_oms = f'begin_string = "FIX.4.2"\n{BY_PRIORITY}'
    async with between(tmp_path, of_oms=of_oms, oms_begin_string="FIX.4.2") as (oms, venue):
        desk = Desk(oms, venue)
        await desk.order("D1", [(900, "100")], "21=1|78=2|79=A|80=500|79=B|80=400|")
        report = await desk.said("J", 1)
        own, day = re.search(r"\|70=(\w+)\|", report), re.search(r"\|75=(\d+)\|", report)
        assert own is not None
        assert day is not None
        oms.send("P", f"70={own[1]}|75={day[1]}|87=1|88=2|58=another price|")
        oms.send("H", "11=D1|37=NONE|55=DEMO|54=1|")  # its answer says that what came before was read
        await oms.take(lambda m: m["35"] == "8" and m.get("20") == "3")
        assert oms.got("3") == oms.got("j") == []


async def trade_date(desk: Desk) -> str:
    """The desk's, as an allocation of the order's own says it."""
    await desk.order("T0", [(1, "50")], "78=1|79=A|80=1|")
    found = re.search(r"\|75=(\d+)\|", await desk.said("AS", 1))
    assert found is not None
    desk.oms.messages = [m for m in desk.oms.messages if m["35"] != "AS"]
    desk.oms.texts = [text for text in desk.oms.texts if f"{SOH}35=AS{SOH}" not in text]
    return found[1]
