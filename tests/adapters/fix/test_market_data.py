"""A market data session: asked for at logon, passed on unspooled, read into states."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from adapters.fix.link import FixLink, Hello
from adapters.marketdata.fix_book import read_market
from domain.market_state import MarketState
from domain.messages import Input, LinkUp, MarketUpdate
from ems.loopback import free_port
from tests.adapters.fix.kit import WAIT_S, GatewayProcess
from tests.adapters.fix.raw import RawPeer

SNAPSHOT = (
    "55=AMZN|262=MD|268=5|269=0|270=220.1|271=300|269=1|270=220.2|271=100|269=2|270=220.15|271=50|269=B|271=12000|"
    "269=9|270=219.5|5060=1340285400123456789|"
)
STATE = MarketState(
    instrument="AMZN",
    time_ns=1_340_285_400_123_456_789,
    bid_e9=220_100_000_000,
    bid_size_e9=300_000_000_000,
    ask_e9=220_200_000_000,
    ask_size_e9=100_000_000_000,
    last_e9=220_150_000_000,
    volume_e9=12_000_000_000_000,
    notional_e9=2_634_000_000_000_000,
)


class Room:
    """A gateway with a market data session, its venue, and what a desk on its link is told."""

    def __init__(self, directory: Path) -> None:
        self.port = free_port()
        session = {
            "name": "MD", "role": "marketdata", "kind": "initiator", "sender_comp_id": "EMS-MD", "target_comp_id": "VENUE",
            "port": self.port, "symbols": ["AMZN", "BAC"],
        }  # fmt: skip
        self.gateway = GatewayProcess(directory, sessions=[session])
        self.venue = RawPeer("VENUE", "EMS-MD")
        self.inputs: list[Input] = []
        self._came = asyncio.Event()
        self._running: asyncio.Task[None] | None = None

    def attach_desk(self) -> None:
        link = FixLink(self.gateway.link_path, hello=lambda: Hello(epoch=1), deliver=self._deliver, read_market=read_market)
        self._running = asyncio.create_task(link.run())

    async def detach_desk(self) -> None:
        if self._running is not None:
            self._running.cancel()
            await asyncio.gather(self._running, return_exceptions=True)

    def _deliver(self, batch: list[Input]) -> None:
        self.inputs.extend(batch)
        self._came.set()

    async def told(self, kind: type) -> list[Any]:
        """What has come of a kind, once something has."""
        async with asyncio.timeout(WAIT_S):
            while not (found := [item for item in self.inputs if isinstance(item, kind)]):
                self._came.clear()
                await self._came.wait()
        return found


@pytest.fixture
async def room(tmp_path: Path) -> AsyncIterator[Room]:
    made = Room(tmp_path)
    await made.venue.listen(made.port)
    await asyncio.to_thread(made.gateway.start)
    yield made
    await made.detach_desk()
    await made.venue.close()
    await asyncio.to_thread(made.gateway.stop)


async def test_states_reach_the_desk(room: Room) -> None:
    asked = await room.venue.take(lambda m: m["35"] == "V")
    assert (asked["263"], asked["264"], asked["146"], asked["267"]) == ("1", "1", "2", "5")
    text = next(text for text in room.venue.texts if "35=V" in text).replace("\x01", "|")
    assert "146=2|55=AMZN|55=BAC|" in text
    assert "267=5|269=0|269=1|269=2|269=B|269=9|" in text
    room.attach_desk()
    await room.told(LinkUp)
    room.venue.send("W", SNAPSHOT)
    assert [item.market for item in await room.told(MarketUpdate)] == [STATE]
    assert isinstance(room.inputs[0], LinkUp)
    assert room.gateway.wait_health(lambda _: True)["spool_last"] == 0


async def test_a_desk_that_comes_later_is_told_the_last_state_of_a_quiet_market(room: Room) -> None:
    await room.venue.take(lambda m: m["35"] == "V")
    room.venue.send("W", SNAPSHOT.replace("270=220.1|", "270=219.1|"))
    room.venue.send("W", SNAPSHOT)
    room.venue.send("1", "112=read so far|")
    await room.venue.take(lambda m: m["35"] == "0" and m.get("112") == "read so far")
    for _ in range(2):
        room.attach_desk()
        assert [item.market for item in await room.told(MarketUpdate)] == [STATE]
        await room.detach_desk()
        room.inputs.clear()


async def test_of_a_session_that_is_down_nothing_old_is_told(room: Room) -> None:
    await room.venue.take(lambda m: m["35"] == "V")
    room.venue.send("W", SNAPSHOT)
    room.venue.send("1", "112=read so far|")
    await room.venue.take(lambda m: m["35"] == "0" and m.get("112") == "read so far")
    await room.venue.close()
    await asyncio.to_thread(room.gateway.wait_session, "MD", up=False)
    room.attach_desk()
    await room.told(LinkUp)
    await asyncio.sleep(0.2)
    assert [item for item in room.inputs if isinstance(item, MarketUpdate)] == []


def wire(fields: str) -> str:
    return f"8=FIX.4.4|9=1|35=W|34=2|{fields}10=000|".replace("|", "\x01")


def test_fields_after_the_group_belong_to_the_message() -> None:
    assert read_market(wire(SNAPSHOT)) == STATE


def test_traded_money_is_taken_where_the_venue_tells_it() -> None:
    state = read_market(wire(SNAPSHOT + "5061=2634000.25|"))
    assert state is not None
    assert state.notional_e9 == 2_634_000_250_000_000


def test_an_absent_side_has_no_price() -> None:
    state = read_market(wire("55=AMZN|268=1|269=1|270=220.2|271=100|5060=5|"))
    assert state is not None
    assert (state.bid_e9, state.bid_size_e9, state.ask_e9, state.volume_e9, state.time_ns) == (None, 0, 220_200_000_000, 0, 5)


@pytest.mark.parametrize(
    "fields", ["268=1|269=0|270=1|271=1|", "55=AMZN|268=1|269=0|270=x|", "55=AMZN|268=1|269=B|", "55=AMZN|268=0|5060=x|"]
)
def test_a_state_that_cannot_be_read_is_none(fields: str) -> None:
    assert read_market(wire(fields)) is None


def test_another_message_is_none() -> None:
    assert read_market(wire(SNAPSHOT).replace("35=W", "35=8")) is None
