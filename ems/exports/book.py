"""Orders as an export needs them: folded by the rules that the desk itself folds by, forgotten once their day is over.

Memory follows the orders that are open and those of the day that is being read, never the length of the log.
"""

from __future__ import annotations

from typing import NamedTuple

from domain import child_life, parent_life
from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event, Meta
from domain.parent_order import ParentOrder
from domain.values import Side, StreamId, event_id


class Fact(NamedTuple):
    """One event of the log with all that is known of it. topic is the stored one; event the same as today's version says it."""

    seq: int
    stream: StreamId
    version: int
    topic: str
    recorded_ns: int
    state: bytes
    prev_hash: bytes
    hash: bytes
    event: Event
    meta: Meta

    @property
    def event_id(self) -> str:
        """The event's own id."""
        return event_id(self.stream, self.version)


class Execution(NamedTuple):
    """What is kept of an execution, for its bust or correction."""

    parent: StreamId
    child: StreamId
    venue_session: str
    trade_date: str
    cl_ord_id: str
    instrument: str
    side: Side


class Book:
    """Parents and children by stream, as they stand after the last event that was applied."""

    def __init__(self) -> None:
        self.parents: dict[StreamId, ParentOrder] = {}
        self.children: dict[StreamId, ChildOrder] = {}
        self.born_ns: dict[StreamId, int] = {}  # when an order's id was assigned
        self.before: ParentOrder | ChildOrder | None = None  # the order that the last event changed, as it was before
        self.fills: dict[StreamId, Execution] = {}  # of orders that are kept
        self.planners: dict[StreamId, str] = {}  # of each parent, who made the plan that is in force
        self.plans: dict[StreamId, StreamId] = {}  # of each parent, the decision that is in force

    def apply(self, fact: Fact) -> None:
        """Fold one event."""
        event, stream, at_ns = fact.event, fact.stream, fact.meta.event_time_ns
        self.before = None
        if isinstance(event, po.EVENTS):
            self._parent(stream, event, at_ns)
        elif isinstance(event, co.EVENTS):
            before = self.children.get(stream)
            if before is not None or isinstance(event, co.Created):
                self.before = before
                self.children[stream] = child_life.evolve(before, event, stream=stream, at_ns=at_ns)
                self.born_ns.setdefault(stream, at_ns)
        elif isinstance(event, fl.Recorded):
            parent, child = self.parents.get(event.parent), self.children.get(event.child)
            self.fills[stream] = Execution(
                parent.id if parent else event.parent, child.id if child else event.child, event.venue_session,
                event.trade_date, event.cl_ord_id, event.instrument, event.side,
            )  # fmt: skip

    def _parent(self, stream: StreamId, event: Event, at_ns: int) -> None:
        before = self.parents.get(stream)
        if before is None and not isinstance(event, po.Accepted):
            return  # a refused order has no life
        self.before = before
        after = parent_life.evolve(before, event, stream=stream, at_ns=at_ns)
        assert isinstance(after, ParentOrder)
        if after.schedule is not None or after.arrival is not None:  # the largest part of an order, and no export asks for it
            after = after._replace(schedule=None, arrival=None)
        self.parents[stream] = after
        self.born_ns.setdefault(stream, at_ns)
        if isinstance(event, po.Scheduled):
            self.plans[stream], self.planners[stream] = event.decision, event.schedule.planner

    def parent_of(self, fact: Fact) -> ParentOrder | None:
        """The parent order that an event belongs to."""
        child = self.children.get(fact.stream)
        found = self.parents.get(fact.stream) or self.parents.get(fact.meta.correlation)
        return found if child is None else self.parents.get(child.parent, found)

    def forget_ended(self) -> None:
        """A day begins: orders that have ended are gone, with their children and executions."""
        ended = {stream for stream, parent in self.parents.items() if not parent.live}
        for stream in ended:
            del self.parents[stream]
        gone = {stream for stream, child in self.children.items() if child.parent in ended}
        for stream in gone:
            del self.children[stream]
        self.plans = {stream: plan for stream, plan in self.plans.items() if stream not in ended}
        self.planners = {stream: name for stream, name in self.planners.items() if stream not in ended}
        self.fills = {stream: fill for stream, fill in self.fills.items() if fill.parent not in ended}
        self.born_ns = {stream: at for stream, at in self.born_ns.items() if stream in self.parents or stream in self.children}
