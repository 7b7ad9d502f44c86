"""`ems tca`: the log folded for costs, with what the loaded reference data say of days and instruments."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import NamedTuple, TypeVar, cast

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.reference import files, manifest, tables
from adapters.reference.start_of_day import COLUMNS
from domain.catalogue import TOPICS
from domain.day_load import Loaded
from domain.day_rows import AverageVolume, Commission, DayRow, Fee, ReferencePrice, parse
from domain.errors import ConfigError, ReferenceDataError, TimeOutsideLog
from domain.event import Event, Meta
from domain.instrument import Instrument, ReferenceData
from domain.ports import EventLog
from domain.values import StreamId
from ems.bootstrap.day import kept
from ems.config import Settings
from ems.tca import told
from ems.tca.charges import Schedules
from ems.tca.costs import Costs, DayFacts, costs_of
from ems.tca.record import NOW, Ledger, Order

_Row = TypeVar("_Row", bound=DayRow)
_Texts = Mapping[str, tuple[str, bytes]]  # table -> name of its file, its bytes


class Analysis(NamedTuple):
    """Orders as their costs are true now, and as they were known when they ended; None where that is the same."""

    title: str
    now: tuple[Costs, ...]
    then: tuple[Costs | None, ...]

    def rows(self) -> list[told.Row]:
        """Each order as plain values."""
        return [told.order(now, then) for now, then in zip(self.now, self.then, strict=True)]


class LoadedReferences:
    """Port `ems.tca.costs.References`: a day's files as they were loaded last, by the log; of a day for which nothing was
    loaded (a PAPER desk needs no load) those of the folder that the configuration names, which are said to be that.

    Raises:
        ReferenceDataError: files that were loaded are not kept any more, or hold what they may not.
    """

    def __init__(self, settings: Settings, loads: Mapping[str, Loaded]) -> None:
        self._settings = settings
        self._loads = loads
        self._folder = settings.instruments or files.SAMPLE
        self._data: ReferenceData = files.load(self._folder)
        self._facts: dict[str, DayFacts] = {}

    def instrument(self, symbol: str) -> Instrument | None:
        """Of the tables in use."""
        return self._data.universe.get(symbol)

    def close_ns(self, symbol: str, trade_date: str) -> int | None:
        """By the calendar; None beyond it, and on a day off."""
        instrument, on = self.instrument(symbol), date.fromisoformat(trade_date)
        calendar = self._data.calendars[instrument.mic] if instrument is not None else None
        if calendar is None or not calendar.first_date <= on <= calendar.last_date or not calendar.is_trading_day(on):
            return None
        return calendar.open_close_ns(on)[1]

    def facts(self, trade_date: str) -> DayFacts:
        """Charges and volumes as loaded for the day, closes as a later day's load has them."""
        if trade_date not in self._facts:
            self._facts[trade_date] = self._read(trade_date)
        return self._facts[trade_date]

    def _read(self, trade_date: str) -> DayFacts:
        if (loaded := self._loads.get(trade_date)) is not None:
            texts, source = self._kept(loaded), f"what was loaded for {trade_date}"
        elif self._settings.mode == "PAPER" and manifest.present(self._folder):
            found = manifest.read(self._folder)
            names = {table: entry.file for table, entry in found.files.items()}
            texts = {table: (name, (self._folder / name).read_bytes()) for table, name in names.items()}
            source = f"the configuration's files, made for {found.trade_date}"
        else:
            return DayFacts(closes_e9=self._closes(trade_date))
        return DayFacts(
            schedules=Schedules(_rows(texts, "fees", Fee), _rows(texts, "commissions", Commission), source),
            closes_e9=self._closes(trade_date),
            adv_e9={row.symbol: row.average_daily_volume_e9 for row in _rows(texts, "volumes", AverageVolume)},
        )

    def _closes(self, trade_date: str) -> dict[str, int]:
        """Closes are told by the load of the next day, as of this one."""
        for later in sorted(day for day in self._loads if day > trade_date):
            rows = _rows(self._kept(self._loads[later]), "prices", ReferencePrice)
            if found := {row.symbol: row.close_e9 for row in rows if row.as_of.isoformat() == trade_date}:
                return found
        return {}

    def _kept(self, loaded: Loaded) -> _Texts:
        wanted = ("fees", "commissions", "prices", "volumes")
        store = kept(self._settings)
        return {file.table: (file.file, store.get(file.sha256)) for file in loaded.files if file.table in wanted}


