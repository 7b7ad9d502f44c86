"""The desk: every message ends in an event and an answer, once, whatever fails on the way."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain.errors import Fenced, LogUnavailable
from domain.event import Entry, InboundRef
from domain.messages import LinkDown, LinkUp, OrderStatusQuery, SessionNews, VenueRefusal
from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild, SendStatusQuery
from domain.values import E9
from ems import desk as desk_module
from ems.client_desk import ClientDesk
from ems.session_desk import OUTBOUND_BLOCK
from tests.domain.orders import new_order
from tests.ems.room import Room, session, topics


async def test_an_order_is_durable_before_it_is_answered_and_acknowledged() -> None:
    room = await Room().open()
    await room.order()
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_status, report.cl_ord_id) == ("new", OrdStatus.NEW, "A1")
    assert (await topics(room, risk=True))[report.event_seq - 1] == "parent_order.accepted"
    assert room.gateway.acknowledged == [1]


async def test_an_order_from_plan_to_the_last_fill() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400, 600)
    (child,) = room.take(SendChild)
    assert (child.quantity_e9, child.limit_price_e9) == (400 * E9, 99 * E9)
    await room.report("new")
    await room.fill(400)
    await room.wait(60)
    await room.fill(600, "E2", number=2)
    kinds = [(r.exec_kind, r.ord_status, r.cum_quantity_e9, r.leaves_quantity_e9) for r in room.take(ParentReport)]
    assert kinds == [
        ("trade", OrdStatus.PARTIALLY_FILLED, 400 * E9, 600 * E9),
        ("trade", OrdStatus.FILLED, 1000 * E9, 0),
    ]
    assert room.parent().finished
    assert room.parent().average_price_e9 == 100 * E9


@pytest.mark.parametrize("frames_again", [False, True])
async def test_a_message_is_decided_once_however_often_it_is_delivered(frames_again: bool) -> None:
    room = await Room().open()
    message = room.numbered(new_order())
    await room.desk.cycle([message])
    seq = room.desk.state.seq
    await room.desk.cycle([replace(message, frame=7) if frames_again else message])
    assert room.desk.state.seq == seq
    assert len(room.take(ParentReport)) == 1
    assert room.gateway.acknowledged == [1, 7 if frames_again else 1], "what changes nothing is acknowledged too"


class Faulty:
    """A log that fails once, before or after it has written."""

    def __init__(self, room: Room, *, written: bool, error: Exception) -> None:
        self._append, self._written, self._error = room.log.append, written, error

    async def __call__(self, entries: Sequence[Entry], *, epoch: int | None = None) -> Any:
        error, self._error = self._error, None  # type: ignore[assignment]
        if error is None:
            return await self._append(entries, epoch=epoch)
        if self._written:
            await self._append(entries, epoch=epoch)
        raise error


@pytest.mark.parametrize("written", [False, True])
async def test_a_lost_append_discards_all_and_starts_from_the_log(written: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "RETRY_S", (0.0,))
    room = await Room().open()
    message, epoch = room.numbered(new_order()), room.desk.epoch
    monkeypatch.setattr(room.log, "append", Faulty(room, written=written, error=LogUnavailable("gone")))
    room.desk.inbox.put(room.numbered(new_order(cl_ord_id="B1")))
    await room.desk.cycle([message])
    assert (room.gateway.resets, room.take(), room.gateway.acknowledged) == (1, [], [])
    assert room.desk.epoch > epoch, "a straggling append of before is fenced"
    room.desk.inbox.put(message)
    assert room.desk.inbox.take() == [message], "nothing overtakes the redelivery"
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS"), message])
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.cl_ord_id, len(room.desk.state.parents)) == ("new", "A1", 1)


async def test_a_desk_that_is_fenced_sends_nothing() -> None:
    room = await Room().open()
    await (await room.successor()).desk.start()
    with pytest.raises(Fenced):
        await room.order()
    assert room.take() == []
    assert room.gateway.acknowledged == []


async def test_an_input_that_breaks_us_is_set_aside_and_its_neighbours_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    room = await Room().open()
    new = ClientDesk._new

    def breaks(self: ClientDesk, turn: Any, order: Any) -> None:
        if order.cl_ord_id == "BAD":
            raise KeyError("our own fault")
        new(self, turn, order)

    monkeypatch.setattr(ClientDesk, "_new", breaks)
    inputs = [room.numbered(new_order(cl_ord_id=key)) for key in ("A1", "BAD", "B1")]
    await room.desk.cycle(inputs)
    assert sorted(key for _, _, key in room.desk.state.client_ids) == ["A1", "B1"]
    assert room.gateway.acknowledged[-1] == 3
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS")])
    assert [type(m).__name__ for m in room.take()] == ["ParentReport", "MessageReject", "ParentReport", "SendNews"]


# ------------------------------------------------------------------------------------- link and sessions


async def test_reports_wait_for_the_link_and_leave_in_order() -> None:
    room = await Room().open()
    await room.order()
    (new,) = room.take()
    await room.desk.cycle([LinkDown()])
    await room.client(new_order(cl_ord_id="B1"))
    assert room.take() == []
    sent = new.event_seq
    up = [LinkUp(sent_seq=(("OMS", sent),)), session("OMS", sent_seq=sent)]
    await room.desk.cycle([*up, room.numbered(new_order(cl_ord_id="C1"))])
    reports = room.take(ParentReport)
    assert [(r.cl_ord_id, r.poss_resend) for r in reports] == [("B1", True), ("C1", False)]
    assert [r.event_seq for r in reports] == sorted(r.event_seq for r in reports)
    await room.client(new_order(cl_ord_id="D1"))
    assert [(r.cl_ord_id, r.poss_resend) for r in room.take(ParentReport)] == [("D1", False)]


async def test_a_status_answer_is_not_lost_beside_missed_reports() -> None:
    room = await Room().open()
    await room.order()
    await room.desk.cycle([LinkDown()])
    room.take()
    query = room.numbered(OrderStatusQuery(ref=InboundRef("OMS", 0, 0), cl_ord_id="A1"))
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), query])
    assert [r.exec_kind for r in room.take(ParentReport)] == ["new", "status"]


async def test_without_its_session_a_child_is_in_doubt_and_asked_about_on_return() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    room.take()
    await room.desk.cycle([session("VENUE", up=False)])
    assert room.child().status is OrdStatus.IN_DOUBT
    assert room.take() == []
    await room.desk.cycle([session("VENUE")])
    assert [type(m) for m in room.take()] == [SendStatusQuery]


async def test_numbers_are_reserved_ahead_of_their_use() -> None:
    room = await Room().open()
    epoch, up_to = room.desk.state.reserved["OMS"]
    assert (epoch, up_to) == (0, 1 + OUTBOUND_BLOCK)
    await room.desk.cycle([replace(session("OMS"), outbound_seq_num=up_to - 10)])
    assert room.desk.state.reserved["OMS"] == (0, up_to - 10 + OUTBOUND_BLOCK)
    await room.desk.cycle([session("OMS", reset_epoch=1)])
    assert room.desk.state.reserved["OMS"] == (1, 1 + OUTBOUND_BLOCK)


async def test_news_without_a_number_is_noted_and_a_venue_is_asked() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.report("new")
    room.take()
    await room.desk.cycle([SessionNews(ref=InboundRef("VENUE", 0, 0), frame=9, text="cancel-all 1 sent 1 cancels")])
    assert room.child().status is OrdStatus.IN_DOUBT
    assert [type(m) for m in room.take()] == [SendStatusQuery]
    assert "fix_session.message_noted" in (await topics(room))[-2:]
    assert room.gateway.acknowledged[-1] == 9


async def test_an_order_that_never_left_is_rejected_at_once() -> None:
    room = await Room().open()
    await room.order()
    await room.plan(400)
    await room.desk.cycle(
        [
            VenueRefusal(
                ref=InboundRef("VENUE", 0, 0),
                ref_cl_ord_id=room.child().cl_ord_id,
                ref_seq_num=0,
                ref_msg_type="D",
                text="not sent: VENUE is not logged on",
            )
        ]
    )
    assert room.child().status is OrdStatus.REJECTED
    assert room.child(2).status is OrdStatus.PENDING_NEW, "its quantity goes out again"
