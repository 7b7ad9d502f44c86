"""Bars of trades and quotes from files: Lean's minute and hourly zips, and CSV with a header, as plain arrays.

Both kinds of file carry New York wall-clock times; here every bar is stamped with its beginning in nanoseconds UTC,
oldest first. Prices are at 1e-9, volumes in shares. Bars outside the regular session are kept: whoever needs the
session alone has the calendar to cut them by.
"""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
from collections.abc import Callable, Iterator
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np
from numpy.typing import NDArray

from domain.errors import NumberError, ReferenceDataError
from domain.values import to_e9

NEW_YORK: Final = ZoneInfo("America/New_York")
MS_NS: Final = 1_000_000
MINUTE_NS: Final = 60_000_000_000
_LEAN_E9: Final = 100_000  # Lean's prices are in 1/10,000
_OPEN: Final = time(9, 30)

Ints = NDArray[np.int64]


class TradeBars(NamedTuple):
    """Arrays of one length, one element a bar. Prices at 1e-9, volume in shares."""

    begin_ns: Ints
    open_e9: Ints
    high_e9: Ints
    low_e9: Ints
    close_e9: Ints
    volume_shares: Ints


class QuoteBars(NamedTuple):
    """The two sides at each bar's end. An absent side has has_bid or has_ask False, and 0 where its numbers would be."""

    begin_ns: Ints
    has_bid: NDArray[np.bool_]
    bid_e9: Ints
    bid_shares: Ints
    has_ask: NDArray[np.bool_]
    ask_e9: Ints
    ask_shares: Ints


def read_lean_minute_trades(path: Path) -> TradeBars:
    """One day of a Lean `<yyyymmdd>_trade.zip`: `ms,open,high,low,close,volume`, ms since midnight.

    Raises:
        ReferenceDataError: the file cannot be read, or a line is not such a bar; the text names file and line.
    """
    midnight_ns = _midnight_ns(_day_of(path))

    def bar(cells: list[str]) -> list[int]:
        ms, *prices, volume = _integers(cells, 6)
        return [midnight_ns + ms * MS_NS, *(price * _LEAN_E9 for price in prices), volume]

    return _trade_bars(path, _zip_lines(path), bar)


def read_lean_minute_quotes(path: Path) -> QuoteBars:
    """One day of a Lean `<yyyymmdd>_quote.zip`: `ms,bid o,h,l,c,bid size,ask o,h,l,c,ask size`.

    A side whose prices are empty is absent. Stub quotes far from the market are what the market showed: they stay.

    Raises: as read_lean_minute_trades.
    """
    midnight_ns = _midnight_ns(_day_of(path))

    def bar(cells: list[str]) -> list[int]:
        if len(cells) != 11:
            raise ValueError(f"{len(cells)} cells where there should be 11")
        return [midnight_ns + int(cells[0]) * MS_NS, *_side(cells[1:6]), *_side(cells[6:11])]

    begin, has_bid, bid, bid_size, has_ask, ask, ask_size = _columns(path, _zip_lines(path), bar, 7)
    return QuoteBars(begin, has_bid.astype(np.bool_), bid, bid_size, has_ask.astype(np.bool_), ask, ask_size)


def read_lean_hourly_trades(path: Path) -> TradeBars:
    """Years of a Lean hourly zip: `YYYYMMDD HH:MM,open,high,low,close,volume`. Its 09:00 bar begins at the open, 09:30.

    Raises: as read_lean_minute_trades.
    """

    def bar(cells: list[str]) -> list[int]:
        stamp, *numbers = cells
        moment = datetime.strptime(stamp, "%Y%m%d %H:%M")  # noqa: DTZ007 (New York's wall clock, see _utc_ns)
        if moment.hour == 9:
            moment = datetime.combine(moment, _OPEN)
        *prices, volume = _integers(numbers, 5)
        return [_utc_ns(moment), *(price * _LEAN_E9 for price in prices), volume]

    return _trade_bars(path, _zip_lines(path), bar)


