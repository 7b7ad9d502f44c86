"""The kill switch in the desk: the gate around the way out, what a stopped order becomes, which scopes an order falls under."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from adapters.memory.latch import MemoryLatch
from domain import child_order as co
from domain.commands import Answer, Commanded, EnterOrder
from domain.instructions import Instructions, Party
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, KINDS, Scope, parse
from domain.kill_table import Action, KillMark, Level
from domain.messages import Input, KillNews, VenueRefusal
from domain.order_life import OrdStatus
from domain.sending import CancelReject, Outbound, ParentReport, SendChild, SendChildCancel, SendChildReplace, SendNews
from domain.values import E9, OrdType, ScopeKind, Side, TimeInForce
from ems.kill_scopes import KillScopes
from ems.order_gate import GateRules, OrderGate
from ems.risk import cleared
from ems.risk_gateway import RiskGateway
from tests.domain.orders import new_order
from tests.ems.room import Gateway, Room, topics


class Gated(Room):
    """A room whose desk sends through the gate, and the bare way out behind it."""

    def __init__(self, gate_house: Sequence[str] = ("HOUSE",), **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.scopes = KillScopes("desk", lambda: self.desk.state)
        rules = GateRules(self.latch, self.scopes.mark, gate_house)
        self.gate = OrderGate(self.gateway, rules, self._deliver)
        ports = self.desk._ports
        self.desk._ports = replace(ports, gateway=RiskGateway(self.gate, lambda message: cleared(self.desk._leaving, message)))

    def _deliver(self, inputs: list[Input]) -> None:
        for item in inputs:
            self.desk.inbox.put(item)

    async def told(self) -> None:
        """What the gate has put into the desk's inbox is decided."""
        await self.desk.cycle(self.desk.inbox.take())

    def trip(self, scope: str, level: Level, trip: int = 9) -> None:
        found = parse(scope)
        assert isinstance(found, Scope)
        self.latch.change(found, lambda slot: slot.tripped(level, trip, self.clock.ns))


async def gated() -> Gated:
    room = Gated()
    await room.open()
    room.take()
    return room


def stopped_behind_the_desk(room: Gated, level: Level) -> None:
    """The trip comes after the desk has decided and before it sends: only the gate sees it."""
    append = room.log.append

    async def tripped_meanwhile(*args: Any, **kwargs: Any) -> Any:
        room.trip("firm", level)
        return await append(*args, **kwargs)

    room.log.append = tripped_meanwhile  # type: ignore[method-assign]


async def test_an_order_that_a_trip_overtakes_does_not_leave_and_its_child_ends() -> None:
    room = await gated()
    stopped_behind_the_desk(room, Level.HARD)
    await room.client_order("A1")
    assert room.take(SendChild) == []
    assert room.child().live, "reserved until it is proved that it has not left"
    await room.told()
    assert (room.child().status, room.parent().status) == (OrdStatus.REJECTED, OrdStatus.REJECTED)
    assert room.parent().open_e9 == {}
    (report,) = room.take(ParentReport)
    assert report.text == "not sent: kill switch: HARD, trip 0000000000000009"
    assert room.gate.stopped_count == 1


async def test_a_larger_replace_that_is_stopped_is_refused_and_the_order_works_on() -> None:
    room = await gated()
    await room.client_order("A1")
    await room.report("new")
    stopped_behind_the_desk(room, Level.SOFT)
    await room.client(replace_order(5000))
    assert room.take(SendChildReplace) == []
    await room.told()
    (refusal,) = room.take(CancelReject)
    assert "kill switch: SOFT" in refusal.text
    assert (room.child().status, room.child().replacing, room.parent().status) == (OrdStatus.NEW, None, OrdStatus.NEW)


async def test_a_smaller_replace_and_a_cancel_pass_where_they_may() -> None:
    room = await gated()
    await room.client_order("A1")
    await room.report("new")
    room.trip("firm", Level.SOFT)
    await room.client(replace_order(50))
    assert len(room.take(SendChildReplace)) == 1
    room.trip("firm", Level.PANIC)
    await room.cancel("A3", "A1")
    assert len(room.take(SendChildCancel)) == 1


async def test_a_replace_that_may_have_left_before_is_not_guessed_dead() -> None:
    room = await gated()
    await room.client_order("A1")
    await room.report("new")
    await room.client(replace_order(200))
    assert len(room.take(SendChildReplace)) == 1
    room.trip("firm", Level.HARD)
    again = SendChildReplace(
        session="VENUE", event_seq=0, poss_resend=True, cl_ord_id=co.cl_ord_id(room.child().id, replace=1),
        orig_cl_ord_id=room.child().cl_ord_id, order_id="", instrument="ABC", side=Side.BUY, quantity_e9=200 * E9,
        ord_type=OrdType.LIMIT, limit_price_e9=100 * E9, time_in_force=TimeInForce.DAY, account="", transact_time_ns=1,
    )  # fmt: skip
    room.gate.send([again], epoch=1)
    await room.told()
    assert room.child().replacing is not None
    assert room.take(SendChildReplace) == []


