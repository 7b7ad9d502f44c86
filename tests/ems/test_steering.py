"""An algorithm's order in people's hands: switched, hurried, completed, paused, taken over; each an event by a named person."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domain.commands import Answer, Commanded, NoteDecision, SteerOrder
from domain.market_note import DecisionNoted
from domain.order_life import OrdStatus
from domain.risk_data import NOTHING_KNOWN, RiskFacts
from domain.sending import ParentReport, SendChild, SendChildCancel
from domain.steering import Steered
from domain.values import E9, Algo
from ems import recovery
from ems.pace import PATIENCE
from tests.domain.orders import NOW_NS
from tests.ems.room import PACE, Room, market, topics


async def steer(room: Room, act: str, **changes: Any) -> Answer:
    """A person asks, and has the answer."""
    answers: list[Answer] = []
    asked = {"command_id": uuid4().hex, "actor": "person:jane", "reason": "news", "order_id": room.parent().order_id, "act": act}
    await room.desk.cycle([Commanded(SteerOrder.model_validate({**asked, **changes}), answers.append)])
    (answer,) = answers
    return answer


async def working(**changes: Any) -> Room:
    """An order of 1000 whose first slice of 100 rests at the near touch."""
    room = await Room(**changes).open()
    await room.order()
    await room.plan(100, 100)
    await room.report("new")
    room.take()
    return room


def sent(room: Room) -> list[tuple[str, int, int]]:
    """What left for the venue: kind, shares, price."""
    found = []
    for message in room.take():
        if isinstance(message, SendChild):
            child = next(c for c in room.desk.state.children.values() if c.cl_ord_id == message.cl_ord_id)
            found.append((child.tactic, child.quantity_e9 // E9, (child.limit_price_e9 or 0) // E9))
        elif isinstance(message, SendChildCancel):
            found.append(("cancel", 0, 0))
    return found


async def test_each_act_is_an_event_by_a_named_person_with_a_reason() -> None:
    room = await working()
    for act in ("pause", "take_over", "resume"):
        assert (await steer(room, act, command_id=f"C-{act}")).ok
    events = [r async for page in room.log.read_pages() for r in page if isinstance(r.event, Steered)]
    assert [(r.event.act, r.event.reason) for r in events if isinstance(r.event, Steered)] == [
        ("pause", "news"), ("take_over", "news"), ("resume", "news"),
    ]  # fmt: skip
    assert {(r.meta.actor, r.meta.correlation) for r in events} == {("person:jane", room.parent().id)}
    folded = await recovery.fold(room.log)
    assert folded.digest() == room.desk.state.digest()


async def test_the_same_command_told_again_is_no_second_act_also_after_a_restart() -> None:
    room = await working()
    assert (await steer(room, "take_over", command_id="T")).ok
    placed = {"quantity_e9": 10 * E9, "limit_price_e9": 100 * E9, "command_id": "P"}
    assert (await steer(room, "place", **placed)).ok
    assert await steer(room, "place", **placed) == Answer(True, "done before")
    successor = await (await room.successor()).open()
    assert await steer(successor, "place", **placed) == Answer(True, "done before")
    events = [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, Steered)]
    assert [event.act for event in events] == ["take_over", "place"]


async def test_a_paused_order_withdraws_what_rests_and_releases_nothing_until_it_is_resumed() -> None:
    room = await working()
    await steer(room, "pause")
    assert sent(room) == [("cancel", 0, 0)]
    await room.report("canceled")
    asked = len(room.planners.asked)
    for _ in range(5):
        await room.wait(60, market())
    assert sent(room) == []
    assert len(room.planners.asked) == asked
    assert (await steer(room, "resume")).ok
    assert (len(room.planners.asked), room.planners.asked[-1].reason) == (asked + 1, "amended")
    await room.plan(200)
    assert sent(room) == [("passive", 200, 99)]


async def test_a_paused_order_still_ends_and_its_client_may_cancel_it() -> None:
    room = await working()
    await steer(room, "pause")
    await room.report("canceled")
    await room.cancel()
    assert room.parent().status is OrdStatus.CANCELED
    other = await working()
    await steer(other, "pause")
    await other.report("canceled")
    await other.wait(31 * 60)
    assert other.parent().status is OrdStatus.EXPIRED


async def test_complete_now_takes_the_far_touch_for_all_that_is_left_within_the_limit() -> None:
    room = await working()
    assert (await steer(room, "complete")).ok
    assert sent(room) == [("cancel", 0, 0), ("aggressive", 900, 100)]  # the ask is 101, the client's limit 100
    await room.report("canceled")
    assert sent(room) == [("aggressive", 100, 100)]


async def test_complete_now_keeps_to_the_clients_participation_cap() -> None:
    room = await Room().open()
    parameters = (("DurationMinutes", "30"), ("MaxParticipation", "10"))
    await room.order(parameters=parameters)
    await room.plan(0)
    await steer(room, "complete")
    assert sent(room) == []
    await room.desk.cycle([market(volume=2000)])
    assert sent(room) == [("aggressive", 200, 100)]


async def test_a_switch_changes_the_algorithm_and_nothing_that_the_client_asked_for() -> None:
    room = await working()
    before = room.parent().terms
    assert (await steer(room, "switch", algo="pov", parameters=[("ParticipationRate", "10")])).ok
    terms = room.parent().terms
    assert (terms.algo, terms.participation_e9) == (Algo.POV, E9 // 10)
    kept = ("quantity_e9", "limit_price_e9", "start_ns", "end_ns", "would_price_e9", "parameters")
    assert [getattr(terms, name) for name in kept] == [getattr(before, name) for name in kept]
    request = room.planners.asked[-1]
    assert (request.algo, request.plan_number) == (Algo.POV, 2)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"act": "switch", "algo": "guess"}, "none of"),
        ({"act": "switch", "algo": "direct"}, "stays with an algorithm"),
        ({"act": "switch", "algo": "twap"}, "so already"),
        ({"act": "switch", "algo": "pov"}, "needs ParticipationRate"),
        ({"act": "switch", "algo": "vwap", "parameters": [("DurationMinutes", "5")]}, "times stay"),
        ({"act": "resume"}, "so already"),
        ({"act": "urgency", "urgency": "normal"}, "so already"),
        ({"act": "place", "quantity_e9": 10 * E9, "limit_price_e9": 99 * E9}, "take the order over"),
        ({"act": "pause", "order_id": "NOPE"}, "no order has the OrderID NOPE"),
        ({"act": "pause", "actor": "client:OMS"}, "not a person"),
    ],
)
async def test_what_cannot_be_is_refused_by_name_and_changes_nothing(changes: dict[str, Any], said: str) -> None:
    room = await working()
    before = await topics(room)
    answer = await steer(room, **changes)
    assert (answer.ok, said in answer.text) == (False, True), answer.text
    assert await topics(room) == before


async def test_urgency_is_patience() -> None:
    for urgency, factor in PATIENCE.items():
        room = await working()
        if urgency != "normal":
            assert (await steer(room, "urgency", urgency=urgency)).ok
        await room.wait(PACE.patience_ns / E9 * factor - 1)
        assert sent(room) == []
        await room.wait(2)
        assert sent(room)[0] == ("cancel", 0, 0), urgency


async def test_an_order_that_is_taken_over_is_worked_by_hand_within_the_clients_terms() -> None:
    room = await working()
    await steer(room, "take_over")
    assert sent(room) == [("cancel", 0, 0)]
    too_much = await steer(room, "place", quantity_e9=1000 * E9, limit_price_e9=98 * E9)
    assert "between 0 and 900" in too_much.text  # the algorithm's 100 are not proved withdrawn
    await room.report("canceled")
    place = {"act": "place", "quantity_e9": 500 * E9, "limit_price_e9": 98 * E9}
    assert (await steer(room, **place)).ok
    assert sent(room) == [("manual", 500, 98)]
    await room.report("new", number=2)
    await room.wait(600, market())
    assert sent(room) == []  # it has a person's patience
    assert (
        "worse than the client's limit"
        in (await steer(room, **{**place, "quantity_e9": 10 * E9, "limit_price_e9": 101 * E9})).text
    )
    assert "off the tick" in (await steer(room, **{**place, "quantity_e9": 10 * E9, "limit_price_e9": 98 * E9 + 1})).text
    assert "lot" in (await steer(room, **{**place, "quantity_e9": 11 * E9})).text
    await room.fill(500, number=2, price=98)
    assert [(r.exec_kind, r.cum_quantity_e9 // E9) for r in room.take(ParentReport)] == [("trade", 500)]
    assert (await steer(room, "resume")).ok
    assert room.parent().steering.mode == "algo"


async def test_what_was_placed_by_hand_is_withdrawn_when_the_order_is_given_back() -> None:
    room = await working()
    await steer(room, "take_over")
    await steer(room, "place", quantity_e9=100 * E9, limit_price_e9=98 * E9)
    await room.report("new", number=2)
    room.take()
    await steer(room, "resume")
    assert sent(room) == [("cancel", 0, 0)]


async def test_a_direct_order_and_one_that_has_ended_are_not_steered() -> None:
    room = await Room().open()
    await room.client_order("D1")
    assert "no algorithm" in (await steer(room, "pause")).text
    ended = await working()
    await ended.cancel()
    await ended.report("canceled")
    assert "the order is canceled" in (await steer(ended, "pause")).text


async def test_a_pending_request_of_the_client_goes_first() -> None:
    room = await working()
    await room.cancel()
    assert "cancel is pending" in (await steer(room, "take_over")).text


async def test_where_permissions_are_loaded_a_row_has_to_allow_it() -> None:
    rows = frozenset({("OMS", "*", "*", "*"), ("person:jane", "twap", "ABC", "*")})
    room = await working(risk_data=RiskFacts(permissions=rows))
    assert (await steer(room, "pause")).ok
    for changes in ({"act": "resume", "actor": "person:joe"}, {"act": "take_over"}, {"act": "switch", "algo": "vwap"}):
        answer = await steer(room, **changes)
        assert (answer.ok, "no permission of the day" in answer.text) == (False, True)
    assert NOTHING_KNOWN.permitted("person:joe", "twap", "ABC", "VENUE") is None


async def test_a_restart_finds_the_order_as_it_was_left() -> None:
    room = await working()
    await steer(room, "take_over")
    await steer(room, "place", quantity_e9=100 * E9, limit_price_e9=98 * E9)
    successor = await room.successor()
    await successor.open()
    assert successor.parent().steering == room.parent().steering
    assert successor.parent().steering.mode == "by_hand"
    await successor.wait(120, market())
    assert [child.tactic for child in successor.desk.state.children.values()] == ["passive", "manual"]


async def test_a_decision_price_is_noted_for_an_order() -> None:
    room = await working()
    answers: list[Answer] = []
    asked = {
        "actor": "person:jane", "reason": "the manager's ticket", "order_id": room.parent().order_id,
        "price_e9": 98 * E9, "decided_ns": NOW_NS - 60 * E9,
    }  # fmt: skip
    for decided_ns in (NOW_NS - 60 * E9, NOW_NS - 30 * E9, NOW_NS + E9):
        note = NoteDecision.model_validate({**asked, "command_id": f"N{decided_ns}", "decided_ns": decided_ns})
        await room.desk.cycle([Commanded(note, answers.append)])
    assert [answer.ok for answer in answers] == [True, True, False]
    noted = [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, DecisionNoted)]
    assert [event.decided_ns for event in noted] == [NOW_NS - 60 * E9, NOW_NS - 30 * E9]
