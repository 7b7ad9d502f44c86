"""What leaves for venues because of an event of a child order or an execution: derived from it and the state right after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from domain import child_order as co
from domain import fill as fl
from domain.child_order import ChildOrder
from domain.event import Recorded
from domain.sending import (
    Forget,
    Keep,
    Outbound,
    SendChild,
    SendChildCancel,
    SendChildReplace,
    SendDontKnow,
    SendStatusQuery,
)


def _send_child(recorded: Recorded, after: Any) -> Outbound | None:
    child: ChildOrder = after
    if child.channel:  # it has been executed already, elsewhere
        return None
    return SendChild(
        session=child.venue_session,
        event_seq=recorded.seq,
        cl_ord_id=child.cl_ord_id,
        instrument=child.instrument,
        side=child.side,
        quantity_e9=child.quantity_e9,
        ord_type=child.ord_type,
        limit_price_e9=child.limit_price_e9,
        time_in_force=child.time_in_force,
        account=child.account,
        transact_time_ns=recorded.meta.event_time_ns,
        instructions=child.instructions,
        trip=int(child.trip, 16) if child.trip else 0,
    )


def _send_replace(recorded: Recorded, after: Any) -> Outbound:
    return _replace(after, at_ns=recorded.meta.event_time_ns, seq=recorded.seq)


def replace_again(child: ChildOrder, *, at_ns: int) -> SendChildReplace:
    """35=G once more, word for word, where nobody knows whether the venue has it: PossResend (97=Y)."""
    return replace(_replace(child, at_ns=at_ns, seq=0), poss_resend=True)


def _replace(child: ChildOrder, *, at_ns: int, seq: int) -> SendChildReplace:
    event = child.replacing
    assert event is not None
    return SendChildReplace(
        session=child.venue_session,
        event_seq=seq,
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=child.cl_ord_id,
        order_id=child.order_id,
        instrument=child.instrument,
        side=child.side,
        quantity_e9=event.quantity_e9,
        ord_type=event.ord_type,
        limit_price_e9=event.limit_price_e9,
        time_in_force=event.time_in_force,
        account=child.account,
        transact_time_ns=at_ns,
        instructions=event.instructions,
    )


def _send_cancel(recorded: Recorded, after: Any) -> Outbound:
    event, child = recorded.event, after
    assert isinstance(event, co.CancelRequested)
    return SendChildCancel(
        session=child.venue_session,
        event_seq=recorded.seq,
        cl_ord_id=event.cl_ord_id,
        orig_cl_ord_id=child.cl_ord_id,
        order_id=child.order_id,
        instrument=child.instrument,
        side=child.side,
        quantity_e9=child.quantity_e9,
        transact_time_ns=recorded.meta.event_time_ns,
    )


_DK_REASON = {"unknown_order": "D", "wrong_side": "B"}  # DKReason (127)


def _dont_know(recorded: Recorded, _: Any) -> Outbound | None:
    """35=Q to a venue: an execution that fits no order of ours, or its other side. What may be our own fault is not denied."""
    event = recorded.event
    assert isinstance(event, fl.Quarantined)
    if event.reason not in _DK_REASON:
        return None
    return SendDontKnow(
        session=event.venue_session,
        event_seq=recorded.seq,
        order_id=event.order_id,
        exec_id=event.exec_id,
        reason=_DK_REASON[event.reason],
        instrument=event.instrument,
        side=event.side,
        quantity_e9=event.quantity_e9,
        price_e9=event.price_e9,
        text=f"no order of ours: {event.cl_ord_id}" if event.reason == "unknown_order" else "the order is on the other side",
    )


def status_query(child: ChildOrder, *, seq: int) -> SendStatusQuery:
    """35=H: what does the venue know of this child?"""
    return SendStatusQuery(
        session=child.venue_session,
        event_seq=seq,
        cl_ord_id=child.cl_ord_id,
        order_id=child.order_id,
        instrument=child.instrument,
        side=child.side,
    )


def _forget(recorded: Recorded, after: Any) -> Outbound | None:
    child: ChildOrder = after
    if child.live or child.channel:
        return None
    return Forget(session=child.venue_session, event_seq=recorded.seq, cl_ord_id=child.cl_ord_id)


def _restated(recorded: Recorded, after: Any) -> Outbound | None:
    """What was taken back or changed may put an ended order back to work, and end one that worked."""
    child: ChildOrder = after
    if child.channel:
        return None
    if not child.live:
        return Forget(session=child.venue_session, event_seq=recorded.seq, cl_ord_id=child.cl_ord_id)
    return Keep(session=child.venue_session, event_seq=recorded.seq, orders=standing(child))


def standing(child: ChildOrder) -> tuple[SendChild, ...]:
    """What a live child left as, order and replace: its cancels are made from them."""
    ids = (child.cl_ord_id,) if child.replacing is None else (child.cl_ord_id, child.replacing.cl_ord_id)
    return tuple(
        SendChild(
            session=child.venue_session,
            event_seq=0,
            cl_ord_id=cl_ord_id,
            instrument=child.instrument,
            side=child.side,
            quantity_e9=child.quantity_e9,
            ord_type=child.ord_type,
            limit_price_e9=child.limit_price_e9,
            time_in_force=child.time_in_force,
            account=child.account,
            transact_time_ns=child.changed_ns,
        )
        for cl_ord_id in ids
    )


def _forget_replaced(recorded: Recorded, after: Any) -> Outbound:
    """A replace leaves one of two ids: the new one where it was taken, the old one where it was refused."""
    event, child = recorded.event, after
    gone = event.orig_cl_ord_id if isinstance(event, co.Replaced) else co.cl_ord_id(child.id, replace=child.replaces)
    return Forget(session=child.venue_session, event_seq=recorded.seq, cl_ord_id=gone)


SENT: Final[dict[type[Any], Callable[[Recorded, Any], Outbound | None]]] = {
    fl.Quarantined: _dont_know,
    co.Created: _send_child,
    co.CancelRequested: _send_cancel,
    co.ReplaceRequested: _send_replace,
    co.Replaced: _forget_replaced,
    co.ReplaceRefused: _forget_replaced,
    co.Filled: _forget,
    co.Canceled: _forget,
    co.Rejected: _forget,
    co.Expired: _forget,
    co.DoneForDay: _forget,
    co.ProvedUnknown: _forget,
    co.FillRestated: _restated,
    co.Restated: _restated,
}
