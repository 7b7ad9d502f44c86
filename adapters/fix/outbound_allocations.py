"""Answers to allocation instructions (35=P) and allocation reports (35=AS) to FIX text."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from adapters.fix.fields import number_text, plain, timestamp_text
from adapters.fix.vocabulary import SIDE_CODE, SOH
from domain.allocation import AllocStatus, OrderPart
from domain.allocation_messages import AllocationAck, AllocationReport
from domain.allocation_terms import ALLOC_REJ_CODE
from domain.values import E9

_STATUS: Final[Mapping[AllocStatus, str]] = {"accepted": "0", "block_reject": "1", "account_reject": "2", "received": "3"}  # 87
_TRANS_TYPE: Final = {"new": "0", "replace": "1", "cancel": "2"}  # 71
_EXECUTIONS_CHANGED, _DETAILS_CHANGED = "2", "1"  # AllocCancReplaceReason (796)
_AFTER_INSTRUCTION, _UNASKED = "3", "4"  # AllocReportType (794): calculated, with and without an instruction
_EXPLICIT_ORDERS: Final = "1"  # AllocNoOrdersType (857)


def _ack(m: AllocationAck) -> str:
    accounts = "".join(
        f"79={plain(fault.account)}{SOH}{_field(467, fault.individual_id)}776={ALLOC_REJ_CODE[fault.misfit]}{SOH}"
        f"{_field(161, fault.text)}"
        for fault in m.accounts
    )
    return "".join(
        (
            _head("P", m.poss_resend),
            f"70={plain(m.alloc_id)}{SOH}",
            _field(75, _date(m.trade_date)),
            f"60={timestamp_text(m.transact_time_ns)}{SOH}87={_STATUS[m.status]}{SOH}",
            f"88={ALLOC_REJ_CODE[m.misfit]}{SOH}" if m.misfit is not None else "",
            f"626={m.alloc_type}{SOH}" if m.alloc_type is not None else "",
            _field(58, m.text),
            f"78={len(m.accounts)}{SOH}{accounts}" if m.accounts else "",
        )
    )


def _report(m: AllocationReport) -> str:
    misfit = m.misfit if m.action != "cancel" else None  # the cancel itself is good; its text says why
    return "".join(
        (
            _head("AS", m.poss_resend),
            f"755={m.report_id}{SOH}70={plain(m.alloc_id)}{SOH}71={_TRANS_TYPE[m.action]}{SOH}",
            f"795={m.ref_report_id}{SOH}796={_why(m)}{SOH}" if m.ref_report_id else "",
            f"794={_UNASKED if m.pre_trade else _AFTER_INSTRUCTION}{SOH}",
            f"87={_STATUS['accepted' if misfit is None else 'block_reject']}{SOH}",
            f"88={ALLOC_REJ_CODE[misfit]}{SOH}" if misfit is not None else "",
            f"857={_EXPLICIT_ORDERS}{SOH}73={len(m.orders)}{SOH}",
            "".join(_order(one) for one in m.orders),
            f"54={SIDE_CODE[m.side]}{SOH}55={plain(m.symbol)}{SOH}53={number_text(m.quantity_e9)}{SOH}",
            f"6={price_text(m.average_price_e9, m.price_decimals)}{SOH}{_field(15, m.currency)}74={m.price_decimals}{SOH}",
            f"75={_date(m.trade_date)}{SOH}60={timestamp_text(m.transact_time_ns)}{SOH}",
            f"381={number_text(m.gross_e9)}{SOH}" if m.gross_e9 is not None else "",
            f"118={number_text(m.net_money_e9)}{SOH}" if m.net_money_e9 is not None else "",
            _field(58, m.text),
            _parts(m),
        )
    )


def _why(m: AllocationReport) -> str:
    return _DETAILS_CHANGED if m.cause == "terms" else _EXECUTIONS_CHANGED


def _order(order: OrderPart) -> str:
    return (
        f"11={plain(order.cl_ord_id) or 'NONE'}{SOH}37={plain(order.order_id)}{SOH}"
        f"799={number_text(order.average_price_e9)}{SOH}800={number_text(order.quantity_e9)}{SOH}"
    )


def _parts(m: AllocationReport) -> str:
    """NoAllocs (78): the accounts that get something."""
    price = price_text(m.average_price_e9, m.price_decimals)
    parts = [part for part in m.parts if part.quantity_e9]
    group = "".join(
        f"79={plain(part.account)}{SOH}80={number_text(part.quantity_e9)}{SOH}{_field(467, part.individual_id)}153={price}{SOH}"
        + (f"154={number_text(part.net_money_e9)}{SOH}" if part.net_money_e9 is not None else "")
        for part in parts
    )
    return f"78={len(parts)}{SOH}{group}" if parts else ""


def price_text(price_e9: int, decimals: int) -> str:
    """A price with exactly so many decimals. It must be a multiple of one in the last of them."""
    whole, fraction = divmod(abs(price_e9), E9)
    sign = "-" if price_e9 < 0 else ""
    return f"{sign}{whole}.{fraction:09d}"[: -(9 - decimals) or None].rstrip(".")


def _head(msg_type: str, poss_resend: bool) -> str:
    return f"35={msg_type}{SOH}97=Y{SOH}" if poss_resend else f"35={msg_type}{SOH}"


def _field(tag: int, value: str) -> str:
    return f"{tag}={plain(value)}{SOH}" if value else ""


def _date(iso: str) -> str:
    return iso.replace("-", "")


WRITE: Final[dict[type[Any], Callable[[Any], str]]] = {AllocationAck: _ack, AllocationReport: _report}
