"""How the events of a parent order change its state: one function an event, and the table of order life for its status."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from domain import care_life, steering_rules
from domain.care import Share
from domain.event import Event
from domain.instructions import NEW_DAY
from domain.order_life import AFTER_FILL, TERMINAL, OrdStatus
from domain.parent_order import (
    Accepted,
    Acknowledged,
    Canceled,
    CancelRequested,
    ChildAmended,
    ChildClosed,
    ChildReleased,
    DoneForDay,
    ExecutionDisputed,
    Expired,
    Filled,
    FillRestated,
    Finished,
    Held,
    ParentOrder,
    Pending,
    PlanFailed,
    Rejected,
    RejectedOrder,
    Replaced,
    ReplaceRequested,
    RequestQueued,
    RequestRefused,
    Restated,
    Scheduled,
    Started,
    Triggered,
    TurnedDown,
)
from domain.parent_status import SHOWN, moved, trigger_of
from domain.revise import places, revised
from domain.stall import Stalled
from domain.steering import BY_HAND, FREE, Steered
from domain.values import Algo, StreamId


def evolve(
    state: ParentOrder | RejectedOrder | None, event: Event, *, stream: StreamId, at_ns: int
) -> ParentOrder | RejectedOrder:
    """Fold one event."""
    if state is None:
        if type(event) is Rejected:
            return RejectedOrder(id=stream)
        assert type(event) is Accepted, event.TOPIC
        return _accepted(event, stream, at_ns)
    assert isinstance(state, ParentOrder), event.TOPIC
    if type(event) is Filled:
        return _filled(state, event)
    if type(event) is ChildReleased:
        return _released(state, event)
    if type(event) is ChildClosed:
        return _child_closed(state, event)
    changes = _EVOLVE[type(event)](state, event)
    changes["version"] = state.version + 1
    return revised(state, changes)


# Events that use up a ClOrdID of the client's.
NAMING = frozenset({Accepted, CancelRequested, Canceled, ReplaceRequested, Replaced, RequestRefused, RequestQueued})
# From these on there is work on the order: again, where it had ended.
OPENING = frozenset({Accepted, Replaced, RequestQueued, FillRestated})
_Changes = dict[str, Any]  # what an event changes, by field
# Reading a member from its enumeration calls a Python function.
_REJECTED, _PENDING_NEW, _NEW, _DIRECT = OrdStatus.REJECTED, OrdStatus.PENDING_NEW, OrdStatus.NEW, Algo.DIRECT


def _accepted(event: Accepted, stream: StreamId, at_ns: int) -> ParentOrder:
    direct = event.terms.algo is _DIRECT
    return ParentOrder(
        stream, 1, event.client_session, event.trade_date, event.cl_ord_id, event.order_id, event.account, event.instrument,
        event.side, event.terms, event.arrival, _PENDING_NEW if event.staged or direct else _NEW, at_ns,
        list_id=event.list_id,
        staged=event.staged,
        flattens=event.flattens,
        accepted=not direct,
        steering=BY_HAND if event.terms.algo is Algo.MANUAL else FREE,
        of=tuple(Share(order, quantity_e9) for order, quantity_e9 in event.of),
        behalf=event.behalf,
        route=event.route,
    )  # fmt: skip


def _started(state: ParentOrder, event: Started) -> _Changes:
    begun: _Changes = {"staged": False, "terms": event.terms, "arrival": event.arrival}
    if event.terms.algo is Algo.MANUAL:
        begun["steering"] = BY_HAND
    if event.terms.algo is not state.terms.algo:
        begun["care"] = state.care._replace(asked=state.terms.algo)
    return begun


def _scheduled(state: ParentOrder, event: Scheduled) -> _Changes:
    started = state.started_volume_e9 if state.started_volume_e9 is not None else event.started_volume_e9
    return {"schedule": event.schedule, "plans": event.plan_number, "started_volume_e9": started}


def _plan_failed(state: ParentOrder, event: PlanFailed) -> _Changes:
    return {"plans": event.plan_number}


_VERSION, _STATUS, _OPEN_E9, _CUM_QUANTITY_E9, _NOTIONAL_E18, _REJECTIONS, _ACCEPTED, _CHILDREN, _LATE_E9, _STEERING = places(
    ParentOrder, "version", "status", "open_e9", "cum_quantity_e9", "notional_e18", "rejections", "accepted", "children",
    "late_e9", "steering",
)  # fmt: skip


def _released(state: ParentOrder, event: ChildReleased) -> ParentOrder:
    values: list[Any] = [*state]
    values[_VERSION] = state.version + 1
    values[_OPEN_E9] = {**state.open_e9, event.child: event.quantity_e9}
    values[_CHILDREN] = event.number
    values[_LATE_E9] = max(0, state.late_e9 - event.late_e9)
    if state.steering.wanted is not None:  # it is out now
        values[_STEERING] = state.steering._replace(wanted=None)
    return tuple.__new__(ParentOrder, values)


def _filled(state: ParentOrder, event: Filled) -> ParentOrder:
    """What a log is full of changes the tuple's values directly."""
    quantity_e9, open_e9 = event.quantity_e9, state.open_e9
    values: list[Any] = [*state]
    values[_VERSION] = state.version + 1
    # What is pending outranks Filled: the fill shows when the request has its answer.
    full = state.cum_quantity_e9 + quantity_e9 >= state.terms.quantity_e9 and state.status not in SHOWN
    values[_STATUS] = AFTER_FILL.get((state.status, full)) or moved(state, event)
    if (child_e9 := open_e9.get(event.child)) is not None:
        values[_OPEN_E9] = {**open_e9, event.child: max(0, child_e9 - quantity_e9)}
    values[_CUM_QUANTITY_E9] = state.cum_quantity_e9 + quantity_e9
    values[_NOTIONAL_E18] = state.notional_e18 + event.price_e9 * quantity_e9
    values[_REJECTIONS] = 0
    values[_ACCEPTED] = True
    return tuple.__new__(ParentOrder, values)


