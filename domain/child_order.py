"""A child order: one order at one venue, from the intent to the proof of its end.

Read top-down: its events, its frozen state, what may be asked of it, decide, evolve.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Literal, NamedTuple
from uuid import UUID

from domain.event import Event
from domain.instructions import CARRIED, Instructions
from domain.messages import VenueReport
from domain.order_life import TERMINAL, OrdStatus, Trigger, transition
from domain.refusal import OTHER, Reason, Refusal
from domain.revise import revised
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
    tactic: str  # passive, aggressive, would: why this price; direct: the client's own
    bid_e9: int | None  # the touch that the tactic saw
    ask_e9: int | None
    instructions: Instructions | None = None


class Acknowledged(Event):
    TOPIC: ClassVar[str] = "child_order.acknowledged.v1"
    order_id: str  # the venue's
    working: bool | None = None  # False: it waits for a stop price


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


class ReplaceRequested(Event):
    TOPIC: ClassVar[str] = "child_order.replace_requested.v1"
    cl_ord_id: str  # of the replace, the order's own once it is taken
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    instructions: Instructions | None


class RequestPending(Event):
    """The venue has our order or request and has yet to decide."""

    TOPIC: ClassVar[str] = "child_order.request_pending.v1"
    request: Literal["new", "cancel", "replace"]


class Replaced(Event):
    """quantity_e9 and limit_price_e9: what the venue made of it, which may be less than was asked for."""

    TOPIC: ClassVar[str] = "child_order.replaced.v1"
    cl_ord_id: str
    orig_cl_ord_id: str
    quantity_e9: int
    limit_price_e9: int | None


class ReplaceRefused(Event):
    TOPIC: ClassVar[str] = "child_order.replace_refused.v1"
    reason: int  # CxlRejReason (102)
    text: str


class Triggered(Event):
    """The stop price was reached: the order works."""

    TOPIC: ClassVar[str] = "child_order.triggered.v1"


class Restated(Event):
    """The venue changed the order or began its next day."""

    TOPIC: ClassVar[str] = "child_order.restated.v1"
    reason: int | None  # ExecRestatementReason (378)
    quantity_e9: int
    limit_price_e9: int | None
    text: str


class FillRestated(Event):
    """An execution was taken back or corrected; quantity and price are of the whole execution, before and now."""

    TOPIC: ClassVar[str] = "child_order.fill_restated.v1"
    fill: UUID
    kind: Literal["cancel", "correct"]
    exec_id: str
    exec_ref_id: str
    quantity_e9: int
    price_e9: int
    previous_quantity_e9: int
    previous_price_e9: int


class Canceled(Event):
    TOPIC: ClassVar[str] = "child_order.canceled.v1"
    text: str
    restatement_reason: int | None = None  # why, where nobody asked: ExecRestatementReason (378)


class Rejected(Event):
    TOPIC: ClassVar[str] = "child_order.rejected.v1"
    text: str
    ord_rej_reason: int | None = None  # OrdRejReason (103)


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
    Doubted, ProvedWorking, ProvedUnknown, ReplaceRequested, RequestPending, Replaced, ReplaceRefused, Triggered,
    Restated, FillRestated,
)  # fmt: skip

# ----------------------------------------------------------------------------------------------- state


class Replacing(NamedTuple):
    """What the venue was asked to make of the order."""

    cl_ord_id: str
    quantity_e9: int
    ord_type: OrdType
    limit_price_e9: int | None
    time_in_force: TimeInForce
    instructions: Instructions | None


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
    replaces: int = 0
    instructions: Instructions | None = None
    canceling: str = ""  # ClOrdID of the cancel that has no answer yet
    replacing: Replacing | None = None  # the replace that has no answer yet
    acknowledged: bool = False  # the venue has what we sent last and has yet to decide: waiting is no reason to doubt
    working: bool | None = None

    @property
    def live(self) -> bool:
        """Not ended: it may still trade. A carried order that is done for the day will."""
        return self.status not in TERMINAL or (self.status is OrdStatus.DONE_FOR_DAY and self.time_in_force in CARRIED)

    @property
    def leaves_e9(self) -> int:
        """What may still trade: zero once ended."""
        return max(0, self.quantity_e9 - self.cum_quantity_e9) if self.live else 0


def key(parent: UUID, number: int) -> UUID:
    """The stream of a parent's n-th child."""
    return stream_id("child_order", str(parent), str(number))


