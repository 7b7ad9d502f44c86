"""The cells of a file that somebody else made, as text: what each kind may look like, and nothing else.

Each function takes a text to its value and leaves what is no text alone, as pydantic wants it of a validator before its own.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from typing import Final

from domain.errors import NumberError
from domain.values import E9, from_e9, to_e9

_NUMBER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,9})(?:\.[0-9]{1,9})?")
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT: Final = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.([0-9]{1,9}))?(Z|[+-][0-9]{2}:[0-9]{2})"
)
_YEARS: Final = range(1970, 2200)
_TEXT_MAX: Final = 200
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
REFUSED_STARTS: Final = ("=", "+", "-", "@", "#")  # what a spreadsheet would run, and what our reader would skip


def number_e9(value: object) -> object:
    """A plain decimal number as fixed point. Raises NumberError for an exponent, NaN, minus zero, or more than nine decimals."""
    if not isinstance(value, str):
        return value
    if not _NUMBER.fullmatch(value):
        raise NumberError(f"{short(value)} is not a decimal number such as 1250.5, with at most nine decimals")
    found = to_e9(value)
    if found == 0 and value.startswith("-"):
        raise NumberError(f"{short(value)} is minus zero")
    return found


def iso_day(value: object) -> object:
    """A date as 2026-11-27. Raises ValueError for another form or a year that no file of ours is about."""
    if not isinstance(value, str):
        return value
    why = f"{short(value)} is not a date such as 2026-11-27"
    if not _DAY.fullmatch(value):
        raise ValueError(why)
    try:
        found = date.fromisoformat(value)
    except ValueError as cause:
        raise ValueError(why) from cause
    if found.year not in _YEARS:
        raise ValueError(f"{short(value)} is not between {_YEARS[0]} and {_YEARS[-1]}")
    return found


def moment_ns(value: object) -> object:
    """A moment as 2026-11-27T14:30:00Z, or with another offset, in nanoseconds UTC. Raises ValueError."""
    if not isinstance(value, str):
        return value
    why = f"{short(value)} is not a moment such as 2026-11-27T14:30:00Z"
    if (parts := _MOMENT.fullmatch(value)) is None:
        raise ValueError(why)
    try:
        found = datetime.fromisoformat(parts[1] + parts[3].replace("Z", "+00:00"))
    except ValueError as cause:
        raise ValueError(why) from cause
    if found.year not in _YEARS[1:]:  # an offset may not lead to before 1970
        raise ValueError(f"{short(value)} is not between {_YEARS[1]} and {_YEARS[-1]}")
    return (found - _EPOCH) // timedelta(seconds=1) * E9 + int((parts[2] or "").ljust(9, "0"))


def whole(value: object) -> object:
    """A whole number in digits. Raises ValueError."""
    if isinstance(value, str) and not re.fullmatch("[1-9][0-9]{0,6}", value):
        raise ValueError(f"{short(value)} is not a whole number from 1 to 9999999")
    return value


def plain_text(text: str) -> str:
    """Text that prints, and that nobody takes for a formula or a comment. Raises ValueError."""
    if not text.strip() or text != text.strip():
        raise ValueError("is empty or begins or ends with a blank")
    if len(text) > _TEXT_MAX:
        raise ValueError(f"has {len(text)} characters, {_TEXT_MAX} are allowed")
    if not text.isprintable():
        raise ValueError(f"{short(text)} holds a character that does not print")
    if text.startswith(REFUSED_STARTS):
        raise ValueError(f"{short(text)} begins like a {'comment' if text[0] == '#' else 'formula'}")
    return text


def short(text: str) -> str:
    """A cell as a message shows it."""
    return repr(text if len(text) <= 40 else text[:37] + "...")


def moment_text(time_ns: int) -> str:
    """The inverse of moment_ns, in UTC."""
    seconds, rest = divmod(time_ns, E9)
    fraction = f".{rest:09d}".rstrip("0") if rest else ""
    return f"{_EPOCH + timedelta(seconds=seconds):%Y-%m-%dT%H:%M:%S}{fraction}Z"


def number_text(value_e9: int) -> str:
    """The inverse of number_e9."""
    return f"{from_e9(value_e9):f}"
