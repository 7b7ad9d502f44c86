"""Lists, mass cancels and mass status from an OMS to a venue: `ems up` between two raw peers, on sockets and a log."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acceptance.between import between
from tests.adapters.fix.raw import SOH, RawPeer

pytestmark = pytest.mark.slow
PROFILE = 'name = "Venue"\n[policy]\nmass_status = true\n'
NOW = "60=20260302-15:00:00|"


class Desk:
    """The running system and both its peers; the venue does as it is told."""

    def __init__(self, oms: RawPeer, venue: RawPeer) -> None:
        self.oms, self.venue = oms, venue
        self._numbers = itertools.count(1)

    async def at_venue(self, msg_type: str, account: str = "", *, after: int = 0) -> dict[str, str]:
        """The first message of a type that the venue has had, of an account's order where one is named."""
        return await self.venue.take(lambda m: m["35"] == msg_type and (not account or m.get("1") == account), after=after)

    def report(self, sent: dict[str, str], exec_type: str, status: str, more: str = "", **ids: str) -> None:
        """A report of the venue about an order of ours. ids: 11 and 41 where it answers a cancel."""
        filled, leaves = (sent["38"] if status == "2" else "0"), ("0" if status in "248" else sent["38"])
        named = "".join(f"{tag.lstrip('t')}={value}|" for tag, value in ({"t11": sent["11"]} | ids).items())
        self.venue.send(
            "8",
            f"37=V{sent['11']}|{named}17=X{next(self._numbers)}|150={exec_type}|39={status}|55=DEMO|54={sent['54']}|"
            f"38={sent['38']}|151={leaves}|14={filled}|6=0|{more}",
        )

    async def canceled(self, sent: dict[str, str]) -> None:
        """The venue cancels an order that it was asked to cancel."""
        asked = await self.venue.take(lambda m: m["35"] == "F" and m["41"] == sent["11"])
        self.report(sent, "4", "4", t11=asked["11"], t41=sent["11"])

    async def reported(self, cl_ord_id: str, exec_type: str) -> dict[str, str]:
        """A report that the OMS has had."""
        return await self.oms.take(lambda m: m["35"] == "8" and m.get("11") == cl_ord_id and m["150"] == exec_type)

    async def said(self, msg_type: str, number: int, *fields: str) -> str:
        """The n-th message of a type that the OMS had, which has these fields, in whatever order."""
        await self.oms.take(lambda m: len(self.oms.got(msg_type)) >= number)
        text = [text for text in self.oms.texts if f"{SOH}35={msg_type}{SOH}" in text][number - 1].replace(SOH, "|")
        assert [field for field in fields if f"|{field}|" not in text] == [], text
        return text


@contextlib.asynccontextmanager
async def desk_up(home: Path, more: str = "", oms_profile: str = "") -> AsyncIterator[Desk]:
    """Everything running and logged on. more: further tables of the configuration."""
    files = {"venue.toml": PROFILE} | ({"oms.toml": oms_profile} if oms_profile else {})
    of_oms = 'profile = "oms.toml"' if oms_profile else ""
    async with between(home, of_oms=of_oms, of_venue='profile = "venue.toml"', more=more, files=files) as (oms, venue):
        yield Desk(oms, venue)


def order(cl_ord_id: str, number: int, symbol: str = "DEMO", side: int = 1) -> str:
    """An entry of a list; its account is its ClOrdID, by which the venue's order is found."""
    return f"11={cl_ord_id}|67={number}|1={cl_ord_id}|55={symbol}|54={side}|{NOW}38=100|40=2|44=200|59=0|"