_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


def cl_ord_id(child: UUID, *, cancel: int = 0, replace: int = 0) -> str:
    """ClOrdID (11) derived from the child's stream: 16 characters, and a suffix for its n-th cancel or replace.

    The same intent has the same id, so a crash between append and send cannot make a second order of it.
    """
    number, digits = int.from_bytes(child.bytes[:10], "big"), ""
    for _ in range(16):
        number, digit = divmod(number, 36)
        digits = _DIGITS[digit] + digits
    return f"{digits}C{cancel}" if cancel else f"{digits}R{replace}" if replace else digits


# ---------------------------------------------------------------------------------------------- evolve

# Folding asks `type(event) is`: what isinstance answers of pydantic classes goes through a Python function.
_Changes = dict[str, Any]  # what an event changes, by field
_FILLS = (Trigger.PARTIAL_FILL, Trigger.FULL_FILL)


def trigger_of(state: ChildOrder, event: Event) -> Trigger | None:
    """The row of the table of order life that an event is; None for events that leave the status alone."""
    kind = type(event)
    if kind is Filled:
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.quantity_e9  # type: ignore[attr-defined]
        return Trigger.FULL_FILL if full else Trigger.PARTIAL_FILL
    if kind in _TRIGGERS:
        return _TRIGGERS[kind]
    return _trigger_of_request(state, event)


_TRIGGERS: dict[type[Event], Trigger | None] = {
    Acknowledged: Trigger.ACKNOWLEDGE,
    CancelRequested: Trigger.REQUEST_CANCEL,
    ReplaceRequested: Trigger.REQUEST_REPLACE,
    Canceled: Trigger.CANCEL,
    Rejected: Trigger.REJECT,
    Expired: Trigger.EXPIRE,
    DoneForDay: Trigger.END_DAY,
    Doubted: Trigger.DOUBT,
    ProvedWorking: Trigger.PROVE_WORKING,
    ProvedUnknown: Trigger.PROVE_UNKNOWN,
    FillRestated: Trigger.RESTATE,
    Triggered: None,
}


def _trigger_of_request(state: ChildOrder, event: Event) -> Trigger | None:
    match event:
        case RequestPending():
            return {"new": None, "cancel": Trigger.PEND_CANCEL, "replace": Trigger.PEND_REPLACE}[event.request]
        case Replaced():
            return Trigger.FULL_FILL if state.cum_quantity_e9 >= event.quantity_e9 else Trigger.REPLACE
        case CancelRefused():  # where the order has ended meanwhile, or is in doubt, that outlives the refusal
            return Trigger.REFUSE_REQUEST if state.status is OrdStatus.PENDING_CANCEL else None
        case ReplaceRefused():
            return Trigger.REFUSE_REQUEST if state.status is OrdStatus.PENDING_REPLACE else None
        case Restated():
            return Trigger.BEGIN_DAY if event.reason == NEW_DAY else Trigger.RESTATE
        case _:
            raise KeyError(event.TOPIC)


NEW_DAY = 1  # ExecRestatementReason (378): a carried order begins its day


def evolve(state: ChildOrder | None, event: Event, *, stream: UUID, at_ns: int) -> ChildOrder:
    """Fold one event. Pure and total over what decide can return."""
    if state is None:
        assert isinstance(event, Created)
        return _created(event, stream, at_ns)
    changed = _EVOLVE.get(type(event))
    changes = changed(state, event) if changed is not None else {}
    trigger = trigger_of(state, event)
    if trigger is not None:
        changes["status"] = _moved(state, trigger, changes)
    changes["version"], changes["changed_ns"] = state.version + 1, at_ns
    return revised(state, changes)


