"""Orders worked as one: who gets what of each execution, who may leave, and whose the costs are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.risk import Check
from domain.sending import ParentReport
from domain.values import E9
from ems.risk_day import RiskTerms
from ems.tca.record import NOW, Ledger
from tests.ems.care import executed, in_hand, said
from tests.ems.risk_scene import limit


async def test_orders_are_worked_as_one_and_executions_are_divided() -> None:
    room = await in_hand(600, 300, 100)
    answer = await room.done("merge_orders", orders=[room.named(f"A{n}").order_id for n in (1, 2, 3)], way={"venue": "BROKER1"})
    merged = room.by_id(dict(answer.ids)["order_id"])
    assert (merged.terms.quantity_e9, merged.terms.limit_price_e9) == (1000 * E9, 100 * E9)
    assert room.sent() == [("new", "BROKER1", 1000)]
    await said(room, merged, "new")
    await executed(room, merged, 500, "E1")
    assert [room.named(f"A{n}").cum_quantity_e9 // E9 for n in (1, 2, 3)] == [300, 150, 50]
    reports = [r for r in room.take(ParentReport) if r.session == "OMS"]
    assert len({r.exec_id for r in reports}) == len(reports) == 3
    await executed(room, merged, 500, "E2")
    assert {room.named(f"A{n}").status for n in (1, 2, 3)} == {OrdStatus.FILLED}
    await room.folded()


async def test_a_bust_takes_from_each_what_it_had_of_the_execution() -> None:
    room = await in_hand(600, 400)
    answer = await room.done("merge_orders", orders=[room.named(f"A{n}").order_id for n in (1, 2)], way={"venue": "BROKER1"})
    merged = room.by_id(dict(answer.ids)["order_id"])
    await said(room, merged, "new")
    await executed(room, merged, 100, "E1")
    await executed(room, merged, 200, "E2")
    room.take()
    await executed(room, merged, 0, "B1", exec_kind="trade_cancel", exec_ref_id="E2", leaves_quantity_e9=900 * E9)
    assert sum(room.named(f"A{n}").cum_quantity_e9 for n in (1, 2)) == 100 * E9
    assert [kind for kind, _ in room.told()] == ["trade_cancel", "trade_cancel"]
    for order in (room.named("A1"), room.named("A2"), room.by_id(merged.order_id)):
        assert order.released_e9 <= order.terms.quantity_e9
    await executed(room, merged, 50, "C1", exec_kind="trade_correct", exec_ref_id="E1", last_price_e9=99 * E9)
    assert sum(room.named(f"A{n}").cum_quantity_e9 for n in (1, 2)) == 50 * E9
    assert {room.named(f"A{n}").average_price_e9 for n in (1, 2)} == {99 * E9}
    await room.folded()


async def test_a_member_leaves_and_the_others_go_on() -> None:
    room = await in_hand(600, 300, 100)
    orders = [room.named(f"A{n}").order_id for n in (1, 2, 3)]
    merged = room.by_id(dict((await room.done("merge_orders", orders=orders)).ids)["order_id"])
    answer = await room.done("route_order", merged, venue="BROKER1", quantity=500)
    part = room.by_id(dict(answer.ids)["order_id"])
    await said(room, part, "new")
    refused = await room.ask("unmerge_order", merged, member=orders[0])
    assert "is out" in refused.text
    await executed(room, part, 500, "E1")
    await room.done("unmerge_order", merged, member=orders[1])
    assert (room.named("A2").cum_quantity_e9, room.named("A2").released_e9) == (150 * E9, 150 * E9)
    merged = room.by_id(merged.order_id)
    assert (merged.terms.quantity_e9, [share.quantity_e9 // E9 for share in merged.of]) == (850 * E9, [300, 50])
    await room.done("unmerge_order", merged)
    assert [room.named(f"A{n}").released_e9 // E9 for n in (1, 2, 3)] == [300, 150, 50]
    assert room.by_id(merged.order_id).finished
    await room.folded()


@pytest.mark.parametrize(
    ("changes", "said"),
    [({"side": "sell", "limit_price_e9": 90 * E9}, "on one side"), ({"account": "OTHER"}, "one client and account")],
)
async def test_only_what_belongs_together_is_merged(changes: dict[str, Any], said: str) -> None:
    room = await in_hand(600)
    await room.order(cl_ord_id="B1", **changes)
    await room.done("accept_order", algo="manual")
    orders = [room.named("A1").order_id, room.named("B1").order_id]
    refused = await room.ask("merge_orders", orders=orders)
    assert not refused.ok and said in refused.text
    assert "two different orders" in (await room.ask("merge_orders", orders=[orders[0], orders[0]])).text


async def test_a_merged_order_is_judged_as_a_whole() -> None:
    terms = RiskTerms(limits=(limit(Check.MAX_QUANTITY, 1000 * E9, "quantity"),), digest="0123456789abcdef")
    room = await in_hand(600, 600, risk=terms)
    refused = await room.ask("merge_orders", orders=[room.named("A1").order_id, room.named("A2").order_id])
    assert not refused.ok and "max_quantity" in refused.text.replace(" ", "_")


async def test_a_crash_between_any_two_events_leaves_nothing_half_done() -> None:
    room = await in_hand(600, 400)
    orders = [room.named(f"A{n}").order_id for n in (1, 2)]
    merged = room.by_id(dict((await room.done("merge_orders", orders=orders, way={"venue": "BROKER1"})).ids)["order_id"])
    await said(room, merged, "new")
    await executed(room, merged, 500, "E1")
    after = await room.successor()
    await after.open()
    again = [p for p in after.desk.state.parents.values() if isinstance(p, ParentOrder)]
    assert [p.cum_quantity_e9 // E9 for p in again] == [300, 200, 500]
    assert after.desk.state.digest() != ""


@settings(max_examples=25, deadline=None)
@given(st.lists(st.integers(1, 90), min_size=2, max_size=5), st.lists(st.integers(1, 60), max_size=12))
def test_whatever_trades_nobody_is_a_lot_off_its_fair_share(lots: list[int], fills: list[int]) -> None:
    asyncio.run(walked(lots, fills))


async def walked(lots: list[int], fills: list[int]) -> None:
    room = await in_hand(*(10 * each for each in lots))
    names = [f"A{n}" for n in range(1, len(lots) + 1)]
    orders = [room.named(name).order_id for name in names]
    merged = room.by_id(dict((await room.done("merge_orders", orders=orders, way={"venue": "BROKER1"})).ids)["order_id"])
    await said(room, merged, "new")
    left = 10 * sum(lots)
    for number, fill in enumerate(fills):
        if not (quantity := min(10 * fill, left)):
            break
        left -= quantity
        await executed(room, merged, quantity, f"E{number}")
        done = sum(room.named(name).cum_quantity_e9 for name in names)
        assert done == room.by_id(merged.order_id).cum_quantity_e9
        for name, each in zip(names, lots, strict=True):
            assert abs(room.named(name).cum_quantity_e9 * sum(lots) - done * each) < 10 * E9 * sum(lots)
    await room.folded()


async def test_costs_are_the_clients_orders_whatever_they_were_worked_as() -> None:
    room = await in_hand(600, 400)
    orders = [room.named(f"A{n}").order_id for n in (1, 2)]
    merged = room.by_id(dict((await room.done("merge_orders", orders=orders)).ids)["order_id"])
    part = room.by_id(dict((await room.done("route_order", merged, venue="BROKER1", quantity=500)).ids)["order_id"])
    await said(room, part, "new")
    await executed(room, part, 500, "E1")
    await executed(room, part, 0, "B1", exec_kind="trade_cancel", exec_ref_id="E1", leaves_quantity_e9=500 * E9)
    await executed(room, part, 100, "E2")
    ledger = Ledger()
    for page in [page async for page in room.log.read_pages()]:
        for one in page:
            ledger.apply(one.stream, one.recorded_time_ns, one.event, one.meta)
    assert {order.cl_ord_id for order in ledger.orders.values()} == {"A1", "A2"}
    for order, quantity in zip((ledger.find("A1")[0], ledger.find("A2")[0]), (60, 40), strict=True):
        now = [version for fill in order.fills.values() if (version := fill.at(NOW)) is not None]
        assert sum(version.quantity_e9 for version in now) == room.named(order.cl_ord_id).cum_quantity_e9 > 0
        assert {fill.venue for fill in order.fills.values()} == {"VENUE"}  # whose session told of it
        assert abs(sum(version.quantity_e9 for version in now) - quantity * E9) <= 10 * E9
