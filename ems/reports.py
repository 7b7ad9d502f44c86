"""What leaves the desk because of an event: derived from the event and its stream's state right after, nothing else.

The same function serves the live desk, recovery and resends, so a report is the same whenever it is made:
its ExecID comes from the event's id.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from domain import fill as fl
from domain import fix_session as fs
from domain import parent_order as po
from domain.care import Staged
from domain.event import Recorded
from domain.messages import ExecKind
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.refusal import CXL_REJ_REASON, ORD_REJ_REASON, OTHER, Reason
from domain.sending import (
    CancelReject,
    MessageReject,
    Outbound,
    ParentReport,
    SendNews,
)
from domain.values import EventId, short_id
from ems import allocation_reports, list_reports, orders_out


def outbound(recorded: Recorded, after: Any) -> Outbound | None:
    """The message that an event causes, None for most.

    Args:
        after: the state of the event's stream right after it.
    """
    derive = _TOLD.get(type(recorded.event)) or orders_out.SENT.get(type(recorded.event))
    return derive(recorded, after) if derive is not None else None


def to_client(message: Outbound | None) -> bool:
    """Is it a report that the OMS must not miss?"""
    return isinstance(message, _TO_CLIENT)


_TO_CLIENT = (ParentReport, CancelReject, MessageReject, *allocation_reports.TO_CLIENT, *list_reports.TO_CLIENT)


# ------------------------------------------------------------------------------------------ to the client


def recovered(session: str, again: Sequence[Outbound]) -> SendNews:
    """35=B after what a client had missed: it is complete now. Not made again where it is lost itself."""
    told = [m for m in again if m.session == session]
    text = f"{len(told)} reports were sent again; nothing is missing"
    return SendNews(session=session, event_seq=told[-1].event_seq, headline="Recovery is complete", text=text)


def report(
    parent: ParentOrder, *, exec_kind: ExecKind, exec_id: str, at_ns: int, seq: int, ids: tuple[str, str] | None = None,
    text: str = "", last_quantity_e9: int = 0, last_price_e9: int = 0, exec_ref_id: str = "",
    restatement_reason: int | None = None, ord_rej_reason: int | None = None,
) -> ParentReport:  # fmt: skip
    """35=8 about a parent as it is now. ids: (ClOrdID, OrigClOrdID) where it answers a request."""
    cl_ord_id, orig_cl_ord_id = ids or (parent.cl_ord_id, "")
    day_start_e9 = parent.day_start_e9
    return ParentReport(
        session=parent.client_session,
        event_seq=seq,
        exec_kind=exec_kind,
        ord_status=parent.status,
        exec_id=exec_id,
        order_id=parent.order_id,
        cl_ord_id=cl_ord_id,
        orig_cl_ord_id=orig_cl_ord_id,
        symbol=parent.instrument,
        side=parent.side,
        quantity_e9=parent.terms.quantity_e9,
        limit_price_e9=parent.terms.limit_price_e9,
        last_quantity_e9=last_quantity_e9,
        last_price_e9=last_price_e9,
        cum_quantity_e9=parent.cum_quantity_e9,
        leaves_quantity_e9=parent.leaves_e9,
        average_price_e9=parent.average_price_e9,
        transact_time_ns=at_ns,
        account=parent.account,
        algo=parent.terms.algo.value,
        parameters=parent.terms.parameters,
        text=text,
        ord_rej_reason=ord_rej_reason,
        ord_type=parent.terms.ord_type,
        time_in_force=parent.terms.time_in_force,
        instructions=parent.terms.instructions,
        exec_ref_id=exec_ref_id,
        restatement_reason=restatement_reason,
        working=parent.working,
        list_id=parent.list_id,
        day_quantity_e9=None if day_start_e9 is None else parent.terms.quantity_e9 - day_start_e9,
        day_cum_quantity_e9=None if day_start_e9 is None else parent.cum_quantity_e9 - day_start_e9,
    )


def exec_id(event: EventId) -> str:
    """ExecID (17) of the report that an event causes: the same however often it is made."""
    return short_id(event, 20)


def _exec_id(recorded: Recorded) -> str:
    return exec_id(recorded.event_id)


def _asked(event: Any, after: ParentOrder) -> tuple[str, str] | None:
    """A request that is pending: its own id, and the order's; None where the desk itself asks."""
    return (event.cl_ord_id, after.cl_ord_id) if event.cl_ord_id else None


def _answered(event: Any, after: ParentOrder) -> tuple[str, str] | None:
    """A request that took effect: the order's new id, and the one before; None where nobody asked."""
    if event.cl_ord_id != after.cl_ord_id or not after.orig_cl_ord_id:
        return None
    return after.cl_ord_id, after.orig_cl_ord_id


_Ids = Callable[[Any, ParentOrder], tuple[str, str] | None]


def _report(kind: ExecKind, *, text: bool = False, ids: _Ids | None = None) -> Callable[[Recorded, Any], Outbound]:
    def derive(recorded: Recorded, after: Any) -> Outbound:
        event: Any = recorded.event
        return report(
            after,
            exec_kind=kind,
            exec_id=_exec_id(recorded),
            at_ns=recorded.meta.event_time_ns,
            seq=recorded.seq,
            ids=ids(event, after) if ids is not None else None,
            text=event.text if text else "",
            restatement_reason=getattr(event, "restatement_reason", None),
            ord_rej_reason=OTHER
            if kind == "rejected" and event.ord_rej_reason is None
            else getattr(event, "ord_rej_reason", None),
        )

    return derive


