"""Nothing flattens blind: what is missing is said, and nothing is sent."""

from __future__ import annotations

import pytest

from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.risk_data import Restriction, RiskFacts
from domain.values import E9
from tests.ems.house_room import TRIP, house, left, look, panic, priced
from tests.ems.room import session

# ------------------------------------------------------------------------------------------------- never blind


async def test_without_a_fresh_price_nothing_flattens() -> None:
    room = await house(100)
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, TRIP, room.clock.ns))
    assert await look(room, after_s=7, fresh=False) == []
    assert left(room) == [("MM", "ABC", 100, "its price is 7.0 s old")]
    await priced(room, None, None)
    assert await look(room, fresh=False) == []
    assert left(room) == [("MM", "ABC", 100, "no price is known")]
    await priced(room, 101, 99)
    assert await look(room, fresh=False) == []
    assert left(room) == [("MM", "ABC", 100, "no price is known")], "a market that crosses is none"


async def test_a_position_that_is_not_known_is_not_flattened() -> None:
    room = await house(100, facts=RiskFacts(fx_rates={"USD": E9}))
    assert await panic(room) == []
    assert left(room) == [("MM", "", None, "its positions are not known")]


async def test_a_position_that_the_log_and_the_file_disagree_on_is_not_flattened() -> None:
    facts = RiskFacts(positions={("MM", "ABC"): 70 * E9})  # and no exchange rate: it is in no event
    room = await house(facts=facts)
    room.desk.markets.clear()
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, TRIP, room.clock.ns))
    assert await look(room, after_s=3, fresh=False) == []
    assert left(room) == [("MM", "ABC", None, "what the log and the day's positions say of it differ")]


@pytest.mark.parametrize("halted", [True, False])
async def test_a_halted_instrument_waits(halted: bool) -> None:
    halts = (Restriction("ABC", 0, None),) if halted else ()
    room = await house(100, facts=RiskFacts(positions={}, halts=halts, fx_rates={"USD": E9}))
    assert len(await panic(room)) == (0 if halted else 1)
    assert left(room)[0][3] == ("its market is halted" if halted else "an order is out")


async def test_a_session_that_is_down_and_a_market_that_is_closed_are_said() -> None:
    room = await house(100)
    await room.desk.cycle([session("VENUE", up=False)])
    assert await panic(room) == []
    assert left(room) == [("MM", "ABC", 100, "the session VENUE to its venue is down")]
    assert await look(room, after_s=86_400) == []
    assert left(room) == [("MM", "ABC", 100, "its market is closed")]


async def test_a_latch_that_cannot_be_read_flattens_nothing() -> None:
    room = await house(100)
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, TRIP, room.clock.ns))
    room.latch.broken = True
    assert await look(room, after_s=3) == []
