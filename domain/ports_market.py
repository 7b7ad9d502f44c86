"""What a simulated market is, as Protocols: orders in, and what becomes of them; the events that drive it.

Units: prices in ticks, quantities in lots, times in nanoseconds.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple, Protocol

from domain.tape import Tape

ORDER_ID_MIN: Final = 1 << 62  # our orders' ids in a book lie above every recorded or generated one
SHOWN_ID_MIN: Final = 1 << 60  # and from here on where a book's orders are published


class VenueTif(StrEnum):
    """Time in force at the venue."""

    DAY = "day"
    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTD = "gtd"
    AT_OPEN = "at_open"
    AT_CLOSE = "at_close"


AUCTIONS: Final = (VenueTif.AT_OPEN, VenueTif.AT_CLOSE)  # orders for one auction: they wait for it and end with it
CARRIED: Final = (VenueTif.GTC, VenueTif.GTD)  # orders that outlive their day


class VenueOrder(NamedTuple):
    """An order as the matching engine takes it. price_ticks is ignored for a market order."""

    order_id: int
    side: int  # +1 buy, -1 sell
    quantity_lots: int
    price_ticks: int = 0
    is_market: bool = False
    tif: VenueTif = VenueTif.DAY
    stop_ticks: int | None = None  # held until a trade reaches this price; None: at work at once


class Execution(NamedTuple):
    """One fill of one of our orders."""

    order_id: int
    price_ticks: int
    quantity_lots: int
    time_ns: int
    is_maker: bool


class Triggered(NamedTuple):
    """A trade has reached the stop price of one of our orders: from now on it is at work."""

    order_id: int
    time_ns: int


class Unfilled(NamedTuple):
    """What a triggered order could not trade may not rest, and is gone."""

    order_id: int
    time_ns: int


MarketEvent = Execution | Triggered | Unfilled


class Submitted(NamedTuple):
    """What became of a submitted order at once."""

    executions: list[Execution]
    resting_lots: int  # or held ones; 0 when it filled, or when its time in force or its kind forbids resting
    accepted: bool  # False: the book is full or a price is outside its window; nothing was done
    then: list[MarketEvent]  # what followed: stop orders that its trades, or for a stop the last trade, have triggered


class Meeting(NamedTuple):
    """What an order would trade with at once."""

    lots: int
    ours: list[Execution]  # of our orders among them, in the order in which it would meet them


class Top(NamedTuple):
    """Best prices and the session's trading. A missing side has size 0."""

    time_ns: int
    bid_ticks: int
    bid_lots: int
    ask_ticks: int
    ask_lots: int
    last_half_ticks: int  # last trade's price in half ticks, since hidden midpoint prints lie between ticks
    last_lots: int
    volume_lots: int
    notional_half_ticks: int  # sum of price in half ticks x lots


class TapeSource(Protocol):
    """Where market events come from."""

    def until(self, now_ns: int) -> Tape:
        """The events due by now that were not given before, in order."""
        ...

    @property
    def ends_ns(self) -> int | None:
        """When the session ends; None for a source without end."""
        ...


class Market(Protocol):
    """One instrument's continuous market: a book, matched in price-time priority, driven by a tape."""

    def advance(self, now_ns: int) -> list[MarketEvent]:
        """Apply the tape events due by now; what became of our resting and held orders, in order."""
        ...

    def submit(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Match an order against the book; what is left rests where it may. A stop order is held."""
        ...

    def meets(self, order: VenueOrder) -> Meeting:
        """What would trade at once if this order were submitted now. Nothing changes."""
        ...

    def cancel(self, order_id: int) -> int:
        """Take an order out, resting or held; lots taken out, 0 for an unknown id."""
        ...

    def replace(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Change a resting or held order to these prices and this open quantity. Less quantity at the same price keeps
        its place in the queue; anything else loses it and may trade at once."""
        ...

    def top(self) -> Top:
        """Best prices and cumulative trading."""
        ...

    def take_shown(self) -> Tape:
        """What was displayed and traded since the last call, as records of instrument 0; empty of one that does not tell."""
        ...

    def show_all(self, now_ns: int) -> Tape:
        """Every displayed order, as an ADD at its place in its queue."""
        ...

    def restore_trading(self, volume_lots: int, notional_half_ticks: int) -> None:
        """Set the session's cumulative trading, after a restart."""
        ...

    def counters(self) -> dict[str, int]:
        """What was odd: unknown ids, overflow, events out of the price window, lots taken by us."""
        ...

    def awaits(self, tif: VenueTif) -> bool:
        """Whether the auction of this time in force gathers orders, or is to come."""
        ...

    @property
    def halted(self) -> bool:
        """Whether the tape has halted trading."""
        ...

    @property
    def ends_ns(self) -> int | None:
        """When the session ends; None for a market without end."""
        ...