def _moved(state: ChildOrder, trigger: Trigger, changes: _Changes) -> OrdStatus:
    cum_quantity_e9 = changes.get("cum_quantity_e9", state.cum_quantity_e9)
    status = transition(
        _awake(state, trigger),
        trigger,
        filled=cum_quantity_e9 > 0,
        full=cum_quantity_e9 >= changes.get("quantity_e9", state.quantity_e9),
    )
    assert status is not None, (state.status, trigger)
    return status


def _awake(state: ChildOrder, trigger: Trigger) -> OrdStatus:
    """A carried order that was done for the day and trades has begun another, whether or not the venue said so."""
    done = state.status is OrdStatus.DONE_FOR_DAY and trigger in _FILLS and state.time_in_force in CARRIED
    return OrdStatus.NEW if done else state.status


def _filled(state: ChildOrder, event: Filled) -> _Changes:
    return {
        "cum_quantity_e9": state.cum_quantity_e9 + event.quantity_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9,
    }


def _acknowledged(state: ChildOrder, event: Acknowledged) -> _Changes:
    return {"order_id": event.order_id or state.order_id, "acknowledged": False, "working": event.working}


def _proved_working(state: ChildOrder, event: ProvedWorking) -> _Changes:
    return {"order_id": event.order_id or state.order_id, "canceling": "", "acknowledged": False}


def _cancel_requested(state: ChildOrder, event: CancelRequested) -> _Changes:
    return {"cancels": state.cancels + 1, "canceling": event.cl_ord_id, "acknowledged": False}


def _cancel_refused(state: ChildOrder, event: CancelRefused) -> _Changes:
    return {"canceling": "", "acknowledged": False}


def _replace_requested(state: ChildOrder, event: ReplaceRequested) -> _Changes:
    asked = Replacing(
        event.cl_ord_id, event.quantity_e9, event.ord_type, event.limit_price_e9, event.time_in_force, event.instructions
    )
    return {"replaces": state.replaces + 1, "replacing": asked, "acknowledged": False}


def _request_pending(state: ChildOrder, event: RequestPending) -> _Changes:
    return {"acknowledged": True}


def _triggered(state: ChildOrder, event: Triggered) -> _Changes:
    return {"working": True}


def _replaced(state: ChildOrder, event: Replaced) -> _Changes:
    changes: _Changes = {
        "cl_ord_id": event.cl_ord_id,
        "quantity_e9": event.quantity_e9,
        "limit_price_e9": event.limit_price_e9,
        "replacing": None,
        "acknowledged": False,
    }
    if (asked := state.replacing) is not None:
        changes |= {"ord_type": asked.ord_type, "time_in_force": asked.time_in_force, "instructions": asked.instructions}
    return changes


def _replace_refused(state: ChildOrder, event: ReplaceRefused) -> _Changes:
    return {"replacing": None, "acknowledged": False}


def _restated(state: ChildOrder, event: Restated) -> _Changes:
    return {"quantity_e9": event.quantity_e9, "limit_price_e9": event.limit_price_e9}


def _fill_restated(state: ChildOrder, event: FillRestated) -> _Changes:
    before_e18 = event.previous_price_e9 * event.previous_quantity_e9
    return {
        "cum_quantity_e9": state.cum_quantity_e9 + event.quantity_e9 - event.previous_quantity_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9 - before_e18,
    }


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
    Filled: _filled,
    Acknowledged: _acknowledged,
    ProvedWorking: _proved_working,
    CancelRequested: _cancel_requested,
    CancelRefused: _cancel_refused,
    ReplaceRequested: _replace_requested,
    RequestPending: _request_pending,
    Replaced: _replaced,
    ReplaceRefused: _replace_refused,
    Triggered: _triggered,
    Restated: _restated,
    FillRestated: _fill_restated,
}


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
        instructions=event.instructions,
    )


