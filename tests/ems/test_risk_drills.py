"""What has happened to others, as drills: children that run away (Knight, 2012), money typed as a quantity (Citi, 2022)."""

from __future__ import annotations

from typing import Any

import pytest

from domain import parent_order as po
from domain import parent_rules
from domain.commands import EnableStrategy
from domain.limits import LimitSet
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.risk import Check, StrategyDisabled
from domain.sending import SendChild
from domain.values import E9, ScopeKind
from ems import scheduler, tactic
from ems.risk_day import RiskTerms
from tests.domain.orders import MINUTE_NS
from tests.ems.lists import DIRECT, good, new_list, status
from tests.ems.risk_scene import limit
from tests.ems.room import Room, market, topics
from tests.ems.test_risk import commanded

ORDERS_MAX = 20
OFTEN = limit(
    Check.REPEATED_EXECUTION, ORDERS_MAX * E9, "count", scope=ScopeKind.STRATEGY, scope_id="*", window_ns=60 * MINUTE_NS
)
NOTIONAL = limit(Check.GROSS_EXPOSURE, 45_000 * E9, "money", applies="child")
LIST = limit(Check.LIST_VALUE, 500_000 * E9, "money")


def stale_build(patch: pytest.MonkeyPatch, *, quantity: int) -> None:
    """A scheduler whose stop was moved elsewhere: it sends children at every turn, whatever is filled."""

    def again(parent: ParentOrder, *_: Any, **__: Any) -> tuple[tactic.Proposal, ...]:
        return (tactic.Proposal(quantity * E9, 100 * E9, "aggressive"),)

    def unchecked(state: ParentOrder, child: Any, quantity_e9: int, *, late_e9: int = 0) -> po.ChildReleased:
        return po.ChildReleased(child=child, number=state.children + 1, quantity_e9=quantity_e9, late_e9=0)

    patch.setattr(scheduler.tactic, "propose", again)
    patch.setattr(parent_rules, "release", unchecked)


async def runaway(*limits: LimitSet, fills: bool) -> tuple[Room, list[SendChild]]:
    """Two parents of one strategy on a desk gone wrong; the venue takes and fills, or cancels, everything at once."""
    room = await Room(risk=RiskTerms(limits=limits, digest="d")).open()
    await room.order()
    await room.plan(1000)
    sent: list[SendChild] = []
    for turn in range(60):
        fresh = room.take(SendChild)
        sent += fresh
        for message in fresh:
            number = next(n for n in range(1, 100) if room.child(n).cl_ord_id == message.cl_ord_id)
            await (room.fill(100, f"E{turn}-{number}", number=number) if fills else room.report("canceled", number=number))
        await room.wait(1, market())
    return room, sent


async def test_knight_children_that_come_back_at_once_are_stopped_before_twenty_orders(monkeypatch: pytest.MonkeyPatch) -> None:
    stale_build(monkeypatch, quantity=100)
    room, sent = await runaway(OFTEN, fills=False)
    assert len(sent) == ORDERS_MAX
    disabled = room.desk.state.risk.disabled["twap"]
    assert disabled.check is Check.REPEATED_EXECUTION
    assert (await topics(room, risk=True)).count("risk.strategy_disabled") == 1
    await room.order(cl_ord_id="B1")
    assert [p.cl_ord_id for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)] == ["A1"]
    again = await (await room.successor()).open()
    await again.wait(3600, market())
    assert again.take(SendChild) == [], "a restart does not enable it"
    enable = EnableStrategy(command_id="E", actor="person:jane", reason="the stale build is gone", strategy="twap")
    assert (await commanded(again, enable)).ok
    await again.order(cl_ord_id="C1")
    assert again.parent().cl_ord_id == "C1"


async def test_knight_children_that_fill_beyond_their_parent_are_a_fault_that_stops_the_strategy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stale_build(monkeypatch, quantity=100)
    room, sent = await runaway(fills=True)
    assert sum(message.quantity_e9 for message in sent) == 1000 * E9, "its parent's quantity and not a share more"
    (stopped,) = [r.event async for page in room.log.read_pages() for r in page if isinstance(r.event, StrategyDisabled)]
    assert (stopped.strategy, stopped.check) == ("twap", Check.CHILD_SUM)


async def test_knight_the_notional_limit_stops_it_without_any_count(monkeypatch: pytest.MonkeyPatch) -> None:
    stale_build(monkeypatch, quantity=100)
    room, sent = await runaway(NOTIONAL, fills=True)
    money = room.desk.state.risk.totals.money((ScopeKind.FIRM, ""))
    room.desk.state.risk.totals.settle()
    assert len(sent) == 4 and money.gross_e9 + money.buying_e9 <= NOTIONAL.value_e9


async def test_citi_money_typed_as_a_quantity_is_blocked_as_a_list_and_nobody_may_override_it() -> None:
    room = await Room(risk=RiskTerms(limits=(LIST.model_copy(update={"level": "soft"}),), digest="d")).open()
    room.take()
    basket = (*good("A1", quantity_e9=58_000_000 * E9, **DIRECT), *good("B1", quantity_e9=1_000 * E9, **DIRECT))
    await room.client(new_list(*basket, staged=False))
    told = status(room)
    assert [listed.status for listed in told.orders] == [OrdStatus.REJECTED] * 2
    assert told.orders[0].text == "risk: list value of firm: 5800100000 against 500000"
    assert room.take(SendChild) == []
    assert not [p for p in room.desk.state.parents.values() if isinstance(p, ParentOrder)]


async def test_citi_the_same_list_in_shares_passes() -> None:
    room = await Room(risk=RiskTerms(limits=(LIST,), digest="d")).open()
    await room.client(new_list(*good("A1", quantity_e9=580 * E9, **DIRECT), *good("B1", **DIRECT), staged=False))
    assert [m.quantity_e9 for m in room.take(SendChild)] == [580 * E9, 1000 * E9]


async def test_citi_slice_by_slice_is_stopped_by_what_a_client_may_enter_in_an_hour() -> None:
    hourly = limit(Check.PARENT_VALUE, 250_000 * E9, "money", scope=ScopeKind.CLIENT, scope_id="*", window_ns=60 * MINUTE_NS)
    room = await Room(risk=RiskTerms(limits=(hourly,), digest="d")).open()
    for name in ("A1", "A2", "A3"):
        await room.client_order(name)
    assert len(room.take(SendChild)) == 2
    await room.wait(3600)
    await room.client_order("A4")
    assert len(room.take(SendChild)) == 1
