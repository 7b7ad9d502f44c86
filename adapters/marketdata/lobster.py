"""LOBSTER message and orderbook files -> tape.

A message file of n levels holds only what happened within the n best prices, so orders are missing that were
displayed before they came into sight, and orders that went out of sight may have changed unseen. The orderbook file
says what is displayed after each message. This reader follows the messages' sums per price and, wherever the
orderbook file differs, adds LEVEL events after the message: what appears is FLAG_UNCOVERED (it was there before),
what the file no longer shows inside its range is set to 0. A book that applies the tape therefore equals the
orderbook file after every message, and `corrections` says how much of it had to be corrected.

Units: ticks of `tick_size_e9`; lots are shares; time is nanoseconds UTC of the day in the file's name, New York.
Hidden executions off the tick carry FLAG_HALF_TICK.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from datetime import datetime
from io import BytesIO
from pathlib import Path
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.errors import ReferenceDataError
from domain.tape import FLAG_BY_LEVEL, FLAG_HALF_TICK, FLAG_UNCOVERED, Kind, Tape, tape_of

_NEW, _REDUCE, _DELETE, _EXECUTE, _HIDDEN, _CROSS, _HALT = 1, 2, 3, 4, 5, 6, 7
_PRICE_E9: Final = 100_000  # LOBSTER's price unit: 1/10,000 dollar
_EMPTY: Final = 9_999_999_999
_DAY_S: Final = 86_400
_BEYOND: Final = 2.0**53  # where a double no longer tells whole numbers apart
_SIMPLE: Final = {_NEW: Kind.ADD, _REDUCE: Kind.CANCEL, _DELETE: Kind.CANCEL, _EXECUTE: Kind.EXECUTE}
_SIGN: Final = {_NEW: 1, _REDUCE: -1, _DELETE: -1, _EXECUTE: -1}


class LobsterDay(NamedTuple):
    """A day of one instrument.

    rows[i] is the index in `tape` just after message i and its corrections; book is the orderbook file (rows, levels,
    [ask_px, ask_sz, bid_px, bid_sz]) in ticks and shares, 0 size for an empty level.
    """

    tape: Tape
    rows: NDArray[np.int64]
    book: NDArray[np.int64]
    corrections: int


def read_zip(path: Path, *, tick_size_e9: int = 10_000_000, instrument: int = 0) -> LobsterDay:
    """A sample zip with its message and orderbook files.

    Raises:
        ReferenceDataError: the zip does not hold such a pair, or a file does not parse.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            names = {kind: next(n for n in archive.namelist() if f"_{kind}_" in n) for kind in ("message", "orderbook")}
            texts = {kind: archive.read(name) for kind, name in names.items()}
    except (OSError, EOFError, StopIteration, zipfile.BadZipFile, zlib.error) as error:
        raise ReferenceDataError(f"{path.name} is not a LOBSTER zip: {error}") from error
    return read_pair(texts["message"], texts["orderbook"], names["message"], tick_size_e9=tick_size_e9, instrument=instrument)


