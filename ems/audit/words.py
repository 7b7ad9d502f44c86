"""Numbers and times as a person reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.market_state import MarketState
from domain.values import from_e9

_NS_MAX = 2**63 - 1


def number(value_e9: int | None) -> str:
    """A fixed-point number; "-" for none."""
    return "-" if value_e9 is None else f"{from_e9(value_e9):f}"


def moment(time_ns: int) -> str:
    """A moment, UTC, to the nanosecond."""
    if not 0 <= time_ns <= _NS_MAX:
        return f"{time_ns} ns, which is no time"
    seconds, rest = divmod(time_ns, 1_000_000_000)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{rest:09d}Z"


def market(seen: MarketState) -> str:
    """The touch of a market."""
    bid, ask = (number(price) for price in (seen.bid_e9, seen.ask_e9))
    sizes = f"{number(seen.bid_size_e9)} x {number(seen.ask_size_e9)}"
    return f"{seen.instrument} {bid} / {ask} ({sizes}), last {number(seen.last_e9)}, at {moment(seen.time_ns)}"
