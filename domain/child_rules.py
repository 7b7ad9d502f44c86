"""What may happen to a child order now, and what a venue's report means for it."""

from __future__ import annotations

from domain.child_life import awake, trigger_of
from domain.child_order import (
    Acknowledged,
    Canceled,
    CancelRefused,
    ChildOrder,
    DoneForDay,
    Expired,
    Held,
    ProvedUnknown,
    ProvedWorking,
    Rejected,
    Replaced,
    ReplaceRefused,
    RequestPending,
    Restated,
    Triggered,
)
from domain.event import Event
from domain.instructions import CARRIED, CORPORATE_ACTION
from domain.messages import VenueReport
from domain.order_life import HELD, OrdStatus, transition
from domain.refusal import OTHER, Reason, Refusal


def decide(state: ChildOrder, event: Event) -> tuple[Event, ...] | Refusal:
    """May this happen to this order now? The event itself, or why not.

    The venue's word and the desk's wishes both arrive as the event they would be; the table alone judges.
    """
    trigger = trigger_of(state, event)
    if trigger is not None and transition(awake(state, trigger), trigger, filled=state.cum_quantity_e9 > 0) is None:
        return Refusal(Reason.TOO_LATE, f"{event.TOPIC} cannot happen to a child order that is {state.status}")
    return (event,)


def reported(state: ChildOrder, report: VenueReport) -> Event | None:
    """The event that a venue's report (other than a fill) is for this child; None where it says nothing new."""
    match report.exec_kind:
        case "new":
            resumed = state.status in HELD and not (report.poss_resend or report.poss_dup)
            waited = resumed or state.status in (OrdStatus.PENDING_NEW, OrdStatus.IN_DOUBT)
            known = not waited and state.order_id == report.order_id
            return None if known else Acknowledged(order_id=report.order_id, working=report.working)
        case "pending_new":
            fresh = state.status is OrdStatus.PENDING_NEW and "new" not in state.deciding
            return RequestPending(request="new") if fresh else None
        case "pending_cancel":
            return RequestPending(request="cancel") if state.canceling and "cancel" not in state.deciding else None
        case "pending_replace":
            fresh = state.replacing is not None and "replace" not in state.deciding
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
        case "stopped" | "suspended":
            known = report.exec_id in state.told
            return None if known else Held.sample(kind=report.exec_kind, exec_id=report.exec_id, text=report.text)
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
    if report.exec_id in state.told:
        return None
    price_e9 = report.limit_price_e9 if report.limit_price_e9 is not None else state.limit_price_e9
    corporate = report.restatement_reason == CORPORATE_ACTION and state.time_in_force in CARRIED
    return Restated(
        exec_id=report.exec_id,
        reason=report.restatement_reason,
        quantity_e9=report.quantity_e9 or state.quantity_e9,
        limit_price_e9=price_e9,
        text=report.text,
        cum_quantity_e9=report.cum_quantity_e9 if corporate and report.quantity_e9 >= report.cum_quantity_e9 else None,
    )


def _status_answer(state: ChildOrder, report: VenueReport) -> Event | None:
    """What the answer to a status query proves. An answer that counts other fills than ours proves nothing yet:
    the missing executions are on their way, and the question is asked again."""
    if state.status is OrdStatus.FILLED and state.replacing is not None and report.cum_quantity_e9 == state.cum_quantity_e9:
        return _proved(state, report)  # filled, and asked what became of a replace that the last fill crossed
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
        case "new" | "partially_filled" | "filled" | "pending_cancel" | "pending_replace" | "stopped" | "suspended":
            return _proved(state, report)
        case _:
            return None


def _proved(state: ChildOrder, report: VenueReport) -> Event | None:
    """It works, or is filled. A replace that was out may be in force or pending; where the answer shows neither, nobody
    knows whether the venue has it: it is sent again, which changes nothing the second time.
    """
    if report.ord_status == "pending_cancel" and state.canceling:
        return RequestPending(request="cancel")
    if report.ord_status == "pending_replace" and state.replacing is not None:
        return RequestPending(request="replace")
    if (taken := _taken(state, report)) is not None:
        return taken
    return ProvedWorking(order_id=report.order_id) if state.status is OrdStatus.IN_DOUBT else None
