"""What a client is told because of an event of a mass cancel or of a list, as `ems.reports` does it for orders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from domain import mass
from domain import order_list as ol
from domain.event import Event, Recorded
from domain.list_messages import ListStatus, ListStatusType, MassCancelReport
from domain.mass import MassCancel
from domain.order_list import Listed, OrderList, Phase
from domain.refusal import ORD_REJ_REASON, OTHER, Reason
from domain.sending import Outbound
from domain.values import event_id, short_id

_REJECT_REASON: Final = {Reason.UNSUPPORTED_MESSAGE: 0, Reason.UNKNOWN_SYMBOL: 1}  # MassCancelRejectReason (532)


def mass_cancel_report(state: MassCancel, *, at_ns: int, seq: int, poss_resend: bool = False) -> MassCancelReport:
    """35=r: what became of a mass cancel. It has the same OrderID (37) however often it is made."""
    answer = state.answer
    orders = answer.orders if isinstance(answer, mass.Taken) else ()
    return MassCancelReport(
        session=state.client_session,
        event_seq=seq,
        poss_resend=poss_resend,
        report_id=short_id(event_id(state.id, state.version), 20),
        cl_ord_id=answer.cl_ord_id,
        scope=answer.scope,
        selection=answer.selection,
        orders=orders,
        reject_reason=_REJECT_REASON.get(answer.reason, OTHER) if isinstance(answer, mass.Refused) else None,
        transact_time_ns=at_ns,
        text=answer.text or ("" if orders else "no order matches"),
    )


def list_status(
    state: OrderList, orders: tuple[Listed, ...], *, status_type: ListStatusType, at_ns: int, seq: int, text: str = "",
    phase: Phase | None = None, reject_reason: int | None = None, poss_resend: bool = False,
) -> ListStatus:  # fmt: skip
    """35=N: a list and its orders as they stand."""
    return ListStatus(
        session=state.client_session,
        event_seq=seq,
        poss_resend=poss_resend,
        list_id=state.list_id,
        status_type=status_type,
        phase=phase or state.phase,
        orders=orders,
        transact_time_ns=at_ns,
        reject_reason=reject_reason,
        text=text,
    )


def _mass_canceled(recorded: Recorded, after: Any) -> Outbound:
    return mass_cancel_report(after, at_ns=recorded.meta.event_time_ns, seq=recorded.seq)


def _received(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, ol.Received)
    refused = ol.refusals(event.orders)
    said = [f"{refused} of {len(event.orders)} orders were refused"] if refused else []
    if event.instructions:
        said.append("ListExecInst (69) is kept for people and not acted on")
    return list_status(
        after,
        event.orders,
        status_type="ack",
        at_ns=recorded.meta.event_time_ns,
        seq=recorded.seq,
        text="; ".join(said),
        phase=Phase.ALERT if refused else None,
    )


def _refused(recorded: Recorded, after: Any) -> Outbound:
    event = recorded.event
    assert isinstance(event, ol.Refused)
    return list_status(
        after,
        event.orders,
        status_type="ack",
        at_ns=recorded.meta.event_time_ns,
        seq=recorded.seq,
        text=event.text,
        reject_reason=ORD_REJ_REASON.get(event.reason, OTHER),
    )


def _told(status_type: ListStatusType) -> Callable[[Recorded, Any], Outbound]:
    def derive(recorded: Recorded, after: Any) -> Outbound:
        event = recorded.event
        assert isinstance(event, ol.Executed | ol.CancelRequested | ol.Done)
        at_ns = recorded.meta.event_time_ns
        return list_status(after, event.orders, status_type=status_type, at_ns=at_ns, seq=recorded.seq)

    return derive


DERIVE: Final[dict[type[Event], Callable[[Recorded, Any], Outbound | None]]] = {
    mass.Taken: _mass_canceled,
    mass.Refused: _mass_canceled,
    ol.Received: _received,
    ol.Refused: _refused,
    ol.Executed: _told("exec_started"),
    ol.CancelRequested: _told("response"),
    ol.Done: _told("all_done"),
}
TO_CLIENT: Final = (MassCancelReport, ListStatus)
