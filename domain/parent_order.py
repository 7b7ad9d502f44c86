"""A parent order: what a client asked for, how much of it is released, filled and left.

Read top-down: its events, its frozen state, evolve. What may be asked of it is in `domain.parent_rules`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

from pydantic import BaseModel, ConfigDict

from domain.event import Event
from domain.instructions import CARRIED, Instructions
from domain.market_state import MarketState
from domain.order_life import TERMINAL, OrdStatus, Trigger, transition
from domain.refusal import Reason
from domain.revise import revised
from domain.schedule import Schedule
from domain.values import Algo, OrdType, Side, TimeInForce, divide_round, stream_id

# ---------------------------------------------------------------------------------------------- events


class Terms(BaseModel):
    """What the client may amend. Times are UTC nanoseconds, rates are fractions at 1e-9."""

    model_config = ConfigDict(frozen=True)

    quantity_e9: int
    limit_price_e9: int | None
    algo: Algo
    start_ns: int
    end_ns: int
    participation_e9: int | None = None
    max_participation_e9: int | None = None
    would_price_e9: int | None = None
    parameters: tuple[tuple[str, str], ...] = ()  # as sent, echoed on every report
    ord_type: OrdType | None = None  # None: a limit order where there is a limit, else a market order
    time_in_force: TimeInForce = TimeInForce.DAY
    instructions: Instructions | None = None


class Accepted(Event):
    TOPIC: ClassVar[str] = "parent_order.accepted.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str
    order_id: str
    account: str
    instrument: str
    side: Side
    terms: Terms
    arrival: MarketState | None  # the market when the order came: the benchmark of its shortfall


class Rejected(Event):
    TOPIC: ClassVar[str] = "parent_order.rejected.v1"
    client_session: str
    trade_date: str
    cl_ord_id: str
    order_id: str
    symbol: str
    side: Side | None
    quantity_e9: int
    reason: Reason
    text: str


class Scheduled(Event):
    TOPIC: ClassVar[str] = "parent_order.scheduled.v1"
    decision: UUID
    plan_number: int
    schedule: Schedule
    started_volume_e9: int  # the market's volume when the order's first plan was asked for


class PlanFailed(Event):
    """A planner gave no schedule; the last one stays in force and planning is tried again."""

    TOPIC: ClassVar[str] = "parent_order.plan_failed.v1"
    decision: UUID
    plan_number: int
    error: str


class ChildReleased(Event):
    TOPIC: ClassVar[str] = "parent_order.child_released.v1"
    child: UUID
    number: int
    quantity_e9: int
    late_e9: int  # how much of it had already waited at a venue in vain


class Filled(Event):
    TOPIC: ClassVar[str] = "parent_order.filled.v1"
    child: UUID
    fill: UUID
    quantity_e9: int
    price_e9: int


class ChildClosed(Event):
    """A child ended; what it did not fill may be released again."""

    TOPIC: ClassVar[str] = "parent_order.child_closed.v1"
    child: UUID
    status: OrdStatus


class Acknowledged(Event):
    """A direct order's venue has taken it."""

    TOPIC: ClassVar[str] = "parent_order.acknowledged.v1"
    working: bool | None  # False: it waits for a stop price


class TurnedDown(Event):
    """A direct order's venue has refused it after we had taken it."""

    TOPIC: ClassVar[str] = "parent_order.turned_down.v1"
    ord_rej_reason: int | None  # OrdRejReason (103)
    text: str


class RequestQueued(Event):
    """A cancel or replace that is taken, and decided when its turn comes or the venue has answered."""

    TOPIC: ClassVar[str] = "parent_order.request_queued.v1"
    request: Literal["cancel", "replace"]
    cl_ord_id: str
    terms: Terms | None = None


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "parent_order.cancel_requested.v1"
    cl_ord_id: str


class Canceled(Event):
    TOPIC: ClassVar[str] = "parent_order.canceled.v1"
    cl_ord_id: str  # of the request, the order's own where nobody asked
    text: str
    restatement_reason: int | None = None  # why, where nobody asked: ExecRestatementReason (378)


class ReplaceRequested(Event):
    TOPIC: ClassVar[str] = "parent_order.replace_requested.v1"
    cl_ord_id: str
    terms: Terms


