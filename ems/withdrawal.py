"""Withdrawing: children that should not rest any more are canceled, what has not been answered is doubted and asked about again.

What it remembers is only about when to ask again; losing it costs a repeat, never an order.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from collections.abc import Set as AbstractSet
from typing import Final

from domain import child_order as co
from domain import child_rules, parent_rules
from domain.child_order import ChildOrder
from domain.order_life import RESTING, OrdStatus
from domain.parent_order import ParentOrder
from domain.refusal import Refusal
from domain.values import StreamId
from ems import orders_out, tactic
from ems.auctions import Auctions
from ems.day import DayDesk
from ems.pace import DECIDING_FACTOR, Pace
from ems.turn import Turn
from ems.venue_desk import VenueDesk

_WAITING: Final = frozenset({OrdStatus.PENDING_NEW, OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE})


class Withdrawal:
    """One for the scheduler. sessions_up: venue sessions that can be reached now."""

    def __init__(self, venue: VenueDesk, day: DayDesk, auctions: Auctions, pace: Pace, sessions_up: AbstractSet[str]) -> None:
        self._venue, self._day, self._auctions, self._pace = venue, day, auctions, pace
        self._sessions_up = sessions_up
        self._queried: dict[StreamId, int] = {}  # children in doubt -> when the venue was last asked
        self._canceled: dict[StreamId, int] = {}  # children a cancel was sent for -> when the next may be

    def asked(self, children: Iterable[ChildOrder], now_ns: int) -> None:
        """A question about all of these has been asked: each has its own when that is not answered in time."""
        self._queried.update(dict.fromkeys([child.id for child in children], now_ns))

    def ask_at_once(self, children: Iterable[StreamId] | None = None) -> None:
        """These, or all, may be asked about without waiting."""
        for child in list(self._queried) if children is None else children:
            self._queried.pop(child, None)

    def forget(self, child: StreamId) -> None:
        """It has ended."""
        self._queried.pop(child, None)
        self._canceled.pop(child, None)

    def due_ns(self, turn: Turn, parent: ParentOrder) -> Iterator[int]:
        """When its children have to be looked at again."""
        patience_ns = self._pace.patience_of(parent)
        for child in turn.state.children_of(parent):
            doubted = child.status is OrdStatus.IN_DOUBT
            again_ns = self._day.ask_every_ns(parent, turn.now_ns) if doubted else self._answer_due_ns(child)
            wait_ns = patience_ns if child.status in RESTING else again_ns
            asked_ns = self._queried.get(child.id, 0) if doubted else 0
            yield (asked_ns or child.changed_ns) + wait_ns
            yield self._canceled.get(child.id, 0)

    def work(self, turn: Turn, parent: ParentOrder) -> None:
        """Cancel what should not rest any more; doubt what has not been answered; ask again about what is in doubt."""
        for child in turn.state.children_of(parent):
            overdue = turn.now_ns - child.changed_ns >= self._answer_due_ns(child)
            if child.status is OrdStatus.IN_DOUBT:
                self._ask_again(turn, parent, child)
            elif child.status in _WAITING and overdue:
                self._venue.doubt(turn, child, f"{child.status} unanswered")
                self._ask_again(turn, parent, turn.state.children[child.id])
            elif child.status is not OrdStatus.PENDING_CANCEL and (reason := self._unwanted(turn, parent, child)):
                self._cancel(turn, child, reason)
        if why := self._parts_unwanted(turn, parent):
            self._pull_parts(turn, parent, why)

    def _answer_due_ns(self, child: ChildOrder) -> int:
        """How long a venue may take to answer: longer once it has said that it is thinking."""
        return self._pace.unanswered_ns * (DECIDING_FACTOR if child.considered else 1)

    def _ask_again(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> None:
        """Ask the venue what it knows; a child that should not rest is canceled beside, for doubt delays no cancel."""
        if child.venue_session not in self._sessions_up:
            return
        if reason := self._unwanted(turn, parent, child):
            self._cancel(turn, child, reason)
        if turn.now_ns - self._queried.get(child.id, 0) >= self._day.ask_every_ns(parent, turn.now_ns):
            self._queried[child.id] = turn.now_ns
            turn.extra.append(orders_out.status_query(child, seq=0))

    def _unwanted(self, turn: Turn, parent: ParentOrder, child: ChildOrder) -> str:
        """Why a child should be withdrawn now, "" if it may stay."""
        if not parent.live:
            return f"parent is {parent.status}" if not parent.direct else ""
        if parent.direct:  # it rests until its client or its venue says otherwise
            return ""
        if parent.pending is not None:
            return f"parent has a {parent.pending.request} pending"
        if parent.care.returning:
            return "it goes back to its client"
        stands_until_ns = self._auctions.stands_until_ns(parent, child, turn.now_ns)
        if stands_until_ns is None and turn.now_ns >= parent.terms.end_ns:
            return "end time"
        if parent.released_e9 > parent.terms.quantity_e9:
            return "more is released than the parent's quantity"
        if steered := tactic.steered_away(parent, child):
            return steered
        if stands_until_ns is not None:
            return "the auction is over" if turn.now_ns >= stands_until_ns else ""
        if child.status in RESTING and child.tactic == "passive" and turn.now_ns >= self._pace.closing_begins_ns(parent):
            return "closing"
        if child.tactic == tactic.MANUAL or child.status not in RESTING:
            return ""
        return "patience" if turn.now_ns - child.changed_ns >= self._pace.patience_of(parent) else ""

    def _cancel(self, turn: Turn, child: ChildOrder, reason: str) -> None:
        """Cancel now; again only at the pace of a lost answer, or a venue that refuses would be sent one at every answer."""
        if turn.now_ns < self._canceled.get(child.id, turn.now_ns):
            return
        request = co.CancelRequested(cl_ord_id=co.cl_ord_id(child.id, cancel=child.cancels + 1), reason=reason)
        if not isinstance(child_rules.decide(child, request), Refusal):
            self._canceled[child.id] = turn.now_ns + self._pace.unanswered_ns
            turn.apply(child.id, request, correlation=child.parent)

    def _parts_unwanted(self, turn: Turn, parent: ParentOrder) -> str:
        """Why the parts that hold some of an order should be withdrawn now, "" if they may stay."""
        if not parent.live:
            return f"its order is {parent.status}"
        if parent.pending is not None:
            return f"its client's {parent.pending.request} is pending"
        if parent.care.returning:
            return "its order goes back to its client"
        return "its order's end time" if turn.now_ns >= parent.terms.end_ns else ""

    def _pull_parts(self, turn: Turn, parent: ParentOrder, why: str) -> None:
        for stream in parent.care.parts_in(parent.open_e9):
            if events := parent_rules.withdraw(turn.state.parent(stream), text=why):
                turn.parent(stream, *events)
                turn.again[stream] = None
