"""Whether a day can be opened with what was read: everything that is missing, stale or contradictory, and what to do about it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Final, NamedTuple, cast

from domain import corporate_actions
from domain.corporate_actions import NotExact
from domain.day_load import Manifest, Problem
from domain.day_rows import TABLES, CorporateAction, DayRow, FxRate, column
from domain.errors import ReferenceDataError
from domain.instrument import ReferenceData
from domain.start_of_day import StartOfDay
from domain.values import E9

REFERENCE_TABLES: Final = ("instruments", "identifiers", "tick_tables", "calendars", "session_hours", "holidays")
EVERY_TABLE: Final = (*REFERENCE_TABLES, *TABLES)
ANY: Final = "*"  # in a table of permissions
_PRICED: Final = (("prices", "close"), ("volumes", "average daily volume"))


class Placed(NamedTuple):
    """A row and where it stands."""

    place: str  # "positions.csv line 4"
    row: DayRow

    def wrong(self, field: str, what: str, todo: str) -> Problem:
        """What is wrong with one of its cells."""
        return Problem(f"{self.place}, column {column(field)}", what, todo)


Rows = Mapping[str, Sequence[Placed]]


class Opened(NamedTuple):
    """What a day can be opened with."""

    day: StartOfDay
    actions: tuple[CorporateAction, ...]  # that take effect with it


def manifest_problems(manifest: Manifest, trade_date: date) -> Iterator[Problem]:
    """Files that the manifest does not name, or that are of another day."""
    if manifest.trade_date != trade_date:
        todo = "ask for the files of the day, or give --trade-date"
        yield Problem("the manifest", f"is of {manifest.trade_date}, and the day to open is {trade_date}", todo)
    for table in EVERY_TABLE:
        if (entry := manifest.files.get(table)) is None:
            yield Problem("the manifest", f"names no file of {table}", f"add {table}.csv and run ems load --manifest")
        elif entry.as_of != manifest.trade_date:
            what = f"is stale: it is of {entry.as_of}, and the day to open is {manifest.trade_date}"
            yield Problem(entry.file, what, f"ask {entry.source} for the file of the day")
    for table in sorted(manifest.files.keys() - set(EVERY_TABLE)):
        yield Problem("the manifest", f"names a file of {table}, which is no table", f"there are {', '.join(EVERY_TABLE)}")


def open_day(manifest: Manifest, reference: ReferenceData, rows: Rows) -> Opened | list[Problem]:
    """Check everything against everything. The rows come out under the names and share counts of the trade date."""
    on = manifest.trade_date
    days = _Days(reference, on)
    problems = list(_calendar_problems(manifest, reference, on))
    actions = [cast(CorporateAction, placed.row) for placed in rows["corporate_actions"]]
    name = corporate_actions.renamed(actions, on)
    actions = [corporate_actions.under_new_name(action, name) for action in actions]
    by_symbol: dict[str, list[CorporateAction]] = defaultdict(list)
    for action in actions:
        by_symbol[action.symbol].append(action)
    carried: dict[str, list[Placed]] = {}
    for table, placed in rows.items():
        problems += _freshness(placed, days, name, manifest)
        carried[table] = []
        for one in placed:
            row = corporate_actions.carried_over(one.row, by_symbol, name, on)
            if isinstance(row, NotExact):
                todo = f"give the number after the split, with as_of {on}"
                problems.append(Problem(f"{one.place}, column {row.column}", row.reason, todo))
            else:
                carried[table].append(Placed(one.place, row))
        problems += _doubled(carried[table])
        problems += _unknown(carried[table], reference, on)
    problems += _names(rows["corporate_actions"], reference, on)
    problems += _missing(carried, manifest, reference)
    problems += _currencies(carried, manifest, reference)
    if problems:
        return problems
    day = StartOfDay(on, manifest.base_currency, {table: tuple(p.row for p in placed) for table, placed in carried.items()})
    return Opened(day, corporate_actions.taking_effect(actions, on, days.before))


class _Days:
    """The trading day before the trade date, by instrument and by market."""

    def __init__(self, reference: ReferenceData, on: date) -> None:
        self._reference = reference
        self._before: dict[str, date | None] = {}
        for mic, calendar in reference.calendars.items():
            try:
                self._before[mic] = calendar.previous_trading_day(on)
            except ReferenceDataError:  # told by _calendar_problems, or the market has just begun
                self._before[mic] = None

    def before(self, symbol: str) -> date | None:
        """None for an unknown instrument, and where the calendar does not reach."""
        instrument = self._reference.universe.get(symbol)
        return None if instrument is None else self.of_market(instrument.mic)

    def of_market(self, mic: str) -> date | None:
        """The same for a market."""
        return self._before.get(mic)


def _calendar_problems(manifest: Manifest, reference: ReferenceData, on: date) -> Iterator[Problem]:
    todo = "extend calendars and holidays to that day"
    for mic, calendar in reference.calendars.items():
        if not calendar.first_date < on <= calendar.last_date:
            what = f"the calendar of {mic} runs from {calendar.first_date} to {calendar.last_date}: nothing is known of {on}"
            yield Problem("calendars", what, todo)
        elif mic == manifest.calendar and not calendar.is_trading_day(on):
            yield Problem("holidays", f"{mic} does not trade on {on}: there is no day to open", "give another --trade-date")
    if manifest.calendar not in reference.calendars:
        known = ", ".join(reference.calendars)
        yield Problem("the manifest", f"its calendar is of {manifest.calendar}, and there is none", f"name one of {known}")


def _freshness(placed: Sequence[Placed], days: _Days, name: corporate_actions.Namer, manifest: Manifest) -> Iterator[Problem]:
    """as_of is the last close or the trade date itself; a locate has not expired."""
    on, firm = manifest.trade_date, days.of_market(manifest.calendar)
    for one in placed:
        as_of: date | None = one.row.get("as_of")
        symbol: str | None = one.row.get("symbol")
        before = firm if symbol is None else days.before(name(symbol))
        if as_of is not None and as_of > on:
            yield one.wrong("as_of", f"{as_of} is after the trade date {on}", "ask the source which day it is of")
        elif as_of is not None and before is not None and as_of < before:
            what = f"is stale: it is of {as_of}, and the last trading day is {before}"
            yield one.wrong("as_of", what, "ask the source for the row of that day")
        expires: date | None = one.row.get("expires")
        if expires is not None and expires < on:
            yield one.wrong("expires", f"is stale: it expired on {expires}", "locate again, or take the row out")


def _doubled(placed: Iterable[Placed]) -> Iterator[Problem]:
    seen: dict[tuple[object, ...], str] = {}
    for one in placed:
        if (first := seen.setdefault(one.row.key(), one.place)) != one.place:
            key = ", ".join(map(str, one.row.key()))
            yield one.wrong(one.row.KEY[0], f"{key} is there twice, first in {first}", "take one of them out")


def _unknown(placed: Iterable[Placed], reference: ReferenceData, on: date) -> Iterator[Problem]:
    for one in placed:
        coming = isinstance(one.row, CorporateAction) and one.row.kind == "rename" and one.row.effective > on
        symbol, mic = one.row.get("symbol"), one.row.get("mic")
        if symbol not in (None, ANY) and not coming and symbol not in reference.universe:
            yield one.wrong("symbol", f"there is no instrument {symbol!r}", "add it to instruments, or a rename to it")
        if mic is not None and mic not in reference.calendars:
            yield one.wrong("mic", f"there is no calendar of {mic!r}", "add it to calendars")


def _names(placed: Iterable[Placed], reference: ReferenceData, on: date) -> Iterator[Problem]:
    """A name that was given up is no instrument's any more, and goes to one alone."""
    taken: dict[str, str] = {}
    for one in placed:
        row = cast(CorporateAction, one.row)
        if row.kind != "rename" or row.old_symbol is None:
            continue
        if row.effective <= on and row.old_symbol in reference.universe:
            what = f"{row.old_symbol!r} is {row.symbol} now, and an instrument still has the name"
            yield one.wrong("old_symbol", what, "rename it in instruments; where names were swapped a person must say so")
        if row.effective > on and row.old_symbol not in reference.universe:
            yield one.wrong("old_symbol", f"there is no instrument {row.old_symbol!r}", "add it to instruments")
        if taken.setdefault(row.old_symbol, row.symbol) != row.symbol:
            yield one.wrong("old_symbol", f"{row.old_symbol!r} became {taken[row.old_symbol]} already", "take one of them out")


