"""A market data session: asked for at logon, passed on unspooled, read into states."""

from __future__ import annotations

import asyncio
from pathlib import Path

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


async def test_states_reach_the_desk(tmp_path: Path) -> None:
    port = free_port()
    session = {
        "name": "MD", "role": "marketdata", "kind": "initiator", "sender_comp_id": "EMS-MD", "target_comp_id": "VENUE",
        "port": port, "symbols": ["AMZN", "BAC"],
    }  # fmt: skip
    gateway = GatewayProcess(tmp_path, sessions=[session])
    venue = RawPeer("VENUE", "EMS-MD")
    await venue.listen(port)
    await asyncio.to_thread(gateway.start)
    inputs: list[Input] = []
    came = asyncio.Event()

    def deliver(batch: list[Input]) -> None:
        inputs.extend(batch)
        came.set()

    link = FixLink(gateway.link_path, hello=lambda: Hello(epoch=1), deliver=deliver, read_market=read_market)
    running = asyncio.create_task(link.run())
    try:
        asked = await venue.take(lambda m: m["35"] == "V")
        assert (asked["263"], asked["264"], asked["146"], asked["267"]) == ("1", "1", "2", "5")
        text = next(text for text in venue.texts if "35=V" in text).replace("\x01", "|")
        assert "146=2|55=AMZN|55=BAC|" in text
        assert "267=5|269=0|269=1|269=2|269=B|269=9|" in text
        async with asyncio.timeout(WAIT_S):
            while not inputs:
                await came.wait()
            came.clear()
            venue.send("W", SNAPSHOT)
            while not any(isinstance(item, MarketUpdate) for item in inputs):
                came.clear()
                await came.wait()
        assert isinstance(inputs[0], LinkUp)
        assert [item.market for item in inputs if isinstance(item, MarketUpdate)] == [STATE]
        assert gateway.wait_health(lambda _: True)["spool_last"] == 0
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        await venue.close()
        await asyncio.to_thread(gateway.stop)


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
