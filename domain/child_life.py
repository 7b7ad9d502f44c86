"""How the events of a child order change its state: one function an event, and the table of order life for its status."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.child_order import (
    Acknowledged,
    Canceled,
    CancelRefused,
    CancelRequested,
    ChildOrder,
    Created,
    DoneForDay,
    Doubted,
    Expired,
    Filled,
    FillRestated,
    Held,
    ProvedUnknown,
    ProvedWorking,
    Rejected,
    Replaced,
    ReplaceRefused,
    ReplaceRequested,
    Replacing,
    RequestPending,
    Restated,
    Triggered,
)
from domain.event import Event
from domain.instructions import CARRIED, NEW_DAY
from domain.order_life import AFTER_FILL, RESTING, OrdStatus, Trigger, transition
from domain.revise import places, revised
from domain.values import Side, StreamId

# Folding asks `type(event) is`: what isinstance answers of pydantic classes goes through a Python function.
_Changes = dict[str, Any]  # what an event changes, by field
_ACCEPTING = (Trigger.ACKNOWLEDGE, Trigger.PROVE_WORKING, Trigger.REPLACE, Trigger.RESTATE, Trigger.BEGIN_DAY)
# By names of their own where a fold comes by: reading a member from its enumeration calls a Python function.
_PARTIAL_FILL, _FULL_FILL, _DONE_FOR_DAY = Trigger.PARTIAL_FILL, Trigger.FULL_FILL, OrdStatus.DONE_FOR_DAY
_RESTATE, _NEW, _PENDING_NEW = Trigger.RESTATE, OrdStatus.NEW, OrdStatus.PENDING_NEW
_BUY = Side.BUY
_FILLS = (_PARTIAL_FILL, _FULL_FILL)
_NOTHING: frozenset[str] = frozenset()


def trigger_of(state: ChildOrder, event: Event) -> Trigger | None:
    """The row of the table of order life that an event is; None for events that leave the status alone."""
    kind = type(event)
    if kind is Filled:
        full = state.cum_quantity_e9 + event.quantity_e9 >= state.quantity_e9  # type: ignore[attr-defined]
        return _FULL_FILL if full else _PARTIAL_FILL
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
        case ReplaceRefused() if state.cum_quantity_e9 >= state.quantity_e9:
            return Trigger.FULL_FILL  # there is no more to it after all
        case ReplaceRefused():
            return Trigger.REFUSE_REQUEST if state.status is OrdStatus.PENDING_REPLACE else None
        case FillRestated():  # what is filled now is filled, whatever was pending
            cum_e9 = state.cum_quantity_e9 + event.quantity_e9 - event.previous_quantity_e9
            return Trigger.FULL_FILL if cum_e9 >= state.quantity_e9 else Trigger.RESTATE
        case Held():
            return Trigger.STOP if event.kind == "stopped" else Trigger.SUSPEND
        case Restated():
            return Trigger.BEGIN_DAY if event.reason == NEW_DAY or event.cum_quantity_e9 is not None else Trigger.RESTATE
        case _:
            raise KeyError(event.TOPIC)


def evolve(state: ChildOrder | None, event: Event, *, stream: StreamId, at_ns: int) -> ChildOrder:
    """Fold one event. Pure and total over what decide can return."""
    if state is None:
        assert type(event) is Created, event.TOPIC
        return _created(event, stream, at_ns)
    if type(event) is Filled:
        return _filled(state, event, at_ns)
    if type(event) is Acknowledged and state.status is _PENDING_NEW:
        return _taken(state, event, at_ns)
    changed = _EVOLVE.get(type(event))
    changes = changed(state, event) if changed is not None else {}
    if type(event) is Restated and event.cum_quantity_e9 is not None:
        changes["adjusted_ns"] = at_ns
    trigger = trigger_of(state, event)
    if trigger is not None:
        changes["status"] = moved(state, trigger, changes)
    changes["version"], changes["changed_ns"] = state.version + 1, at_ns
    return revised(state, changes)


def moved(state: ChildOrder, trigger: Trigger, changes: _Changes) -> OrdStatus:
    """The status after an event, given what it changes beside that."""
    cum_quantity_e9 = changes.get("cum_quantity_e9", state.cum_quantity_e9)
    status = transition(
        awake(state, trigger),
        trigger,
        filled=cum_quantity_e9 > 0,
        full=cum_quantity_e9 >= changes.get("quantity_e9", state.quantity_e9),
    )
    assert status is not None, (state.status, trigger)
    if trigger is _RESTATE and status in RESTING and (state.canceling or state.replacing is not None):
        return OrdStatus.PENDING_CANCEL if state.canceling else OrdStatus.PENDING_REPLACE  # they outlived the fill that hid them
    if status is _NEW and not (state.accepted or trigger in _ACCEPTING):
        return OrdStatus.PENDING_NEW  # a request about it was refused before the venue had taken it
    return status


def awake(state: ChildOrder, trigger: Trigger) -> OrdStatus:
    """A carried order that was done for the day and trades has begun another, whether or not the venue said so."""
    if state.status is _DONE_FOR_DAY and trigger in _FILLS and state.time_in_force in CARRIED:
        return _NEW
    return state.status


_VERSION, _STATUS, _CHANGED_NS, _CUM_QUANTITY_E9, _NOTIONAL_E18, _ACCEPTED, _ORDER_ID, _DECIDING, _WORKING = places(
    ChildOrder,
    "version", "status", "changed_ns", "cum_quantity_e9", "notional_e18", "accepted", "order_id", "deciding", "working",
)  # fmt: skip


def _filled(state: ChildOrder, event: Filled, at_ns: int) -> ChildOrder:
    """Half of a log is fills: they change the tuple's values directly."""
    cum_quantity_e9 = state.cum_quantity_e9 + event.quantity_e9
    full = cum_quantity_e9 >= state.quantity_e9
    status = AFTER_FILL.get((state.status, full)) or moved(state, _FULL_FILL if full else _PARTIAL_FILL, {})
    values: list[Any] = [*state]
    values[_VERSION] = state.version + 1
    values[_STATUS] = status
    values[_CHANGED_NS] = at_ns
    values[_CUM_QUANTITY_E9] = cum_quantity_e9
    values[_NOTIONAL_E18] = state.notional_e18 + event.price_e9 * event.quantity_e9
    values[_ACCEPTED] = True
    return tuple.__new__(ChildOrder, values)


