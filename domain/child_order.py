"""A child order: one order at one venue, from the intent to the proof of its end.

Read top-down: its events, its frozen state, what may be asked of it, decide, evolve.
"""

from __future__ import annotations

from typing import Any, ClassVar, NamedTuple
from uuid import UUID

from domain.event import Event
from domain.messages import VenueReport
from domain.order_life import TERMINAL, OrdStatus, Trigger, transition
from domain.refusal import Reason, Refusal
from domain.revise import revise
from domain.values import OrdType, Side, TimeInForce, stream_id

# ---------------------------------------------------------------------------------------------- events


class Created(Event):
    """The intent: appended before anything is sent."""

    TOPIC: ClassVar[str] = "child_order.created.v1"
    parent: UUID
    number: int  # of this child among its parent's, from 1
    venue_session: str
    trade_date: str
    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    tactic: str  # passive, aggressive, would: why this price
    bid_e9: int | None  # the touch that the tactic saw
    ask_e9: int | None


class Acknowledged(Event):
    TOPIC: ClassVar[str] = "child_order.acknowledged.v1"
    order_id: str  # the venue's


class Filled(Event):
    TOPIC: ClassVar[str] = "child_order.filled.v1"
    fill: UUID  # the fill's own stream
    exec_id: str
    quantity_e9: int
    price_e9: int


class CancelRequested(Event):
    TOPIC: ClassVar[str] = "child_order.cancel_requested.v1"
    cl_ord_id: str  # of the cancel
    reason: str


class CancelRefused(Event):
    TOPIC: ClassVar[str] = "child_order.cancel_refused.v1"
    reason: int  # CxlRejReason (102)
    text: str


class Canceled(Event):
    TOPIC: ClassVar[str] = "child_order.canceled.v1"
    text: str


class Rejected(Event):
    TOPIC: ClassVar[str] = "child_order.rejected.v1"
    text: str


class Expired(Event):
    TOPIC: ClassVar[str] = "child_order.expired.v1"
    text: str


class DoneForDay(Event):
    TOPIC: ClassVar[str] = "child_order.done_for_day.v1"
    text: str


class Doubted(Event):
    """The venue has not told what became of the order; its exposure stays reserved until it does."""

    TOPIC: ClassVar[str] = "child_order.doubted.v1"
    reason: str


class ProvedWorking(Event):
    TOPIC: ClassVar[str] = "child_order.proved_working.v1"
    order_id: str


class ProvedUnknown(Event):
    """The venue, asked after everything else we sent it, does not know the order: it never arrived."""

    TOPIC: ClassVar[str] = "child_order.proved_unknown.v1"
    text: str


