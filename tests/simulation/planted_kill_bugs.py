"""Bugs in the kill switch that the simulation must find: each a few lines, switched on alone."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest

from domain import child_order as co
from domain import kill_table
from domain.kill_latch import Slot
from domain.kill_scope import Scope
from domain.kill_table import Action, Level, Verdict, Who
from domain.ports import KillLatch
from ems.order_gate import GateRules, OrderGate
from tests.simulation.kill import Kill
from tests.simulation.planting import bug


@bug("after a kill nothing leaves but what may")
def does_not_ask_the_gate(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(OrderGate, "_look", lambda self, message: None)


class _Once:
    """A latch that is read at the start and never again."""

    def __init__(self, latch: KillLatch) -> None:
        self._latch = latch
        self._first = latch.verdict(())

    def verdict(self, digests: Sequence[int]) -> Verdict:
        return self._first

    def slots(self) -> tuple[Slot, ...]:
        return self._latch.slots()

    def change(self, scope: Scope, how: Callable[[Slot], Slot]) -> tuple[Slot, Slot]:
        return self._latch.change(scope, how)

    def build(self, slots: Sequence[Slot]) -> None:
        self._latch.build(slots)


@bug("the latch is read for every order")
def reads_the_latch_once_at_the_start(patch: pytest.MonkeyPatch) -> None:
    init = OrderGate.__init__

    def once(self: OrderGate, gateway: Any, rules: GateRules, deliver: Any) -> None:
        init(self, gateway, replace(rules, latch=_Once(rules.latch)), deliver)

    patch.setattr(OrderGate, "__init__", once)


@bug("a larger replace is new risk")
def takes_every_replace_for_a_smaller_one(patch: pytest.MonkeyPatch) -> None:
    look = OrderGate._look
    # A trip between a replace's commit and its sending is rare: here every day has one.
    patch.setattr(Kill, "DAYS", (1,))
    patch.setattr(Kill, "MOMENTS", (co.ReplaceRequested,))

    def lenient(self: OrderGate, message: Any) -> Any:
        mark = self._rules.mark_of(message)
        return None if mark.action is Action.REPLACE_UP else look(self, message)

    patch.setattr(OrderGate, "_look", lenient)


@bug("suspended means no new risk")
def lets_orders_leave_while_suspended(patch: pytest.MonkeyPatch) -> None:
    may_leave = kill_table.may_leave

    def lenient(verdict: Verdict, action: Action, **kwargs: Any) -> bool:
        return verdict.level is Level.SUSPENDED or may_leave(verdict, action, **kwargs)

    patch.setattr("ems.order_gate.may_leave", lenient)
    assert kill_table.TABLE[Level.SUSPENDED, Action.NEW] is Who.NOBODY
