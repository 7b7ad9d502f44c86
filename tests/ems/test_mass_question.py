"""The one question for all orders after a logon: fewer messages, and nothing less certain than with one for each."""

from __future__ import annotations

import pytest

from domain import child_order as co
from domain.list_messages import SendMassStatus
from domain.messages import LinkUp, VenueRefusal
from domain.order_life import OrdStatus
from domain.sending import SendStatusQuery
from domain.session_policy import SessionPolicy
from tests.ems.lists import REF
from tests.ems.room import Room, session

ANSWERS = {"VENUE": SessionPolicy(mass_status=True)}


async def back(**policies: SessionPolicy) -> Room:
    """Three direct orders rested at the venue when the session was lost; it is there again."""
    room = await Room(policies=policies or ANSWERS).open()
    for name in ("A1", "A2", "A3"):
        await room.client_order(name)
        await room.report("new", order_id=f"V{name}")
    await room.desk.cycle([session("VENUE", up=False)])
    room.take()
    await room.desk.cycle([session("VENUE")])
    return room


def child(room: Room, name: str) -> co.ChildOrder:
    found = [c for c in room.desk.state.children.values() if room.desk.state.parent(c.parent).cl_ord_id == name]
    return found[0]


async def answer(room: Room, name: str, *, last: str = "", status: str = "new") -> None:
    await room.report("status", cl_ord_id=child(room, name).cl_ord_id, ord_status=status, last_of=last)


async def test_one_question_is_asked_and_what_it_did_not_name_is_asked_for_by_itself() -> None:
    room = await back()
    (question,) = room.take()
    assert isinstance(question, SendMassStatus)
    await answer(room, "A1")
    assert room.take() == []
    await answer(room, "A2", last=question.request_id)
    (query,) = room.take()
    assert isinstance(query, SendStatusQuery)
    assert query.cl_ord_id == child(room, "A3").cl_ord_id
    assert [child(room, name).status for name in ("A1", "A2", "A3")] == [OrdStatus.NEW, OrdStatus.NEW, OrdStatus.IN_DOUBT]
    assert child(room, "A3").live, "that the venue does not name it proves nothing"


async def test_the_last_answer_to_another_question_is_not_the_end_of_this_one() -> None:
    room = await back()
    room.take()
    await answer(room, "A1", last="S9")
    assert room.take() == []


async def test_that_there_is_no_order_leaves_every_question_to_be_asked() -> None:
    room = await back()
    (question,) = room.take()
    await room.report(
        "status", cl_ord_id="", order_id="NONE", ord_status="rejected", unknown_order=True, last_of=question.request_id
    )
    assert len(room.take(SendStatusQuery)) == 3
    assert all(c.live for c in room.desk.state.children.values())


@pytest.mark.parametrize("refused", [True, False])
async def test_a_venue_that_refuses_it_or_is_silent_is_asked_for_each(refused: bool) -> None:
    room = await back()
    room.take()
    if refused:
        await room.venue(VenueRefusal(ref=REF, ref_cl_ord_id="", ref_seq_num=9, ref_msg_type="AF", text="unsupported"))
    else:
        await room.wait(2)
    assert len(room.take(SendStatusQuery)) == 3


async def test_a_venue_without_it_is_asked_for_each() -> None:
    room = await back(VENUE=SessionPolicy())
    assert [type(m) for m in room.take()] == [SendStatusQuery] * 3


async def test_nothing_is_asked_where_nothing_is_in_doubt() -> None:
    room = await Room(policies=ANSWERS).open()
    assert room.take() == []


async def test_it_delays_no_cancel_and_sends_nothing_twice() -> None:
    room = await Room(policies=ANSWERS).open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    await room.cancel()
    room.take()
    room = await room.successor()
    room.desk._policies = ANSWERS
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=()), session("VENUE")])
    sent = room.take()
    assert sorted(type(m).__name__ for m in sent) == ["SendChildCancel", "SendMassStatus"]