EVENTS = (
    Created, Acknowledged, Filled, CancelRequested, CancelRefused, Canceled, Rejected, Expired, DoneForDay,
    Doubted, ProvedWorking, ProvedUnknown,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class ChildOrder(NamedTuple):
    """What is known of one child. notional_e18 is the exact sum of price_e9 x quantity_e9 over its fills."""

    id: UUID
    version: int
    parent: UUID
    venue_session: str
    trade_date: str
    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    account: str
    tactic: str
    status: OrdStatus
    changed_ns: int  # when the status last moved
    order_id: str = ""
    cum_quantity_e9: int = 0
    notional_e18: int = 0
    cancels: int = 0  # cancels asked for, which numbers their ClOrdIDs

    @property
    def live(self) -> bool:
        """Not ended: it may still trade."""
        return self.status not in TERMINAL

    @property
    def leaves_e9(self) -> int:
        """What may still trade: zero once ended."""
        return max(0, self.quantity_e9 - self.cum_quantity_e9) if self.live else 0


def key(parent: UUID, number: int) -> UUID:
    """The stream of a parent's n-th child."""
    return stream_id("child_order", str(parent), str(number))


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cl_ord_id(child: UUID, *, cancel: int = 0) -> str:
    """ClOrdID (11) derived from the child's stream: 16 characters, and a suffix for its n-th cancel.

    The same intent has the same id, so a crash between append and send cannot make a second order of it.
    """
    number, digits = int.from_bytes(child.bytes[:10], "big"), ""
    for _ in range(16):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{digits}C{cancel}" if cancel else digits


# ---------------------------------------------------------------------------------------------- evolve

_NAMING = (Acknowledged, ProvedWorking)  # events that carry the venue's OrderID
_TRIGGERS: dict[type[Event], Trigger] = {
    Acknowledged: Trigger.ACKNOWLEDGE,
    CancelRequested: Trigger.REQUEST_CANCEL,
    CancelRefused: Trigger.REFUSE_REQUEST,
    Canceled: Trigger.CANCEL,
    Rejected: Trigger.REJECT,
    Expired: Trigger.EXPIRE,
    DoneForDay: Trigger.END_DAY,
    Doubted: Trigger.DOUBT,
    ProvedWorking: Trigger.PROVE_WORKING,
    ProvedUnknown: Trigger.PROVE_UNKNOWN,
}


def trigger_of(state: ChildOrder, event: Event) -> Trigger:
    """The row of the table of order life that an event is."""
    if isinstance(event, Filled):
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.quantity_e9
        return Trigger.FULL_FILL if full else Trigger.PARTIAL_FILL
    return _TRIGGERS[type(event)]


def evolve(state: ChildOrder | None, event: Event, *, stream: UUID, at_ns: int) -> ChildOrder:
    """Fold one event. Pure and total over what decide can return."""
    if state is None:
        assert isinstance(event, Created)
        return _created(event, stream, at_ns)
    changes: dict[str, Any] = {"version": state.version + 1, "changed_ns": at_ns}
    cum_quantity_e9 = state.cum_quantity_e9
    if isinstance(event, Filled):
        cum_quantity_e9 += event.quantity_e9
        changes["cum_quantity_e9"] = cum_quantity_e9
        changes["notional_e18"] = state.notional_e18 + event.price_e9 * event.quantity_e9
    elif isinstance(event, _NAMING):
        changes["order_id"] = event.order_id or state.order_id
    elif isinstance(event, CancelRequested):
        changes["cancels"] = state.cancels + 1
    changes["status"] = _moved(state, trigger_of(state, event), filled=cum_quantity_e9 > 0)
    return revise(state, **changes)


def _moved(state: ChildOrder, trigger: Trigger, *, filled: bool) -> OrdStatus:
    status = transition(state.status, trigger, filled=filled)
    assert status is not None, (state.status, trigger)
    return status


def _created(event: Created, stream: UUID, at_ns: int) -> ChildOrder:
    return ChildOrder(
        id=stream,
        version=1,
        parent=event.parent,
        venue_session=event.venue_session,
        trade_date=event.trade_date,
        cl_ord_id=event.cl_ord_id,
        instrument=event.instrument,
        side=event.side,
        quantity_e9=event.quantity_e9,
        ord_type=event.ord_type,
        limit_price_e9=event.limit_price_e9,
        time_in_force=event.time_in_force,
        account=event.account,
        tactic=event.tactic,
        status=OrdStatus.PENDING_NEW,
        changed_ns=at_ns,
    )


# ---------------------------------------------------------------------------------------------- decide


def decide(state: ChildOrder, event: Event) -> tuple[Event, ...] | Refusal:
    """May this happen to this order now? The event itself, or why not.

    The venue's word and the desk's wishes both arrive as the event they would be; the table alone judges.
    """
    if transition(state.status, trigger_of(state, event), filled=state.cum_quantity_e9 > 0) is None:
        return Refusal(Reason.TOO_LATE, f"{event.TOPIC} cannot happen to a child order that is {state.status}")
    return (event,)


def reported(state: ChildOrder, report: VenueReport) -> Event | None:
    """The event that a venue's report (other than a fill) is for this child; None where it says nothing new."""
    match report.exec_kind:
        case "new":
            if state.order_id == report.order_id and state.status is not OrdStatus.IN_DOUBT:
                return None
            return Acknowledged(order_id=report.order_id)
        case "canceled":
            return Canceled(text=report.text)
        case "rejected":
            return Rejected(text=report.text)
        case "expired":
            return Expired(text=report.text)
        case "done_for_day":
            return DoneForDay(text=report.text)
        case "status":
            return _status_answer(state, report)
        case _:
            return None


def _status_answer(state: ChildOrder, report: VenueReport) -> Event | None:
    """What the answer to a status query proves. An answer that counts other fills than ours proves nothing yet:
    the missing executions are on their way, and the question is asked again."""
    if state.status is not OrdStatus.IN_DOUBT:
        return None
    if report.unknown_order:
        return ProvedUnknown(text=report.text) if state.cum_quantity_e9 == 0 else None
    if report.cum_quantity_e9 != state.cum_quantity_e9:
        return None
    match report.ord_status:
        case "canceled":
            return Canceled(text=report.text or "status: canceled")
        case "rejected":
            return Rejected(text=report.text or "status: rejected")
        case "expired":
            return Expired(text=report.text or "status: expired")
        case "done_for_day":
            return DoneForDay(text=report.text or "status: done for day")
        case "new" | "partially_filled" | "pending_cancel" | "pending_replace":
            return ProvedWorking(order_id=report.order_id)
        case _:
            return None
