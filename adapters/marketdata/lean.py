"""Lean tick files (quotes and trades of one instrument and day) -> tape.

Quotes are read as a stream of changes of the national best bid and offer: the last bid row and the last ask row make
the inside, whatever exchange they name. The tape has one level a side: a LEVEL event for every change, the level left
behind set to 0 first. A best price that gives way uncovers what stood behind it (FLAG_UNCOVERED); one that improves
is new. While bid and ask are locked or crossed, as quotes of several exchanges are now and then, only the side that
spoke last is displayed. Trades execute against the queue of the side whose price they reach (FLAG_QUEUE), by the
quote that stood when they printed; a trade inside the spread goes to the nearer side, at its middle to none. After a
trade the next quote row, of either side, tells again what is displayed. Prints off exchange (D) are volume only: they
never met the display. What is marked suspicious is left out.

Units: prices in 1/10,000 USD become ticks of `tick_size_e9`, off-tick trades carry FLAG_HALF_TICK; lots are shares;
times are nanoseconds UTC of the date in the file's name, New York.
"""

from __future__ import annotations

import zipfile
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.lobster import midnight_ns
from domain.errors import ReferenceDataError
from domain.tape import FLAG_HALF_TICK, FLAG_QUEUE, FLAG_UNCOVERED, Kind, Tape, tape_of

_PRICE_E9: Final = 100_000
_MS_NS: Final = 1_000_000
_FIRST_MS: Final = 34_200_000  # 09:30
_LAST_MS: Final = 57_600_000  # 16:00
_DAY_MS: Final = 86_400_000
_BEYOND: Final = 1 << 53
_QUOTE: Final = np.dtype([(name, "i8") for name in ("ms", "bid", "bid_size", "ask", "ask_size", "suspicious")])
_TRADE: Final = np.dtype([("ms", "i8"), ("price", "i8"), ("size", "i8"), ("exchange", "U2"), ("suspicious", "i8")])
_OFF_EXCHANGE: Final = "D"


