"""Start = recover: the state is what the log says, and what only the outside can tell is asked, never guessed."""

from __future__ import annotations

import pytest

from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.errors import ChainBroken
from domain.messages import LinkDown, LinkUp
from domain.order_life import OrdStatus
from domain.sending import ParentReport, SendChild, SendChildCancel, SendStatusQuery
from domain.values import E9
from ems import recovery
from tests.domain.orders import new_order
from tests.ems.room import Room, market, session


async def worked() -> Room:
    """An order with a child that was filled in part and one that has no answer."""
    room = await Room().open()
    await room.order()
    await room.plan(400, 600)
    await room.report("new")
    await room.fill(150)
    await room.wait(60)
    return room


async def test_replayed_state_is_live_state() -> None:
    room = await worked()
    folded = await recovery.fold(room.log)
    assert vars(folded) == vars(room.desk.state)
    assert folded.digest() == room.desk.state.digest()


async def test_a_fold_can_end_at_an_event_or_at_a_moment() -> None:
    room = await worked()
    rows = room.log.rows
    assert (await recovery.fold(room.log, until_seq=5)).seq == 5
    until_ns = rows[-1].recorded_time_ns - 1
    expected = max(row.seq for row in rows if row.recorded_time_ns <= until_ns)
    assert (await recovery.fold(room.log, until_ns=until_ns)).seq == expected < len(rows)


async def test_a_log_with_a_hole_is_not_folded() -> None:
    room = await worked()
    rows = room.log.rows
    holed = MemoryEventLog(TOPICS, room.clock, rows=rows[:4] + rows[5:])
    with pytest.raises(ChainBroken, match="after event 4 comes event 6"):
        await recovery.fold(holed)


async def test_every_digest_on_the_way_is_another() -> None:
    room = await worked()
    digests = {(await recovery.fold(room.log, until_seq=seq)).digest() for seq in range(len(room.log.rows) + 1)}
    assert len(digests) == len(room.log.rows) + 1


async def test_after_a_crash_every_child_is_in_doubt_and_nothing_is_sent_again() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    assert [room.child(n).status for n in (1, 2)] == [OrdStatus.IN_DOUBT] * 2
    assert room.parent().released_e9 == 1000 * E9, "its exposure stays reserved"
    assert room.take() == []
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 10**6),)), session("OMS", sent_seq=10**6), session("VENUE")])
    sent = room.take()
    assert [type(m) for m in sent] == [SendStatusQuery, SendStatusQuery]
    await room.desk.cycle([market()])
    await room.wait(1)
    assert room.take(SendChild) == []


async def test_doubt_ends_with_the_venues_word() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("VENUE"), market()])
    await room.report("status", ord_status="partially_filled", cum_quantity_e9=150 * E9)
    assert room.child().status is OrdStatus.PARTIALLY_FILLED
    room.take()
    await room.report("status", number=2, unknown_order=True, ord_status="rejected", order_id="NONE")
    assert not room.child(2).live
    assert room.child(2).cl_ord_id != room.child(3).cl_ord_id
    (child,) = room.take(SendChild)
    assert (child.cl_ord_id, child.quantity_e9) == (room.child(3).cl_ord_id, 600 * E9)


async def test_an_answer_that_counts_other_fills_proves_nothing() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("VENUE"), market()])
    await room.report("status", ord_status="canceled", cum_quantity_e9=400 * E9)
    assert room.child().status is OrdStatus.IN_DOUBT
    room.take()
    await room.wait(2)
    assert len(room.take(SendStatusQuery)) == 2, "the question is asked again"


async def test_a_pending_cancel_survives_and_passes_while_in_doubt() -> None:
    room = await worked()
    await room.cancel()
    room = await room.successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("VENUE")])
    assert [type(m) for m in room.take()].count(SendChildCancel) == 2
    await room.report("canceled")
    await room.report("status", number=2, unknown_order=True, ord_status="rejected")
    assert room.parent().status is OrdStatus.CANCELED


@pytest.mark.parametrize("had", [0, 1, 2, 3])
async def test_reports_that_were_not_handed_on_are_made_again_word_for_word(had: int) -> None:
    room = await worked()
    await room.client(new_order(cl_ord_id="B1", symbol="NONE"))
    told = room.take(ParentReport)
    assert [r.exec_kind for r in told] == ["new", "trade", "rejected"]
    sent_seq = ([0] + [r.event_seq for r in told])[had]
    again = await recovery.missed_reports(room.log, room.desk.state, {"OMS": sent_seq})
    assert again == told[had:]


async def test_what_has_ended_ends_at_the_start() -> None:
    room = await Room().open()
    await room.order()
    room.clock.ns = room.parent().terms.end_ns
    room = await room.successor()
    await room.desk.start()
    assert (room.parent().status, room.parent().finished) == (OrdStatus.EXPIRED, True)
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),))])
    assert [r.exec_kind for r in room.take(ParentReport)] == ["new", "expired"]


async def test_a_logon_that_crosses_what_its_gateway_was_handed_has_nothing_sent_again() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS")])
    handed = room.take(ParentReport)
    assert handed
    await room.desk.cycle([session("OMS", up=False)])
    await room.desk.cycle([session("OMS", sent_seq=0)])  # told before the gateway had seen them
    assert room.take(ParentReport) == []


async def test_a_reset_gives_up_what_its_gateway_was_handed() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS")])
    handed = room.take(ParentReport)
    await room.desk.cycle([session("OMS", up=False)])
    await room.desk.cycle([session("OMS", reset_epoch=1, sent_seq=0)])
    again = room.take(ParentReport)
    assert [m.exec_id for m in again] == [m.exec_id for m in handed]
    assert all(m.poss_resend for m in again)


async def test_a_gateway_that_comes_back_has_what_the_one_before_lost_sent_again() -> None:
    room = await (await worked()).successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS")])
    handed = room.take(ParentReport)
    await room.desk.cycle([LinkDown()])
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS")])
    assert [m.exec_id for m in room.take(ParentReport)] == [m.exec_id for m in handed]
