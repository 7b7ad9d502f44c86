"""Parts of orders: what is reserved, what leaves, what comes back; their clients see executions alone."""

from __future__ import annotations

from typing import Any

import pytest

from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild
from domain.values import E9, Algo
from tests.domain.orders import replace_order
from tests.ems.care import executed, in_hand, said, slices
from tests.ems.room import topics


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
