"""What answers requests about many orders (35=r, N), and the request to a venue (35=AF), as FIX text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from adapters.fix.fields import number_text, plain, timestamp_text
from adapters.fix.from_client_lists import SCOPE_OF
from adapters.fix.vocabulary import ORD_STATUS_CODE, SIDE_CODE, SOH
from domain.list_messages import ListStatus, ListStatusType, MassCancelReport, SendMassStatus
from domain.order_list import Listed, Phase

_SCOPE_CODE: Final = {scope: code for code, scope in SCOPE_OF.items()}
_REFUSED: Final = "0"  # MassCancelResponse (531); of a request that was taken it is the request's type
_STATUS_TYPE_CODE: Final[dict[ListStatusType, str]] = {"ack": "1", "response": "2", "exec_started": "4", "all_done": "5"}  # 429
_PHASE_CODE: Final = {  # 431
    Phase.RECEIVED: "2",
    Phase.EXECUTING: "3",
    Phase.CANCELING: "4",
    Phase.ALERT: "5",
    Phase.ALL_DONE: "6",
    Phase.REJECTED: "7",
}
_ALL_ORDERS: Final = "7"  # MassStatusReqType (585)


def _mass_cancel_report(m: MassCancelReport) -> str:
    scope, chosen = _SCOPE_CODE[m.scope], m.selection
    reason = f"532={m.reject_reason}{SOH}" if m.reject_reason is not None else ""
    affected = "".join(f"41={plain(order.cl_ord_id)}{SOH}535={plain(order.order_id)}{SOH}" for order in m.orders)
    return (
        f"{_head('r', m.poss_resend)}11={plain(m.cl_ord_id)}{SOH}37={m.report_id}{SOH}530={scope}{SOH}"
        f"531={_REFUSED if reason else scope}{SOH}{reason}533={len(m.orders)}{SOH}"
        f"{f'534={len(m.orders)}{SOH}{affected}' if affected else ''}"
        f"{_field(1, chosen.account)}{_field(55, chosen.symbol)}"
        f"{f'54={SIDE_CODE[chosen.side]}{SOH}' if chosen.side is not None else ''}"
        f"60={timestamp_text(m.transact_time_ns)}{SOH}{_field(58, m.text)}"
    )


def _list_status(m: ListStatus) -> str:
    """One message for the whole list, as it came in one."""
    reason = f"1386={m.reject_reason}{SOH}" if m.reject_reason is not None else ""
    return (
        f"{_head('N', m.poss_resend)}66={plain(m.list_id)}{SOH}429={_STATUS_TYPE_CODE[m.status_type]}{SOH}82=1{SOH}"
        f"431={_PHASE_CODE[m.phase]}{SOH}{reason}83=1{SOH}{_field(444, m.text)}"
        f"60={timestamp_text(m.transact_time_ns)}{SOH}68={len(m.orders)}{SOH}73={len(m.orders)}{SOH}"
        f"{''.join(map(_listed, m.orders))}"
    )


def _listed(order: Listed) -> str:
    reason = f"103={order.ord_rej_reason}{SOH}" if order.ord_rej_reason is not None else ""
    return (
        f"11={plain(order.cl_ord_id)}{SOH}14={number_text(order.cum_quantity_e9)}{SOH}39={ORD_STATUS_CODE[order.status]}{SOH}"
        f"151={number_text(order.leaves_quantity_e9)}{SOH}84={number_text(order.canceled_quantity_e9)}{SOH}"
        f"6={number_text(order.average_price_e9)}{SOH}{reason}{_field(58, order.text)}"
    )


def _mass_status(m: SendMassStatus) -> str:
    return f"{_head('AF', m.poss_resend)}584={plain(m.request_id)}{SOH}585={_ALL_ORDERS}{SOH}"


def _head(msg_type: str, poss_resend: bool) -> str:
    return f"35={msg_type}{SOH}97=Y{SOH}" if poss_resend else f"35={msg_type}{SOH}"


def _field(tag: int, value: str) -> str:
    return f"{tag}={plain(value)}{SOH}" if value else ""


WRITE: Final[dict[type[Any], Callable[[Any], str]]] = {
    MassCancelReport: _mass_cancel_report,
    ListStatus: _list_status,
    SendMassStatus: _mass_status,
}
