"""Whom a market that moves wakes: only those that it could move."""

from __future__ import annotations

from domain.values import E9
from tests.ems.room import Room


async def test_an_order_that_has_not_begun_is_not_looked_at_when_the_market_moves() -> None:
    room = await Room().open()
    await room.order(parameters=(("StartTime", "20260302-15:30:00"), ("DurationMinutes", "30")))
    assert room.desk._scheduler.of_market("AMZN") == []
    await room.wait((room.parent().terms.start_ns - room.clock.ns) / E9)
    assert len(room.planners.asked) == 1, "the clock looks at it"