def read_pair(messages: bytes, orderbook: bytes, name: str, *, tick_size_e9: int = 10_000_000, instrument: int = 0) -> LobsterDay:
    """Message and orderbook files as bytes; the name gives the date.

    Raises:
        ReferenceDataError: a file does not parse, or the two do not belong together.
    """
    if not messages.strip() or not orderbook.strip():
        raise ReferenceDataError(f"{name}: it is empty")
    try:
        table = np.loadtxt(BytesIO(messages), delimiter=",", ndmin=2)
        levels = np.loadtxt(BytesIO(orderbook), delimiter=",", dtype=np.int64, ndmin=2)
    except ValueError as error:
        raise ReferenceDataError(f"{name}: {error}") from error
    if len(table) != len(levels) or table.shape[1] < 6 or levels.shape[1] % 4:
        raise ReferenceDataError(f"{name}: {len(table)} messages and {len(levels)} book rows do not belong together")
    _check(table, name)
    book = _book(levels, tick_size_e9 // _PRICE_E9)
    times = midnight_ns(name) + np.rint(table[:, 0] * 1e9).astype(np.int64)  # exact: 14 digits fit a double
    follower = _Follower(tick_size_e9 // _PRICE_E9, instrument)
    whole = table[:, 1:6].astype(np.int64).tolist()
    rows = np.zeros(len(table), np.int64)
    bids, asks = (book[:, :, columns].reshape(len(book), -1).tolist() for columns in (slice(2, 4), slice(0, 2)))
    for i, (time_ns, message, bid_row, ask_row) in enumerate(zip(times.tolist(), whole, bids, asks, strict=True)):
        follower.follow(time_ns, message, bid_row, ask_row)
        rows[i] = len(follower.events)
    return LobsterDay(tape_of(follower.events), rows, book, follower.corrections)


def midnight_ns(name: str) -> int:
    """Nanoseconds UTC of New York's midnight on the date in a file's name. Raises ReferenceDataError without one."""
    found = re.search(r"(\d{4})-?(\d{2})-?(\d{2})", name)
    if found is None:
        raise ReferenceDataError(f"{name}: no date in the name")
    year, month, day = (int(part) for part in found.groups())
    return int(datetime(year, month, day, tzinfo=ZoneInfo("America/New_York")).timestamp()) * 10**9


def _check(table: NDArray[np.float64], name: str) -> None:
    """Refuses, by its row, a message that no market says. A message file is whole or it is not used: its book depends on all."""
    seconds, kinds, ids, sizes, prices, directions = table[:, :6].T
    orders = (kinds >= _NEW) & (kinds <= _HIDDEN)
    numbers = np.isfinite(table[:, :6]).all(axis=1) & (np.abs(table[:, :6]) < _BEYOND).all(axis=1)
    rules = {
        "a number that is none": ~numbers,
        "no such type": ~np.isin(kinds, np.arange(_NEW, _HALT + 1)),
        "a time after the day": seconds >= _DAY_S,
        "a time before the row above, or of no day": np.diff(seconds, prepend=0) < 0,
        "no size or a negative one": (kinds <= _CROSS) & (sizes <= 0),
        "no price or a negative one": (kinds <= _CROSS) & (prices <= 0),
        "a negative id": ids < 0,
        "neither buy nor sell": orders & (np.abs(directions) != 1),
    }
    for what, broken in rules.items():
        if broken.any():
            raise ReferenceDataError(f"{name} row {int(np.argmax(broken)) + 1}: {what}")


def _book(levels: NDArray[np.int64], unit: int) -> NDArray[np.int64]:
    """(rows, 4n) -> (rows, n, 4) in ticks; an empty level has price and size 0."""
    book = levels.reshape(len(levels), -1, 4).copy()  # (rows, n, 4)
    for column in (0, 2):
        empty = np.abs(book[:, :, column]) == _EMPTY
        book[:, :, column] = np.where(empty, 0, book[:, :, column] // unit)
        book[:, :, column + 1] = np.where(empty, 0, book[:, :, column + 1])
    return book


class _Follower:
    """Turns messages and rows into events, one after the other. sums: per side and price, what a book has displayed
    that applied the events so far."""

    def __init__(self, unit: int, instrument: int) -> None:
        self._unit = unit
        self._instrument = instrument
        self._sums: dict[int, dict[int, int]] = {1: {}, -1: {}}
        self._rows: dict[int, list[int]] = {1: [], -1: []}
        self.events: list[tuple[Any, ...]] = []
        self.corrections = 0

    def follow(self, time_ns: int, message: list[int], bids: list[int], asks: list[int]) -> None:
        """One message and the book row after it, each side as [price, size, price, size ...], best first."""
        kind, order_id, size, price, direction = message
        ticks, off_tick = divmod(price, self._unit)
        touched = 0
        if kind in _SIMPLE:
            self._emit(time_ns, order_id, ticks, size, 0 if kind == _NEW else FLAG_BY_LEVEL, _SIMPLE[kind], direction)
            sums = self._sums[direction]
            displayed = sums.pop(ticks, 0) + _SIGN[kind] * size
            if displayed > 0:
                sums[ticks] = displayed
            touched = direction
        elif kind == _HIDDEN:
            flags = FLAG_HALF_TICK if 2 * off_tick >= self._unit else 0
            self._emit(time_ns, 0, ticks, size, flags, Kind.TRADE, direction)
        elif kind == _CROSS:
            self._emit(time_ns, 0, ticks, size, 0, Kind.CROSS, 0)
        elif kind == _HALT:
            self._emit(time_ns, 0, 0, 0 if price == 1 else 1, 0, Kind.STATUS, 0)
        corrections: list[tuple[int, int, int]] = []
        for side, row in ((1, bids), (-1, asks)):
            if side == touched or row != self._rows[side]:
                moved = row[::2] != self._rows[side][::2]
                self._rows[side] = row
                corrections += self._correct(side, row, moved)
        self.corrections += len(corrections)
        # What is gone goes first, so that what appears never crosses what has left.
        for total, side, at in sorted(corrections):
            self._emit(time_ns, 0, at, total, FLAG_UNCOVERED, Kind.LEVEL, side)

    def _correct(self, side: int, row: list[int], moved: bool) -> list[tuple[int, int, int]]:
        """Levels where the row says something else than the sums: (displayed, side, ticks). moved: the prices are others."""
        sums = self._sums[side]
        shown = {price: size for price, size in zip(row[::2], row[1::2], strict=True) if size > 0}
        corrections: list[tuple[int, int, int]] = []
        if moved:
            worst = row[-2] if row[-1] > 0 else 0 if side > 0 else _EMPTY
            gone = [price for price in sums if price not in shown and (price - worst) * side > 0]
            corrections += [(0, side, price) for price in gone if sums.pop(price)]
        for price, size in shown.items():
            if sums.get(price, 0) != size:
                sums[price] = size
                corrections.append((size, side, price))
        return corrections

    def _emit(self, time_ns: int, order_id: int, ticks: int, size: int, flags: int, kind: Kind, side: int) -> None:
        self.events.append((time_ns, time_ns, order_id, ticks, size, self._instrument, flags, int(kind), side))