def _child_closed(state: ParentOrder, event: ChildClosed) -> ParentOrder:
    values: list[Any] = [*state]
    values[_VERSION] = state.version + 1
    values[_OPEN_E9] = open_e9 = dict(state.open_e9)
    values[_LATE_E9] = state.late_e9 + open_e9.pop(event.child, 0)
    values[_REJECTIONS] = state.rejections + (event.status is _REJECTED)
    return tuple.__new__(ParentOrder, values)


def _acknowledged(state: ParentOrder, event: Acknowledged) -> _Changes:
    return {"status": moved(state, event), "working": event.working, "accepted": True}


def _moves(state: ParentOrder, event: TurnedDown | DoneForDay | Held) -> _Changes:
    return {"status": moved(state, event)}


def _queued(state: ParentOrder, event: RequestQueued) -> _Changes:
    waiting = Pending(event.request, event.cl_ord_id, event.terms, False, event.text, event.restatement_reason)
    return {"pending": waiting, "finished": False} if state.pending is None else {"queue": (*state.queue, waiting)}


def _others(state: ParentOrder, cl_ord_id: str) -> tuple[Pending, ...]:
    return tuple(p for p in (state.pending, *state.queue) if p is not None and p.cl_ord_id != cl_ord_id)


def _next(state: ParentOrder, cl_ord_id: str) -> _Changes:
    """The requests without the one that is decided: the next one is worked on."""
    waiting = _others(state, cl_ord_id)
    return {"pending": waiting[0] if waiting else None, "queue": waiting[1:]}


def _requested(state: ParentOrder, event: CancelRequested | ReplaceRequested) -> _Changes:
    """The status shows a request from now on: one that waited, or one that has just come."""
    if isinstance(event, ReplaceRequested):
        shown = Pending("replace", event.cl_ord_id, event.terms)
    else:
        shown = Pending("cancel", event.cl_ord_id, None, True, event.text, event.restatement_reason)
    return {"status": moved(state, event), "pending": shown, "queue": _others(state, event.cl_ord_id)}