class Replaced(Event):
    TOPIC: ClassVar[str] = "parent_order.replaced.v1"
    cl_ord_id: str
    terms: Terms


class RequestRefused(Event):
    """A cancel or replace refused. ends_pending: it was already being worked on, and is given up."""

    TOPIC: ClassVar[str] = "parent_order.request_refused.v1"
    request: Literal["cancel", "replace"]
    cl_ord_id: str
    reason: Reason
    text: str
    ends_pending: bool = False
    cxl_rej_reason: int | None = None  # CxlRejReason (102) as the venue gave it; None: by reason


class Triggered(Event):
    """A direct order's stop price was reached: it works."""

    TOPIC: ClassVar[str] = "parent_order.triggered.v1"


class DoneForDay(Event):
    """A direct order trades no more today; one that is carried trades again another day."""

    TOPIC: ClassVar[str] = "parent_order.done_for_day.v1"
    text: str


class Restated(Event):
    """A direct order's venue changed it or began its next day."""

    TOPIC: ClassVar[str] = "parent_order.restated.v1"
    reason: int | None  # ExecRestatementReason (378)
    quantity_e9: int
    limit_price_e9: int | None
    text: str


class FillRestated(Event):
    """An execution was taken back or corrected; quantity and price are of the whole execution, before and now."""

    TOPIC: ClassVar[str] = "parent_order.fill_restated.v1"
    child: UUID
    fill: UUID
    kind: Literal["cancel", "correct"]
    number: int  # of this change among those of the execution, from 1
    quantity_e9: int
    price_e9: int
    previous_quantity_e9: int
    previous_price_e9: int
    open_e9: int  # what the child may trade from now on


class ChildAmended(Event):
    """What a child may still trade is another quantity now: replaced, restated or reopened."""

    TOPIC: ClassVar[str] = "parent_order.child_amended.v1"
    child: UUID
    open_e9: int


class ExecutionDisputed(Event):
    """The client does not accept an execution that it was told of (35=Q): a person resolves it with both sides."""

    TOPIC: ClassVar[str] = "parent_order.execution_disputed.v1"
    exec_id: str
    reason: str  # DKReason (127)
    text: str


class Expired(Event):
    """The end time came before the quantity was done."""

    TOPIC: ClassVar[str] = "parent_order.expired.v1"
    text: str


class Finished(Event):
    """The order is over: the market at that moment closes its benchmarks. Follows the event that ended it."""

    TOPIC: ClassVar[str] = "parent_order.finished.v1"
    status: OrdStatus
    cum_quantity_e9: int
    average_price_e9: int
    market: MarketState | None