async def test_a_list_is_staged_executed_canceled_and_done(tmp_path: Path) -> None:
    async with desk_up(tmp_path) as desk:
        entries = order("A1", 1) + order("A2", 2, side=2) + order("A3", 3, "NOTHING")
        desk.oms.send("E", f"66=L1|394=3|433=2|68=3|73=3|{entries}")
        ack = await desk.said("N", 1, "66=L1", "429=1", "82=1", "431=5", "83=1", "444=1 of 3 orders were refused")
        assert "|11=A1|14=0|39=A|151=100|84=0|6=0|11=A2|14=0|39=A|151=100|84=0|6=0|11=A3|14=0|39=8|" in ack
        refused = await desk.reported("A3", "8")
        assert (refused["66"], refused["103"]) == ("L1", "1")
        assert desk.venue.got("D") == []

        desk.oms.send("L", f"66=L1|{NOW}")
        await desk.said("N", 2, "66=L1", "429=4", "431=3")
        first, second = [await desk.at_venue("D", account) for account in ("A1", "A2")]
        for sent in (first, second):
            desk.report(sent, "0", "0")
        assert (await desk.reported("A2", "0"))["66"] == "L1"
        desk.report(first, "F", "2", "32=100|31=199|")
        assert (await desk.reported("A1", "F"))["66"] == "L1"

        desk.oms.send("M", "66=L1|")
        now = await desk.said("N", 3, "66=L1", "429=2", "431=3")
        assert "|11=A1|14=100|39=2|151=0|84=0|6=199|11=A2|14=0|39=0|151=100|" in now
        desk.oms.send("K", f"66=L1|{NOW}")
        await desk.said("N", 4, "66=L1", "429=2", "431=4")
        await desk.canceled(second)
        assert (await desk.reported("A2", "4")).get("41") is None
        done = await desk.said("N", 5, "66=L1", "429=5", "431=6")
        assert "|11=A2|14=0|39=4|151=0|84=100|" in done
        assert desk.oms.got("3") == desk.oms.got("j") == []


async def test_many_orders_are_told_of_and_canceled_and_a_venue_that_comes_back_is_asked_once(tmp_path: Path) -> None:
    async with desk_up(tmp_path) as desk:
        sent = {}
        for name, side in (("B1", 1), ("B2", 1), ("B3", 2)):
            desk.oms.send("D", f"11={name}|1={name}|55=DEMO|54={side}|{NOW}38=100|40=2|44=200|59=0|")
            sent[name] = await desk.at_venue("D", name)
            desk.report(sent[name], "0", "0")
            await desk.reported(name, "0")
        desk.oms.send("AF", "584=S1|585=7|54=1|")
        told = [await desk.oms.take(lambda m, name=name: m.get("584") == "S1" and m["11"] == name) for name in ("B1", "B2")]
        assert [(m["150"], m["911"], m["912"]) for m in told] == [("I", "2", "N"), ("I", "2", "Y")]

        seen = len(desk.venue.messages)
        await desk.venue.drop()
        question = await desk.at_venue("AF", after=seen)
        part = f"584={question['584']}|911=2|"
        desk.report(sent["B1"], "I", "0", f"{part}912=N|")
        desk.report(sent["B2"], "I", "0", f"{part}912=Y|")
        asked = await desk.at_venue("H", after=seen)
        assert asked["11"] == sent["B3"]["11"], "the venue did not name it"
        desk.report(sent["B3"], "I", "0")

        desk.oms.send("q", f"11=M1|530=7|54=1|{NOW}")
        answer = await desk.said("r", 1, "11=M1", "530=7", "531=7", "533=2", "54=1")
        assert "|534=2|41=B1|535=" in answer
        await desk.canceled(sent["B1"])
        await desk.reported("B1", "4")
        refused = await desk.venue.take(lambda m: m["35"] == "F" and m["41"] == sent["B2"]["11"])
        desk.venue.send("9", f"37=V{refused['41']}|11={refused['11']}|41={refused['41']}|39=0|434=1|102=2|")
        reject = await desk.oms.take(lambda m: m["35"] == "9")
        assert (reject["11"], reject["41"], reject["39"]) == ("B2", "B2", "0")
        desk.oms.send("q", f"11=M2|530=4|{NOW}")
        await desk.said("r", 2, "530=4", "531=0", "532=0", "533=0")
        assert len(desk.venue.got("H")) == 1
        assert desk.oms.got("3") == desk.oms.got("j") == []
