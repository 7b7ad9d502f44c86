"""Tapes and bars into tables of volume, spread and volatility: which file is what, and what is written of it."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from adapters.marketdata.bars import (
    MINUTE_NS,
    TradeBars,
    read_csv_trades,
    read_lean_hourly_trades,
    read_lean_minute_quotes,
    read_lean_minute_trades,
)
from adapters.reference import files
from adapters.reference.write import table_text
from domain.calendar import Calendar, Phase
from domain.day_rows import AverageVolume
from domain.errors import ConfigError, ReferenceDataError
from domain.instrument import ReferenceData
from domain.tape import Tape
from domain.values import E9, from_e9
from ems.bootstrap.reference import BUCKET_COLUMNS, BUCKET_VOLUMES
from models.market_tables import BUCKET_NS, Bars, DayFigures, Usual, days_of_bars, days_of_tape, usual, with_spread
from models.tape_store import open_tape

_MARKET_COLUMNS: Final = (
    "symbol as_of days average_daily_volume spread spread_bps daily_volatility intraday_volatility".split()
)  # fmt: skip
_CSV: Final = {"1min": MINUTE_NS, "15min": 15 * MINUTE_NS}
_HOUR_NS: Final = 60 * MINUTE_NS
_DAY_NS: Final = 24 * _HOUR_NS
_NAME: Final = re.compile(r"(\d{8})_trade\.zip|([A-Za-z.]+)_(1min|15min|daily)\.csv\.gz|([A-Za-z.]+)\.zip", re.ASCII)
_Days = dict[date, DayFigures]


class Tables(NamedTuple):
    """What was found. skipped: how many days of which symbol were left out, and why."""

    usual: dict[str, Usual]
    days: dict[str, _Days]
    skipped: dict[str, int]


def tables(
    sources: Sequence[Path], instruments: Path | None, mic: str, last: int, progress: Callable[[int, int], None]
) -> Tables:
    """Read everything. Of sources for the same day of a symbol the first that is named counts.

    Args:
        instruments: folder of reference data; the built-in sample by default.
        mic: whose calendar counts for symbols that are in no instrument table; "": they are left out.
        last: over how many days what is usual is taken.

    Raises:
        ConfigError: a source is nothing that can be read here, or there is no such calendar.
        ReferenceDataError, TapeError: one cannot be read.
    """
    data = files.load_sample() if instruments is None else files.load(instruments)
    if mic and mic not in data.calendars:
        raise ConfigError(f"there is no calendar of {mic!r}; there are {', '.join(data.calendars)}")
    found: dict[str, _Days] = {}
    skipped: dict[str, int] = {}
    paths = [path for source in sources for path in _files(source)]
    for number, path in enumerate(paths, 1):
        for symbol, days, left_out in _read(path, data, mic):
            known = found.setdefault(symbol, {})
            left_out["named before"] = sum(day in known for day in days)
            known.update({day: figures for day, figures in days.items() if day not in known})
            for why, count in left_out.items():
                if count:
                    skipped[f"{symbol} {why}"] = skipped.get(f"{symbol} {why}", 0) + count
        progress(number, len(paths))
    return Tables({symbol: usual(days, last) for symbol, days in sorted(found.items()) if days}, found, skipped)


def write(to: Path, made: Tables) -> list[Path]:
    """The three files. Raises ConfigError where they cannot be written."""
    volumes = [
        AverageVolume(symbol=symbol, average_daily_volume_e9=round(one.average_daily_volume * E9), as_of=one.as_of)
        for symbol, one in made.usual.items()
        if one.average_daily_volume > 0
    ]
    market = [[symbol, *plain(one).values()] for symbol, one in made.usual.items()]
    buckets = [
        [symbol, day.isoformat(), str(BUCKET_NS // 10**9), " ".join(f"{round(v)}" for v in figures.buckets)]
        for symbol, days in sorted(made.days.items())
        for day, figures in sorted(days.items())
        if figures.buckets is not None
    ]
    paths = [to / "volumes.csv", to / "market.csv", to / f"{BUCKET_VOLUMES}.csv"]
    try:
        to.mkdir(parents=True, exist_ok=True)
        paths[0].write_text(table_text(AverageVolume, volumes), encoding="utf-8")
        for path, columns, rows in ((paths[1], _MARKET_COLUMNS, market), (paths[2], BUCKET_COLUMNS, buckets)):
            with path.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows([columns, *rows])
    except OSError as error:
        raise ConfigError(f"{to} cannot be written: {error.strerror}") from error
    return paths


def plain(one: Usual) -> dict[str, Any]:
    """Numbers as people and files have them; None where not known."""
    return {
        "as_of": one.as_of.isoformat(),
        "days": one.days,
        "average_daily_volume": round(one.average_daily_volume),
        "spread": None if math.isnan(one.spread_e9) else str(from_e9(round(one.spread_e9))),
        "spread_bps": _rounded(one.spread_bps, 4),
        "daily_volatility": _rounded(one.daily_volatility, 6),
        "intraday_volatility": _rounded(one.intraday_volatility, 6),
    }


def _rounded(value: float, places: int) -> float | None:
    return None if math.isnan(value) else round(value, places)


def _files(source: Path) -> Iterator[Path]:
    """A tape, a file of bars, or all of both below a folder."""
    if not source.exists():
        raise ConfigError(f"there is no {source}")
    if source.is_file() or (source / "header.json").is_file():
        yield source
        return
    below = sorted(source.rglob("*"))
    found = [path.parent if path.name == "header.json" else path for path in below if _is_source(path)]
    if not found:
        raise ConfigError(f"{source} has neither tapes nor bars in it")
    yield from found


def _is_source(path: Path) -> bool:
    return path.is_file() and (path.name == "header.json" or _NAME.fullmatch(path.name) is not None)


def _read(path: Path, data: ReferenceData, mic: str) -> Iterator[tuple[str, _Days, dict[str, int]]]:
    """(symbol, its days, days left out by reason) of a source."""
    if path.is_dir():
        yield from _tape(path, data, mic)
        return
    name = _NAME.fullmatch(path.name)
    if name is None:
        raise ConfigError(f"{path.name} is neither a tape nor bars: <yyyymmdd>_trade.zip, <symbol>_1min.csv.gz, <symbol>.zip")
    minute, csv_symbol, step, lean_symbol = name.groups()
    symbol = (csv_symbol or lean_symbol or path.resolve().parent.name).upper()
    calendar = _calendar(symbol, data, mic)
    if calendar is None:
        yield symbol, {}, {"in no instrument table": 1}
        return
    bars = _bars(path, minute is not None, step)
    known = np.array([calendar.first_date <= calendar.date_at(int(at)) <= calendar.last_date for at in bars.begin_ns], np.bool_)
    days = days_of_bars(Bars(*(column[known] for column in bars)), calendar)
    yield symbol, _quoted(path, days, calendar) if minute else days, {"bars beyond the calendar": int((~known).sum())}


def _calendar(symbol: str, data: ReferenceData, mic: str) -> Calendar | None:
    one = data.universe.get(symbol)
    return data.calendars.get(one.mic if one is not None else mic)


def _bars(path: Path, minute: bool, step: str | None) -> Bars:
    if minute:
        return _of(read_lean_minute_trades(path), MINUTE_NS)
    if step == "daily":
        return _of(read_csv_trades(path, 0), _DAY_NS)
    if step is not None:
        return _of(read_csv_trades(path, _CSV[step]), _CSV[step])
    bars = read_lean_hourly_trades(path)
    if len(bars.begin_ns) < 2 or int(np.median(np.diff(bars.begin_ns))) >= _DAY_NS:
        return _of(bars, _DAY_NS)
    hours = _of(bars, _HOUR_NS)
    half = bars.begin_ns // (30 * MINUTE_NS) % 2 == 1  # the first, which begins with the session at half past
    return hours._replace(length_ns=np.where(half, 30 * MINUTE_NS, _HOUR_NS))


def _of(bars: TradeBars, length_ns: int) -> Bars:
    return Bars(bars.begin_ns, np.full(len(bars.begin_ns), length_ns), bars.close_e9, bars.volume_shares)


def _quoted(path: Path, days: _Days, calendar: Calendar) -> _Days:
    """A minute day's figures with the spread of the quote bars beside it, if they are there."""
    quotes = path.with_name(path.name.replace("_trade", "_quote"))
    if not quotes.exists():
        return days
    bars = read_lean_minute_quotes(quotes)
    found = {}
    for day, figures in days.items():
        inside = np.zeros(len(bars.begin_ns), np.bool_)
        for span in calendar.phases(day):
            if span.phase is Phase.CONTINUOUS:
                inside |= (bars.begin_ns >= span.begin_ns) & (bars.begin_ns < span.end_ns)
        found[day] = with_spread(figures, bars.bid_e9[inside], bars.ask_e9[inside])
    return found


def _tape(path: Path, data: ReferenceData, mic: str) -> Iterator[tuple[str, _Days, dict[str, int]]]:
    stored = open_tape(path)
    tape: Tape = stored.records(0, len(stored))
    for one in stored.header.instruments:
        calendar = _calendar(one.symbol, data, mic)
        if calendar is None:
            yield one.symbol, {}, {"in no instrument table": 1}
            continue
        if one.tick_size_e9 <= 0 or one.lot_size_e9 <= 0:
            raise ReferenceDataError(f"{path.name} does not say what a tick and a lot of {one.symbol} are")
        of_feed = (tape["instrument"] == one.number) | (tape["instrument"] < 0)
        yield one.symbol, days_of_tape(tape[of_feed], calendar, one.tick_size_e9, one.lot_size_e9), {}