def read_csv_trades(path: Path, bar_ns: int = MINUTE_NS) -> TradeBars:
    """A gzipped CSV with header `datetime,open,high,low,close,volume`, prices in dollars, each bar stamped with its END.

    Lines may come newest first.

    Args:
        bar_ns: how long a bar lasts.

    Raises: as read_lean_minute_trades.
    """

    def bar(cells: list[str]) -> list[int]:
        if len(cells) != 6:
            raise ValueError(f"{len(cells)} cells where there should be 6")
        end_ns = _utc_ns(datetime.fromisoformat(cells[0]))
        return [end_ns - bar_ns, *(to_e9(cell) for cell in cells[1:5]), int(cells[5])]

    try:
        text = gzip.decompress(path.read_bytes()).decode("ascii")
    except (OSError, EOFError, UnicodeDecodeError) as cause:  # gzip.BadGzipFile is an OSError
        raise ReferenceDataError(f"{path} cannot be read: {cause}") from cause
    header, _, body = text.partition("\n")
    if header.strip() != "datetime,open,high,low,close,volume":
        raise ReferenceDataError(f"{path} line 1: the header is {header.strip()!r}")
    return _trade_bars(path, body, bar, first_line=2)


def _trade_bars(path: Path, text: str, bar: Callable[[list[str]], list[int]], first_line: int = 1) -> TradeBars:
    bars = TradeBars(*_columns(path, text, bar, 6, first_line))
    low, high = np.minimum(bars.open_e9, bars.close_e9), np.maximum(bars.open_e9, bars.close_e9)
    wrong = (bars.low_e9 <= 0) | (bars.low_e9 > low) | (bars.high_e9 < high) | (bars.volume_shares < 0)
    if wrong.any():
        raise ReferenceDataError(f"{path}: {int(wrong.sum())} bars whose high, low or volume cannot be")
    return bars


def _columns(path: Path, text: str, bar: Callable[[list[str]], list[int]], width: int, first_line: int = 1) -> Iterator[Ints]:
    """Every line through `bar`, as one array a column, in order of time."""
    rows = []
    for number, cells in enumerate(csv.reader(io.StringIO(text, newline="")), start=first_line):
        if not cells:
            continue
        try:
            rows.append(bar(cells))
        except (ValueError, NumberError) as cause:
            raise ReferenceDataError(f"{path} line {number}: {cause}") from cause
    table = np.array(rows, dtype=np.int64).reshape(-1, width)  # (N, width)
    return iter(table[np.argsort(table[:, 0], kind="stable")].T.copy())  # (width, N)


def _zip_lines(path: Path) -> str:
    """The text of the one member of a zip."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if len(names) != 1:
                raise ReferenceDataError(f"{path} holds {len(names)} files where there should be one")
            return archive.read(names[0]).decode("ascii")
    except (OSError, zipfile.BadZipFile, UnicodeDecodeError) as cause:
        raise ReferenceDataError(f"{path} cannot be read: {cause}") from cause


def _integers(cells: list[str], count: int) -> list[int]:
    if len(cells) != count:
        raise ValueError(f"{len(cells)} cells where there should be {count}")
    return [int(cell) for cell in cells]


def _side(cells: list[str]) -> tuple[int, int, int]:
    """(present, price at 1e-9, shares) of `open,high,low,close,size`."""
    close = cells[3]
    return (1, int(close) * _LEAN_E9, int(cells[4])) if close else (0, 0, 0)


def _day_of(path: Path) -> date:
    try:
        return datetime.strptime(path.name[:8], "%Y%m%d").date()  # noqa: DTZ007 (a date alone)
    except ValueError as cause:
        raise ReferenceDataError(f"{path}: the name does not begin with a date such as 20131004") from cause


def _midnight_ns(day: date) -> int:
    """What to add to wall-clock time since midnight. Clocks change before 04:00, so noon has the trading day's offset."""
    return _utc_ns(datetime.combine(day, time(12))) - int(timedelta(hours=12).total_seconds()) * 1_000_000_000


def _utc_ns(wall: datetime) -> int:
    return int(wall.replace(tzinfo=NEW_YORK).timestamp()) * 1_000_000_000
