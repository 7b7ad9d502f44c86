"""Everything the desk knows, folded from the log. Live, replayed and recovered state are made by the same `apply`."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Sequence
from typing import Any, ClassVar

from domain import (
    allocation,
    attention,
    child_life,
    child_order,
    decision,
    fill,
    fix_session,
    limits,
    market_note,
    mass,
    order_list,
    parent_life,
    parent_order,
    risk,
    risk_verdicts,
    unfolded,
    wheel,
)  # fmt: skip
from domain.allocation import Allocation
from domain.attention import Attention, alert_id
from domain.care import Staged
from domain.child_order import ChildOrder
from domain.event import UNREAD, Event, InboundRef, Meta, Recorded, Unread
from domain.exposure import ENTERING, MOVING
from domain.fill import Fill
from domain.fix_session import FixSession
from domain.market_note import Notes
from domain.mass import MassCancel
from domain.order_list import OrderList
from domain.parent_life import NAMING, OPENING
from domain.parent_order import ParentOrder, RejectedOrder
from domain.risk_state import RiskState
from domain.values import StreamId
from domain.wheel import Wheel

_NOTED = frozenset({*NAMING, *OPENING, *ENTERING, Staged, parent_order.Rejected, parent_order.Finished})


class DeskState:
    """Streams by id, and the indexes that messages are found by. Nothing is in it that events did not put there."""

    def __init__(self) -> None:
        self.seq = self.decisions = 0
        self.commanded: set[str] = set()  # causations of commands that have been decided: each is decided once
        self._shift = 0  # how much higher the log has numbered events than they were applied under
        self.parents: dict[StreamId, ParentOrder | RejectedOrder] = {}
        self.children: dict[StreamId, ChildOrder] = {}
        self.fills: dict[StreamId, Fill] = {}
        self.sessions: dict[StreamId, FixSession] = {}
        self.mass_cancels: dict[StreamId, MassCancel] = {}
        self.lists: dict[StreamId, OrderList] = {}
        self.list_ids: dict[tuple[str, str], StreamId] = {}  # (session, ListID) -> the last list of that name
        self.allocations: dict[StreamId, Allocation] = {}
        self.risk = RiskState(self.parents)
        self.attention = Attention()
        self.wheels: dict[StreamId, Wheel] = {}
        self.notes: dict[StreamId, Notes] = {}  # streams that the desk writes and has no use for: their versions
        self._ref: InboundRef | None = None  # the message of the last event
        self.watermarks: dict[str, tuple[int, int]] = {}  # session -> (reset epoch, highest durable MsgSeqNum)
        self.reserved: dict[str, tuple[int, int]] = {}  # session -> (reset epoch, outbound numbers reserved up to)
        self.client_ids: dict[tuple[str, str, str], StreamId] = {}  # (session, trade date, ClOrdID) -> parent
        self.carried_ids: dict[tuple[str, str], StreamId] = {}  # (session, ClOrdID) -> parent that lives beyond its first day
        self.order_ids: dict[str, StreamId] = {}  # OrderID that clients see -> parent
        self.corrections: dict[tuple[str, str], StreamId] = {}  # (venue session, ExecID of a correction) -> the execution
        self.child_ids: dict[str, StreamId] = {}  # ClOrdID we sent -> child
        self.alloc_ids: dict[tuple[str, str, str], StreamId] = {}  # (session, trade date, AllocID) -> allocation
        self.alloc_reports: dict[str, tuple[StreamId, int]] = {}  # AllocReportID -> allocation, number of the report
        self.allocations_of: dict[StreamId, tuple[StreamId, ...]] = {}  # parent -> its allocations, in the order of their arrival
        self.rejected_by: dict[StreamId, str] = {}  # rejected parent -> its client session
        self.last_seq: dict[StreamId, int] = {}  # stream that reports derive from -> its last event
        self.flattening: dict[tuple[str, str], tuple[StreamId, ...]] = {}  # account, instrument -> orders of PANICs, in order
        self.working: dict[StreamId, None] = {}  # parents not finished, in the order of their arrival

    def apply(self, stream: StreamId, event: Event, meta: Meta, *, seq: int) -> Any:
        """Fold one event; returns the state of its stream afterwards."""
        self.seq = seq
        if meta.actor[:7] == "person:":
            self.commanded.add(meta.causation)
        if meta.inbound is not self._ref:  # the events of one message share it
            self._ref = meta.inbound
            if meta.inbound is not None:
                self._received(meta.inbound)
        return self._FOLD[type(event)](self, stream, event, meta, seq)

    def committed(self, recorded: Sequence[Recorded], supposed_seq: int) -> None:
        """The log has numbered what was applied ahead of it; other writers' events may lie in between.

        Args:
            supposed_seq: `unshifted` right after the last of them was applied. More may have been applied since.
        """
        supposed_seq += self._shift
        if not recorded or (shift := recorded[-1].seq - supposed_seq) == 0:
            return
        newer = self.last_seq.items() if self.seq > supposed_seq else ()
        later = {stream: seq + shift for stream, seq in newer if seq > supposed_seq}
        self.last_seq.update((r.stream, r.seq) for r in recorded if r.stream in self.last_seq)
        self.last_seq.update(later)
        self.seq += shift
        self._shift += shift

    @property
    def unshifted(self) -> int:
        """The number of the last event as if no other writer had ever come between."""
        return self.seq - self._shift

    def version(self, stream: StreamId) -> int:
        """How many events of a stream have been folded."""
        if (of_risk := self.risk.version(stream)) is not None:
            return of_risk
        for store in self._stores():
            if (found := store.get(stream)) is not None:
                version: int = found.version
                return version
        return 0

    def _stores(self) -> tuple[dict[StreamId, Any], ...]:
        return (self.parents, self.children, self.fills, self.sessions, self.allocations, self.mass_cancels, self.lists,
            self.notes, self.wheels)  # fmt: skip

    def used_by(self, session: str, trade_date: str, cl_ord_id: str) -> StreamId | None:
        """The order that used a ClOrdID before, rejected or not, or a request about which did."""
        return self.client_ids.get((session, trade_date, cl_ord_id)) or self.carried_ids.get((session, cl_ord_id))

    def parent(self, stream: StreamId) -> ParentOrder:
        """An accepted parent. Raises KeyError for one that was rejected or never came."""
        parent = self.parents[stream]
        if isinstance(parent, RejectedOrder):
            raise KeyError(stream)
        return parent

    def children_of(self, parent: ParentOrder) -> list[ChildOrder]:
        """A parent's children that have not been closed; what is in parts of the desk's own is no child."""
        return [self.children[stream] for stream in parent.open_e9 if stream in self.children]

    def live_children(self, venue_session: str | None = None) -> Iterator[ChildOrder]:
        """Children that have not ended, of one venue session or all."""
        for stream in list(self.working):
            children = self.children_of(self.parent(stream))
            yield from (child for child in children if child.live and venue_session in (None, child.venue_session))

    def digest(self) -> str:
        """SHA-256 over the whole state, the same on every machine that folded the same events."""
        sha = hashlib.sha256()
        for store in self._stores():
            for stream in sorted(store):
                sha.update(repr(store[stream]).encode())
        sha.update(repr((self.seq, self.decisions, sorted(self.watermarks.items()), sorted(self.reserved.items()))).encode())
        for line in (*self.risk.written(), *self.attention.open):
            sha.update(line.encode())
        return sha.hexdigest()

    def _received(self, ref: InboundRef) -> None:
        self.watermarks[ref.session] = max(self.watermarks.get(ref.session, (-1, 0)), (ref.reset_epoch, ref.msg_seq_num))

    def _parent(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> ParentOrder | RejectedOrder:
        before = self.parents.get(stream)
        after = self.parents[stream] = parent_life.evolve(before, event, stream=stream, at_ns=meta.event_time_ns)
        self.last_seq[stream] = seq
        if type(event) in _NOTED:
            if isinstance(after, ParentOrder):
                self.risk.parent(event, before, after, meta)
            self._index(stream, event, after)
        return after

    def _index(self, stream: StreamId, event: Any, after: ParentOrder | RejectedOrder) -> None:
        """What parents are found by: ClOrdIDs, and whether there is work on them."""
        kind = type(event)  # not isinstance: of pydantic classes it is answered by a Python function
        if kind is parent_order.Rejected:
            self.rejected_by[stream] = event.client_session
            self.client_ids.setdefault((event.client_session, event.trade_date, event.cl_ord_id), stream)
        elif isinstance(after, ParentOrder):
            if kind in NAMING and event.cl_ord_id:
                # A refused request may carry an id that is another order's: the first to use an id keeps it.
                self.client_ids.setdefault((after.client_session, after.trade_date, event.cl_ord_id), stream)
                if after.carried:
                    self.carried_ids[(after.client_session, event.cl_ord_id)] = stream
            if kind is parent_order.Accepted:
                self.order_ids[event.order_id] = stream
                if event.flattens is not None:
                    place = (after.account, after.instrument)
                    self.flattening[place] = (*self.flattening.get(place, ()), stream)
            if after.finished:
                self.working.pop(stream, None)
                self.risk.blocked.pop(stream, None)
            elif kind in OPENING:
                self.working[stream] = None

    def _child(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> ChildOrder:
        before = self.children.get(stream)
        after = self.children[stream] = child_life.evolve(before, event, stream=stream, at_ns=meta.event_time_ns)
        kind: Any = type(event)  # not isinstance: of pydantic classes it is answered by a Python function
        if kind in MOVING:
            if kind is child_order.Created:
                self.child_ids[after.cl_ord_id] = stream
            self.risk.exposure.child(after)
        return after

    def _fill(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> Fill:
        after = self.fills[stream] = fill.evolve(self.fills.get(stream), event, stream=stream, at_ns=meta.event_time_ns)
        if type(event) is fill.Recorded:
            return after
        if type(event) is fill.Restated:
            self.corrections[(event.venue_session, event.exec_id)] = stream
        elif type(event) is fill.Quarantined:
            self.attention.apply(stream, after.version, event, meta.event_time_ns)
        elif type(event) is fill.Dismissed or type(event) is fill.Booked:
            self.attention.close(alert_id(stream, after.quarantined[event.number - 1].version))
        return after

    def _decision(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> decision.Decision | None:
        self.decisions += 1  # they are facts for who asks why, and counted here: a fold leaves their content unread
        return None if event is UNREAD else decision.evolve(None, event, stream=stream, at_ns=meta.event_time_ns)

    def _session(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> FixSession:
        before = self.sessions.get(stream)
        after = self.sessions[stream] = fix_session.evolve(before, event, stream=stream, at_ns=meta.event_time_ns)
        self.attention.apply(stream, after.version, event, meta.event_time_ns)
        if isinstance(event, fix_session.MessageRefused):  # what else happens at a session is told to nobody
            self.last_seq[stream] = seq
        elif isinstance(event, fix_session.OutboundReserved):
            self.reserved[event.session] = (event.reset_epoch, event.up_to)
        return after

    def _allocation(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> Allocation:
        after = allocation.evolve(self.allocations.get(stream), event, stream=stream, at_ns=meta.event_time_ns)
        self.allocations[stream] = after
        self.last_seq[stream] = seq
        self.attention.apply(stream, after.version, event, meta.event_time_ns, session=after.client_session)
        for alloc_id in after.answers:
            self.alloc_ids.setdefault((after.client_session, after.trade_date, alloc_id), stream)
        if type(event) is allocation.Reported:
            self.alloc_reports[allocation.report_id(stream, event.number)] = (stream, event.number)
        for parent in [p for p in after.parents if stream not in self.allocations_of.get(p, ())]:
            self.allocations_of[parent] = (*self.allocations_of.get(parent, ()), stream)
        return after

    def _mass_cancel(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> MassCancel:
        self.mass_cancels[stream] = after = mass.evolve(self.mass_cancels.get(stream), event, stream=stream)
        self.last_seq[stream] = seq
        return after

    def _list(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> OrderList:
        self.lists[stream] = after = order_list.evolve(self.lists.get(stream), event, stream=stream)
        self.list_ids[(after.client_session, after.list_id)] = stream
        self.last_seq[stream] = seq
        return after

    def _risk(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> Any:
        return self.risk.apply(stream, event, meta)

    def _checked(self, stream: StreamId, event: risk_verdicts.Checked, meta: Meta, seq: int) -> Any:
        return self.risk.checked(event, meta.event_time_ns)

    def _attended(self, stream: StreamId, event: Any, meta: Meta, seq: int) -> None:
        self.attention.close(event.alert)

    def _wheel(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> None:
        self.wheels[stream] = wheel.evolve(self.wheels.get(stream), event, stream=stream)

    def _noted(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> Notes:
        self.notes[stream] = after = market_note.evolve(self.notes.get(stream))
        return after

    def _elsewhere(self, stream: StreamId, event: Event, meta: Meta, seq: int) -> None:
        """Another writer's event, which a desk that runs does not see: a desk that recovers knows no more than it."""

    _FOLD: ClassVar[dict[type[Event], Callable[..., Any]]] = {
        **dict.fromkeys((*risk.EVENTS, *limits.EVENTS), _risk),
        risk_verdicts.Checked: _checked,
        **dict.fromkeys(parent_order.EVENTS, _parent),
        **dict.fromkeys(child_order.EVENTS, _child),
        **dict.fromkeys(fill.EVENTS, _fill),
        **dict.fromkeys((*decision.EVENTS, Unread), _decision),
        **dict.fromkeys(fix_session.EVENTS, _session),
        **dict.fromkeys(mass.EVENTS, _mass_cancel),
        **dict.fromkeys(order_list.EVENTS, _list),
        **dict.fromkeys(allocation.EVENTS, _allocation),
        **dict.fromkeys(attention.EVENTS, _attended),
        **dict.fromkeys(market_note.EVENTS, _noted),
        **dict.fromkeys(wheel.EVENTS, _wheel),
        **dict.fromkeys(unfolded.EVENTS, _elsewhere),
    }
