"""What a venue takes back, corrects or carries over of a direct order: what is true now, and what was told before."""

from __future__ import annotations

from domain.order_life import OrdStatus
from domain.sending import ParentReport
from domain.values import E9, TimeInForce
from tests.ems.direct import replace, told, venue_refuses, venue_replaces, working


async def test_busts_and_corrections_restate_what_is_true_and_a_replace_reopens() -> None:
    room = await working()
    await room.fill(1_000, "C", price=100)
    await room.fill(9_000, "D", price=110)
    room.take()
    await room.fill(0, "E", exec_kind="trade_cancel", exec_ref_id="C", leaves_quantity_e9=1_000 * E9)
    await room.fill(9_000, "F", price=100, exec_kind="trade_correct", exec_ref_id="D", leaves_quantity_e9=1_000 * E9)
    bust, correct = room.take(ParentReport)
    assert (bust.exec_kind, bust.ord_status, bust.cum_quantity_e9, bust.average_price_e9) == (
        "trade_cancel", OrdStatus.PARTIALLY_FILLED, 9_000 * E9, 110 * E9,
    )  # fmt: skip
    assert (bust.last_quantity_e9, bust.last_price_e9, bust.leaves_quantity_e9) == (0, 0, 1_000 * E9)
    assert (correct.average_price_e9, correct.last_quantity_e9) == (100 * E9, 9_000 * E9)
    await room.fill(1_000, "G", price=120)
    await room.fill(9_000, "H", price=120, exec_kind="trade_correct", exec_ref_id="F")
    _, again = room.take(ParentReport)
    assert (again.ord_status, again.average_price_e9, again.exec_ref_id) == (OrdStatus.FILLED, 120 * E9, correct.exec_id)
    await replace(room, "A2", "A1", 12_000)
    await room.report("pending_replace")
    await venue_replaces(room)
    await room.fill(9_500, "K", price=120, exec_kind="trade_correct", exec_ref_id="H", leaves_quantity_e9=1_500 * E9)
    assert told(room) == [
        ("pending_replace", "pending_replace", "A2", "A1", 10_000, 10_000, 0),
        ("replaced", "partially_filled", "A2", "A1", 12_000, 10_000, 2_000),
        ("trade_correct", "partially_filled", "A2", "", 12_000, 10_500, 1_500),
    ]


async def test_a_restatement_told_twice_counts_once_and_one_out_of_the_chain_is_quarantined() -> None:
    room = await working()
    await room.fill(1_000, "C")
    for exec_id, ref in (("E", "C"), ("E", "C"), ("F", "NEVER"), ("G", "C")):
        await room.fill(0, exec_id, exec_kind="trade_cancel", exec_ref_id=ref, leaves_quantity_e9=10_000 * E9)
    pages = room.log.read_pages()
    held = [r.event.reason async for page in pages for r in page if r.event.TOPIC == "fill.quarantined.v1"]  # type: ignore[attr-defined]
    assert held == ["restated", "conflict"]
    assert room.parent().cum_quantity_e9 == 0


async def test_an_order_of_the_day_that_is_done_keeps_its_status_when_executions_are_restated() -> None:
    room = await working()
    await room.fill(5_000, "B", price=50)
    await room.report("done_for_day")
    await room.fill(4_000, "D", price=50, exec_kind="trade_correct", exec_ref_id="B")
    await room.fill(0, "E", exec_kind="trade_cancel", exec_ref_id="D")
    assert told(room)[1:] == [
        ("done_for_day", "done_for_day", "A1", "", 10_000, 5_000, 0),
        ("trade_correct", "done_for_day", "A1", "", 10_000, 4_000, 0),
        ("trade_cancel", "done_for_day", "A1", "", 10_000, 0, 0),
    ]


async def test_a_carried_order_trades_on_another_day() -> None:
    room = await working(filled=2_000, time_in_force=TimeInForce.GTC)
    await room.report("done_for_day")
    await room.report("restated", restatement_reason=1, quantity_e9=10_000 * E9)
    await room.fill(1_000, "E2")
    reports = room.take(ParentReport)
    assert [(r.exec_kind, str(r.ord_status), r.leaves_quantity_e9 // E9) for r in reports] == [
        ("done_for_day", "done_for_day", 8_000), ("restated", "partially_filled", 8_000), ("trade", "partially_filled", 7_000),
    ]  # fmt: skip
    assert [(r.day_quantity_e9, r.day_cum_quantity_e9) for r in reports] == [
        (None, None), (8_000 * E9, 0), (8_000 * E9, 1_000 * E9),
    ]  # fmt: skip


async def test_an_execution_corrected_to_all_of_the_order_fills_it_while_its_cancel_is_on_its_way() -> None:
    room = await working()
    await room.fill(9_000, "C")
    await room.cancel("A2", "A1")
    room.take()
    await room.fill(10_000, "D", exec_kind="trade_correct", exec_ref_id="C", ord_status="filled", leaves_quantity_e9=0)
    await venue_refuses(room, "cancel", reason=0)
    assert told(room) == [("trade_correct", "filled", "A1", "", 10_000, 10_000, 0), ("cancel_reject", "filled", "A2", "A1", 0)]
    assert room.parent().finished