EVENTS = (
    Accepted, Rejected, Scheduled, PlanFailed, ChildReleased, Filled, ChildClosed, CancelRequested, Canceled,
    ReplaceRequested, Replaced, RequestRefused, Expired, Finished, Acknowledged, TurnedDown, RequestQueued, Triggered,
    DoneForDay, Restated, FillRestated, ChildAmended, ExecutionDisputed,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class Pending(NamedTuple):
    """A request that is being worked on, or waits. shown: the order's status says so."""

    request: Literal["cancel", "replace"]
    cl_ord_id: str
    terms: Terms | None = None
    shown: bool = True


class RejectedOrder(NamedTuple):
    """A refused order: its key stays taken."""

    id: UUID
    version: int = 1


class ParentOrder(NamedTuple):
    """What is known of one parent. open_e9: what each live child may still trade; it is reserved."""

    id: UUID
    version: int
    client_session: str
    trade_date: str
    cl_ord_id: str  # the last accepted of its chain
    order_id: str
    account: str
    instrument: str
    side: Side
    terms: Terms
    arrival: MarketState | None
    status: OrdStatus
    created_ns: int
    orig_cl_ord_id: str = ""  # the one before it in the chain
    open_e9: Mapping[UUID, int] = MappingProxyType({})
    cum_quantity_e9: int = 0
    notional_e18: int = 0
    schedule: Schedule | None = None
    plans: int = 0  # plans answered, the number of the last
    started_volume_e9: int | None = None  # the market's volume when work on these terms began
    start_filled_e9: int = 0  # what was filled when work on these terms began
    late_e9: int = 0  # what came back from children unfilled and is not out again
    children: int = 0  # children released, the number of the last
    rejections: int = 0  # children that venues rejected since the last fill
    pending: Pending | None = None
    finished: bool = False
    queue: tuple[Pending, ...] = ()  # requests behind the pending one
    held_e9: int = 0  # taken back by busts: not worked again before a person or the client says so
    working: bool | None = None
    day_start_e9: int | None = None  # of a carried order: what was filled before its present day

    @property
    def direct(self) -> bool:
        """Does one child carry it as it is?"""
        return self.terms.algo is Algo.DIRECT

    @property
    def carried(self) -> bool:
        """Does it live beyond its first day?"""
        return self.terms.time_in_force in CARRIED

    @property
    def live(self) -> bool:
        """Not ended: it may still trade. A carried order that is done for the day will."""
        return self.status not in TERMINAL or (self.status is OrdStatus.DONE_FOR_DAY and self.carried)

    @property
    def released_e9(self) -> int:
        """Filled, open at a venue, or held after a bust."""
        return self.cum_quantity_e9 + sum(self.open_e9.values()) + self.held_e9

    @property
    def leaves_e9(self) -> int:
        """FIX LeavesQty: zero once ended."""
        return max(0, self.terms.quantity_e9 - self.cum_quantity_e9) if self.live else 0

    @property
    def average_price_e9(self) -> int:
        """Volume-weighted price of the fills, 0 before the first."""
        return divide_round(self.notional_e18, self.cum_quantity_e9) if self.cum_quantity_e9 else 0


def key(client_session: str, trade_date: str, cl_ord_id: str) -> UUID:
    """The stream of a client's order, by the first ClOrdID of its chain."""
    return stream_id("parent_order", client_session, trade_date, cl_ord_id)


def order_id(parent: UUID) -> str:
    """OrderID (37) that the client sees."""
    return parent.hex[:16].upper()


# ---------------------------------------------------------------------------------------------- evolve


def evolve(state: ParentOrder | RejectedOrder | None, event: Event, *, stream: UUID, at_ns: int) -> ParentOrder | RejectedOrder:
    """Fold one event."""
    if state is None:
        if isinstance(event, Rejected):
            return RejectedOrder(id=stream)
        assert isinstance(event, Accepted), event.TOPIC
        return _accepted(event, stream, at_ns)
    assert isinstance(state, ParentOrder), event.TOPIC
    changes = _EVOLVE[type(event)](state, event)
    changes["version"] = state.version + 1
    return revised(state, changes)


_Changes = dict[str, Any]  # what an event changes, by field


def trigger_of(state: ParentOrder, event: Event) -> Trigger | None:
    """The row of the table of order life that an event is; None for events that leave the status alone."""
    if type(event) is Filled:  # not isinstance: of pydantic classes it is answered by a Python function
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.terms.quantity_e9
        return Trigger.FULL_FILL if full else Trigger.PARTIAL_FILL
    if type(event) is Replaced:
        return Trigger.FULL_FILL if state.cum_quantity_e9 >= event.terms.quantity_e9 else Trigger.REPLACE
    if type(event) is RequestRefused:
        pending = state.pending
        shown = pending is not None and pending.shown and pending.cl_ord_id == event.cl_ord_id and state.status in _SHOWN
        return Trigger.REFUSE_REQUEST if event.ends_pending and shown else None
    if type(event) is Restated:
        return Trigger.BEGIN_DAY if event.reason == NEW_DAY else Trigger.RESTATE
    return _TRIGGERS.get(type(event))


NEW_DAY = 1  # ExecRestatementReason (378): a carried order begins its day
_SHOWN = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)


_TRIGGERS: dict[type[Event], Trigger] = {
    CancelRequested: Trigger.REQUEST_CANCEL,
    ReplaceRequested: Trigger.REQUEST_REPLACE,
    Canceled: Trigger.CANCEL,
    Expired: Trigger.EXPIRE,
    Acknowledged: Trigger.ACKNOWLEDGE,
    TurnedDown: Trigger.REJECT,
    DoneForDay: Trigger.END_DAY,
    FillRestated: Trigger.RESTATE,
}