def _missing(rows: Rows, manifest: Manifest, reference: ReferenceData) -> Iterator[Problem]:
    for table, what in _PRICED:
        known = {placed.row.get("symbol") for placed in rows[table]}
        for instrument in reference.universe:
            if instrument.symbol not in known and instrument.symbol not in manifest.new_listings:
                todo = "add it; if it was listed today, name it among new_listings in the manifest"
                yield Problem(table, f"{instrument.symbol} has no {what}", todo)
    for symbol in manifest.new_listings:
        if symbol not in reference.universe:
            yield Problem("the manifest", f"its new listing {symbol!r} is no instrument", "add it to instruments")
    if not any(placed.row.key()[0] == "firm" for placed in rows["capital"]):
        yield Problem("capital", "the firm has no stated capital", "add a row of scope_kind firm")


def _currencies(rows: Rows, manifest: Manifest, reference: ReferenceData) -> Iterator[Problem]:
    """Every currency that is used has a rate; capital is stated in the base currency alone."""
    rates = {cast(FxRate, placed.row).currency: placed for placed in rows["fx_rates"]}
    base = manifest.base_currency
    if base in rates and cast(FxRate, rates[base].row).rate_e9 != E9:
        yield rates[base].wrong("rate", f"{base} is the base currency: its rate is 1", "put 1, or take the row out")
    todo = "add it to fx_rates"
    for instrument in reference.universe:
        if instrument.currency not in rates and instrument.currency != base:
            yield Problem("fx_rates", f"{instrument.currency}, the currency of {instrument.symbol}, has no rate", todo)
    for table in ("cash", "fees", "commissions", "corporate_actions", "capital"):
        for one in rows[table]:
            currency = one.row.get("currency")
            if table == "capital" and currency != base:
                yield one.wrong("currency", f"capital is stated in {base}, not in {currency}", f"state it in {base}")
            elif currency is not None and currency not in rates and currency != base:
                yield one.wrong("currency", f"{currency} has no rate", todo)
