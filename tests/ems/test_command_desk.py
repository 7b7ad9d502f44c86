"""Orders entered at the desk: durable before they are answered, the same order however often they are repeated."""

from __future__ import annotations

from typing import Any

import pytest

from domain.commands import Answer, Commanded, EnterOrder, OperateSessions
from domain.fix_session import Operated
from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild
from domain.values import E9, OrdType
from tests.ems.room import Room, topics


async def entered(room: Room, **changes: Any) -> Answer:
    """Enter an order and have its answer."""
    answers: list[Answer] = []
    fields: dict[str, Any] = {
        "command_id": "C1", "actor": "person:jane", "client_session": "OMS", "symbol": "ABC", "side": "buy",
        "quantity_e9": 10_000 * E9, "ord_type": OrdType.LIMIT, "limit_price_e9": 100 * E9,
    }  # fmt: skip
    await room.desk.cycle([Commanded(EnterOrder(**{**fields, **changes}), answers.append)])
    (answer,) = answers
    return answer


async def test_a_telephoned_order_is_worked_and_its_reports_go_to_the_client() -> None:
    room = await Room().open()
    room.take()
    answer = await entered(room)
    assert answer.ok
    assert [type(m) for m in room.take()] == [SendChild]
    await room.report("new")
    await room.fill(2_000)
    new, fill = room.take(ParentReport)
    assert (new.session, new.exec_kind, new.leaves_quantity_e9) == ("OMS", "new", 10_000 * E9)
    assert (fill.cum_quantity_e9, fill.cl_ord_id) == (2_000 * E9, dict(answer.ids)["cl_ord_id"])
    accepted = [r async for page in room.log.read_pages() for r in page if r.event.TOPIC == "parent_order.accepted.v1"]
    assert [(r.meta.actor, r.meta.causation) for r in accepted] == [("person:jane", "command:C1")]


async def test_the_client_may_cancel_it_by_the_id_that_its_reports_carry() -> None:
    room = await Room().open()
    answer = await entered(room)
    await room.report("new")
    await room.cancel("A9", dict(answer.ids)["cl_ord_id"])
    await room.report("canceled")
    assert room.parent().status is OrdStatus.CANCELED


async def test_a_repeated_command_is_the_same_order() -> None:
    room = await Room().open()
    first, again = await entered(room), await entered(room)
    assert (first.ids, again.text) == (again.ids, "entered before")
    assert (await topics(room)).count("parent_order.accepted") == 1


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"symbol": "NOPE"}, "instrument table"),
        ({"quantity_e9": 0}, "positive"),
        ({"client_session": "NOBODY"}, "no client session"),
        ({"algo": "guess"}, "neither ours"),
    ],
)
async def test_what_is_wrong_with_it_is_said(changes: dict[str, Any], said: str) -> None:
    room = await Room().open()
    answer = await entered(room, **changes)
    assert not answer.ok
    assert said in answer.text
    assert "parent_order.accepted" not in await topics(room)


async def operate(room: Room, *acts: tuple[str, str, str]) -> Answer:
    """Ask for acts on sessions and have the answer."""
    answers: list[Answer] = []
    asked = {"command_id": "S1", "actor": "person:jane", "acts": acts, "reason": "a new broker"}
    await room.desk.cycle([Commanded(OperateSessions.model_validate(asked), answers.append)])
    (answer,) = answers
    return answer


async def test_what_is_done_to_sessions_is_written_with_who_and_why() -> None:
    room = await Room().open()
    assert (await operate(room, ("VENUE", "main", "stop"), ("BROKER", "b", "add"))).ok
    events = [r async for page in room.log.read_pages() for r in page if isinstance(r.event, Operated)]
    assert [(e.session, e.group, e.act, e.reason) for e in (r.event for r in events) if isinstance(e, Operated)] == [
        ("VENUE", "main", "stop", "a new broker"),
        ("BROKER", "b", "add", "a new broker"),
    ]
    assert {(r.meta.actor, r.meta.causation) for r in events} == {("person:jane", "command:S1")}


async def test_a_session_with_an_order_that_has_not_ended_is_not_let_go() -> None:
    room = await Room().open()
    answer = await entered(room)
    for session in ("OMS", "VENUE"):
        refused = await operate(room, ("OTHER", "b", "add"), (session, "main", "remove"))
        assert (refused.ok, refused.text) == (False, f"session {session} cannot be removed: 1 of its orders have not ended")
    assert "fix_session.operated" not in await topics(room)
    await room.report("new")
    await room.cancel("A9", dict(answer.ids)["cl_ord_id"])
    await room.report("canceled")
    assert (await operate(room, ("OMS", "main", "remove"), ("VENUE", "main", "remove"))).ok
    assert (await topics(room))[-2:] == ["fix_session.operated"] * 2
