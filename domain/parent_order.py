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
from domain.market_state import MarketState
from domain.order_life import TERMINAL, OrdStatus, Trigger, transition
from domain.refusal import Reason
from domain.revise import revise
from domain.schedule import Schedule
from domain.values import Algo, Side, divide_round, stream_id

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


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "parent_order.cancel_requested.v1"
    cl_ord_id: str


class Canceled(Event):
    TOPIC: ClassVar[str] = "parent_order.canceled.v1"
    cl_ord_id: str  # of the request, the order's own where nobody asked
    text: str


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
    ReplaceRequested, Replaced, RequestRefused, Expired, Finished,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class Pending(NamedTuple):
    """The request that is being worked on."""

    request: Literal["cancel", "replace"]
    cl_ord_id: str
    terms: Terms | None = None


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

    @property
    def live(self) -> bool:
        return self.status not in TERMINAL

    @property
    def released_e9(self) -> int:
        """Filled, or open at a venue."""
        return self.cum_quantity_e9 + sum(self.open_e9.values())

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
    return revise(state, version=state.version + 1, **_EVOLVE[type(event)](state, event))


_Changes = dict[str, Any]  # what an event changes, by field


def trigger_of(state: ParentOrder, event: Event) -> Trigger | None:
    """The row of the table of order life that an event is; None for events that leave the status alone."""
    if isinstance(event, Filled):
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.terms.quantity_e9
        return Trigger.FULL_FILL if full else Trigger.PARTIAL_FILL
    if isinstance(event, Replaced):
        return Trigger.FULL_FILL if state.cum_quantity_e9 >= event.terms.quantity_e9 else Trigger.REPLACE
    if isinstance(event, RequestRefused):
        return Trigger.REFUSE_REQUEST if event.ends_pending else None
    return _TRIGGERS.get(type(event))


_TRIGGERS: dict[type[Event], Trigger] = {
    CancelRequested: Trigger.REQUEST_CANCEL,
    ReplaceRequested: Trigger.REQUEST_REPLACE,
    Canceled: Trigger.CANCEL,
    Expired: Trigger.EXPIRE,
}


def _moved(state: ParentOrder, event: Event) -> OrdStatus:
    trigger = trigger_of(state, event)
    assert trigger is not None
    filled = state.cum_quantity_e9 > 0 or isinstance(event, Filled)
    status = transition(state.status, trigger, filled=filled)
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
        status=OrdStatus.NEW,
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
    open_e9 = dict(state.open_e9)
    if event.child in open_e9:
        open_e9[event.child] = max(0, open_e9[event.child] - event.quantity_e9)
    return {
        "status": status,
        "open_e9": open_e9,
        "cum_quantity_e9": state.cum_quantity_e9 + event.quantity_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9,
        "pending": None if status in TERMINAL else state.pending,
        "rejections": 0,
    }


def _child_closed(state: ParentOrder, event: ChildClosed) -> _Changes:
    rejections = state.rejections + (event.status is OrdStatus.REJECTED)
    open_e9 = {child: quantity for child, quantity in state.open_e9.items() if child != event.child}
    late_e9 = state.late_e9 + state.open_e9.get(event.child, 0)
    return {"open_e9": open_e9, "rejections": rejections, "late_e9": late_e9}


def _cancel_requested(state: ParentOrder, event: CancelRequested) -> _Changes:
    return {"status": _moved(state, event), "pending": Pending("cancel", event.cl_ord_id)}


def _replace_requested(state: ParentOrder, event: ReplaceRequested) -> _Changes:
    return {"status": _moved(state, event), "pending": Pending("replace", event.cl_ord_id, event.terms)}


def _replaced(state: ParentOrder, event: Replaced) -> _Changes:
    # Below what is executed means: cancel the balance. The quantity becomes what was filled.
    terms = event.terms
    if terms.quantity_e9 < state.cum_quantity_e9:
        terms = terms.model_copy(update={"quantity_e9": state.cum_quantity_e9})
    return {
        "status": _moved(state, event),
        "terms": terms,
        "cl_ord_id": event.cl_ord_id,
        "orig_cl_ord_id": state.cl_ord_id,
        "pending": None,
        "schedule": None,
        "started_volume_e9": None,
        "start_filled_e9": state.cum_quantity_e9,
        "late_e9": 0,
        "finished": False,
    }


def _request_refused(state: ParentOrder, event: RequestRefused) -> _Changes:
    return {"status": _moved(state, event), "pending": None} if event.ends_pending else {}


def _ended(state: ParentOrder, event: Canceled | Expired) -> _Changes:
    status = _moved(state, event)
    if isinstance(event, Expired) or event.cl_ord_id == state.cl_ord_id:
        return {"status": status, "pending": None}
    return {"status": status, "cl_ord_id": event.cl_ord_id, "orig_cl_ord_id": state.cl_ord_id, "pending": None}


def _finished(state: ParentOrder, event: Finished) -> _Changes:
    return {"finished": True}


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
    Scheduled: _scheduled,
    PlanFailed: _plan_failed,
    ChildReleased: _released,
    Filled: _filled,
    ChildClosed: _child_closed,
    CancelRequested: _cancel_requested,
    Canceled: _ended,
    ReplaceRequested: _replace_requested,
    Replaced: _replaced,
    RequestRefused: _request_refused,
    Expired: _ended,
    Finished: _finished,
}
