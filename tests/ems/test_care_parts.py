"""Parts of orders and orders worked as one: what is reserved, what leaves, who gets what; their clients see executions alone."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain import child_order as co
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.risk import Check
from domain.sending import ParentReport, SendChild
from domain.values import E9, Algo
from ems.risk_day import RiskTerms
from ems.tca.record import NOW, Ledger
from tests.domain.orders import replace_order, venue_report
from tests.ems.care import CareRoom, in_hand, slices
from tests.ems.risk_scene import limit
from tests.ems.room import topics


def child(room: CareRoom, part: ParentOrder, number: int = 1) -> co.ChildOrder:
    return room.desk.state.children[co.key(part.id, number)]


async def executed(room: CareRoom, part: ParentOrder, quantity: int, exec_id: str, *, number: int = 1, **more: Any) -> None:
    """A part's child trades."""
    fill = {"last_quantity_e9": quantity * E9, "last_price_e9": 100 * E9, "cl_ord_id": child(room, part, number).cl_ord_id}
    await room.venue(venue_report(more.pop("exec_kind", "trade"), **{"exec_id": exec_id, **fill, **more}))


async def said(room: CareRoom, part: ParentOrder, kind: str, number: int = 1) -> None:
    await room.venue(venue_report(kind, cl_ord_id=child(room, part, number).cl_ord_id))