def read_day(
    quotes: Path, trades: Path, *, tick_size_e9: int = 10_000_000, instrument: int = 0, regular_session: bool = True
) -> Tape:
    """Quotes and trades of one day, merged; at one millisecond trades come before quotes, which tell their effect.

    Raises:
        ReferenceDataError: a file is missing, does not parse, or the two are of different days.
    """
    midnight = midnight_ns(quotes.name)
    if midnight != midnight_ns(trades.name):
        raise ReferenceDataError(f"{quotes.name} and {trades.name} are of different days")
    quote_rows = _table(quotes, _QUOTE, (0, 1, 2, 3, 4, 7))
    trade_rows = _table(trades, _TRADE, (0, 1, 2, 3, 5))
    reader = _Reader(tick_size_e9 // _PRICE_E9, instrument, midnight)
    times = np.concatenate([trade_rows["ms"], quote_rows["ms"]])
    trade_count = len(trade_rows)
    trade_list, quote_list = trade_rows.tolist(), quote_rows.tolist()
    for i in np.argsort(times, kind="stable").tolist():
        time_ms = int(times[i])
        outside = not _FIRST_MS <= time_ms < _LAST_MS
        if regular_session and outside and (time_ms >= _LAST_MS or i < trade_count):
            continue
        if i < trade_count:
            reader.trade(*trade_list[i])
        else:
            reader.quote(*quote_list[i - trade_count])
    events = reader.events
    if regular_session:
        events = _from_the_open(events, midnight + _FIRST_MS * _MS_NS)
    return tape_of(events)


def _table(path: Path, dtype: np.dtype[Any], columns: tuple[int, ...]) -> NDArray[np.void]:
    try:
        with zipfile.ZipFile(path) as archive:
            text = archive.read(archive.namelist()[0])
        if not text.strip():
            return np.zeros(0, dtype)
        table = np.loadtxt(BytesIO(text), delimiter=",", dtype=dtype, usecols=columns, ndmin=1)
    except (OSError, EOFError, ValueError, IndexError, OverflowError, zipfile.BadZipFile, zlib.error) as error:
        raise ReferenceDataError(f"{path.name} is not a Lean tick file: {error}") from error
    _check(table, path)
    return table


def _check(table: NDArray[np.void], path: Path) -> None:
    """Refuses, by its row, a tick that no market says."""
    numbers = np.stack([table[name] for name in table.dtype.names or () if name != "exchange"])  # (columns, rows)
    rules = {
        "a negative number": (numbers < 0).any(axis=0),
        "a time after the day": table["ms"] >= _DAY_MS,
        "a time before the row above": np.diff(table["ms"], prepend=0) < 0,
        "a number beyond all prices and sizes": (numbers > _BEYOND).any(axis=0),
    }
    for what, broken in rules.items():
        if broken.any():
            raise ReferenceDataError(f"{path.name} row {int(np.argmax(broken)) + 1}: {what}")


def _from_the_open(events: list[tuple[Any, ...]], open_ns: int) -> list[tuple[Any, ...]]:
    """Quotes from before the open tell what stands at the open: the last level of each side, at the open's time."""
    first = next((i for i, event in enumerate(events) if event[0] >= open_ns), len(events))
    standing: dict[int, tuple[Any, ...]] = {}
    for event in events[:first]:
        if event[4] > 0:
            standing[event[8]] = event
        elif standing.get(event[8], (0,) * 9)[3] == event[3]:
            del standing[event[8]]
    return [(open_ns, open_ns, *event[2:]) for event in standing.values()] + events[first:]


class _Reader:
    """Follows the inside and emits events."""

    def __init__(self, unit: int, instrument: int, midnight: int) -> None:
        self._unit = unit
        self._instrument = instrument
        self._midnight = midnight
        self._inside = {1: (0, 0), -1: (0, 0)}  # as quoted: ticks, shares
        self._shown = {1: (0, 0), -1: (0, 0)}  # as emitted
        self.events: list[tuple[Any, ...]] = []

    def quote(self, ms: int, bid: int, bid_size: int, ask: int, ask_size: int, suspicious: int) -> None:
        """One row: the side with a price has changed."""
        side = 1 if bid > 0 else -1
        price, size = (bid, bid_size) if side > 0 else (ask, ask_size)
        if suspicious or price <= 0:
            return
        # An off-tick quote is displayed at the tick that it does not improve upon.
        ticks = price // self._unit if side > 0 else -(-price // self._unit)
        self._inside[side] = (ticks, size)
        other = self._inside[-side]
        crossed = self._crossed()
        if crossed:
            self._show(ms, -side, (0, 0))
        self._show(ms, side, self._inside[side])
        if not crossed:
            self._show(ms, -side, other)

    def trade(self, ms: int, price: int, size: int, exchange: str, suspicious: int) -> None:
        """One print."""
        if suspicious or size <= 0 or price <= 0:
            return
        ticks, off_tick = divmod(price, self._unit)
        half = FLAG_HALF_TICK if 2 * off_tick >= self._unit else 0
        side = 0 if exchange == _OFF_EXCHANGE else self._reached(2 * ticks + half)
        self._emit(ms, ticks, size, half or (FLAG_QUEUE if side else 0), Kind.TRADE, side)
        if side and not half and self._shown[side][0] == ticks:
            self._shown[side] = (ticks, max(0, self._shown[side][1] - size))

    def _crossed(self) -> bool:
        bid, ask = self._inside[1][0], self._inside[-1][0]
        return bid > 0 and ask > 0 and bid >= ask

    def _reached(self, half_ticks: int) -> int:
        """The resting side that a print's price (half ticks) came to."""
        bid, ask = 2 * self._inside[1][0], 2 * self._inside[-1][0]
        if not bid or not ask or bid >= ask or 2 * half_ticks == bid + ask:
            return 0
        return 1 if 2 * half_ticks < bid + ask else -1

    def _show(self, ms: int, side: int, level: tuple[int, int]) -> None:
        shown = self._shown[side]
        if shown == level:
            return
        if shown[0] != level[0] and shown[1] > 0:
            self._emit(ms, shown[0], 0, 0, Kind.LEVEL, side)
        if level[1] > 0:
            gave_way = (level[0] - shown[0]) * side < 0 and shown[0] > 0
            self._emit(ms, level[0], level[1], FLAG_UNCOVERED if gave_way else 0, Kind.LEVEL, side)
        elif shown[0] == level[0]:
            self._emit(ms, shown[0], 0, 0, Kind.LEVEL, side)
        self._shown[side] = level

    def _emit(self, ms: int, ticks: int, size: int, flags: int, kind: Kind, side: int) -> None:
        time_ns = self._midnight + ms * _MS_NS
        self.events.append((time_ns, time_ns, 0, ticks, size, self._instrument, flags, int(kind), side))