def _filled(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, po.Filled)
    return report(
        after,
        exec_kind="trade",
        exec_id=fl.told_as(event.fill, 0),
        at_ns=recorded.meta.event_time_ns,
        seq=recorded.seq,
        last_quantity_e9=event.quantity_e9,
        last_price_e9=event.price_e9,
    )


def _fill_restated(recorded: Recorded, after: Any) -> Outbound:
    """A bust tells of nothing traded; a correction of the whole execution as it is now."""
    event = recorded.event
    assert isinstance(event, po.FillRestated)
    return report(
        after,
        exec_kind="trade_cancel" if event.kind == "cancel" else "trade_correct",
        exec_id=fl.told_as(event.fill, event.number),
        exec_ref_id=fl.told_as(event.fill, event.number - 1),
        at_ns=recorded.meta.event_time_ns,
        seq=recorded.seq,
        last_quantity_e9=event.quantity_e9,
        last_price_e9=event.price_e9,
    )


def _held(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, po.Held)
    return _report(event.kind, text=True)(recorded, after)


def _restated(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, po.Restated)
    return report(
        after,
        exec_kind="restated",
        exec_id=_exec_id(recorded),
        at_ns=recorded.meta.event_time_ns,
        seq=recorded.seq,
        text=event.text,
        restatement_reason=event.reason,
    )


def _accepted(recorded: Recorded, after: Any) -> Outbound | None:
    """A direct order is New when its venue says so, one that waits when its list is executed."""
    return None if after.direct or after.staged else _new(recorded, after)


def _rejected(recorded: Recorded, _: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, po.Rejected)
    return ParentReport(
        session=event.client_session, event_seq=recorded.seq, exec_kind="rejected", ord_status=OrdStatus.REJECTED,
        exec_id=_exec_id(recorded), order_id=event.order_id, cl_ord_id=event.cl_ord_id, orig_cl_ord_id="", symbol=event.symbol,
        side=event.side, quantity_e9=event.quantity_e9, limit_price_e9=None, last_quantity_e9=0, last_price_e9=0,
        cum_quantity_e9=0, leaves_quantity_e9=0, average_price_e9=0, transact_time_ns=recorded.meta.event_time_ns,
        text=event.text, ord_rej_reason=ORD_REJ_REASON.get(event.reason, OTHER), list_id=event.list_id,
    )  # fmt: skip


def _request_refused(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, po.RequestRefused)
    return CancelReject(
        session=after.client_session,
        event_seq=recorded.seq,
        cl_ord_id=event.cl_ord_id or after.cl_ord_id,
        orig_cl_ord_id=after.cl_ord_id,
        order_id=after.order_id,
        ord_status=after.status,
        response_to=event.request,
        cxl_rej_reason=_cxl_rej_reason(event),
        text=event.text,
    )


def _cxl_rej_reason(event: po.RequestRefused) -> int:
    """CxlRejReason (102): the venue's where it gave one."""
    return event.cxl_rej_reason if event.cxl_rej_reason is not None else CXL_REJ_REASON.get(event.reason, OTHER)


def _message_refused(recorded: Recorded, _: Any) -> Outbound | None:
    """35=j, 35=9 or 35=8 for a message that belongs to no order; None where the FIX engine has answered itself."""
    event = recorded.event
    assert isinstance(event, fs.MessageRefused)
    ref = recorded.meta.inbound
    if ref is None or event.answer == "none":
        return None
    if event.answer == "cancel_reject":
        return CancelReject(
            session=event.session,
            event_seq=recorded.seq,
            cl_ord_id=event.ref_id,
            orig_cl_ord_id=event.orig_ref_id,
            order_id="NONE",
            ord_status=OrdStatus.REJECTED,
            response_to="replace" if event.msg_type == "G" else "cancel",
            cxl_rej_reason=CXL_REJ_REASON.get(event.reason, OTHER),
            text=event.text,
        )
    return MessageReject(
        session=event.session,
        event_seq=recorded.seq,
        ref_seq_num=ref.msg_seq_num,
        ref_msg_type=event.msg_type,
        ref_id=event.ref_id,
        business_reject_reason=_BUSINESS_REJECT.get(event.reason, 5 if event.ref_id == "" else 0),
        text=event.text,
    )


_BUSINESS_REJECT = {Reason.UNKNOWN_ORDER: 1, Reason.UNSUPPORTED_MESSAGE: 3}  # BusinessRejectReason (380)
_new = _report("new")

_TOLD: dict[type[Any], Callable[[Recorded, Any], Outbound | None]] = {
    po.Accepted: _accepted,
    Staged: _report("pending_new", text=True),
    po.Acknowledged: _new,
    po.TurnedDown: _report("rejected", text=True),
    po.Triggered: _report("triggered"),
    po.DoneForDay: _report("done_for_day", text=True),
    po.Restated: _restated,
    po.Held: _held,
    po.FillRestated: _fill_restated,
    po.Rejected: _rejected,
    po.Filled: _filled,
    po.CancelRequested: _report("pending_cancel", ids=_asked),
    po.Canceled: _report("canceled", text=True, ids=_answered),
    po.ReplaceRequested: _report("pending_replace", ids=_asked),
    po.Replaced: _report("replaced", ids=_answered),
    po.RequestRefused: _request_refused,
    po.Expired: _report("expired", text=True),
    fs.MessageRefused: _message_refused,
    **allocation_reports.DERIVE,
    **list_reports.DERIVE,
}
