"""Instruments and calendars from a folder of CSV or Parquet files.

Six tables: instruments, identifiers, tick_tables, calendars, session_hours, holidays; the columns are below, `sample/`
shows each. Everything is read whole and checked before anything is returned.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import date
from pathlib import Path

from adapters.reference import tables
from adapters.reference.tables import Row, Table
from domain.calendar import Calendar, HalfDay, Hours, Phase, PhaseHours
from domain.errors import ReferenceDataError
from domain.instrument import Instrument, LocalId, ReferenceData, TickBand, TickTable, Universe

COLUMNS: dict[str, tuple[str, ...]] = {
    "instruments": ("symbol", "name", "mic", "currency", "isin", "figi", "lot", "multiplier", "tick_table"),
    "identifiers": ("symbol", "source", "id"),
    "tick_tables": ("table", "valid_from", "from_price", "tick"),
    "calendars": ("mic", "time_zone", "first_date", "last_date", "weekdays"),  # weekdays "12345", 1 is Monday
    "session_hours": ("mic", "valid_from", "phase", "begins", "ends"),
    "holidays": ("mic", "date", "closes", "name"),  # closes: empty on a day without trading
}
SAMPLE = Path(__file__).parent / "sample"


def load(folder: Path) -> ReferenceData:
    """Read all tables of a folder. Prices, lots and multipliers are decimal numbers, times are the market's own.

    Raises:
        ReferenceDataError: a file is missing or unreadable, or a value is wrong or contradicts another; the text names
            the file, its line or row, and the column.
    """
    return reference_data({table: tables.read(folder, table, columns) for table, columns in COLUMNS.items()})


def reference_data(read: Mapping[str, Table]) -> ReferenceData:
    """What the six tables say together. Raises ReferenceDataError as `load`."""
    ticks = _tick_tables(read["tick_tables"].rows)
    names = _local_ids(read["identifiers"].rows, {row.text("symbol") for row in read["instruments"].rows})
    calendars = _calendars(read["calendars"].rows, read["session_hours"].rows, read["holidays"].rows)
    return ReferenceData(
        universe=Universe(_instrument(row, ticks, names, calendars) for row in read["instruments"].rows),
        calendars=calendars,
        sha256={table.name: table.sha256 for table in read.values()},
    )


def load_sample() -> ReferenceData:
    """The built-in universe: a few US shares and a fund, one London share, and DEMO, which trades around the clock."""
    return load(SAMPLE)


def _instrument(
    row: Row, ticks: dict[str, tuple[TickTable, ...]], names: dict[str, list[LocalId]], calendars: dict[str, Calendar]
) -> Instrument:
    table, mic = row.text("tick_table"), row.text("mic")
    if table not in ticks:
        raise row.wrong("tick_table", f"there is no tick table {table!r}")
    if mic not in calendars:
        raise row.wrong("mic", f"there is no calendar of {mic!r}")
    values = {
        "symbol": row.text("symbol"),
        "name": row.optional("name") or "",
        "currency": row.text("currency"),
        "mic": mic,
        "isin": row.optional("isin"),
        "figi": row.optional("figi"),
        "local_ids": tuple(names.get(row.text("symbol"), ())),
        "lot_e9": row.e9("lot"),
        "multiplier_e9": row.e9("multiplier"),
        "tick_tables": ticks[table],
    }
    try:
        return Instrument.model_validate(values)
    except ReferenceDataError as cause:
        raise ReferenceDataError(f"{row.place}: {cause}") from cause


def _local_ids(rows: tuple[Row, ...], symbols: set[str]) -> dict[str, list[LocalId]]:
    names: dict[str, list[LocalId]] = defaultdict(list)
    for row in rows:
        if row.text("symbol") not in symbols:
            raise row.wrong("symbol", f"there is no instrument {row.text('symbol')!r}")
        names[row.text("symbol")].append(LocalId(row.text("source"), row.text("id")))
    return names


def _tick_tables(rows: tuple[Row, ...]) -> dict[str, tuple[TickTable, ...]]:
    """The dated tables of each name. Rows may come in any order."""
    grouped: dict[str, dict[date, list[Row]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        grouped[row.text("table")][row.day("valid_from")].append(row)
    return {name: tuple(_tick_table(dated[day]) for day in sorted(dated)) for name, dated in grouped.items()}


def _tick_table(rows: list[Row]) -> TickTable:
    bands = sorted(TickBand(row.e9("from_price"), row.e9("tick")) for row in rows)
    try:
        return TickTable(valid_from=rows[0].day("valid_from"), bands=tuple(bands))
    except ReferenceDataError as cause:
        raise ReferenceDataError(f"{rows[0].place}: {cause}") from cause


def _calendars(rows: tuple[Row, ...], hours: tuple[Row, ...], holidays: tuple[Row, ...]) -> dict[str, Calendar]:
    known = {row.text("mic") for row in rows}
    for row in (*hours, *holidays):
        if row.text("mic") not in known:
            raise row.wrong("mic", f"there is no calendar of {row.text('mic')!r}")
    calendars: dict[str, Calendar] = {}
    for row in rows:
        mic = row.text("mic")
        if mic in calendars:
            raise row.wrong("mic", f"the calendar of {mic} is there twice")
        of_mic = [[other for other in table if other.text("mic") == mic] for table in (hours, holidays)]
        calendars[mic] = _calendar(row, *of_mic)
    return calendars


def _calendar(row: Row, hours: list[Row], holidays: list[Row]) -> Calendar:
    days = [holiday.day("date") for holiday in holidays]
    for number, holiday in enumerate(holidays):
        if days[number] in days[:number]:
            raise holiday.wrong("date", f"{days[number]} is there twice")
    values = {
        "mic": row.text("mic"),
        "time_zone": row.text("time_zone"),
        "first_date": row.day("first_date"),
        "last_date": row.day("last_date"),
        "weekdays": _weekdays(row),
        "hours": _hours(hours),
        "holidays": frozenset(holiday.day("date") for holiday in holidays if not holiday.optional("closes")),
        "half_days": tuple(HalfDay(h.day("date"), h.wall_s("closes")) for h in holidays if h.optional("closes")),
    }
    try:
        return Calendar.model_validate(values)
    except ReferenceDataError as cause:
        raise ReferenceDataError(f"{row.place}: {cause}") from cause


def _weekdays(row: Row) -> frozenset[int]:
    text = row.text("weekdays")
    if not set(text) <= set("1234567"):
        raise row.wrong("weekdays", f"{text!r} is not a list of days such as 12345, 1 being Monday")
    return frozenset(int(day) - 1 for day in text)


def _hours(rows: list[Row]) -> tuple[Hours, ...]:
    """The dated sets of session hours of one market."""
    dated: dict[date, list[Row]] = defaultdict(list)
    for row in rows:
        dated[row.day("valid_from")].append(row)
    found = []
    for day in sorted(dated):
        phases = sorted((_phase(row) for row in dated[day]), key=lambda phase: phase.begin_s)
        try:
            found.append(Hours(valid_from=day, phases=tuple(phases)))
        except ReferenceDataError as cause:
            raise ReferenceDataError(f"{dated[day][0].place}: {cause}") from cause
    return tuple(found)


def _phase(row: Row) -> PhaseHours:
    try:
        phase = Phase(row.text("phase"))
    except ValueError as cause:
        raise row.wrong("phase", f"{row.text('phase')!r} is none of {', '.join(Phase)}") from cause
    return PhaseHours(phase, row.wall_s("begins"), row.wall_s("ends"))
