"""Messages from a venue: each execution counts once, none is lost, what fits nothing is set aside."""

from __future__ import annotations

from typing import Any

import pytest

from domain.order_life import OrdStatus
from domain.sending import ParentReport
from domain.values import E9
from tests.ems.room import Room, topics


async def test_a_fill_told_twice_counts_once() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.fill(100, "E1")
    await room.fill(100, "E1", poss_resend=True)
    assert room.parent().cum_quantity_e9 == 100 * E9
    assert (await topics(room)).count("fill.recorded") == 1


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"last_quantity_e9": 200 * E9}, "conflict"),
        ({"exec_id": "E2", "cl_ord_id": "FOREIGN-ORDER-01"}, "unknown_order"),
        ({"exec_id": "E2", "side": "sell"}, "wrong_side"),
        ({"exec_id": "E2", "last_quantity_e9": 0}, "not_positive"),
        ({"exec_id": "E2", "last_price_e9": -1}, "not_positive"),
        ({"exec_id": "E2", "exec_kind": "trade_cancel"}, "restated"),
    ],
)
async def test_an_execution_that_fits_nothing_is_quarantined_once(changes: dict[str, Any], reason: str) -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.fill(100, "E1")
    for _ in range(2):
        await room.fill(100, **{"exec_id": "E1", **changes})
    held = [r.event async for page in room.log.read_pages() for r in page if r.event.TOPIC == "fill.quarantined.v1"]
    assert [event.reason for event in held] == [reason]  # type: ignore[attr-defined]
    assert room.parent().cum_quantity_e9 == 100 * E9


async def test_a_fill_after_the_end_counts() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    await room.cancel()
    await room.report("canceled")
    assert room.parent().status is OrdStatus.CANCELED
    room.take()
    await room.fill(100)
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.cum_quantity_e9) == ("trade", OrdStatus.CANCELED, 100 * E9)
