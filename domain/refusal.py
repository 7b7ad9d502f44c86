"""Why a request was refused: a value with a name, a plain sentence, and its place in FIX.

Refusals are expected; they are answered, recorded and never raised.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Reason(StrEnum):
    """The named refusals, in the order in which they are checked."""

    DUPLICATE_CL_ORD_ID = "duplicate_cl_ord_id"
    UNKNOWN_SYMBOL = "unknown_symbol"
    UNKNOWN_SIDE = "unknown_side"
    UNKNOWN_ACCOUNT = "unknown_account"
    QUANTITY_NOT_POSITIVE = "quantity_not_positive"
    QUANTITY_OFF_LOT = "quantity_off_lot"
    ORDER_TYPE_UNSUPPORTED = "order_type_unsupported"
    LIMIT_MISSING = "limit_missing"
    PRICE_NOT_POSITIVE = "price_not_positive"
    PRICE_OFF_TICK = "price_off_tick"
    TIME_IN_FORCE_UNSUPPORTED = "time_in_force_unsupported"
    UNKNOWN_ALGO = "unknown_algo"
    UNKNOWN_PARAMETER = "unknown_parameter"
    BAD_PARAMETER = "bad_parameter"
    END_NOT_AFTER_START = "end_not_after_start"
    MARKET_CLOSED = "market_closed"
    UNKNOWN_ORDER = "unknown_order"
    TOO_LATE = "too_late"
    ALREADY_PENDING = "already_pending"
    NOT_AMENDABLE = "not_amendable"
    UNSUPPORTED_MESSAGE = "unsupported_message"
    UNREADABLE = "unreadable"
    NOT_ACCEPTING = "not_accepting"
    THROTTLED = "throttled"
    LIST_UNSUPPORTED = "list_unsupported"
    LIST_REFUSED = "list_refused"
    RISK_LIMIT = "risk_limit"
    RISK_SOFT_LIMIT = "risk_soft_limit"
    RISK_DATA_MISSING = "risk_data_missing"
    BAD_LIMIT = "bad_limit"
    KILL_SWITCH = "kill_switch"


@dataclass(frozen=True, slots=True)
class Refusal:
    """A refused request: its name and a sentence that says what was wrong with which value."""

    reason: Reason
    text: str


# FIX 103 OrdRejReason on an ExecutionReport; 99 = other.
ORD_REJ_REASON: dict[Reason, int] = {
    Reason.UNKNOWN_SYMBOL: 1,
    Reason.MARKET_CLOSED: 2,
    Reason.UNKNOWN_ORDER: 5,
    Reason.DUPLICATE_CL_ORD_ID: 6,
    Reason.QUANTITY_NOT_POSITIVE: 13,
    Reason.QUANTITY_OFF_LOT: 13,
    Reason.ORDER_TYPE_UNSUPPORTED: 11,
    Reason.TIME_IN_FORCE_UNSUPPORTED: 11,
    Reason.UNKNOWN_ALGO: 11,
    Reason.UNKNOWN_ACCOUNT: 15,
    Reason.LIST_UNSUPPORTED: 11,
    Reason.RISK_LIMIT: 3,
    Reason.RISK_SOFT_LIMIT: 3,
}
# FIX 102 CxlRejReason on an OrderCancelReject; 99 = other.
CXL_REJ_REASON: dict[Reason, int] = {
    Reason.TOO_LATE: 0,
    Reason.UNKNOWN_ORDER: 1,
    Reason.ALREADY_PENDING: 3,
    Reason.DUPLICATE_CL_ORD_ID: 6,
}
OTHER = 99