def replace_order(quantity: int) -> Any:
    from tests.domain.orders import replace_order as made

    return made(cl_ord_id="A2", orig_cl_ord_id="A1", quantity_e9=quantity * E9, algo="", parameters=())


# -------------------------------------------------------------------------------------- before the gate


@pytest.mark.parametrize("scope", ["firm", "desk:desk", "client:OMS", "account:FUND", "strategy:twap", "instrument:ABC"])
async def test_a_new_order_in_a_tripped_scope_is_refused_by_name(scope: str) -> None:
    room = await gated()
    room.trip(scope, Level.SOFT)
    await room.client(new_order(account="FUND"))
    (report,) = room.take(ParentReport)
    assert (report.ord_status, report.text) == (OrdStatus.REJECTED, "kill switch: SOFT, trip 0000000000000009")
    assert "parent_order.accepted" not in await topics(room)


@pytest.mark.parametrize(("scope", "status"), [("trader:TR7", OrdStatus.REJECTED), ("trader:TR8", OrdStatus.NEW)])
async def test_a_new_order_of_a_tripped_trader_is_refused(scope: str, status: OrdStatus) -> None:
    room = await gated()
    room.trip(scope, Level.SOFT)
    await room.client(new_order(instructions=Instructions(parties=(Party(party_id="TR7", source="D", role=122),))))
    (report,) = room.take(ParentReport)
    assert report.ord_status is status


@pytest.mark.parametrize(("scope", "ok"), [("trader:person:jane", False), ("trader:person:omar", True)])
async def test_an_order_entered_at_the_desk_is_of_the_person_who_did(scope: str, ok: bool) -> None:
    room = await gated()
    entry = EnterOrder(
        command_id="C", actor="person:jane", client_session="OMS", symbol="ABC", side=Side.BUY, quantity_e9=100 * E9,
        limit_price_e9=100 * E9,
    )  # fmt: skip
    answers: list[Answer] = []
    room.trip(scope, Level.HARD)
    await room.desk.cycle([Commanded(entry, answers.append)])
    assert [answer.ok for answer in answers] == [ok]
    if ok:
        (sent,) = room.take(SendChild)
        assert room.scopes.mark(sent).scopes[KINDS.index(ScopeKind.TRADER)] == Scope(ScopeKind.TRADER, "person:jane").digest


@pytest.mark.parametrize("scope", ["client:OTHER", "account:OTHER", "strategy:vwap", "instrument:XYZ", "venue:OTHER", "desk:x"])
async def test_another_scope_does_not_concern_it(scope: str) -> None:
    room = await gated()
    room.trip(scope, Level.PANIC)
    await room.client(new_order(account="FUND"))
    await room.plan(10)
    assert len(room.take(SendChild)) == 1


async def test_while_suspended_an_algorithm_waits_and_a_direct_order_is_turned_down() -> None:
    room = await gated()
    room.latch.change(FIRM, lambda slot: slot.suspend(Source.FEED, 1))
    await room.client(new_order(cl_ord_id="A1"))
    await room.plan(10)
    assert room.take(SendChild) == []
    assert room.parent().live
    await room.client_order("A2")
    assert (room.parent().status, room.take(SendChild)) == (OrdStatus.REJECTED, [])
    room.latch.change(FIRM, lambda slot: slot.clear(Source.FEED))
    await room.desk.cycle([KillNews(FIRM, "clear", "clear")])
    assert len(room.take(SendChild)) == 1, "it goes on by itself"


async def test_after_arming_an_order_of_before_stays_paused_until_a_person_resumes_it() -> None:
    room = await gated()
    await room.client(new_order(cl_ord_id="A1"))
    room.trip("firm", Level.SOFT)
    await room.plan(10)
    room.clock.ns += E9
    room.latch.change(FIRM, lambda slot: slot.rearmed(9, room.clock.ns))
    await room.wait(1)
    assert room.take(SendChild) == []
    room.clock.ns += E9
    await room.client(new_order(cl_ord_id="A2"))
    await room.plan(10)
    assert [m.cl_ord_id for m in room.take(SendChild)] == [room.child().cl_ord_id], "what came after it works"
    room.latch.change(FIRM, Slot.resumed)
    await room.desk.cycle([KillNews(FIRM, "resumed", "resumed")])
    assert len(room.take(SendChild)) == 1