def _rows(texts: _Texts, table: str, model: type[_Row]) -> tuple[_Row, ...]:
    """A table's rows; none where it was not loaded, as before there was one of its name."""
    if table not in texts:
        return ()
    name, content = texts[table]
    made = [(row.place, parse(model, row.cells)) for row in tables.parse(name, content, COLUMNS[table]).rows]
    for place, row in made:
        if isinstance(row, list):
            raise ReferenceDataError(f"{place}, column {row[0].column}: {row[0].reason}")
    return tuple(cast(_Row, row) for _, row in made)


async def analyse(dsn: str, settings: Settings, *, parent: str = "", day: str = "", as_of: str = "") -> Analysis:
    """Analyse one parent, by stream id, OrderID or ClOrdID, or all that came on a trade date.

    Args:
        day: a trade date (ISO); "today": the last that the log has orders of.
        as_of: only what was recorded up to this moment (ISO 8601, UTC unless it says otherwise); "": all.

    Raises:
        ConfigError: no order is called that, or more than one, or none came on that date.
        TimeOutsideLog: as_of is no moment.
        ReferenceDataError: as LoadedReferences.
        LogUnavailable: the database cannot be reached.
    """
    known_ns = _moment(as_of) if as_of else NOW
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        ledger, loads = await read(log, known_ns)
    references = LoadedReferences(settings, loads)
    chosen = _one(ledger, parent) if parent else _of_day(ledger, day)
    now = tuple(costs_of(ledger, order, references) for order in chosen)
    then = tuple(_then(ledger, order, references, one) for order, one in zip(chosen, now, strict=True))
    return Analysis(f"order {chosen[0].order_id}" if parent else f"trade date {chosen[0].trade_date}", now, then)


async def read(log: EventLog, known_ns: int = NOW) -> tuple[Ledger, dict[str, Loaded]]:
    """Fold the log up to a moment of recording: every order, and the last load of each trade date."""
    ledger, loads = Ledger(), dict[str, Loaded]()
    async for page in log.read_facts():
        for _, stream, recorded_ns, (event, meta) in page:
            if recorded_ns <= known_ns:
                _apply(ledger, loads, stream, recorded_ns, event, meta)
    return ledger, loads


def _apply(ledger: Ledger, loads: dict[str, Loaded], stream: StreamId, recorded_ns: int, event: Event, meta: Meta) -> None:
    if isinstance(event, Loaded):
        loads[event.trade_date] = event
    else:
        ledger.apply(stream, recorded_ns, event, meta)


def _then(ledger: Ledger, order: Order, references: LoadedReferences, now: Costs) -> Costs | None:
    """As it was known when it ended first, where that has changed since."""
    if not order.ends:
        return None
    then = costs_of(ledger, order, references, order.ends[0].known_ns)
    return None if (then.split, then.filled_e9) == (now.split, now.filled_e9) else then


def _one(ledger: Ledger, name: str) -> list[Order]:
    found = ledger.find(name)
    if len(found) > 1:
        ids = ", ".join(f"{order.order_id} ({order.session}, {order.trade_date})" for order in found)
        raise ConfigError(f"{name} names several orders: give the OrderID of one: {ids}")
    if not found:
        raise ConfigError(f"no parent order is called {name}: give its OrderID, ClOrdID or stream id")
    return found


def _of_day(ledger: Ledger, day: str) -> list[Order]:
    days = sorted({order.trade_date for order in ledger.orders.values()})
    wanted = (days[-1] if days else "") if day == "today" else day
    found = [order for order in ledger.orders.values() if order.trade_date == wanted]
    if not found:
        raise ConfigError(f"no order came on {wanted or 'any day'}; the log has orders of {', '.join(days[-5:]) or 'none'}")
    return found


def _moment(text: str) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as cause:
        raise TimeOutsideLog(f"{text!r} is no time such as 2026-11-27T14:30:00") from cause
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return int(moment.timestamp() * 1_000_000) * 1_000


def write_reports(analysis: Analysis, html: Path | None, pdf: Path | None) -> None:
    """The report as one page that stands by itself, and as a PDF. Raises ConfigError where it cannot be written."""
    from ems.bootstrap import tca_pictures
    from ems.tca.page import page

    try:
        if html is not None:
            html.write_text(page(analysis.title, analysis.now, analysis.then, tca_pictures.pictures(analysis.now)), "utf-8")
        if pdf is not None:
            tca_pictures.write_pdf(pdf, analysis.title, analysis.now, analysis.then)
    except OSError as cause:
        raise ConfigError(f"the report cannot be written: {cause}") from cause
