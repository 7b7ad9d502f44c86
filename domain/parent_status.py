"""Which row of the table of order life an event of a parent order is, and the status that follows from it."""

from __future__ import annotations

from domain.event import Event
from domain.instructions import NEW_DAY
from domain.order_life import OrdStatus, Trigger, transition
from domain.parent_order import (
    Acknowledged,
    Canceled,
    CancelRequested,
    DoneForDay,
    Expired,
    Filled,
    FillRestated,
    Held,
    ParentOrder,
    Replaced,
    ReplaceRequested,
    RequestRefused,
    Restated,
    TurnedDown,
)


def trigger_of(state: ParentOrder, event: Event) -> Trigger | None:
    """The row of the table of order life that an event is; None for events that leave the status alone."""
    if type(event) is Filled:  # not isinstance: of pydantic classes it is answered by a Python function
        # What is pending outranks Filled: the fill shows when the request has its answer.
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.terms.quantity_e9 and state.status not in SHOWN
        return _FULL_FILL if full else _PARTIAL_FILL
    if type(event) is Replaced:
        return Trigger.RESTATE if state.staged else Trigger.REPLACE
    if type(event) is RequestRefused:
        pending = state.pending
        shown = pending is not None and pending.shown and pending.cl_ord_id == event.cl_ord_id and state.status in SHOWN
        return Trigger.REFUSE_REQUEST if event.ends_pending and shown else None
    if type(event) is Held:
        return Trigger.STOP if event.kind == "stopped" else Trigger.SUSPEND
    if type(event) is Restated:
        return Trigger.BEGIN_DAY if event.reason == NEW_DAY or event.cum_quantity_e9 is not None else Trigger.RESTATE
    return _TRIGGERS.get(type(event))


# By names of their own where a fold comes by: reading a member from its enumeration calls a Python function.
_PARTIAL_FILL, _FULL_FILL = Trigger.PARTIAL_FILL, Trigger.FULL_FILL
_DONE_FOR_DAY, _NEW = OrdStatus.DONE_FOR_DAY, OrdStatus.NEW
SHOWN = (OrdStatus.PENDING_CANCEL, OrdStatus.PENDING_REPLACE)


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


def moved(state: ParentOrder, event: Event, *, cum_quantity_e9: int | None = None, quantity_e9: int | None = None) -> OrdStatus:
    """The status after an event that moves it, given what the event makes of the quantities."""
    cum_e9 = state.cum_quantity_e9 if cum_quantity_e9 is None else cum_quantity_e9
    trigger = trigger_of(state, event)
    assert trigger is not None
    before, fills = state.status, type(event) is Filled
    if fills and before is _DONE_FOR_DAY and state.carried:
        before = OrdStatus.NEW  # it trades: another day has begun, whether or not the venue said so
    full = cum_e9 >= (state.terms.quantity_e9 if quantity_e9 is None else quantity_e9)
    status = transition(before, trigger, filled=fills or cum_e9 > 0, full=full)
    assert status is not None, (state.status, trigger)
    if status is _NEW and not state.accepted and type(event) is RequestRefused:
        return OrdStatus.PENDING_NEW
    return status
