"""Drop copies: another session is told what a client is told, also after it was away; and only what it may see."""

from __future__ import annotations

from domain.messages import LinkUp
from domain.sending import ParentReport, SendNews
from domain.values import E9
from ems.drop_copy import DropCopies, DropCopy
from tests.ems.room import Room, session

COPIES = DropCopies(
    [DropCopy(session="DROP", accounts=frozenset({"ACC"})), DropCopy(session="OTHER", sources=frozenset({"OMS9"}))]
)


async def traded(room: Room) -> None:
    await room.order(algo="", parameters=(), quantity_e9=10_000 * E9)
    await room.report("new")
    await room.fill(2_000)


async def test_a_copy_says_the_same_and_whose_it_is() -> None:
    room = await Room(copies=COPIES).open()
    room.take()
    await traded(room)
    sent = room.take(ParentReport)
    originals = [(m.exec_kind, m.exec_id, m.cum_quantity_e9) for m in sent if m.session == "OMS"]
    copies = [m for m in sent if m.session == "DROP"]
    assert [(m.exec_kind, m.exec_id, m.cum_quantity_e9) for m in copies] == originals
    assert all(m.copied and m.instructions and m.instructions.parties[-1].party_id == "OMS" for m in copies)
    assert {m.session for m in sent} == {"OMS", "DROP"}


async def test_other_accounts_are_not_copied() -> None:
    room = await Room(copies=COPIES).open()
    room.take()
    await room.order(algo="", parameters=(), account="SECRET")
    await room.report("new")
    assert {m.session for m in room.take(ParentReport)} == {"OMS"}


async def test_what_a_session_missed_is_sent_again_and_then_said_to_be_complete() -> None:
    room = await Room(copies=COPIES).open()
    await traded(room)
    heir = await room.successor(copies=COPIES)
    await heir.desk.start()
    await heir.desk.cycle([LinkUp(sent_seq=(("OMS", 10**6), ("DROP", 0))), session("OMS"), session("DROP"), session("VENUE")])
    sent = [m for m in heir.take() if isinstance(m, ParentReport | SendNews)]
    assert [m.exec_kind for m in sent if isinstance(m, ParentReport)] == ["new", "trade"]
    assert {m.session for m in sent} == {"DROP"}
    assert isinstance(sent[-1], SendNews)