def _replaced(state: ParentOrder, event: Replaced) -> _Changes:
    # Below what is executed means: cancel the balance. The quantity becomes what was filled.
    terms = event.terms
    if terms.quantity_e9 < state.cum_quantity_e9:
        terms = terms.model_copy(update={"quantity_e9": state.cum_quantity_e9})
    return {
        "status": moved(state, event, quantity_e9=terms.quantity_e9),
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
    status = {"status": moved(state, event)} if trigger_of(state, event) is not None else {}
    return {**status, **_next(state, event.cl_ord_id)}


def _ended(state: ParentOrder, event: Canceled | Expired) -> _Changes:
    # What else was asked gets its own answer; a cancel of the desk's own, which has no id, needs none.
    answered = event.cl_ord_id if isinstance(event, Canceled) and event.cl_ord_id != state.cl_ord_id else ""
    over = {"status": moved(state, event), **_next(state, answered)}
    return over | {"cl_ord_id": answered or state.cl_ord_id, "orig_cl_ord_id": state.cl_ord_id if answered else ""}


def _restated(state: ParentOrder, event: Restated) -> _Changes:
    terms = state.terms.model_copy(update={"quantity_e9": event.quantity_e9, "limit_price_e9": event.limit_price_e9})
    cum_e9 = state.cum_quantity_e9 if event.cum_quantity_e9 is None else event.cum_quantity_e9
    changes: _Changes = {"terms": terms, "cum_quantity_e9": cum_e9}
    if event.reason == NEW_DAY or event.day_began_ns is not None:
        changes |= {"day_start_e9": cum_e9, "day_began_ns": event.day_began_ns or 0}
    elif state.day_start_e9 is not None:
        changes["day_start_e9"] = state.day_start_e9 * cum_e9 // (state.cum_quantity_e9 or 1)  # as the rest
    return changes | {"status": moved(state, event, quantity_e9=event.quantity_e9, cum_quantity_e9=cum_e9)}


def _fill_restated(state: ParentOrder, event: FillRestated) -> _Changes:
    change_e9 = event.quantity_e9 - event.previous_quantity_e9
    cum_e9 = state.cum_quantity_e9 + change_e9
    before_e18 = event.previous_price_e9 * event.previous_quantity_e9
    status = moved(state, event, cum_quantity_e9=cum_e9)
    open_e9 = _opened(state, event.child, event.open_e9)
    return {
        "status": status,
        "finished": state.finished and status in TERMINAL and not open_e9,  # a bust may have the venue work the child again
        "cum_quantity_e9": cum_e9,
        "notional_e18": state.notional_e18 + event.price_e9 * event.quantity_e9 - before_e18,
        "held_e9": state.held_e9 if state.direct else max(0, state.held_e9 - change_e9),
        "open_e9": open_e9,
        **({"day_start_e9": (state.day_start_e9 or 0) + change_e9} if event.earlier_day else {}),
    }


def _child_amended(state: ParentOrder, event: ChildAmended) -> _Changes:
    return {"open_e9": _opened(state, event.child, event.open_e9)}


def _opened(state: ParentOrder, child: StreamId, open_e9: int) -> Mapping[StreamId, int]:
    others = {other: quantity for other, quantity in state.open_e9.items() if other != child}
    return {**others, child: open_e9} if open_e9 else others


_EVOLVE: dict[type[Event], Callable[..., _Changes]] = {
    Scheduled: _scheduled,
    Started: _started,
    PlanFailed: _plan_failed,
    CancelRequested: _requested,
    Canceled: _ended,
    ReplaceRequested: _requested,
    Replaced: _replaced,
    RequestRefused: _request_refused,
    Expired: _ended,
    Finished: lambda *_: {"finished": True},
    Acknowledged: _acknowledged,
    TurnedDown: _moves,
    RequestQueued: _queued,
    Triggered: lambda *_: {"working": True},
    DoneForDay: _moves,
    Restated: _restated,
    FillRestated: _fill_restated,
    ChildAmended: _child_amended,
    ExecutionDisputed: lambda *_: {},
    Held: _moves,
    Steered: steering_rules.changes,
    Stalled: lambda *_: {},
    **care_life.CHANGES,
}
