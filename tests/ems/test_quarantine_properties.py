"""Whatever a venue tells, however often, and whatever a person decides: an execution counts at most once."""

from __future__ import annotations

import asyncio
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain import fill as fl
from domain.values import E9, Side
from tests.ems.quarantine import FOREIGN, agree, book, dismiss, held, room_with_a_child
from tests.ems.room import Room

Words = tuple[str, str, int, int]  # ExecID, ClOrdID, quantity, price


class Walk:
    """A venue that tells anything, a person who books and dismisses, and a count of what may be counted."""

    def __init__(self, room: Room) -> None:
        self.room = room
        self.told: set[Words] = set()
        self.orders = (room.child(1).cl_ord_id, room.child(2).cl_ord_id, FOREIGN)

    @property
    def filled_e9(self) -> int:
        return self.room.parent().cum_quantity_e9

    async def step(self, what: str, first: int, second: int) -> None:
        if what == "restart":
            self.room = await (await self.room.successor()).open()
        elif what == "tell":
            await self._tell((f"E{first % 3}", self.orders[second % 3], 10 + 10 * (first % 2), 100 + second // 3 % 2))
        elif names := held(self.room):
            await self._resolve(what, names[first % len(names)], self.orders[second % 2])

    async def _tell(self, words: Words) -> None:
        exec_id, cl_ord_id, quantity, price = words
        before, again = self.filled_e9, words in self.told
        await self.room.fill(quantity, exec_id, price=price, cl_ord_id=cl_ord_id, side=Side.BUY)
        counted_e9 = self.filled_e9 - before
        assert counted_e9 in ((0,) if again else (0, quantity * E9)), "told again, it counted again"
        self.told.add(words)

    async def _resolve(self, what: str, name: str, order: str) -> None:
        before, alert = self.filled_e9, self.room.desk.state.attention.open[name]
        quarantined = {q.version: q.told for q in self.room.desk.state.fills[alert.stream].quarantined}[alert.version]
        answer = await (dismiss(self.room, name) if what == "dismiss" else book(self.room, name, cl_ord_id=order, overfill=True))
        booked_e9 = quarantined.quantity_e9 if answer.ok and what == "book" else 0
        assert self.filled_e9 - before == booked_e9
        assert answer.ok or dict(answer.ids)["reason"] == "already_recorded"
        settled = self.filled_e9
        if answer.ok:
            assert not (await book(self.room, name, cl_ord_id=order, overfill=True)).ok
        for told_as in (order, quarantined.cl_ord_id) if booked_e9 else (quarantined.cl_ord_id,):
            words = {"exec_id": quarantined.exec_id, "price": quarantined.price_e9 // E9, "cl_ord_id": told_as, "side": Side.BUY}
            await self.room.fill(quarantined.quantity_e9 // E9, **words)
        assert self.filled_e9 == settled, "what was resolved is not counted by being told again"

    async def check(self) -> None:
        """The orders hold what is recorded, each record once and no more records than different things were told."""
        recorded = [r async for page in self.room.log.read_pages() for r in page if isinstance(r.event, fl.Recorded)]
        assert len({r.stream for r in recorded}) == len(recorded) <= len(self.told)
        total_e9 = sum(r.event.quantity_e9 for r in recorded if isinstance(r.event, fl.Recorded))
        assert total_e9 == self.filled_e9 == sum(self.room.child(n).cum_quantity_e9 for n in (1, 2))
        await agree(self.room)


async def walked(steps: list[tuple[str, int, int]]) -> Walk:
    room = await room_with_a_child(200, 200)
    await room.wait(61)
    await room.report("new", number=2)
    walk = Walk(room)
    for step in steps:
        await walk.step(*step)
        await walk.check()
    return walk


WHATS = ("tell", "tell", "tell", "book", "book", "dismiss", "restart")
STEP: Any = st.tuples(st.sampled_from(WHATS), st.integers(0, 5), st.integers(0, 5))


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(STEP, max_size=14))
def test_an_execution_counts_at_most_once(steps: list[tuple[str, int, int]]) -> None:
    asyncio.run(walked(steps))


def test_the_walk_reaches_what_it_is_about() -> None:
    steps = [("tell", 0, 2), ("book", 0, 0), ("tell", 0, 0), ("tell", 3, 0), ("book", 0, 1), ("tell", 1, 2), ("restart", 0, 0)]
    walk = asyncio.run(walked([*steps, ("dismiss", 0, 0), ("tell", 1, 2)]))
    assert walk.filled_e9 == 30 * E9 and held(walk.room) == []