@pytest.mark.parametrize(
    ("scope", "told"), [("firm", ["OMS"]), ("client:OMS", ["OMS"]), ("client:OTHER", []), ("strategy:twap", ["OMS"])]
)
async def test_clients_that_are_concerned_are_told(scope: str, told: list[str]) -> None:
    room = await gated()
    await room.client(new_order())
    room.take()
    found = parse(scope)
    assert isinstance(found, Scope)
    await room.desk.cycle([KillNews(found, "Kill switch: HARD", "why")])
    assert [(news.session, news.headline) for news in room.take(SendNews)] == [(name, "Kill switch: HARD") for name in told]


# ------------------------------------------------------------------------------------------------ scopes


async def test_an_order_falls_under_all_that_it_belongs_to() -> None:
    room = await gated()
    trader = Instructions(parties=(Party(party_id="TR7", source="D", role=12),))
    await room.client_order("A1", account="FUND", instructions=trader)
    (sent,) = room.take(SendChild)
    mark = room.scopes.mark(sent)
    wanted = {
        ScopeKind.FIRM: "", ScopeKind.DESK: "desk", ScopeKind.VENUE: "VENUE", ScopeKind.CLIENT: "OMS", ScopeKind.TRADER: "TR7",
        ScopeKind.ACCOUNT: "FUND", ScopeKind.STRATEGY: "direct", ScopeKind.INSTRUMENT: "ABC",
    }  # fmt: skip
    assert mark == KillMark(Action.NEW, tuple(Scope(kind, wanted[kind]).digest for kind in KINDS))


@pytest.mark.parametrize(
    ("changes", "action"),
    [
        ({}, Action.REPLACE_DOWN),
        ({"quantity_e9": 99 * E9}, Action.REPLACE_DOWN),
        ({"quantity_e9": 100 * E9 + 1}, Action.REPLACE_UP),
        ({"limit_price_e9": 99 * E9}, Action.REPLACE_DOWN),
        ({"limit_price_e9": 101 * E9}, Action.REPLACE_UP),
        ({"ord_type": OrdType.MARKET, "limit_price_e9": None}, Action.REPLACE_UP),
        ({"time_in_force": TimeInForce.IOC}, Action.REPLACE_UP),
        ({"instructions": Instructions(stop_price_e9=1)}, Action.REPLACE_UP),
        ({"quantity_e9": 50 * E9, "limit_price_e9": 101 * E9}, Action.REPLACE_UP),
    ],
)
async def test_a_replace_is_down_only_where_it_is_so_in_every_respect(changes: dict[str, Any], action: Action) -> None:
    room = await gated()
    await room.client_order("A1", quantity_e9=100 * E9, ord_type=OrdType.LIMIT, limit_price_e9=100 * E9)
    (sent,) = room.take(SendChild)
    message = SendChildReplace(
        session="VENUE", event_seq=1, cl_ord_id=sent.cl_ord_id + "R1", orig_cl_ord_id=sent.cl_ord_id, order_id="",
        instrument="ABC", side=sent.side, account=sent.account, transact_time_ns=1,
        **{"quantity_e9": sent.quantity_e9, "ord_type": sent.ord_type, "limit_price_e9": sent.limit_price_e9,
           "time_in_force": sent.time_in_force, "instructions": sent.instructions, **changes},
    )  # fmt: skip
    assert sent.side is Side.BUY
    assert room.scopes.mark(message).action is action


# --------------------------------------------------------------------------------------------- flattening


def test_what_flattens_the_house_passes_the_gate_and_nothing_like_it() -> None:
    latch, out, back = MemoryLatch(), Gateway(), list[Input]()
    latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, 9, 1))
    scopes = KillScopes("desk", lambda: Room().desk.state)
    gate = OrderGate(out, GateRules(latch, scopes.mark, ["HOUSE"]), back.extend)
    sent: list[Outbound] = [
        SendChild(
            session="VENUE", event_seq=1, cl_ord_id=f"{account}{trip}", instrument="ABC", side=Side.SELL, quantity_e9=100 * E9,
            ord_type=OrdType.LIMIT, limit_price_e9=50 * E9, time_in_force=TimeInForce.IOC, account=account, transact_time_ns=1,
            trip=trip,
        )
        for account, trip in (("HOUSE", 9), ("FUND", 9), ("HOUSE", 8), ("HOUSE", 0))
    ]  # fmt: skip
    gate.send(sent, epoch=1)
    assert [m.cl_ord_id for m in out.sent if isinstance(m, SendChild)] == ["HOUSE9"]
    assert [item.ref_cl_ord_id for item in back if isinstance(item, VenueRefusal)] == ["FUND9", "HOUSE8", "HOUSE0"]