async def test_an_order_is_split_over_algorithms_and_brokers() -> None:
    room = await in_hand(1000)
    wanted = slices(
        (300, {"algo": "vwap"}), (200, {"algo": "pov", "parameters": [("ParticipationRate", "10")]}), (400, {"venue": "BROKER1"})
    )
    answer = await room.done("split_order", slices=wanted)
    order = room.named("A1")
    parts = [room.by_id(value) for name, value in answer.ids]
    assert [(p.terms.algo.value, p.terms.quantity_e9 // E9, p.route) for p in parts] == [
        ("vwap", 300, ""), ("pov", 200, ""), ("direct", 400, "BROKER1"),
    ]  # fmt: skip
    assert {p.terms.limit_price_e9 for p in parts} == {100 * E9}
    assert all(p.terms.end_ns <= order.terms.end_ns for p in parts)
    assert (order.released_e9, order.open_e9[parts[0].id]) == (900 * E9, 300 * E9)
    assert room.sent() == [("new", "BROKER1", 400)]
    assert room.told() == []  # a client sees nothing of it
    assert {request.parent for request in room.planners.asked} == {str(parts[0].id), str(parts[1].id)}
    too_much = await room.ask("split_order", "A1" and order, slices=slices((200, {"algo": "twap"})))
    assert "100 of the order is free" in too_much.text
    await room.folded()


async def test_what_a_part_executes_is_the_orders_and_told_once() -> None:
    room = await in_hand(1000)
    answer = await room.done("route_order", venue="BROKER1", quantity=400)
    part = room.by_id(dict(answer.ids)["order_id"])
    await said(room, part, "new")
    await executed(room, part, 150, "E1")
    await executed(room, part, 150, "E1")  # told again
    order = room.named("A1")
    assert (order.cum_quantity_e9, order.open_e9[part.id], order.released_e9) == (150 * E9, 250 * E9, 400 * E9)
    assert room.told() == [("trade", 150)]
    await room.done("pull_back", room.by_id(part.order_id))
    await said(room, part, "canceled")
    order = room.named("A1")
    assert (order.released_e9, dict(order.open_e9), order.status) == (150 * E9, {}, OrdStatus.PARTIALLY_FILLED)
    assert room.by_id(part.order_id).finished
    assert room.told() == []
    await room.folded()


async def test_a_part_that_its_broker_refuses_is_free_again() -> None:
    room = await in_hand(1000)
    answer = await room.done("route_order", venue="BROKER1", quantity=400)
    part = room.by_id(dict(answer.ids)["order_id"])
    await said(room, part, "rejected")
    assert (room.named("A1").released_e9, room.told()) == (0, [])
    assert "none of the venue sessions" in (await room.ask("route_order", venue="NOBODY", quantity=400)).text


async def test_a_clients_cancel_brings_its_parts_back_first() -> None:
    room = await in_hand(1000)
    answer = await room.done("split_order", slices=slices((400, {"venue": "BROKER1"}), (300, {"algo": "twap"})))
    parts = [room.by_id(value) for _, value in answer.ids]
    await said(room, parts[0], "new")
    room.take()
    await room.cancel()
    assert room.named("A1").status is OrdStatus.PENDING_CANCEL
    sent = room.gateway.sent
    assert [m.exec_kind for m in sent if isinstance(m, ParentReport) and m.session == "OMS"] == ["pending_cancel"]
    assert room.sent() == [("cancel", "BROKER1", 400)]
    assert room.by_id(parts[1].order_id).status is OrdStatus.CANCELED  # nothing of it was out
    await executed(room, parts[0], 100, "E1")
    await said(room, parts[0], "canceled")
    assert room.told() == [("trade", 100), ("canceled", 100)]
    await room.folded()


async def test_a_clients_replace_too() -> None:
    room = await in_hand(1000)
    answer = await room.done("route_order", venue="BROKER1", quantity=400)
    part = room.by_id(dict(answer.ids)["order_id"])
    await said(room, part, "new")
    room.take()
    await room.client(replace_order(quantity_e9=1500 * E9))
    assert room.sent() == [("cancel", "BROKER1", 400)]
    await said(room, part, "canceled")
    order = room.named("A2")
    assert (order.terms.quantity_e9, order.steering.mode, order.released_e9) == (1500 * E9, "by_hand", 0)


async def test_parts_end_with_their_order() -> None:
    room = await in_hand(1000)
    answer = await room.done("split_order", slices=slices((400, {"algo": "manual"}), (300, {"venue": "BROKER1"})))
    parts = [room.by_id(value) for _, value in answer.ids]
    await said(room, parts[1], "new")
    await room.wait(31 * 60)
    await said(room, parts[1], "canceled")
    assert room.named("A1").status is OrdStatus.EXPIRED
    assert all(room.by_id(part.order_id).finished for part in parts)
    assert room.told() == [("expired", 0)]


async def test_a_part_is_steered_like_any_order_and_stands_still_with_its_order() -> None:
    room = await in_hand(1000)
    answer = await room.done("split_order", slices=slices((400, {"algo": "twap"}), (300, {"algo": "vwap"})))
    first, second = [room.by_id(value) for _, value in answer.ids]
    await room.done("steer_order", first, act="switch", algo="vwap")
    await room.done("steer_order", first, act="urgency", urgency="high")
    assert room.by_id(first.order_id).terms.algo is Algo.VWAP
    await room.done("steer_order", room.named("A1"), act="pause")
    assert [room.by_id(p.order_id).steering.mode for p in (first, second)] == ["paused", "paused"]
    assert "switch it to one first" in (await room.ask("steer_order", room.named("A1"), act="resume")).text
    await room.done("steer_order", room.named("A1"), act="switch", algo="twap")
    assert "pull them back first" in (await room.ask("steer_order", room.named("A1"), act="resume")).text
    await room.done("steer_order", second, act="resume")
    await room.done("steer_order", second, act="complete")
    assert ("new", "VENUE", 300) in room.sent()


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ({"algo": "twap", "limit_price_e9": 101 * E9}, "worse than a client's"),
        ({"algo": "guess"}, "neither ours"),
        ({"algo": "pov"}, "needs ParticipationRate"),
    ],
)
async def test_all_parts_are_made_or_none(wanted: dict[str, Any], said: str) -> None:
    room = await in_hand(1000)
    before = await topics(room)
    refused = await room.ask("split_order", slices=slices((100, {"algo": "twap"}), (100, wanted)))
    assert not refused.ok and said in refused.text, refused.text
    assert await topics(room) == before


async def test_a_capped_order_goes_to_algorithms_alone_that_keep_to_the_cap() -> None:
    room = await in_hand()
    await room.order(cl_ord_id="C1", parameters=(("DurationMinutes", "30"), ("MaxParticipation", "10")))
    await room.done("accept_order", algo="manual")
    assert "caps its share" in (await room.ask("route_order", venue="BROKER1", quantity=100)).text
    answer = await room.done("split_order", slices=slices((100, {"algo": "twap"})))
    assert room.by_id(dict(answer.ids)["order_id"]).terms.max_participation_e9 == E9 // 10


async def test_risk_judges_a_part_and_all_that_leaves_of_it() -> None:
    room = await in_hand(1000)
    before = len(await topics(room, risk=True))
    await room.done("route_order", venue="BROKER1", quantity=400)
    assert (await topics(room, risk=True))[before:].count("risk.checked") == 2  # the part, and its child
    (message,) = room.take(SendChild)
    assert message.quantity_e9 == 400 * E9


# ------------------------------------------------------------------------------------------------- merged


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