# ---------------------------------------------------------------------------------------------- decide


def decide(state: ChildOrder, event: Event) -> tuple[Event, ...] | Refusal:
    """May this happen to this order now? The event itself, or why not.

    The venue's word and the desk's wishes both arrive as the event they would be; the table alone judges.
    """
    trigger = trigger_of(state, event)
    if trigger is not None and transition(_awake(state, trigger), trigger, filled=state.cum_quantity_e9 > 0) is None:
        return Refusal(Reason.TOO_LATE, f"{event.TOPIC} cannot happen to a child order that is {state.status}")
    return (event,)


def reported(state: ChildOrder, report: VenueReport) -> Event | None:
    """The event that a venue's report (other than a fill) is for this child; None where it says nothing new."""
    match report.exec_kind:
        case "new":
            known = state.status not in (OrdStatus.PENDING_NEW, OrdStatus.IN_DOUBT) and state.order_id == report.order_id
            return None if known else Acknowledged(order_id=report.order_id, working=report.working)
        case "pending_new":
            fresh = state.status is OrdStatus.PENDING_NEW and not state.acknowledged
            return RequestPending(request="new") if fresh else None
        case "pending_cancel":
            return RequestPending(request="cancel") if state.canceling and not state.acknowledged else None
        case "pending_replace":
            fresh = state.replacing is not None and not state.acknowledged
            return RequestPending(request="replace") if fresh else None
        case "replaced":
            return _taken(state, report)
        case "canceled":
            return Canceled(text=report.text, restatement_reason=report.restatement_reason)
        case "rejected":
            return _rejection(state, report)
        case "expired":
            return Expired(text=report.text)
        case "done_for_day":
            return DoneForDay(text=report.text)
        case "triggered":
            return None if state.working else Triggered()
        case "restated":
            return _restatement(state, report)
        case "status":
            return _status_answer(state, report)
        case _:
            return None


def _taken(state: ChildOrder, report: VenueReport) -> Event | None:
    """The replace that we asked for is in force, as the venue made it."""
    asked = state.replacing
    if asked is None or report.cl_ord_id != asked.cl_ord_id:
        return None
    return Replaced(
        cl_ord_id=asked.cl_ord_id,
        orig_cl_ord_id=state.cl_ord_id,
        quantity_e9=report.quantity_e9 or asked.quantity_e9,
        limit_price_e9=report.limit_price_e9 if report.limit_price_e9 is not None else asked.limit_price_e9,
    )


def _rejection(state: ChildOrder, report: VenueReport) -> Event | None:
    """A rejection is of the order, or of the request whose id it carries."""
    if state.replacing is not None and report.cl_ord_id == state.replacing.cl_ord_id:
        return ReplaceRefused(reason=OTHER, text=report.text)
    if state.canceling and report.cl_ord_id == state.canceling:
        return CancelRefused(reason=OTHER, text=report.text)
    return Rejected(text=report.text, ord_rej_reason=report.ord_rej_reason)


def _restatement(state: ChildOrder, report: VenueReport) -> Event | None:
    price_e9 = report.limit_price_e9 if report.limit_price_e9 is not None else state.limit_price_e9
    return Restated(
        reason=report.restatement_reason,
        quantity_e9=report.quantity_e9 or state.quantity_e9,
        limit_price_e9=price_e9,
        text=report.text,
    )


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
            return _proved(state, report)
        case _:
            return None


def _proved(state: ChildOrder, report: VenueReport) -> Event:
    """It works. A replace that was out is in force, still pending, or, as the venue shows neither, not taken."""
    if report.ord_status == "pending_cancel" and state.canceling:
        return RequestPending(request="cancel")
    if state.replacing is None:
        return ProvedWorking(order_id=report.order_id)
    if report.ord_status == "pending_replace":
        return RequestPending(request="replace")
    return _taken(state, report) or ReplaceRefused(reason=OTHER, text="the venue works the order as it was")
