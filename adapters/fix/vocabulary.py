"""FIX codes and the domain's words for them: each table once, read both ways."""

from __future__ import annotations

from typing import Final

from domain.messages import ExecKind
from domain.order_life import OrdStatus
from domain.values import OrdType, Side, TimeInForce

SOH: Final = "\x01"

SIDE_OF: Final[dict[str, Side]] = {"1": Side.BUY, "2": Side.SELL}  # 54
SIDE_CODE: Final = {side: code for code, side in SIDE_OF.items()}

ORD_TYPE_OF: Final[dict[str, OrdType]] = {  # 40
    "1": OrdType.MARKET,
    "2": OrdType.LIMIT,
    "3": OrdType.STOP,
    "4": OrdType.STOP_LIMIT,
    "P": OrdType.PEGGED,
}
ORD_TYPE_CODE: Final = {ord_type: code for code, ord_type in ORD_TYPE_OF.items()}

TIME_IN_FORCE_OF: Final[dict[str, TimeInForce]] = {  # 59
    "0": TimeInForce.DAY,
    "1": TimeInForce.GTC,
    "2": TimeInForce.AT_THE_OPENING,
    "3": TimeInForce.IOC,
    "4": TimeInForce.FOK,
    "6": TimeInForce.GTD,
    "7": TimeInForce.AT_THE_CLOSE,
}
TIME_IN_FORCE_CODE: Final = {tif: code for code, tif in TIME_IN_FORCE_OF.items()}

EXEC_KIND_OF: Final[dict[str, ExecKind]] = {  # 150
    "0": "new",
    "3": "done_for_day",
    "4": "canceled",
    "5": "replaced",
    "6": "pending_cancel",
    "7": "stopped",
    "8": "rejected",
    "9": "suspended",
    "A": "pending_new",
    "B": "calculated",
    "C": "expired",
    "D": "restated",
    "E": "pending_replace",
    "F": "trade",
    "G": "trade_correct",
    "H": "trade_cancel",
    "I": "status",
    "L": "triggered",
}
EXEC_TYPE_CODE: Final[dict[ExecKind, str]] = {kind: code for code, kind in EXEC_KIND_OF.items()}

ORD_STATUS_CODE: Final[dict[OrdStatus, str]] = {  # 39
    OrdStatus.PENDING_NEW: "A",
    OrdStatus.NEW: "0",
    OrdStatus.PARTIALLY_FILLED: "1",
    OrdStatus.PENDING_CANCEL: "6",
    OrdStatus.PENDING_REPLACE: "E",
    OrdStatus.IN_DOUBT: "A",  # FIX has no word for it: the fate of the order is pending
    OrdStatus.FILLED: "2",
    OrdStatus.CANCELED: "4",
    OrdStatus.REJECTED: "8",
    OrdStatus.EXPIRED: "C",
    OrdStatus.DONE_FOR_DAY: "3",
    OrdStatus.STOPPED: "7",
    OrdStatus.SUSPENDED: "9",
}
ORD_STATUS_OF: Final[dict[str, str]] = {
    code: status.value for status, code in ORD_STATUS_CODE.items() if status is not OrdStatus.IN_DOUBT
}

# 847 TargetStrategy. 1 and 2 are the standard's; from 1000 on two parties agree.
ALGO_OF: Final[dict[str, str]] = {"1": "vwap", "2": "pov", "1001": "twap", "1002": "ac", "1003": "adaptive"}
TARGET_STRATEGY: Final = {name: code for code, name in ALGO_OF.items()}

START_TIME: Final = "StartTime"  # parameter for EffectiveTime (168)
END_TIME: Final = "EndTime"  # parameter for ExpireTime (126)
PARTICIPATION_RATE: Final = "ParticipationRate"  # parameter for ParticipationRate (849)

ORDER_CREATING: Final = frozenset({"D", "G"})  # never repeated by the engine: the peer gets a gap fill
