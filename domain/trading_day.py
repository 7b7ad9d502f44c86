"""One market's day, as orders see it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TradingDay:
    """The continuous session that an order is for. trade_date is ISO, times are UTC nanoseconds; auctions: when they trade, 0
    where none is held."""

    trade_date: str
    open_ns: int
    close_ns: int
    open_auction_ns: int = 0
    close_auction_ns: int = 0
