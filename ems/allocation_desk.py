"""Allocations: instructions of an OMS, groups that orders bring along, and what becomes of both when executions change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from domain import allocation as al
from domain import fix_session as fs
from domain.allocation import Allocation
from domain.allocation_messages import AllocatedOrder, AllocationInstruction, AllocationReportAck
from domain.allocation_report import Orders, book, settle
from domain.allocation_rules import Found, Head, accept, decide, instruct, pre_trade
from domain.allocation_terms import AllocationPolicy, Terms
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.session_policy import DEFAULT, SessionPolicy
from domain.values import StreamId
from ems import allocation_reports, session_notes
from ems.turn import Turn


class AllocationDesk:
    """The desk's side that answers for allocations. `work` looks at what is, so it does the right thing after any crash."""

    def __init__(self, reference: Reference, policies: Mapping[str, SessionPolicy]) -> None:
        self._reference = reference
        self._policies = policies

    # -------------------------------------------------------------------------------- from the client

    def handle(self, turn: Turn, request: AllocationInstruction) -> None:
        """An instruction: decided, or kept until its orders are over."""
        state, session, day = turn.state, request.ref.session, request.trade_date
        known = state.alloc_ids.get((session, day, request.alloc_id))
        if known is not None and (request.poss_resend or request.poss_dup):
            self._repeat(turn, request, state.allocations[known])
            return
        chain = None if request.action == "new" else state.alloc_ids.get((session, day, request.ref_alloc_id))
        referred = state.allocations.get(chain) if chain is not None else None
        stream = chain or known or al.key(session, day, request.alloc_id)
        before = referred.parents if referred is not None else ()
        found = [Found(asked, self._find(turn, session, day, asked)) for asked in request.orders]
        parents = [one.parent for one in found if one.parent is not None]
        orders = self._orders(turn, session, request.symbol, parents, apart=chain)
        head = Head(stream=stream, client_session=session, trade_date=day)
        events = instruct(request, head, referred, found, orders, duplicate=known is not None)
        turn.apply(stream, *events, correlation=parents[0].id if parents else stream)
        for parent_id in dict.fromkeys((*before, *state.allocations[stream].parents)):
            self.work(turn, parent_id)  # what it has given back may be another's

    def acknowledged(self, turn: Turn, ack: AllocationReportAck) -> None:
        """What the client says to a report. One of a report that it was not sent, or said before, changes nothing."""
        stream, number = self._reported(turn, ack)
        state = turn.state.allocations.get(stream) if stream is not None else None
        if state is None or state.client_session != ack.ref.session:
            session_notes.note(turn, self._reference, ack, f"acknowledges {ack.report_id}, a report that it was not sent")
            return
        event = al.Acknowledged(number=number, status=ack.status, reject_code=ack.reject_code, text=ack.text)
        if state.said.get(number) == event:
            session_notes.note(turn, self._reference, ack, f"acknowledges {ack.report_id} as before")
            return
        turn.apply(state.id, event, correlation=state.parents[0] if state.parents else state.id)

    def _reported(self, turn: Turn, ack: AllocationReportAck) -> tuple[StreamId | None, int]:
        """The report that is meant: by its id or, where an allocation is named, the last one of that."""
        state = turn.state
        if (named := state.alloc_reports.get(ack.report_id)) is not None:
            return named
        stream = state.alloc_ids.get((ack.ref.session, ack.trade_date, ack.alloc_id)) if ack.trade_date else None
        report = state.allocations[stream].report if stream is not None else None
        return (stream, report.number) if report is not None else (None, 0)

    def _repeat(self, turn: Turn, request: AllocationInstruction, known: Allocation) -> None:
        """The peer is not sure that we had it: it is told how the allocation stands."""
        session = request.ref.session
        stream = fs.key(session, self._reference.trade_date(turn.now_ns))
        note = fs.MessageNoted(session=session, note=f"repeated allocation {request.alloc_id}", raw=request.raw)
        turn.apply(stream, note, correlation=stream)
        turn.extra.append(allocation_reports.standing(known, request.alloc_id, at_ns=turn.now_ns))

    def _find(self, turn: Turn, session: str, day: str, asked: AllocatedOrder) -> ParentOrder | None:
        """The order of that name: by OrderID where there is one, and then its ClOrdID may be any of its chain."""
        state = turn.state
        by_name = state.client_ids.get((session, day, asked.cl_ord_id)) or state.carried_ids.get((session, asked.cl_ord_id))
        stream = state.order_ids.get(asked.order_id) if asked.order_id else by_name
        if stream is None or (asked.order_id and by_name not in (None, stream)):
            return None
        parent = state.parents.get(stream)
        return parent if isinstance(parent, ParentOrder) and parent.client_session == session else None

    # ------------------------------------------------------------------------------- what follows

    def work(self, turn: Turn, stream: StreamId) -> None:
        """Do what an order's state calls for now: decide what has waited for its end, report what has changed since."""
        parent = turn.state.parents.get(stream)
        if not isinstance(parent, ParentOrder):
            return
        for allocation in turn.state.allocations_of.get(stream, ()):
            self._decide_waiting(turn, allocation)
        self._brought_along(turn, parent)
        for allocation in turn.state.allocations_of.get(stream, ()):
            self._settle(turn, allocation)

    def _decide_waiting(self, turn: Turn, stream: StreamId) -> None:
        state = turn.state.allocations[stream]
        if state.waiting is None:
            return
        orders = self._orders_of(turn, state, state.waiting, apart=stream, earlier=False)
        if orders.over:
            turn.apply(stream, *decide(state.waiting, _head(state), state, orders), correlation=state.parents[0])

    def _brought_along(self, turn: Turn, parent: ParentOrder) -> None:
        """The allocation in the order itself holds for what no instruction has taken, once the order is over."""
        if not parent.finished or parent.live or (terms := pre_trade(parent)) is None:
            return
        stream = al.key(parent.client_session, parent.trade_date, terms.alloc_id)
        state = turn.state.allocations.get(stream)
        if state is not None and (not state.holds or state.terms is None or not state.terms.pre_trade):
            return  # the client has replaced or canceled it since
        if state is not None and state.terms is not None and state.terms.shares == terms.shares:
            return
        head = Head(stream=stream, client_session=parent.client_session, trade_date=parent.trade_date)
        orders = self._orders(turn, parent.client_session, parent.instrument, [parent], apart=stream)
        if book(terms, orders).quantity_e9:
            turn.apply(stream, *accept(terms, head, state, orders), correlation=parent.id)

    def _settle(self, turn: Turn, stream: StreamId) -> None:
        state = turn.state.allocations[stream]
        if state.terms is not None and state.holds:
            # One that is told of keeps its executions before those that came after it; one that lost them has what is free.
            orders = self._orders_of(turn, state, state.terms, apart=stream, earlier=state.reported is not None)
            turn.apply(stream, *settle(state, orders), correlation=state.parents[0])

    # ----------------------------------------------------------------------------------------- orders

    def _orders_of(self, turn: Turn, state: Allocation, terms: Terms, *, apart: StreamId, earlier: bool) -> Orders:
        parents = [turn.state.parent(booked.parent) for booked in terms.orders]
        return self._orders(turn, state.client_session, terms.instrument, parents, apart=apart, earlier=earlier)

    def _orders(
        self,
        turn: Turn,
        session: str,
        symbol: str,
        parents: Iterable[ParentOrder],
        *,
        apart: StreamId | None,
        earlier: bool = False,
    ) -> Orders:
        """Orders as they are, with what allocations have of them: all but one, or those before it."""
        by_id = {parent.id: parent for parent in parents}
        taken_e9 = {parent: _taken_e9(turn, parent, apart, earlier=earlier) for parent in by_id}
        return Orders(by_id, taken_e9, self._policy(session), self._reference.instrument(symbol))

    def _policy(self, session: str) -> AllocationPolicy:
        return self._policies.get(session, DEFAULT).allocation


def _taken_e9(turn: Turn, parent: StreamId, apart: StreamId | None, *, earlier: bool) -> int:
    """What allocations have of an order's executions: in their order each up to what it may have, as far as there is.
    Those whose division is not told of, as it was withdrawn or cannot be made, have none.
    """
    left_e9 = executed_e9 = turn.state.parent(parent).cum_quantity_e9
    for stream in turn.state.allocations_of.get(parent, ()):
        if stream == apart:
            if earlier:
                break
            continue
        allocation = turn.state.allocations[stream]
        terms = allocation.terms if allocation.holds and allocation.reported is not None else None
        for booked in terms.orders if terms is not None else ():
            if booked.parent == parent:
                left_e9 -= left_e9 if booked.booked_e9 is None else min(left_e9, booked.booked_e9)
    return executed_e9 - left_e9


def _head(state: Allocation) -> Head:
    return Head(stream=state.id, client_session=state.client_session, trade_date=state.trade_date)
