"""What a person asks of the small order management system, and the FIX fields that say it."""

from __future__ import annotations

from dataclasses import dataclass

from adapters.fix.fields import number_text, plain
from adapters.fix.vocabulary import ORD_TYPE_CODE, SIDE_CODE, SOH, TARGET_STRATEGY, TIME_IN_FORCE_CODE
from domain.values import OrdType, Side, TimeInForce


@dataclass(frozen=True, slots=True, kw_only=True)
class OmsOrder:
    """An order as a person would say it."""

    symbol: str
    side: Side
    quantity_e9: int
    limit_price_e9: int | None = None
    time_in_force: TimeInForce = TimeInForce.DAY
    algo: str = ""
    parameters: tuple[tuple[str, str], ...] = ()
    account: str = ""


def body(order: OmsOrder) -> str:
    """What D and G share."""
    limit = order.limit_price_e9
    parts = [
        f"55={plain(order.symbol)}",
        f"54={SIDE_CODE[order.side]}",
        f"38={number_text(order.quantity_e9)}",
        f"40={ORD_TYPE_CODE[OrdType.MARKET if limit is None else OrdType.LIMIT]}",
        *([f"44={number_text(limit)}"] if limit is not None else []),
        f"59={TIME_IN_FORCE_CODE[order.time_in_force]}",
        *([f"1={plain(order.account)}"] if order.account else []),
        *([f"847={TARGET_STRATEGY.get(order.algo, order.algo)}"] if order.algo else []),
    ]
    if order.parameters:
        parts.append(f"957={len(order.parameters)}")
        parts += [f"958={plain(name)}{SOH}959=14{SOH}960={plain(value)}" for name, value in order.parameters]
    return SOH.join(parts) + SOH