def _taken(state: ChildOrder, event: Acknowledged, at_ns: int) -> ChildOrder:
    """The acknowledgement that every order begins with, in the same way."""
    values: list[Any] = [*state]
    values[_VERSION] = state.version + 1
    values[_STATUS] = _NEW
    values[_CHANGED_NS] = at_ns
    values[_ORDER_ID] = event.order_id or state.order_id
    values[_DECIDING] = _NOTHING
    values[_WORKING] = event.working
    values[_ACCEPTED] = True
    return tuple.__new__(ChildOrder, values)


def _acknowledged(state: ChildOrder, event: Acknowledged) -> _Changes:
    return {"order_id": event.order_id or state.order_id, "deciding": _NOTHING, "working": event.working, "accepted": True}


def _proved_working(state: ChildOrder, event: ProvedWorking) -> _Changes:
    return {"order_id": event.order_id or state.order_id, "canceling": "", "deciding": _NOTHING, "accepted": True}


def _cancel_requested(state: ChildOrder, event: CancelRequested) -> _Changes:
    return {"cancels": state.cancels + 1, "canceling": event.cl_ord_id, "deciding": state.deciding - {"cancel"}}


def _cancel_refused(state: ChildOrder, event: CancelRefused) -> _Changes:
    return {"canceling": "", "deciding": state.deciding - {"cancel"}}


def _replace_requested(state: ChildOrder, event: ReplaceRequested) -> _Changes:
    asked = Replacing(
        event.cl_ord_id, event.quantity_e9, event.ord_type, event.limit_price_e9, event.time_in_force, event.instructions
    )
    return {"replaces": state.replaces + 1, "replacing": asked, "deciding": state.deciding - {"replace"}}


def _request_pending(state: ChildOrder, event: RequestPending) -> _Changes:
    return {"deciding": state.deciding | {event.request}}


def _triggered(state: ChildOrder, event: Triggered) -> _Changes:
    return {"working": True}


def _replaced(state: ChildOrder, event: Replaced) -> _Changes:
    changes: _Changes = {
        "cl_ord_id": event.cl_ord_id,
        "quantity_e9": event.quantity_e9,
        "limit_price_e9": event.limit_price_e9,
        "replacing": None,
        "deciding": state.deciding - {"replace"},
    }
    if (asked := state.replacing) is not None:
        changes |= {"ord_type": asked.ord_type, "time_in_force": asked.time_in_force, "instructions": asked.instructions}
    return changes


def _replace_refused(state: ChildOrder, event: ReplaceRefused) -> _Changes:
    return {"replacing": None, "deciding": state.deciding - {"replace"}}


def _restated(state: ChildOrder, event: Restated) -> _Changes:
    told = (*state.told, event.exec_id)
    changes: _Changes = {"quantity_e9": event.quantity_e9, "limit_price_e9": event.limit_price_e9, "told": told}
    return changes if event.cum_quantity_e9 is None else changes | {"cum_quantity_e9": event.cum_quantity_e9}


def _held(state: ChildOrder, event: Held) -> _Changes:
    return {"told": (*state.told, event.exec_id)}


def _fill_restated(state: ChildOrder, event: FillRestated) -> _Changes:
    before_e18 = event.previous_price_e9 * event.previous_quantity_e9
    return {
        "cum_quantity_e9": state.cum_quantity_e9 + event.quantity_e9 - event.previous_quantity_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9 - before_e18,
    }


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
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
    Held: _held,
    FillRestated: _fill_restated,
}


def _created(event: Created, stream: StreamId, at_ns: int) -> ChildOrder:
    touch_e9 = event.ask_e9 if event.side is _BUY else event.bid_e9
    return ChildOrder(
        stream, 1, event.parent, event.venue_session, event.trade_date, event.cl_ord_id, event.instrument, event.side,
        event.quantity_e9, event.ord_type, event.limit_price_e9, event.time_in_force, event.account, event.tactic,
        _PENDING_NEW, at_ns,
        instructions=event.instructions,
        reckoned_price_e9=event.reckoned_price_e9 or touch_e9 or 0,
        trip=event.trip,
        channel=event.channel,
    )  # fmt: skip  # by place, in half the time
