"""The venue's reports as OUCH messages. Pure: an account and a report in, a message or nothing out."""

from __future__ import annotations

from typing import Final

from adapters.ouch.layout import Reject
from adapters.ouch.messages import Message
from adapters.ouch.venue_account import DEFAULTS, PRICE_UNIT_E9, Account
from domain.ports_market import SHOWN_ID_MIN
from domain.ports_venue import NOTHING_LEFT, SELF_MATCH, WOULD_TAKE, Report
from domain.values import E9

_SIDE: Final = {1: "B", -1: "S"}
_TIF: Final = {"day": "0", "ioc": "3"}
_WHY_CANCELED: Final = {"": "U", NOTHING_LEFT: "I", WOULD_TAKE: "G"}
_TIMEOUT, _SYSTEM = "T", "Z"
_WHY_REJECTED: Final = {1: Reject.INVALID_SYMBOL, 2: Reject.HALTED, 13: Reject.INVALID_QUANTITY}
_STRATEGY: Final = "O"  # the oldest of the two is canceled


def message_of(account: Account, report: Report, time_ns: int) -> Message | None:
    """What an account is told. time_ns: since midnight. None: OUCH has no words for it, or the account knows it already."""
    ref = int(report.cl_ord_id.partition(".")[0] or "0")
    head = {"time_ns": time_ns, "user_ref_num": ref}
    if report.cancel_reject_to:
        refused = report.cancel_reject_to == "2" and "." not in report.cl_ord_id
        return (
            Message("rejected", {**head, "reason": int(Reject.REPLACE_NOT_ALLOWED), **_text(account, ref)}) if refused else None
        )
    match report.exec_type:
        case "0":
            return Message("accepted", {**head, **_order(account, ref, report)}, _options(account, ref))
        case "8":
            why = _WHY_REJECTED.get(report.reason or 0, Reject.OTHER)
            return Message("rejected", {**head, "reason": int(why), **_text(account, ref)})
        case "5":
            return _replaced(account, ref, report, head)
        case "4" | "C" | "3":
            return _canceled(report, head)
        case "F":
            return _executed(report, head)
    return None


def _text(account: Account, ref: int) -> dict[str, str]:
    asked = account.terms.get(ref)
    return {"cl_ord_id": asked[0]["cl_ord_id"] if asked else ""}


def _options(account: Account, ref: int) -> tuple[tuple[int, bytes], ...]:
    asked = account.terms.get(ref)
    return asked[1] if asked else ()


def _order(account: Account, ref: int, report: Report) -> dict[str, int | str]:
    terms = account.terms[ref][0] if ref in account.terms else DEFAULTS
    return {
        "side": _SIDE[report.side],
        "quantity": report.quantity_e9 // E9,
        "symbol": report.symbol,
        "price": (report.price_e9 or 0) // PRICE_UNIT_E9,
        "time_in_force": _TIF[report.tif],
        "order_ref_num": SHOWN_ID_MIN + _number(report.order_id),
        "state": "L" if report.leaves_e9 else "D",
        **terms,
    }


def _replaced(account: Account, ref: int, report: Report, head: dict[str, int]) -> Message | None:
    old = int(report.orig_cl_ord_id.partition(".")[0])
    if old != ref:
        outstanding = {"quantity": report.leaves_e9 // E9}  # the specification's: what is left, not the new total
        fields = {**head, "orig_user_ref_num": old, **_order(account, ref, report), **outstanding}
        return Message("replaced", fields, _options(account, ref))
    known = account.orders.get(ref)
    gone = known.quantity - report.quantity_e9 // E9 if known else 0
    return Message("canceled", {**head, "quantity": gone, "reason": _WHY_CANCELED[""]}) if gone > 0 else None


def _canceled(report: Report, head: dict[str, int]) -> Message:
    gone = {"quantity": (report.quantity_e9 - report.cum_e9) // E9}
    if report.text == SELF_MATCH:
        prevented = {"prevented": report.last_quantity_e9 // E9, "price": report.last_price_e9 // PRICE_UNIT_E9}
        return Message("aiq_canceled", {**head, **gone, "reason": "Q", **prevented, "liquidity": "A", "strategy": _STRATEGY})
    reason = _WHY_CANCELED.get(report.text, _SYSTEM) if report.exec_type == "4" else _TIMEOUT
    return Message("canceled", {**head, **gone, "reason": reason})


def _executed(report: Report, head: dict[str, int]) -> Message:
    fields: dict[str, int | str] = {
        **head,
        "quantity": report.last_quantity_e9 // E9,
        "price": report.last_price_e9 // PRICE_UNIT_E9,
        "liquidity": "A" if report.maker else "R",
        "match_number": _number(report.exec_id),
    }
    return Message("executed", fields)


def _number(text: str) -> int:
    """The running number at the end of an OrderID or ExecID."""
    return int(text.rpartition("-")[2])
