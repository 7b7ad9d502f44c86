"""The gate in the desk: who is asked, what a refusal does, what is written, and that nothing leaves without a verdict."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from domain import child_order as co
from domain.commands import Answer, Command, Commanded, EnableStrategy, GrantOverride, SetLimit
from domain.limits import LimitSet
from domain.messages import LinkUp
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder, RejectedOrder
from domain.risk import Check, Outcome, Subject
from domain.risk_data import NOTHING_KNOWN, RiskFacts
from domain.risk_verdicts import Checked
from domain.sending import CancelReject, ParentReport, SendChild, SendChildCancel, SendChildReplace
from domain.values import E9, ScopeKind
from ems.risk import Cleared, RiskGate
from ems.risk_day import RiskTerms
from tests.domain.orders import MINUTE_NS, cancel_order, replace_order
from tests.ems.direct import replace as ask_replace
from tests.ems.direct import venue_refuses
from tests.ems.lists import good, new_list, order, status
from tests.ems.risk_scene import limit
from tests.ems.room import Room, market, session, topics

QUANTITY = {"check": Check.MAX_QUANTITY, "unit": "quantity"}


def limited(*limits: LimitSet, data: RiskFacts = NOTHING_KNOWN) -> Room:
    """A desk under these limits."""
    return Room(risk=RiskTerms(limits=limits, digest="0123456789abcdef"), risk_data=data)


def parents_up_to(quantity: int, **changes: Any) -> LimitSet:
    return limit(Check.MAX_QUANTITY, quantity * E9, "quantity", applies="parent", **changes)


def children_up_to(quantity: int, **changes: Any) -> LimitSet:
    return limit(Check.MAX_QUANTITY, quantity * E9, "quantity", applies="child", **changes)


async def verdicts(room: Room) -> list[Checked]:
    pages = room.log.read_pages()
    return [r.event async for page in pages for r in page if isinstance(r.event, Checked)]


async def commanded(room: Room, command: Command) -> Answer:
    answers: list[Answer] = []
    fresh = command.model_copy(update={"command_id": uuid4().hex})  # each is an act of its own
    await room.desk.cycle([Commanded(fresh, answers.append)])
    (answer,) = answers
    return answer


# ------------------------------------------------------------------------------------------- written


async def test_one_event_before_each_order_carries_every_verdict() -> None:
    room = await limited(parents_up_to(1000), children_up_to(1000)).open()
    await room.order()
    await room.plan(300, 700)
    names = await topics(room, risk=True)
    before = [name for name in names if name.startswith(("risk.c", "parent_order.accepted", "child_order.created"))]
    assert before == ["risk.checked", "parent_order.accepted", "risk.checked", "child_order.created"]
    parent, child = await verdicts(room)
    assert (parent.subject, parent.order, parent.passed) == (Subject.PARENT, room.parent().id, True)
    assert (child.subject, child.order, child.parent) == (Subject.CHILD, co.key(room.parent().id, 1), room.parent().id)
    assert {v.check for v in child.verdicts} == {
        Check.LOT, Check.TICK, Check.SESSION, Check.STRATEGY, Check.CHILD_SUM, Check.MAX_QUANTITY,
    }  # fmt: skip
    (judged,) = [v for v in child.verdicts if v.check is Check.MAX_QUANTITY]
    assert (judged.limit_version, judged.observed, judged.limit, judged.outcome) == (1, 300 * E9, 1000 * E9, Outcome.PASS)
    assert (child.reference, child.reference_price_e9, child.notional_e9) == ("mid", 100 * E9, 300 * 99 * E9)


async def test_the_configurations_limits_are_written_once_and_retired_with_it() -> None:
    room = await limited(parents_up_to(1000), children_up_to(10)).open()
    assert (await topics(room, risk=True)).count("risk.limit_set") == 2
    again = await (await room.successor()).open()
    assert (await topics(again, risk=True)).count("risk.limit_set") == 2
    room.log.release_lead()
    other = Room(room.log, room.clock, risk=RiskTerms(limits=(parents_up_to(500),), digest="other"))
    await other.open()
    names = await topics(other, risk=True)
    assert (names.count("risk.limit_set"), names.count("risk.limit_retired")) == (3, 1)
    metas = [r.meta.actor async for page in room.log.read_pages() for r in page if "limit_" in r.event.TOPIC]
    assert metas[-1] == "config:other"


# ------------------------------------------------------------------------------------------ refusals


async def test_a_refused_order_is_rejected_in_plain_words() -> None:
    room = await limited(parents_up_to(990)).open()
    await room.client_order("A1", quantity_e9=1000 * E9)
    (report,) = room.take(ParentReport)
    assert (report.exec_kind, report.ord_rej_reason) == ("rejected", 3)
    assert report.text == "risk: max quantity of firm: 1000 against 990"
    (refused,) = await verdicts(room)
    assert (refused.passed, refused.verdicts[-1].outcome) == (False, Outcome.HARD)
    assert all(isinstance(p, RejectedOrder) for p in room.desk.state.parents.values())


async def test_what_cannot_be_judged_is_rejected_and_says_what_is_missing() -> None:
    room = await limited(limit(Check.ADV_SHARE, E9, "fraction")).open()
    await room.client_order("A1")
    (report,) = room.take(ParentReport)
    assert report.ord_rej_reason == 99
    assert report.text == "risk: adv share of firm cannot be judged: no average daily volume"


async def test_a_refused_child_is_not_made_its_parent_says_why_and_it_is_not_tried_at_every_turn() -> None:
    room = await limited(children_up_to(290)).open()
    await room.order()
    await room.plan(300, 700)
    assert room.take(SendChild) == []
    parent = room.parent()
    assert (parent.children, parent.open_e9) == (0, {})
    blocked = room.desk.state.risk.blocked[parent.id]
    assert blocked.text == "risk: max quantity of firm: 300 against 290"
    for _ in range(20):
        await room.desk.cycle([market()])
    assert len(await verdicts(room)) == 2
    assert room.desk._scheduler.next_wake_ns() == room.clock.ns + E9
    for seconds, tries in ((1, 3), (1, 3), (1, 4), (3, 4), (1, 5)):
        await room.wait(seconds)
        assert len(await verdicts(room)) == tries, seconds
    again = await (await room.successor()).open()
    assert again.desk.state.risk.blocked[parent.id].times == 4, "a restart does not make it hasty"


async def test_a_child_that_passes_again_is_sent() -> None:
    room = await limited(children_up_to(290)).open()
    await room.order()
    await room.plan(300, 700)
    wider = SetLimit(
        command_id="C1", actor="person:jane", approver="person:mary", reason="agreed", scope=ScopeKind.FIRM, applies="child",
        value_e9=300 * E9, **QUANTITY,
    )  # fmt: skip
    assert (await commanded(room, wider)).ok
    await room.wait(1)
    assert [m.quantity_e9 for m in room.take(SendChild)] == [300 * E9]
    assert room.desk.state.risk.blocked == {}


async def test_a_refused_direct_order_is_turned_down() -> None:
    room = await limited(children_up_to(990)).open()
    room.take()
    await room.client_order("A1", quantity_e9=1000 * E9)
    (report,) = room.take()
    assert (report.exec_kind, report.ord_rej_reason) == ("rejected", 3)
    assert report.text == "risk: max quantity of firm: 1000 against 990"
    assert (room.parent().status, room.parent().finished) == (OrdStatus.REJECTED, True)


async def test_an_amendment_above_the_limit_is_refused_and_the_order_stays() -> None:
    room = await limited(parents_up_to(1000)).open()
    await room.order()
    room.take()
    await room.client(replace_order(quantity_e9=1010 * E9))
    (reject,) = room.take(CancelReject)
    assert reject.text == "risk: max quantity of firm: 1010 against 1000"
    assert room.parent().terms.quantity_e9 == 1000 * E9
    await room.client(replace_order(cl_ord_id="A3", quantity_e9=990 * E9))
    assert room.parent().terms.quantity_e9 == 990 * E9


async def test_a_replace_that_risk_refuses_never_reaches_the_venue() -> None:
    room = await limited(children_up_to(1000)).open()
    await room.client_order("A1", quantity_e9=1000 * E9)
    await room.report("new", order_id="V1")
    room.take()
    await ask_replace(room, "A2", "A1", 1010)
    assert room.take(SendChildReplace) == []
    assert room.parent().pending is None and room.child().quantity_e9 == 1000 * E9
    await ask_replace(room, "A3", "A1", 500)
    assert [m.quantity_e9 for m in room.take(SendChildReplace)] == [500 * E9]


async def test_cancels_are_never_asked() -> None:
    room = await limited(limit(Check.MESSAGE_RATE, E9, "count", window_ns=MINUTE_NS)).open()
    await room.client_order("A1")
    await room.report("new", order_id="V1")
    room.take()
    await room.cancel()
    assert len(room.take(SendChildCancel)) == 1
    asked = len(await verdicts(room))
    await venue_refuses(room, "cancel")
    assert len(await verdicts(room)) == asked


async def test_an_order_of_a_list_is_judged_alone_and_the_list_as_one() -> None:
    room = await limited(parents_up_to(990)).open()
    await room.client(new_list(*good("A1"), *good("B1", quantity_e9=100 * E9)))
    told = status(room)
    assert [(one.status, one.text) for one in told.orders] == [
        (OrdStatus.REJECTED, "risk: max quantity of firm: 1000 against 990"), (OrdStatus.PENDING_NEW, ""),
    ]  # fmt: skip
    assert order(room, "B1").live


# ----------------------------------------------------------------------------------------- two people


async def test_a_soft_limit_passes_once_with_a_reason_and_a_second_person() -> None:
    room = await limited(parents_up_to(990, level="soft"), parents_up_to(5000)).open()
    await room.client_order("A1", quantity_e9=1000 * E9)
    grant = GrantOverride(
        command_id="G", actor="person:jane", approver="person:mary", reason="client called", client_session="OMS", cl_ord_id="A1"
    )
    assert not (await commanded(room, grant.model_copy(update={"approver": "person:jane"}))).ok
    assert not (await commanded(room, grant.model_copy(update={"cl_ord_id": "A9"}))).ok
    assert not (await commanded(room, grant.model_copy(update={"actor": "algo:twap"}))).ok
    assert (await commanded(room, grant)).ok
    await room.client_order("A2", quantity_e9=1010 * E9)
    await room.client_order("A3", quantity_e9=1000 * E9)
    await room.client_order("A4", quantity_e9=1000 * E9)
    live = [p.cl_ord_id for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)]
    assert live == ["A3"], "another quantity needs another word, and one word is for one order"


async def test_nobody_overrides_a_hard_limit_or_a_word_that_is_too_old() -> None:
    room = await limited(parents_up_to(990, level="soft"), parents_up_to(5000)).open()
    await room.client_order("A1", quantity_e9=6000 * E9)
    fields = {"command_id": "G", "actor": "person:jane", "approver": "person:mary", "reason": "r", "client_session": "OMS"}
    answer = await commanded(room, GrantOverride(**fields, cl_ord_id="A1"))
    assert (answer.ok, answer.text) == (False, "nobody overrides max_quantity")
    await room.client_order("A2", quantity_e9=1000 * E9)
    assert (await commanded(room, GrantOverride(**fields, cl_ord_id="A2", minutes=1))).ok
    room.clock.ns += MINUTE_NS
    await room.client_order("A3", quantity_e9=1000 * E9)
    assert [p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)] == []


# ------------------------------------------------------------------------------------- the way out


async def test_what_has_no_verdict_is_withheld_and_everything_else_leaves(monkeypatch: pytest.MonkeyPatch) -> None:
    room = await limited().open()
    await room.client_order("A1")
    await room.report("new", order_id="V1")
    room.take()
    monkeypatch.setattr(RiskGate, "child", lambda *_, **__: Cleared(None, None))
    await room.desk.cycle([room.numbered(good("B1", algo="", parameters=())[0]), room.numbered(cancel_order())])
    assert [type(m) for m in room.take() if not isinstance(m, ParentReport)] == [SendChildCancel]
    assert room.desk._ports.gateway.withheld == 1  # type: ignore[attr-defined]
    assert room.errors == 1, "it should never have come so far"
    monkeypatch.undo()
    await room.client_order("C1")
    assert len(room.take(SendChild)) == 1


# -------------------------------------------------------------------------------------- what is lost


async def test_a_loss_stops_what_adds_to_it_and_lets_out_what_reduces_it() -> None:
    known = RiskFacts(positions={}, reference_prices={"ABC": 100 * E9})
    room = await limited(limit(Check.DAILY_LOSS, 999 * E9, "money"), data=known).open()
    await room.client_order("A1", quantity_e9=100 * E9)
    await room.fill(100, price=100)
    await room.wait(6, market(89, 91))
    assert room.desk.state.risk.totals.money((ScopeKind.FIRM, "")).pnl_e9 == -1000 * E9
    await room.client_order("A2", quantity_e9=10 * E9, limit_price_e9=90 * E9)
    assert room.take(ParentReport)[-1].text == "risk: daily loss of firm: -1000 against -999"
    await room.client_order("A3", quantity_e9=100 * E9, limit_price_e9=90 * E9, side="sell")
    assert room.parent().cl_ord_id == "A3"


async def test_what_had_no_price_when_it_was_taken_is_valued_as_soon_as_there_is_one() -> None:
    room = limited(limit(Check.GROSS_EXPOSURE, 50_000 * E9, "money", applies="child"))
    await room.desk.start()
    await room.desk.cycle([LinkUp(sent_seq=(("OMS", 0),)), session("OMS"), session("VENUE")])
    await room.client_order("A1")
    assert room.take(ParentReport)[-1].text == "risk: gross exposure of firm: 100000 against 50000"
    await room.client_order("A2", quantity_e9=100 * E9)
    await room.fill(100)
    await room.client_order("A3", quantity_e9=100 * E9)
    assert "has no price or no exchange rate" in room.take(ParentReport)[-1].text
    await room.wait(5, market())
    await room.client_order("A4", quantity_e9=100 * E9)
    assert [m.quantity_e9 for m in room.take(SendChild)] == [100 * E9]


async def test_enabling_a_strategy_needs_a_person_and_a_strategy_that_is_off() -> None:
    room = await limited().open()
    enable = EnableStrategy(command_id="E", actor="person:jane", reason="fixed", strategy="twap")
    assert (await commanded(room, enable)).text == "the strategy twap is not disabled"