def _moved(state: ParentOrder, event: Event, *, cum_quantity_e9: int | None = None, quantity_e9: int | None = None) -> OrdStatus:
    """The status after an event, given what it makes of the quantities."""
    cum_e9 = state.cum_quantity_e9 if cum_quantity_e9 is None else cum_quantity_e9
    trigger = trigger_of(state, event)
    assert trigger is not None
    before, fills = state.status, type(event) is Filled
    if fills and before is OrdStatus.DONE_FOR_DAY and state.carried:
        before = OrdStatus.NEW  # it trades: another day has begun, whether or not the venue said so
    full = cum_e9 >= (state.terms.quantity_e9 if quantity_e9 is None else quantity_e9)
    status = transition(before, trigger, filled=fills or cum_e9 > 0, full=full)
    assert status is not None, (state.status, trigger)
    return status


def _accepted(event: Accepted, stream: UUID, at_ns: int) -> ParentOrder:
    return ParentOrder(
        id=stream,
        version=1,
        client_session=event.client_session,
        trade_date=event.trade_date,
        cl_ord_id=event.cl_ord_id,
        order_id=event.order_id,
        account=event.account,
        instrument=event.instrument,
        side=event.side,
        terms=event.terms,
        arrival=event.arrival,
        status=OrdStatus.PENDING_NEW if event.terms.algo is Algo.DIRECT else OrdStatus.NEW,
        created_ns=at_ns,
    )


def _scheduled(state: ParentOrder, event: Scheduled) -> _Changes:
    started = state.started_volume_e9 if state.started_volume_e9 is not None else event.started_volume_e9
    return {"schedule": event.schedule, "plans": event.plan_number, "started_volume_e9": started}


def _plan_failed(state: ParentOrder, event: PlanFailed) -> _Changes:
    return {"plans": event.plan_number}


def _released(state: ParentOrder, event: ChildReleased) -> _Changes:
    return {
        "open_e9": {**state.open_e9, event.child: event.quantity_e9},
        "children": event.number,
        "late_e9": max(0, state.late_e9 - event.late_e9),
    }


def _filled(state: ParentOrder, event: Filled) -> _Changes:
    status = _moved(state, event)
    open_e9 = state.open_e9.get(event.child)
    return {
        "status": status,
        "open_e9": state.open_e9 if open_e9 is None else {**state.open_e9, event.child: max(0, open_e9 - event.quantity_e9)},
        "cum_quantity_e9": state.cum_quantity_e9 + event.quantity_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9,
        "rejections": 0,
    }


def _child_closed(state: ParentOrder, event: ChildClosed) -> _Changes:
    rejections = state.rejections + (event.status is OrdStatus.REJECTED)
    open_e9 = dict(state.open_e9)
    late_e9 = state.late_e9 + open_e9.pop(event.child, 0)
    return {"open_e9": open_e9, "rejections": rejections, "late_e9": late_e9}


def _acknowledged(state: ParentOrder, event: Acknowledged) -> _Changes:
    return {"status": _moved(state, event), "working": event.working}


def _turned_down(state: ParentOrder, event: TurnedDown) -> _Changes:
    return {"status": _moved(state, event)}


def _queued(state: ParentOrder, event: RequestQueued) -> _Changes:
    waiting = Pending(event.request, event.cl_ord_id, event.terms, shown=False)
    return {"pending": waiting, "finished": False} if state.pending is None else {"queue": (*state.queue, waiting)}


def _others(state: ParentOrder, cl_ord_id: str) -> tuple[Pending, ...]:
    return tuple(p for p in (state.pending, *state.queue) if p is not None and p.cl_ord_id != cl_ord_id)


def _next(state: ParentOrder, cl_ord_id: str) -> _Changes:
    """The requests without the one that is decided: the next one is worked on."""
    waiting = _others(state, cl_ord_id)
    return {"pending": waiting[0] if waiting else None, "queue": waiting[1:]}


def _requested(state: ParentOrder, event: CancelRequested | ReplaceRequested) -> _Changes:
    """The status shows a request from now on: one that waited, or one that has just come."""
    terms = event.terms if isinstance(event, ReplaceRequested) else None
    shown = Pending("cancel" if terms is None else "replace", event.cl_ord_id, terms)
    return {"status": _moved(state, event), "pending": shown, "queue": _others(state, event.cl_ord_id)}


