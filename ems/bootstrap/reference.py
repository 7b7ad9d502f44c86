"""The Reference port over files: instruments, calendars, volume curves learned from bars, routes from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, Final, Self
from zoneinfo import ZoneInfo

import numpy as np
import structlog

from adapters.marketdata.bars import read_lean_minute_trades
from adapters.reference import files
from adapters.reference.tables import read as read_table
from domain.calendar import Phase
from domain.errors import ReferenceDataError
from domain.instrument import Instrument, ReferenceData
from domain.schedule import VolumeCurve
from domain.trading_day import TradingDay
from ems.config import Settings
from models.volume_curve import day_volumes, default_curve, learn_curve

_log = structlog.get_logger("reference")
BUCKET_NS: Final = 300_000_000_000
BUCKET_VOLUMES: Final = "bucket_volumes"  # the table that `ems tape tables` writes
BUCKET_COLUMNS: Final = ("symbol", "day", "bucket_s", "volumes")
MINUTE_NS: Final = 60_000_000_000  # no zone's date begins within one
Volumes = Mapping[date, Any]  # shares in each bucket of a full day


class FileReference:
    """Port `Reference`. Everything is read when it is made; a curve is learned from the days before its own alone."""

    def __init__(
        self, data: ReferenceData, *, home_time_zone: str, route: Callable[[str], str], volumes: Mapping[str, Volumes]
    ) -> None:
        self.data = data
        self._home = ZoneInfo(home_time_zone)
        self._route = route
        self._volumes = volumes
        self._curve = lru_cache(maxsize=1024)(self._learn)
        self._day = lru_cache(maxsize=64)(self._trading_day)  # also so that one day is one object
        self._minute = -1  # every order asks for its dates, and they change on the minute
        self._trade_date = ""
        self._on: dict[str, date] = {}  # by market

    @classmethod
    def load(cls, settings: Settings, *, route: Callable[[str], str] | None = None) -> Self:
        """Read what the settings name, the built-in sample where they name nothing.

        Raises:
            ReferenceDataError: a file is missing or wrong.
        """
        data = files.load_sample() if settings.instruments is None else files.load(settings.instruments)
        tables = {} if settings.bars is None else _tables(settings.bars, data)
        volumes = {} if settings.bars is None else {i.symbol: _volumes(settings.bars, i, data, tables) for i in data.universe}
        return cls(data, home_time_zone=settings.home_time_zone, route=route or settings.route, volumes=volumes)

    def instrument(self, symbol: str) -> Instrument | None:
        """The instrument of a symbol."""
        return self.data.universe.get(symbol)

    def trade_date(self, now_ns: int) -> str:
        """The date in the home time zone."""
        if now_ns // MINUTE_NS != self._minute:
            self._begin(now_ns)
        return self._trade_date

    def day(self, instrument: Instrument, now_ns: int) -> TradingDay | None:
        """The market's session of its own date; None on a day off, and beyond the calendar's horizon."""
        if now_ns // MINUTE_NS != self._minute:
            self._begin(now_ns)
        mic = instrument.mic
        on = self._on.get(mic) or self._on.setdefault(mic, self.data.calendars[mic].date_at(now_ns))
        return self._day(mic, on)

    def _begin(self, now_ns: int) -> None:
        self._minute, self._on = now_ns // MINUTE_NS, {}
        self._trade_date = datetime.fromtimestamp(now_ns // 1_000_000_000, UTC).astimezone(self._home).date().isoformat()

    def _trading_day(self, mic: str, on: date) -> TradingDay | None:
        calendar = self.data.calendars[mic]
        try:
            if not calendar.is_trading_day(on):
                return None
        except ReferenceDataError as error:
            _log.warning("no trading day is known", mic=mic, error=str(error))
            return None
        open_ns, close_ns = calendar.open_close_ns(on)
        held = {span.phase: span.end_ns for span in calendar.phases(on)}
        opening, closing = held.get(Phase.OPENING_AUCTION, 0), held.get(Phase.CLOSING_AUCTION, 0)
        return TradingDay(on.isoformat(), open_ns, close_ns, opening, closing)

    def volume_curve(self, instrument: Instrument, day: TradingDay) -> VolumeCurve:
        """Learned from the bars of earlier days where there are any, else a plain U-shape."""
        return self._curve(instrument.symbol, day)

    def venue_session(self, instrument: Instrument) -> str:
        """The session that the configuration routes it to."""
        return self._route(instrument.symbol)

    def _learn(self, symbol: str, day: TradingDay) -> VolumeCurve:
        buckets = -(-(day.close_ns - day.open_ns) // BUCKET_NS)
        on = date.fromisoformat(day.trade_date)
        days = [v for past, v in self._volumes.get(symbol, {}).items() if past < on and len(v) == buckets and v.sum() > 0]
        shares = learn_curve(days) if days else default_curve(buckets)
        return VolumeCurve(shares, day.open_ns, BUCKET_NS)


def _tables(folder: Path, data: ReferenceData) -> dict[str, dict[date, Any]]:
    """Volume by bucket as `ems tape tables` wrote it; nothing of symbols that are in no instrument table."""
    found: dict[str, dict[date, Any]] = {}
    if not (folder / f"{BUCKET_VOLUMES}.csv").exists():
        return found
    for row in read_table(folder, BUCKET_VOLUMES, BUCKET_COLUMNS).rows:
        numbers = row.cells["volumes"].split(" ")  # a long cell, of digits alone
        if row.text("bucket_s") != str(BUCKET_NS // 10**9):
            raise row.wrong("bucket_s", f"is {row.cells['bucket_s']}, and volumes are kept by {BUCKET_NS // 10**9} seconds here")
        if not all(number.isascii() and number.isdecimal() and len(number) < 16 for number in numbers):
            raise row.wrong("volumes", "has something in it that is no whole number of shares")
        symbol, day = row.text("symbol"), row.day("day")
        if data.universe.get(symbol) is not None:
            if day in found.setdefault(symbol, {}):
                raise row.wrong("day", f"{day} of {symbol} is there twice")
            found[symbol][day] = np.array([int(number) for number in numbers], np.float64)
    return found


def _volumes(folder: Path, instrument: Instrument, data: ReferenceData, tables: Mapping[str, Volumes]) -> Volumes:
    """Volume by bucket for every full day among an instrument's bars, folder/<symbol>/<yyyymmdd>_trade.zip, and in tables."""
    found: dict[date, Any] = dict(tables.get(instrument.symbol, {}))
    calendar = data.calendars[instrument.mic]
    for path in sorted((folder / instrument.symbol.lower()).glob("*_trade.zip")):
        bars = read_lean_minute_trades(path)
        found |= day_volumes(bars.begin_ns, bars.volume_shares, calendar, BUCKET_NS)
    return found
