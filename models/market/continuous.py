"""One instrument's continuous market: the book, its matching and the source that drives it (port: Market)."""

from __future__ import annotations

from typing import Final

import numpy as np

from domain.ports_market import (
    ORDER_ID_MIN,
    Execution,
    MarketEvent,
    Meeting,
    Submitted,
    TapeSource,
    Top,
    Triggered,
    Unfilled,
    VenueOrder,
    VenueTif,
)
from domain.tape import Tape, empty_tape
from models.market import book as bk
from models.market import layout as at
from models.market.flow import RecordedFlow
from models.market.matching import FILL_COLUMNS, available, match, meets
from models.market.shown import show_all, show_less, show_order
from models.market.stops import Stops
from models.market.tape_rules import apply

_COUNTERS: Final = {
    "unknown": at.N_UNKNOWN,
    "overflow": at.N_OVERFLOW,
    "outside": at.N_OUTSIDE,
    "invalid": at.N_INVALID,
    "taken_lots": at.TAKEN,
    "taken_short_lots": at.TAKEN_SHORT,
    "displaced_lots": at.DISPLACED,
}

_RESTS: Final = (VenueTif.DAY, VenueTif.GTC, VenueTif.GTD)


class ContinuousMarket:
    """Price-time-priority trading of one instrument against a recorded or a generated market.

    The rules by which our orders and recorded ones share the book are in `models.market.tape_rules`.

    Args:
        source: market events, in order.
        base_ticks: lowest price of the book's ladder; prices outside the ladder are refused or counted.
        window: ladder length in ticks.
        capacity: most orders the book holds, recorded ones included.
        shows: whether it keeps what it displays for `take_shown`.
    """

    def __init__(self, source: TapeSource, *, base_ticks: int = 0, window: int = 1 << 16, capacity: int = 1 << 16,
                 shows: bool = False) -> None:  # fmt: skip
        self._source = source
        self._base = base_ticks
        self._window = window
        self.book = at.make_book(base_ticks, window, capacity, shows=shows)
        self._shown: list[Tape] = []
        self.stops = Stops(self.book.meta[0])
        self._fills = np.zeros((capacity + 1, FILL_COLUMNS), np.int64)
        self._time_ns = 0

    @classmethod
    def warm(cls) -> None:
        """Compile everything, or load it from disk, so that the first order does not wait for it."""
        market = cls(RecordedFlow(empty_tape(1)), window=8, capacity=4)
        market.advance(0)
        market.submit(VenueOrder(ORDER_ID_MIN, 1, 2, 1), 0)
        market.submit(VenueOrder(ORDER_ID_MIN + 1, -1, 2, 1, tif=VenueTif.FOK), 0)
        market.submit(VenueOrder(ORDER_ID_MIN, 1, 2, 1), 0)
        market.meets(VenueOrder(ORDER_ID_MIN, 1, 1, 1))
        market.replace(VenueOrder(ORDER_ID_MIN, 1, 1, 1), 0)
        market.cancel(ORDER_ID_MIN)

    def advance(self, now_ns: int) -> list[MarketEvent]:
        """Apply the source's events due by now."""
        tape = self._source.until(now_ns)
        self._time_ns = max(self._time_ns, now_ns)
        return self.apply(tape)

    def apply(self, tape: Tape) -> list[MarketEvent]:
        """Apply these events; what became of our orders, in order."""
        events: list[MarketEvent] = []
        i = 0
        while i < tape.size:
            self._make_room()
            i, rows = apply(self.book, 0, tape, i, self._fills)
            events += self._executions(rows)
            events += self._trigger(int(tape["ts_event_ns"][i - 1]))
        return events

    def submit(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Match an order and let the rest of it stand where its kind allows. Units: lots, ticks."""
        if order.stop_ticks is None:
            entered = self._enter(order, now_ns)
            return entered._replace(then=self._trigger(now_ns))
        if not self._inside(order):
            return Submitted([], 0, False, [])
        self.stops.hold(order)
        return Submitted([], order.quantity_lots, True, self._trigger(now_ns))

    def meets(self, order: VenueOrder) -> Meeting:
        """What would trade at once if this order were submitted now; an order that waits for its stop price meets nothing."""
        if order.stop_ticks is not None or not self._inside(order):
            return Meeting(0, [])
        side = 0 if order.side > 0 else 1
        limit = (self._window - 1) * (1 - side) if order.is_market else order.price_ticks - self._base
        lots, rows = meets(self.book, 0, side, limit, order.quantity_lots, self._time_ns, self._fills)
        return Meeting(int(lots), self._executions(rows))

    def cancel(self, order_id: int) -> int:
        """Take one of our orders out. Lots taken out; 0 when it does not rest here and is not held."""
        slot = bk.find(self.book, 0, order_id)
        if slot == 0 or self.book.orders[slot]["kind"] != at.OWNED:
            return self.stops.take(order_id)
        lots = int(self.book.orders[slot]["qty"])
        self._take_back(slot, lots, self._time_ns)
        return lots

    def replace(self, order: VenueOrder, now_ns: int) -> Submitted:
        """Change prices and open quantity. Less at the same price keeps its place; anything else queues anew."""
        if not self._inside(order) or order.quantity_lots <= 0:
            return Submitted([], 0, False, [])
        if self.stops.find(order.order_id) is not None:
            self.stops.change(order)
            return Submitted([], order.quantity_lots, True, self._trigger(now_ns))
        slot = bk.find(self.book, 0, order.order_id)
        if slot == 0 or self.book.orders[slot]["kind"] != at.OWNED:
            return Submitted([], 0, False, [])
        lots = int(self.book.orders[slot]["qty"])
        if order.price_ticks - self._base == self.book.orders[slot]["price"] and order.quantity_lots <= lots:
            self._take_back(slot, lots - order.quantity_lots, now_ns)
            return Submitted([], order.quantity_lots, True, [])
        self._take_back(slot, lots, now_ns)
        return self.submit(order._replace(stop_ticks=None), now_ns)

    def take_shown(self) -> Tape:
        """What was displayed since the last call, as records of instrument 0; see `models.market.shown`."""
        self._make_room(0)
        tape = np.concatenate(self._shown) if self._shown else empty_tape()
        self._shown.clear()
        return tape

    def show_all(self, now_ns: int) -> Tape:
        """Everything that is displayed now, as orders that come to rest; what was not taken yet is in it."""
        self.take_shown()
        show_all(self.book, 0, now_ns)
        return self.take_shown()

    def _make_room(self, keep: int | None = None) -> None:
        """Records are moved out of the book where more than `keep` are there, by default as many as orders fit in it."""
        n = int(self.book.pool[at.SHOWN])
        if n > (self.book.orders.size - 1 if keep is None else keep):
            self._shown.append(self.book.shown[:n].copy())
            self.book.pool[at.SHOWN] = 0

    def _take_back(self, slot: int, lots: int, now_ns: int) -> None:
        self._make_room()
        show_less(self.book, slot, 0, lots, now_ns)
        bk.reduce(self.book, slot, lots, 0)

    def _inside(self, order: VenueOrder) -> bool:
        """Whether the prices of an order lie within the book's ladder, and its lots within what an order may have."""
        prices = [order.price_ticks] * (not order.is_market) + [order.stop_ticks] * (order.stop_ticks is not None)
        return order.quantity_lots <= at.LOTS_MAX and all(
            0 <= price - self._base < self._window for price in prices if price is not None
        )

    def _enter(self, order: VenueOrder, now_ns: int) -> Submitted:
        """An order that is at work: it trades, and rests where it may."""
        side = 0 if order.side > 0 else 1
        if not self._inside(order):
            return Submitted([], 0, False, [])
        edge = self._window - 1 if side == 0 else 0
        limit = edge if order.is_market else order.price_ticks - self._base
        may_rest = order.tif in _RESTS and (self.calling or not order.is_market)
        if self.calling and limit == edge and not order.is_market:
            return Submitted([], 0, False, [])  # there stand an auction's market orders
        if may_rest and bk.full(self.book):
            self.book.meta[0, at.N_OVERFLOW] += 1
            return Submitted([], 0, False, [])
        self._make_room()
        left = order.quantity_lots
        if order.tif is VenueTif.FOK and available(self.book, 0, side, limit, left) < left:
            return Submitted([], 0, True, [])
        left, rows = match(self.book, 0, side, limit, left, order.order_id, at.OWNED, now_ns, self._fills, 0)
        executions = self._executions(rows)
        if left > 0 and may_rest:
            show_order(self.book, bk.add(self.book, 0, order.order_id, at.OWNED, side, limit, left, 0, False), now_ns)
            return Submitted(executions, left, True, [])
        return Submitted(executions, 0, True, [])

    def _trigger(self, now_ns: int) -> list[MarketEvent]:
        """Stop orders that trades have reached go to work, and may reach others."""
        events: list[MarketEvent] = []
        while due := self.stops.reached():
            for order in due:
                events.append(Triggered(order.order_id, now_ns))
                entered = self._enter(order._replace(stop_ticks=None), now_ns)
                events += entered.executions
                traded = sum(e.quantity_lots for e in entered.executions if e.order_id == order.order_id)
                if entered.resting_lots + traded < order.quantity_lots:
                    events.append(Unfilled(order.order_id, now_ns))
        return events

    def top(self) -> Top:
        """Best prices, ours included, and the session's trading. While an auction gathers orders there are none."""
        m = self.book.meta[0]
        bid, ask = (-1, self._window) if self.calling else (int(m[at.BEST_BID]), int(m[at.BEST_ASK]))
        bid_lots = int(self.book.levels[0, 0, bid]["qty"]) if bid >= 0 else 0
        ask_lots = int(self.book.levels[0, 1, ask]["qty"]) if ask < self._window else 0
        bid_ticks = bid + self._base if bid_lots else 0
        ask_ticks = ask + self._base if ask_lots else 0
        traded = (int(m[i]) for i in (at.LAST_PRICE, at.LAST_SIZE, at.VOLUME, at.NOTIONAL))
        return Top(self._time_ns, bid_ticks, bid_lots, ask_ticks, ask_lots, *traded)

    def restore_trading(self, volume_lots: int, notional_half_ticks: int) -> None:
        """Continue the session's totals from what was published before a restart."""
        self.book.meta[0, at.VOLUME], self.book.meta[0, at.NOTIONAL] = volume_lots, notional_half_ticks

    def counters(self) -> dict[str, int]:
        """What was odd, or of our making, since the start."""
        return {name: int(self.book.meta[0, i]) for name, i in _COUNTERS.items()}

    @property
    def calling(self) -> bool:
        """Whether an auction is gathering orders; see `models.market.calls`."""
        return bool(self.book.meta[0, at.CALLING])

    def awaits(self, tif: VenueTif) -> bool:
        """There are no auctions."""
        return False

    @property
    def halted(self) -> bool:
        """Whether a status event has halted trading."""
        return bool(self.book.meta[0, at.HALTED])

    @property
    def ends_ns(self) -> int | None:
        """When the source's session ends."""
        return self._source.ends_ns

    def _executions(self, rows: int) -> list[Execution]:
        done: list[Execution] = []
        for ts, maker, maker_kind, taker, taker_kind, price, lots in self._fills[:rows].tolist():
            if taker_kind == at.OWNED:
                done.append(Execution(taker, price + self._base, lots, ts, False))
            if maker_kind == at.OWNED:
                done.append(Execution(maker, price + self._base, lots, ts, True))
        return done
