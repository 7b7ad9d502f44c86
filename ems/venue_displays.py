"""What the venue displays, level by level: followed from what its markets tell, published as numbered changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from domain.ports_market import Market
from domain.ports_venue import Depth, DepthEntry, DepthLevel, DepthUpdate, Listing, TapeLine
from domain.tape import FLAG_HALF_TICK, FLAG_NO_PRINT, Kind, Tape

_Place = tuple[int, int]  # side, ticks
_ID, _TICKS, _LOTS, _FLAGS, _KIND, _SIDE, _TIME = 2, 3, 4, 6, 7, 8, 0
_ORDERS = (Kind.CANCEL, Kind.EXECUTE)
_TRADES = (Kind.TRADE, Kind.CROSS)


class Display:
    """One market's levels and trades. What was published stands at a number and a time; what has changed since waits."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._orders: dict[int, list[int]] = {}  # id -> side, ticks, lots
        self._levels: dict[_Place, int] = {}
        self._published: dict[_Place, int] = {}
        self._changed: dict[_Place, int] = {}  # -> when
        self._trades: list[tuple[Literal["trade", "cross"], int, int, int, int]] = []  # kind, side, half ticks, lots, time
        self._number = 0
        self._published_ns = 0

    def begin(self, displayed: Tape, now_ns: int) -> None:
        """What stands in the book now counts as published."""
        self._published_ns = now_ns
        self.follow(displayed)
        self._published = dict(self._levels)
        self._changed.clear()

    def follow(self, tape: Tape) -> None:
        """What the market has told."""
        for row in tape.tolist():
            kind, lots = row[_KIND], row[_LOTS]
            if kind == Kind.ADD:
                self._orders[row[_ID]] = [row[_SIDE], row[_TICKS], lots]
                self._change((row[_SIDE], row[_TICKS]), lots, row[_TIME])
            elif kind in _ORDERS:
                order = self._orders[row[_ID]]
                order[2] -= lots
                if not order[2]:
                    del self._orders[row[_ID]]
                self._change((order[0], order[1]), -lots, row[_TIME])
            if kind in _TRADES or (kind == Kind.EXECUTE and not row[_FLAGS] & FLAG_NO_PRINT):
                halves = 2 * row[_TICKS] + bool(row[_FLAGS] & FLAG_HALF_TICK)
                self._trades.append(("cross" if kind == Kind.CROSS else "trade", row[_SIDE], halves, lots, row[_TIME]))

    def depth(self, symbol: str) -> Depth:
        """What was published, of the time when it was."""
        tick, lot = self._listing.tick_size_e9, self._listing.lot_size_e9
        levels = tuple(DepthLevel(side, ticks * tick, lots * lot) for (side, ticks), lots in self._published.items())
        return Depth(symbol, self._published_ns, self._number, levels)

    def update(self, symbol: str, time_ns: int) -> DepthUpdate | None:
        """What has changed since the last call, which is published with this; None where nothing has."""
        tick, lot = self._listing.tick_size_e9, self._listing.lot_size_e9
        entries: list[DepthEntry] = []
        for kind, side, halves, lots, at_ns in self._trades:
            entries.append(DepthEntry(self._next(), kind, side, halves * tick // 2, lots * lot, at_ns))
        gone_first = sorted(self._changed, key=lambda place: place in self._levels)
        for place in gone_first:
            lots, before = self._levels.get(place, 0), self._published.get(place, 0)
            if lots != before:
                action: Literal["gone", "change", "new"] = "gone" if not lots else "change" if before else "new"
                price_e9 = place[1] * tick
                entries.append(DepthEntry(self._next(), action, place[0], price_e9, lots * lot, self._changed[place]))
        self._trades.clear()
        self._changed.clear()
        self._published_ns = time_ns
        self._published = dict(self._levels)
        return DepthUpdate(symbol, time_ns, tuple(entries)) if entries else None

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _change(self, place: _Place, lots: int, time_ns: int) -> None:
        self._changed[place] = time_ns
        left = self._levels.get(place, 0) + lots
        if left:
            self._levels[place] = left
        else:
            del self._levels[place]


class Displays:
    """Of all markets; each decision's records go to the line, if there is one, as they are."""

    def __init__(self, listings: Mapping[str, Listing], markets: Mapping[str, Market], line: TapeLine | None = None) -> None:
        self._markets = markets
        self._line = line
        self._displays = {symbol: Display(listings[symbol]) for symbol in markets}
        self._numbers = {symbol: number for number, symbol in enumerate(listings, 1)}

    def begin(self, now_ns: int) -> None:
        """The venue opens: whatever happened before is in what is displayed now."""
        parts = []
        for symbol, market in self._markets.items():
            displayed = market.show_all(now_ns)
            self._displays[symbol].begin(displayed, now_ns)
            parts.append(self._numbered(symbol, displayed))
        if self._line is not None:
            self._line.begin(now_ns, parts)

    def follow(self) -> None:
        """After each decision."""
        parts = []
        for symbol, market in self._markets.items():
            if len(tape := market.take_shown()):
                self._displays[symbol].follow(tape)
                parts.append(self._numbered(symbol, tape))
        if self._line is not None and parts and not self._line.publish(parts):
            now_ns = max(int(tape["ts_event_ns"][-1]) for tape in parts)
            displayed = [self._numbered(symbol, market.show_all(now_ns)) for symbol, market in self._markets.items()]
            self._line.begin(now_ns, displayed)

    def depth(self, symbol: str) -> Depth:
        """What was published of a market."""
        return self._displays[symbol].depth(symbol)

    def updates(self) -> list[DepthUpdate]:
        """What has changed in each since the last call."""
        found = (display.update(symbol, self._markets[symbol].top().time_ns) for symbol, display in self._displays.items())
        return [update for update in found if update is not None]

    def _numbered(self, symbol: str, tape: Tape) -> Tape:
        tape["instrument"] = self._numbers[symbol]
        return tape
