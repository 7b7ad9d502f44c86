"""Many orders at once: all that are chosen are canceled or told of, none is lost, and the answer survives a crash."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

import pytest

from domain.event import InboundRef
from domain.list_messages import MassCancel, MassCancelReport, MassStatusQuery
from domain.mass import Scope, Selection
from domain.messages import LinkUp, VenueCancelReject
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.refusal import Reason, Refusal
from domain.sending import CancelReject, MassStatusPart, ParentReport, SendChild, SendChildCancel
from domain.session_policy import SessionPolicy
from domain.values import E9, Side
from ems import recovery
from tests.domain.orders import NOW_NS, new_order, replace_order
from tests.ems.room import Room, market, session, topics

REF = InboundRef("OMS", 0, 0)
DIRECT: dict[str, Any] = {"algo": "", "parameters": ()}


def mass_cancel(cl_ord_id: str = "M1", scope: Scope = Scope.ALL, **changes: Any) -> MassCancel:
    selection = Selection(**{name: changes.pop(name) for name in list(changes) if name in ("symbol", "account", "side")})
    return MassCancel(ref=REF, cl_ord_id=cl_ord_id, scope=scope, selection=selection, **changes)


def mass_status(scope: Scope = Scope.ALL, **chosen: Any) -> MassStatusQuery:
    return MassStatusQuery(ref=REF, request_id="S1", scope=scope, selection=Selection(**chosen))


def order(room: Room, cl_ord_id: str) -> ParentOrder:
    (found,) = [
        p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder) and p.order_id and p.cl_ord_id == cl_ord_id
    ]
    return found


async def peopled(**changes: Any) -> Room:
    """Four orders: one that waits for its plan, one with a child at the venue, a direct one there, and one that is filled."""
    room = await Room(**changes).open()
    await room.client(new_order(cl_ord_id="OUT", account="F1"))
    await room.plan(400)
    await room.report("new")
    await room.client(new_order(cl_ord_id="IDLE", account="F1", side=Side.SELL))
    await room.client(new_order(cl_ord_id="DONE", account="F2", quantity_e9=100 * E9, **DIRECT))
    await room.fill(100, "E9")
    await room.client(new_order(cl_ord_id="DIRECT", account="F2", **DIRECT))
    await room.report("new", order_id="V2")
    room.take()
    return room


def told(room: Room) -> list[tuple[str, str, str, str]]:
    reports = room.take(ParentReport)
    return [(r.exec_kind, r.ord_status.value, r.cl_ord_id, r.orig_cl_ord_id) for r in reports]


async def test_every_live_order_is_canceled_and_each_has_its_own_reports() -> None:
    room = await peopled()
    await room.client(mass_cancel())
    sent = room.take()
    answer, *rest = [m for m in sent if isinstance(m, MassCancelReport | ParentReport)]
    assert isinstance(answer, MassCancelReport)
    assert [a.cl_ord_id for a in answer.orders] == ["OUT", "IDLE", "DIRECT"]
    assert (answer.cl_ord_id, answer.reject_reason, answer.scope) == ("M1", None, Scope.ALL)
    assert [(r.exec_kind, r.cl_ord_id, r.orig_cl_ord_id) for r in rest if isinstance(r, ParentReport)] == [
        ("pending_cancel", "OUT", ""),
        ("canceled", "IDLE", ""),
    ]
    assert len([m for m in sent if isinstance(m, SendChildCancel)]) == 2
    assert all(cl_ord_id for _, _, cl_ord_id in room.desk.state.client_ids), "it uses up no id"
    assert "M1" in rest[1].text  # type: ignore[union-attr]
    await room.report("pending_cancel")
    await room.report("canceled")
    assert told(room) == [("pending_cancel", "pending_cancel", "DIRECT", ""), ("canceled", "canceled", "DIRECT", "")]
    assert order(room, "DONE").status is OrdStatus.FILLED
    child = next(c for c in room.desk.state.children.values() if c.live)
    await room.report("canceled", cl_ord_id=child.cl_ord_id)
    assert told(room) == [("canceled", "canceled", "OUT", "")]
    assert [p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder) and p.live] == []


@pytest.mark.parametrize(
    ("chosen", "affected"),
    [
        ({"account": "F1"}, ["OUT", "IDLE"]),
        ({"side": Side.BUY}, ["OUT", "DIRECT"]),
        ({"side": Side.SELL, "account": "F2"}, []),
        ({"scope": Scope.SECURITY, "symbol": "ABC", "account": "F2"}, ["DIRECT"]),
    ],
)
async def test_only_what_is_chosen_is_canceled(chosen: dict[str, Any], affected: list[str]) -> None:
    room = await peopled()
    await room.client(mass_cancel(**chosen))
    (answer,) = room.take(MassCancelReport)
    assert ([a.cl_ord_id for a in answer.orders], answer.reject_reason) == (affected, None)
    untouched = {"OUT", "IDLE", "DIRECT"} - set(affected)
    assert all(order(room, name).pending is None and order(room, name).live for name in untouched)
    assert (answer.text == "no order matches") == (not affected)


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"scope": Scope.CFI_CODE}, 0),
        ({"scope": Scope.SECURITY, "symbol": "NONE"}, 1),
        ({"refusal": Refusal(Reason.UNKNOWN_SIDE, "Side (54) '5'")}, 99),
    ],
)
async def test_what_cannot_be_read_is_refused_and_cancels_nothing(changes: dict[str, Any], reason: int) -> None:
    room = await peopled()
    await room.client(mass_cancel(**changes))
    (answer,) = room.take()
    assert (answer.reject_reason, answer.orders) == (reason, ())
    assert (await topics(room))[-1] == "mass_cancel.refused"
    assert len([p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder) and p.live]) == 3


async def test_no_other_clients_order_is_touched() -> None:
    room = await peopled()
    await room.desk.cycle([room.numbered(mass_cancel(), "OTHER")])
    assert [p.pending for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)] == [None] * 4


async def test_no_throttle_stops_it_and_a_second_one_takes_what_is_left() -> None:
    room = await peopled(policies={"OMS": SessionPolicy(throttle_count=4, throttle_window_ns=10**12)})
    await room.client(new_order(cl_ord_id="REFUSED"))
    await room.client(mass_cancel())
    await room.client(mass_cancel())
    first, second = room.take(MassCancelReport)
    assert (len(first.orders), second.orders, second.reject_reason) == (3, (), None)
    assert first.report_id != second.report_id


async def test_a_possible_resend_is_answered_again_and_cancels_nothing() -> None:
    room = await peopled()
    await room.client(mass_cancel(account="F1"))
    (first,) = room.take(MassCancelReport)
    await room.client(new_order(cl_ord_id="LATER", account="F1"))
    room.take()
    await room.client(mass_cancel(account="F1", poss_resend=True))
    (again,) = room.take(MassCancelReport)
    assert (again.report_id, again.orders, again.poss_resend) == (first.report_id, first.orders, True)
    assert order(room, "LATER").live


async def test_what_the_venue_refuses_is_told_with_the_orders_own_id() -> None:
    room = await peopled()
    await room.client(mass_cancel(account="F2"))
    room.take()
    child = room.child()
    await room.venue(
        VenueCancelReject(
            ref=REF, cl_ord_id=child.canceling, orig_cl_ord_id=child.cl_ord_id, response_to="cancel", reason=2, ord_status=""
        )
    )
    (reject,) = room.take(CancelReject)
    assert (reject.cl_ord_id, reject.orig_cl_ord_id, reject.cxl_rej_reason) == ("DIRECT", "DIRECT", 2)
    assert order(room, "DIRECT").live


async def test_a_fill_that_crosses_it_is_counted_and_told() -> None:
    room = await peopled()
    await room.client(mass_cancel(account="F2"))
    room.take()
    await room.fill(1000, "E10")
    await room.report("canceled", ord_status="canceled")
    state = order(room, "DIRECT")
    assert (state.cum_quantity_e9, state.live) == (1000 * E9, False)


async def test_it_overtakes_a_replace_of_an_algorithms_order_and_waits_behind_none() -> None:
    room = await peopled()
    await room.client(replace_order(cl_ord_id="R1", orig_cl_ord_id="OUT", quantity_e9=500 * E9))
    room.take()
    await room.client(mass_cancel())
    rejects = room.take(CancelReject)
    assert [(r.cl_ord_id, r.response_to) for r in rejects] == [("R1", "replace")]
    assert order(room, "OUT").status is OrdStatus.PENDING_CANCEL


async def test_an_order_that_has_not_been_sent_yet_never_is() -> None:
    room = await Room().open()
    await room.desk.cycle([room.numbered(new_order(**DIRECT)), room.numbered(mass_cancel())])
    sent = room.take()
    assert [m for m in sent if isinstance(m, SendChild)] == []
    assert [m.exec_kind for m in sent if isinstance(m, ParentReport)] == ["new", "canceled"]


async def test_a_crash_after_it_loses_neither_cancels_nor_answer() -> None:
    room = await peopled()
    await room.client(mass_cancel())
    (answer,) = room.take(MassCancelReport)
    missed = await recovery.missed_reports(room.log, room.desk.state, {"OMS": answer.event_seq - 1})
    assert missed[0] == answer
    folded = await recovery.fold(room.log)
    assert vars(folded) == vars(room.desk.state)
    room = await room.successor()
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 10**6),)), session("OMS", sent_seq=10**6), session("VENUE"), market()])
    assert len(room.take(SendChildCancel)) == 1, "the algorithm's child, while it is in doubt"
    await room.report("status", ord_status="new")
    assert len(room.take(SendChildCancel)) == 1, "the direct order's, when its venue has said that it works"


@pytest.mark.parametrize("seed", range(25))
async def test_whatever_has_happened_no_live_order_is_left_out(seed: int) -> None:
    """Orders of both kinds in whatever state a handful of chances brings them."""
    chance = random.Random(seed)
    room = await Room().open()
    for number in range(chance.randrange(3, 9)):
        kind = DIRECT if chance.random() < 0.5 else {}
        await room.client(new_order(cl_ord_id=f"N{number}", **kind))
        if not kind and chance.random() < 0.7:
            await room.plan(300, 300)
        for _ in range(chance.randrange(4)):
            await happen(room, chance, number)
    before = {p.id for p in room.desk.state.parents.values() if isinstance(p, ParentOrder) and p.live}
    canceling = {c.parent for c in room.desk.state.children.values() if c.canceling}
    await room.client(mass_cancel())
    for parent in [room.desk.state.parent(stream) for stream in before]:
        children = [room.desk.state.children[child] for child in parent.open_e9]
        assert not parent.live or all(child.canceling for child in children if child.live), parent
        assert not parent.live or children, "an order that has nothing at a venue ends at once"
    (answer,) = room.take(MassCancelReport)
    named = {a.order_id for a in answer.orders}
    assert {parent.order_id for parent in map(room.desk.state.parent, before - canceling)} <= named


async def happen(room: Room, chance: random.Random, number: int) -> None:
    """One thing that can happen to the last order."""
    parent = room.parent()
    child = next(iter(room.desk.state.children[c] for c in parent.open_e9), None)
    what = chance.choice(["new", "fill", "replace", "cancel", "pending_cancel", "wait"])
    if what == "replace":
        kind = {} if not parent.direct else DIRECT
        replaced = replace_order(cl_ord_id=f"R{number}.{chance.random()}", orig_cl_ord_id=parent.cl_ord_id, **kind)
        await room.client(replace(replaced, quantity_e9=chance.choice([600, 1200]) * E9))
    elif what == "cancel" and chance.random() < 0.3:
        await room.cancel(cl_ord_id=f"C{number}.{chance.random()}", orig_cl_ord_id=parent.cl_ord_id)
    elif what == "fill" and child is not None and child.leaves_e9:
        await room.fill(100, f"E{chance.random()}", cl_ord_id=child.cl_ord_id)
    elif what in ("new", "pending_cancel") and child is not None:
        await room.report(what, cl_ord_id=child.cl_ord_id, order_id="V")
    elif what == "wait":
        await room.wait(3)


# ------------------------------------------------------------------------------------------- mass status


async def test_every_live_order_is_told_of_and_the_last_one_says_so() -> None:
    room = await peopled()
    await room.client(mass_status())
    reports = room.take()
    assert [r.cl_ord_id for r in reports] == ["OUT", "IDLE", "DIRECT"]
    assert [r.mass_status for r in reports] == [MassStatusPart("S1", 3, n == 3) for n in (1, 2, 3)]
    assert {(r.exec_kind, r.exec_id) for r in reports} == {("status", "0")}
    assert (await topics(room))[-1] == "fix_session.message_noted"


@pytest.mark.parametrize(
    ("query", "reason"),
    [
        (mass_status(Scope.SECURITY, symbol="ABC", account="F9"), 5),
        (mass_status(Scope.SECURITY, symbol="NONE"), 99),
        (mass_status(Scope.PARTY), 99),
    ],
)
async def test_that_there_is_none_is_said_in_one_report(query: MassStatusQuery, reason: int) -> None:
    room = await peopled()
    await room.client(query)
    (report,) = room.take()
    assert (report.exec_kind, report.ord_status, report.ord_rej_reason) == ("status", OrdStatus.REJECTED, reason)
    assert report.mass_status == MassStatusPart("S1", 0, True)
    assert report.text


async def test_an_order_whose_instrument_is_gone_can_still_be_canceled(monkeypatch: pytest.MonkeyPatch) -> None:
    room = await peopled()
    monkeypatch.setattr(type(room.desk._ports.reference), "instrument", lambda self, symbol: None)
    await room.client(mass_cancel(scope=Scope.SECURITY, symbol="ABC"))
    (answer,) = room.take(MassCancelReport)
    assert len(answer.orders) == 3
    assert answer.transact_time_ns == NOW_NS
