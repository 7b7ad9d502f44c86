"""`ems plot tape`: one instrument's day as a page: price, depth, imbalance and the features over time."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from adapters.reference import files
from domain.calendar import Calendar
from domain.errors import ConfigError
from domain.tape import TAPE, Tape
from domain.values import E9
from ems.bootstrap.venue import read_tape
from ems.chart import Dots, Heat, Line, Panel, page
from models import feature_arrays as fa
from models.tape_store import open_tape
from models.tape_view import View, view

BLUE, RED, GREEN, GREY = "#2f6fde", "#d9552b", "#2a9d6f", "#8a94a0"
SHADES: Final = 24
ROWS_MAX: Final = 160
DOTS_MAX: Final = 4_000


def plot_tape(path: Path, out: Path, *, instrument: int = 0, columns: int = 1_000, tick_e9: int = E9 // 100) -> View:
    """Read, follow and draw a tape: a stored one, which knows its ticks, a LOBSTER zip, Lean's quotes, or records in an .npy
    file. What was drawn.

    Raises:
        ConfigError: there is no such file, or it is no tape.
        ReferenceDataError: it cannot be read, or has nothing of the instrument.
        TapeError: a stored tape that is damaged.
    """
    if columns < 2 or tick_e9 <= 0:
        raise ConfigError("a picture has two columns or more, and a tick is more than 0")
    symbol = ""
    if path.is_dir():
        stored = open_tape(path)
        records, name = stored.records(0, len(stored)), path.name
        for one in stored.header.instruments:
            if one.number == instrument:
                tick_e9, name, symbol = one.tick_size_e9 or tick_e9, f"{path.name}, {one.symbol}", one.symbol
    else:
        records, name = _records(path, tick_e9), path.name
    shown = view(records, instrument, columns, _calendar(symbol, records))
    out.write_text(_page(name, instrument, shown, tick_e9 / E9), "utf-8")
    return shown


def _calendar(symbol: str, records: Tape) -> Calendar | None:
    """Of an instrument of the built-in tables whose calendar knows the tape's days; else the tape is all one day."""
    data = files.load_sample()
    one = data.universe.get(symbol)
    if one is None or not len(records):
        return None
    calendar = data.calendars[one.mic]
    days = [calendar.date_at(int(at_ns)) for at_ns in (records["ts_event_ns"].min(), records["ts_event_ns"].max())]
    return calendar if calendar.first_date <= days[0] and days[1] <= calendar.last_date else None


def _records(path: Path, tick_e9: int) -> Tape:
    if path.suffix != ".npy" or not path.exists():
        return read_tape(path, tick_e9)
    records: Tape = np.load(path, allow_pickle=False, mmap_mode="r")
    if records.dtype != TAPE:
        raise ConfigError(f"{path.name} has no tape records")
    return records


def _page(name: str, instrument: int, shown: View, tick: float) -> str:
    span = [datetime.fromtimestamp(int(t) / E9, UTC) for t in np.linspace(shown.times_ns[0], shown.times_ns[-1], 7)]
    labels = [f"{moment:%H:%M:%S}" for moment in span]
    text = (
        f"{span[0]:%Y-%m-%d %H:%M:%S} to {span[-1]:%Y-%m-%d %H:%M:%S} UTC, {len(shown.times_ns)} moments,"
        f" {len(shown.prints):,} prints of {int(shown.prints[:, 2].sum()):,} lots"
    )
    return page(f"{name}, instrument {instrument}", text, [_prices(shown, tick), _depth(shown, tick), *_features(shown, labels)])


def _side(shown: View, column: int, tick: float) -> NDArray[np.float64]:
    prices = shown.ten[:, 0, column].astype(float) * tick
    prices[shown.ten[:, 0, column + 1] == 0] = np.nan
    return prices


def _prices(shown: View, tick: float) -> Panel:
    prints = shown.prints[:: max(1, len(shown.prints) // DOTS_MAX)]
    span = shown.times_ns[-1] - shown.times_ns[0]
    along = (prints[:, 0] - shown.times_ns[0]) / span
    points = list(zip(along.tolist(), (prints[:, 1] * tick / 2).tolist(), strict=True))
    bid, ask = (Line(n, c, _side(shown, at, tick).tolist(), True) for n, c, at in (("bid", BLUE, 0), ("ask", RED, 2)))
    return Panel("Price", 260, (bid, ask), (Dots("prints", GREY, points),))


def _depth(shown: View, tick: float) -> Panel:
    """Lots of the ten levels by price and time: blue for bids, red for asks, the stronger the more (logarithmic)."""
    prices, lots = shown.ten[:, :, ::2], shown.ten[:, :, 1::2]  # (C, 10, 2)
    there = lots > 0
    best = prices[:, 0][there[:, 0]]
    reach = int(np.median(np.ptp(np.where(there, prices, prices[:, :1]), axis=1))) if best.size else 1
    low, high = (int(best.min()) - reach, int(best.max()) + reach) if best.size else (0, 1)
    step = max(1, -(-(high - low + 1) // ROWS_MAX))
    cells = np.zeros((2, (high - low) // step + 1, len(prices)), np.int64)
    column = np.broadcast_to(np.arange(len(prices))[:, None], there.shape[:2])
    for side in range(2):
        drawn = there[:, :, side] & (prices[:, :, side] >= low) & (prices[:, :, side] <= high)
        np.add.at(cells[side], ((prices[:, :, side][drawn] - low) // step, column[drawn]), lots[:, :, side][drawn])
    strongest = np.log1p(max(1.0, float(np.percentile(cells[cells > 0], 99)) if (cells > 0).any() else 1.0))
    shade = np.clip(np.ceil(np.log1p(cells) / strongest * SHADES), 0, SHADES).astype(np.uint8)
    index = np.where(shade[1] > 0, shade[1] + SHADES, shade[0]).astype(np.uint8)
    palette = [(255, 255, 255)]
    for ink in ((47, 111, 222), (217, 85, 43)):
        palette += [_mix(ink, n / SHADES) for n in range(1, SHADES + 1)]
    top = (low + step * index.shape[0]) * tick
    return Panel("Depth of ten levels, lots", 260, heat=Heat(low * tick, top, [row.tobytes() for row in index], palette))


def _mix(ink: tuple[int, int, int], strength: float) -> tuple[int, int, int]:
    red, green, blue = (round(238 + (c - 238) * strength) for c in ink)
    return red, green, blue


def _features(shown: View, labels: list[str]) -> list[Panel]:
    named = [
        ("Order-flow imbalance, last 10 changes", fa.OFI, BLUE, True, 1),
        ("Queue imbalance at the best prices", fa.QUEUE, BLUE, True, 1),
        ("VPIN, 50 buckets of volume", fa.VPIN, RED, False, 2),
        ("Spread by time, ticks", fa.SPREAD, GREEN, False, 1),
        ("Trades per second", fa.ARRIVAL, GREEN, False, 1),
        ("Price impact, ticks per lot, last 100 trades", fa.SLOPE, RED, True, 4),
        ("Regime: 0 closed, 1 opening, 2 continuous, 3 pre-close, 4 closing, 5 halted", fa.REGIME, GREY, False, 0),
    ]
    panels = [
        Panel(title, 90, (Line("", colour, shown.values[:, at].tolist()),), symmetric=symmetric, decimals=decimals)
        for title, at, colour, symmetric, decimals in named
    ]
    last = panels[-1]
    return [*panels[:-1], Panel(last.title, last.height, last.lines, span=(0, 5), decimals=1, labels=labels)]
