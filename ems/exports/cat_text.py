"""CAT records as lines of JSON and CSV, and the names of their files."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final, NamedTuple

from domain.values import from_e9
from ems.exports.cat_layout import LAYOUTS, LINE_BYTES_MAX, list_columns
from ems.exports.formats import eastern, eastern_date

Fields = dict[str, Any]  # None and "" are left out


class Record(NamedTuple):
    """One reportable event. seq: of the event of ours that it tells of; number: among the records of that event."""

    type: str
    seq: int
    event_ns: int
    fields: Fields

    @property
    def roe(self) -> str:
        """Its firmROEID."""
        return str(self.fields["firmROEID"])


class Times(NamedTuple):
    """How a file writes times: Eastern text with nine digits, or nanoseconds since 1970."""

    epoch: bool

    def of(self, time_ns: int | None) -> str | int | None:
        """Cut off, not rounded: nanoseconds are kept whole in both."""
        if not time_ns:
            return None
        return time_ns if self.epoch else eastern(time_ns)


def roe_id(event_ns: int, seq: int, code: str, number: int = 0) -> str:
    """Unique by construction: an event's number is no other's, and of one type it makes one record, or numbers them."""
    return f"{eastern_date(event_ns)}_{seq}-{code}" + (f"-{number}" if number else "")


def number(value_e9: int | None) -> Decimal | None:
    """As JSON and CSV write it: exact, without trailing zeros."""
    return None if value_e9 is None else from_e9(value_e9)


def to_json(record: Record) -> bytes:
    """One line. Empty fields are left out; a number is written as its decimal text, which no float has touched."""
    return _json({name: value for name, value in record.fields.items() if value not in (None, "")}).encode("ascii") + b"\n"


def _json(value: Any) -> str:
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "{" + ",".join(f"{json.dumps(name)}:{_json(inner)}" for name, inner in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ",".join(_json(inner) for inner in value) + "]"
    return json.dumps(value)


def to_csv(record: Record) -> bytes:
    """One line, positional: commas between fields, bars between entries of a field, at signs within an entry."""
    cells = [_cell(field.name, record.fields.get(field.name)) for field in LAYOUTS[record.type]]
    return ",".join(cells).encode("ascii") + b"\n"


def _cell(name: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, Mapping):
        return "|".join(key if inner is True else f"{key}={_cell(key, inner)}" for key, inner in value.items())
    if isinstance(value, list | tuple):
        return "|".join("@".join(_cell(column, entry.get(column)) for column in list_columns(name)) for entry in value)
    return str(value)


def too_long(line: bytes) -> bool:
    """A record longer than the specification allows is refused by the reporter's side (2132)."""
    return len(line.rstrip(b"\n")) > LINE_BYTES_MAX


_GROUP: Final = "EMS"


def file_name(submitter: str, imid: str, day: str, part: int, extension: str) -> str:
    """``<submitter>_<IMID>_<date>_<group>_OrderEvents_<number>.<extension>.bz2``; day: ISO."""
    return f"{submitter}_{imid}_{day.replace('-', '')}_{_GROUP}_OrderEvents_{part:06d}.{extension}.bz2"
