"""Bugs toward clients, in quantities, plans and replay that the simulation must find: each a few lines, switched on alone."""

from __future__ import annotations

import time
from itertools import count
from typing import Any

import pytest

from domain import child_life, parent_life, parent_rules, risk_checks
from domain import child_order as co
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from domain.risk import Check, Outcome
from domain.sending import Outbound
from domain.values import StreamId
from ems import desk_state, planning, recovery, reports, tactic
from ems.desk import Desk
from ems.desk_state import DeskState
from ems.risk import Cleared, RiskGate
from ems.session_desk import SessionDesk
from ems.turn import Turn
from tests.simulation.planting import bug

# --------------------------------------------------------------------------------------------- clients


@bug("recovery sends what the OMS has not had")
def forgets_missed_reports(patch: pytest.MonkeyPatch) -> None:
    async def none(log: EventLog, state: DeskState, sent_seq: dict[str, int], copies: object) -> list[Outbound]:
        return []

    patch.setattr(recovery, "missed_reports", none)


@bug("reports leave in the order of the log")
def lets_new_reports_overtake_missed_ones(patch: pytest.MonkeyPatch) -> None:
    due = SessionDesk.due

    async def hasty(self: SessionDesk, turn: Turn, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        if not self._behind:
            return await due(self, turn, recorded)
        missed = [message for message in await due(self, turn, recorded) if reports.to_client(message)]
        return turn.outbound(recorded) + missed

    patch.setattr(SessionDesk, "due", hasty)


@bug("outbound reports have deterministic ExecIDs")
def draws_exec_ids_at_random(patch: pytest.MonkeyPatch) -> None:
    numbers = count(1)
    patch.setattr(reports, "_exec_id", lambda recorded: f"X{next(numbers)}")


@bug("one message is decided once")
def decides_redelivered_messages_again(patch: pytest.MonkeyPatch) -> None:
    message = Desk._message

    def again(self: Desk, turn: Turn, item: Any) -> None:
        marks, self.state.watermarks = self.state.watermarks, {}
        message(self, turn, item)
        self.state.watermarks = {**marks, **self.state.watermarks}

    patch.setattr(Desk, "_message", again)


@bug("pending requests are answered")
def forgets_requests_that_a_fill_overtakes(patch: pytest.MonkeyPatch) -> None:
    parent = Turn.parent

    def forget(self: Turn, stream: StreamId, *events: Event) -> Any:
        kept = [e for e in events if not (isinstance(e, po.RequestRefused) and e.text == "the order is filled")]
        return parent(self, stream, *kept) if kept else self.state.parents[stream]

    patch.setattr(Turn, "parent", forget)


@bug("a ClOrdID stays with its first order")
def lets_a_refused_request_take_an_id(patch: pytest.MonkeyPatch) -> None:
    fold = DeskState.apply

    def move(self: DeskState, stream: StreamId, event: Event, meta: Any, *, seq: int) -> Any:
        after = fold(self, stream, event, meta, seq=seq)
        if isinstance(event, po.RequestRefused):
            self.client_ids[after.client_session, after.trade_date, event.cl_ord_id] = stream
        return after

    def taken(self: DeskState, session: str, trade_date: str, cl_ord_id: str) -> StreamId | None:
        return self.client_ids.get((session, trade_date, cl_ord_id))

    patch.setattr(DeskState, "apply", move)
    patch.setattr(DeskState, "used_by", taken)


# --------------------------------------------------------------------------------------- quantity, plans


@bug("child quantity above the parent's")
def releases_more_than_is_left(patch: pytest.MonkeyPatch) -> None:
    propose = tactic.propose

    def too_much(*args: Any, **kwargs: Any) -> Any:
        return tuple(p._replace(quantity_e9=2 * p.quantity_e9) for p in propose(*args, **kwargs))

    def unchecked(state: ParentOrder, child: StreamId, quantity_e9: int, *, late_e9: int = 0) -> po.ChildReleased:
        return po.ChildReleased(child=child, number=state.children + 1, quantity_e9=quantity_e9, late_e9=0)

    patch.setattr(tactic, "propose", too_much)
    patch.setattr(parent_rules, "release", unchecked)
    patch.setitem(risk_checks.JUDGES, Check.CHILD_SUM, lambda *_: (0, 0, Outcome.PASS, ""))  # the risk gate would stop it too


@bug("a replace waits until the children are withdrawn")
def replaces_while_children_are_out(patch: pytest.MonkeyPatch) -> None:
    amend = parent_rules.amend

    def at_once(state: ParentOrder, request: Any, **known: Any) -> Any:
        decided = amend(state, request, **known)
        if isinstance(decided, tuple) and isinstance(decided[0], po.ReplaceRequested):
            return (po.Replaced(cl_ord_id=request.cl_ord_id, terms=decided[0].terms),)
        return decided

    patch.setattr(parent_rules, "amend", at_once)


@bug("an order is never replaced below what is filled")
def replaces_below_what_is_filled(patch: pytest.MonkeyPatch) -> None:
    replaced = parent_life._EVOLVE[po.Replaced]

    def below(state: ParentOrder, event: po.Replaced) -> dict[str, Any]:
        return {**replaced(state, event), "terms": event.terms}

    patch.setitem(parent_life._EVOLVE, po.Replaced, below)


@bug("a late plan for an order that has moved on is dropped")
def adopts_any_plan(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(planning, "_still_applies", lambda parent, request, end_ns: True)


# ------------------------------------------------------------------------------------------------ risk


@bug("every child order has a verdict that passed")
def makes_children_that_risk_has_not_seen(patch: pytest.MonkeyPatch) -> None:
    child = RiskGate.child

    def sometimes(self: RiskGate, turn: Turn, parent: ParentOrder, *terms: Any, venue: str) -> Cleared:
        if parent.children % 3 == 2:
            return Cleared(None, None)
        return child(self, turn, parent, *terms, venue=venue)

    patch.setattr(RiskGate, "child", sometimes)


@bug("an order that has ended reserves nothing")
def leaves_what_a_cancel_frees_reserved(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(desk_state, "MOVING", desk_state.MOVING - {co.Canceled})


# ---------------------------------------------------------------------------------------------- replay


@bug("a reader that skips an event")
def skips_an_event_when_it_folds(patch: pytest.MonkeyPatch) -> None:
    async def skipping(log: EventLog, *, onto: DeskState | None = None) -> DeskState:
        state = DeskState() if onto is None else onto
        async for page in log.read_pages(after_seq=state.seq):
            for one in page:
                if one.event.TOPIC != "parent_order.child_closed.v1" or one.seq % 5:
                    state.apply(one.stream, one.event, one.meta, seq=one.seq)
        return state

    patch.setattr(recovery, "fold", skipping)


@bug("no wall clock in evolve")
def reads_the_wall_clock_in_evolve(patch: pytest.MonkeyPatch) -> None:
    evolve = child_life.evolve

    def timed(state: ChildOrder | None, event: Event, *, stream: StreamId, at_ns: int) -> ChildOrder:
        return evolve(state, event, stream=stream, at_ns=time.time_ns())

    patch.setattr(child_life, "evolve", timed)