def _replaced(state: ParentOrder, event: Replaced) -> _Changes:
    # Below what is executed means: cancel the balance. The quantity becomes what was filled.
    terms = event.terms
    if terms.quantity_e9 < state.cum_quantity_e9:
        terms = terms.model_copy(update={"quantity_e9": state.cum_quantity_e9})
    return {
        "status": _moved(state, event, quantity_e9=terms.quantity_e9),
        "terms": terms,
        "cl_ord_id": event.cl_ord_id,
        "orig_cl_ord_id": state.cl_ord_id,
        "schedule": None,
        "started_volume_e9": None,
        "start_filled_e9": state.cum_quantity_e9,
        "late_e9": 0,
        "held_e9": 0,
        "finished": False,
        **_next(state, event.cl_ord_id),
    }


def _request_refused(state: ParentOrder, event: RequestRefused) -> _Changes:
    if not event.ends_pending:
        return {}
    moved = {"status": _moved(state, event)} if trigger_of(state, event) is not None else {}
    return {**moved, **_next(state, event.cl_ord_id)}


def _ended(state: ParentOrder, event: Canceled | Expired) -> _Changes:
    # What else was asked gets its own answer.
    over = {"status": _moved(state, event), **_next(state, event.cl_ord_id if isinstance(event, Canceled) else "")}
    if isinstance(event, Expired) or event.cl_ord_id == state.cl_ord_id:
        return over
    return {**over, "cl_ord_id": event.cl_ord_id, "orig_cl_ord_id": state.cl_ord_id}


def _triggered(state: ParentOrder, event: Triggered) -> _Changes:
    return {"working": True}


def _done_for_day(state: ParentOrder, event: DoneForDay) -> _Changes:
    return {"status": _moved(state, event)}


def _restated(state: ParentOrder, event: Restated) -> _Changes:
    terms = state.terms.model_copy(update={"quantity_e9": event.quantity_e9, "limit_price_e9": event.limit_price_e9})
    day = {"day_start_e9": state.cum_quantity_e9} if event.reason == NEW_DAY else {}
    return {"status": _moved(state, event, quantity_e9=event.quantity_e9), "terms": terms, **day}


def _fill_restated(state: ParentOrder, event: FillRestated) -> _Changes:
    change_e9 = event.quantity_e9 - event.previous_quantity_e9
    cum_e9 = state.cum_quantity_e9 + change_e9
    before_e18 = event.previous_price_e9 * event.previous_quantity_e9
    return {
        "status": _moved(state, event, cum_quantity_e9=cum_e9),
        "cum_quantity_e9": cum_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9 - before_e18,
        "held_e9": state.held_e9 if state.direct else max(0, state.held_e9 - change_e9),
        "open_e9": _opened(state, event.child, event.open_e9),
    }


def _child_amended(state: ParentOrder, event: ChildAmended) -> _Changes:
    return {"open_e9": _opened(state, event.child, event.open_e9)}


def _opened(state: ParentOrder, child: UUID, open_e9: int) -> Mapping[UUID, int]:
    others = {other: quantity for other, quantity in state.open_e9.items() if other != child}
    return {**others, child: open_e9} if open_e9 else others


def _disputed(state: ParentOrder, event: ExecutionDisputed) -> _Changes:
    return {}


def _finished(state: ParentOrder, event: Finished) -> _Changes:
    return {"finished": True}


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
    Scheduled: _scheduled,
    PlanFailed: _plan_failed,
    ChildReleased: _released,
    Filled: _filled,
    ChildClosed: _child_closed,
    CancelRequested: _requested,
    Canceled: _ended,
    ReplaceRequested: _requested,
    Replaced: _replaced,
    RequestRefused: _request_refused,
    Expired: _ended,
    Finished: _finished,
    Acknowledged: _acknowledged,
    TurnedDown: _turned_down,
    RequestQueued: _queued,
    Triggered: _triggered,
    DoneForDay: _done_for_day,
    Restated: _restated,
    FillRestated: _fill_restated,
    ChildAmended: _child_amended,
    ExecutionDisputed: _disputed,
}
