"""The desk's side of a basket: which orders are planned together, what is recorded, and what moves on without them."""

from __future__ import annotations

from typing import Any

from domain import decision
from domain import parent_order as po
from domain.basket import BasketRequest, BasketSchedule
from domain.messages import PlanReady
from domain.refusal import Reason
from domain.risk_data import RiskFacts
from domain.schedule import Schedule, Slice
from domain.values import E9, Side, StreamId
from models.planners.basket_planner import BasketPlanner
from tests.domain.orders import MINUTE_NS, new_order
from tests.ems.lists import good, new_list, order
from tests.ems.room import Room
from tests.ems.test_adaptive_planning import at, events

TOGETHER = (("BasketCorrelation", "40"), ("BasketCash", "500000"))
KNOWN = RiskFacts(models=frozenset({"w"}))


def adaptive(name: str, parameters: tuple[tuple[str, str], ...] = TOGETHER, **changes: Any) -> Any:
    return good(name, algo="adaptive", parameters=parameters, **changes)[0]


async def listed(*orders: Any) -> Room:
    """A list that is worked at once."""
    room = await Room(risk_data=KNOWN).open()
    await room.desk.cycle([at(room, -1, 0.0)])
    await room.client(new_list(*(orders or (adaptive("A1"), adaptive("B1", side=Side.SELL))), staged=False))
    return room


def answer(request: BasketRequest, room: Room, quantity: int = 100) -> PlanReady:
    """Each order's next two minutes."""
    now_ns, key = room.clock.ns, str(decision.basket_key(request))
    slices = tuple(Slice(now_ns + i * MINUTE_NS, now_ns + (i + 1) * MINUTE_NS, quantity * E9) for i in range(2))
    made = [Schedule(planner="basket/1", filled_e9=each.filled_e9, slices=slices, basket=key) for each in request.orders]
    return PlanReady(request, BasketSchedule(planner="basket/1", schedules=tuple(made)))


async def recorded(room: Room, *kinds: type) -> list[Any]:
    return [(each.stream, each.event) async for each in events(room) if isinstance(each.event, kinds)]


async def test_orders_of_a_list_that_say_the_same_are_asked_for_once() -> None:
    room = await listed(adaptive("A1"), adaptive("B1", side=Side.SELL), adaptive("C1", ()), adaptive("D1", TOGETHER[:1]))
    together, alone, other = sorted(room.planners.asked, key=lambda each: not isinstance(each, BasketRequest))
    assert [each.parent for each in together.orders] == [str(order(room, name).id) for name in ("A1", "B1")]
    assert (together.correlation_e9, together.cash_e9, together.paid_e9) == (4 * E9 // 10, 500_000 * E9, 0)
    assert (together.reason, together.currencies) == ("accepted", ("USD", "USD"))
    assert together.orders[0].observation is not None and together.orders[0].models == ("w",)
    assert [alone.parent, other.parent] == [str(order(room, name).id) for name in ("C1", "D1")], "one like no other is alone"


async def test_the_joint_decision_is_recorded_and_each_order_s_own_names_it() -> None:
    room = await listed()
    (request,) = room.planners.asked
    await room.desk.cycle([answer(request, room)])
    ((stream, joint),) = await recorded(room, decision.BasketPlanned)
    assert stream == decision.basket_key(request) and joint.request == request
    own = await recorded(room, decision.Planned)
    assert [event.schedule.basket for _, event in own] == [str(stream)] * 2
    scheduled = await recorded(room, po.Scheduled)
    assert [event.schedule.basket for _, event in scheduled] == [str(stream)] * 2
    assert [event.decision for _, event in scheduled] == [stream for stream, _ in own]
    assert [order(room, name).schedule.target_e9(room.clock.ns) for name in ("A1", "B1")] == [100 * E9] * 2  # type: ignore[union-attr]
    assert all(order(room, name).released_e9 == 100 * E9 for name in ("A1", "B1"))


async def test_a_fill_of_one_has_all_planned_again_with_what_was_paid() -> None:
    room = await listed()
    await room.desk.cycle([answer(room.planners.asked[-1], room)])
    await room.wait(61)
    child = next(iter(order(room, "A1").open_e9))
    await room.fill(40, cl_ord_id=room.desk.state.children[child].cl_ord_id)
    again = room.planners.asked[-1]
    assert isinstance(again, BasketRequest) and len(room.planners.asked) == 2
    assert again.plan_number > room.planners.asked[0].plan_number
    assert again.paid_e9 == 40 * 100 * E9 and [each.remaining_e9 for each in again.orders] == [960 * E9, 1000 * E9]


async def test_an_order_that_has_moved_on_keeps_what_it_has_and_the_others_are_planned() -> None:
    room = await listed()
    (request,) = room.planners.asked
    await room.cancel("A2", "A1")
    await room.desk.cycle([answer(request, room)])
    (own,) = await recorded(room, decision.Planned)
    assert own[1].request.parent == str(order(room, "B1").id)
    await room.desk.cycle([answer(request, room)])
    assert len(await recorded(room, decision.BasketPlanned)) == 1, "a late second answer changes nothing"


async def test_a_basket_that_nobody_waits_for_any_more_is_not_recorded() -> None:
    room = await listed()
    (request,) = room.planners.asked
    for name in ("A1", "B1"):
        await room.cancel(f"{name}x", name)
    await room.desk.cycle([answer(request, room)])
    assert await recorded(room, decision.BasketPlanned, decision.Planned) == []


async def test_a_joint_plan_that_fails_is_told_for_each_and_asked_for_again() -> None:
    room = await listed()
    (request,) = room.planners.asked
    await room.desk.cycle([PlanReady(request, None, "the planner's process ended")])
    failed = await recorded(room, decision.Failed)
    assert [event.error for _, event in failed] == ["the planner's process ended"] * 2
    await room.wait(6)
    assert isinstance(room.planners.asked[-1], BasketRequest) and len(room.planners.asked) == 2


async def test_one_that_is_left_or_comes_alone_is_planned_alone_and_a_large_list_says_so() -> None:
    room = await Room().open()
    await room.client(new_order(algo="adaptive", parameters=TOGETHER))
    assert not isinstance(room.planners.asked[-1], BasketRequest)
    large = await listed(*(adaptive(f"A{number}") for number in range(33)))
    assert len(large.planners.asked) == 33
    assert large.planners.asked[0].reason == "accepted, alone: 33 orders, 32 at most are planned together"


async def test_cash_without_a_basket_is_refused() -> None:
    room = await Room().open()
    await room.client(new_order(algo="adaptive", parameters=TOGETHER[1:]))
    (rejected,) = await recorded(room, po.Rejected)
    assert rejected[1].reason is Reason.BAD_PARAMETER and "BasketCash needs BasketCorrelation" in rejected[1].text


async def test_a_successor_goes_on_with_the_plan_and_the_planner_s_own_answer_is_taken() -> None:
    """From the log alone; and the real planner, which here has market data that are none, plans each by itself."""
    room = await listed()
    (request,) = room.planners.asked
    plan = BasketPlanner().plan(BasketRequest.model_validate_json(request.model_dump_json()))
    await room.desk.cycle([PlanReady(request, plan)])
    assert "not planned together: " in order(room, "A1").schedule.fallback  # type: ignore[union-attr]
    later = await room.successor()
    await later.open()
    assert order(later, "A1").schedule == order(room, "A1").schedule
    assert isinstance(later.desk.state.parents[StreamId(request.orders[0].parent)], po.ParentOrder)
