"""The parameter types of FIXatdl: which attributes each has, and what a value's text means."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, timedelta, timezone, tzinfo
from decimal import Decimal
from typing import Final

from domain.errors import NumberError
from domain.values import E9
from domain.wire_parameter import FixType, parse_utc_ns

Value = Decimal | int | str  # comparable with another value of the same type
DAY_NS: Final = 86_400 * E9

_DIGITS = {FixType.LENGTH, FixType.NUM_IN_GROUP, FixType.SEQ_NUM, FixType.TAG_NUM}
_DECIMAL = {FixType.FLOAT, FixType.QTY, FixType.PRICE, FixType.PRICE_OFFSET, FixType.AMT, FixType.PERCENTAGE}
_TIMES = {FixType.UTC_TIMESTAMP, FixType.UTC_TIME_ONLY, FixType.TZ_TIMESTAMP, FixType.TZ_TIME_ONLY}
_DATES = {FixType.LOCAL_MKT_DATE, FixType.UTC_DATE_ONLY}
LISTS: Final = frozenset({FixType.MULTIPLE_CHAR_VALUE, FixType.MULTIPLE_STRING_VALUE})  # several values between blanks
TIMES: Final = frozenset(_TIMES)  # their bounds and constants are times of day on a local clock
DECIMALS: Final = frozenset(_DECIMAL)
BOUNDED: Final = frozenset({FixType.INT, FixType.MONTH_YEAR} | _DECIMAL | _TIMES | _DATES)
SIZED: Final = frozenset({FixType.STRING, FixType.DATA} | LISTS)

TYPE_OF: Final = {f"{fix_type.label}_t": fix_type for fix_type in FixType}  # by xsi:type

_TEXT = re.compile(r"[ -~]+")  # what a FIX field can carry: no delimiter, nothing beyond ASCII
_FORMS: Final = {
    FixType.INT: (re.compile(r"-?[0-9]{1,18}"), "a whole number"),
    **{each: (re.compile(r"[0-9]{1,18}"), "a whole number without a sign") for each in _DIGITS},
    **{each: (re.compile(r"-?([0-9]{1,15}(\.[0-9]{0,12})?|\.[0-9]{1,12})"), "a decimal number") for each in _DECIMAL},
    FixType.CHAR: (re.compile(r"[!-~]"), "one character"),
    FixType.BOOLEAN: (re.compile(r"[YN]"), "Y or N"),
    FixType.CURRENCY: (re.compile(r"[A-Z]{3}"), "a currency of three letters"),
    FixType.COUNTRY: (re.compile(r"[A-Z]{2}"), "a country of two letters"),
    FixType.LANGUAGE: (re.compile(r"[A-Za-z]{2}"), "a language of two letters"),
    FixType.TENOR: (re.compile(r"[DWMY][0-9]{1,9}"), "a tenor such as M3"),
    FixType.MULTIPLE_CHAR_VALUE: (re.compile(r"[!-~]( [!-~])*"), "single characters between blanks"),
    FixType.MULTIPLE_STRING_VALUE: (re.compile(r"[!-~]+( [!-~]+)*"), "words between blanks"),
    FixType.MONTH_YEAR: (re.compile(r"[0-9]{4}(0[1-9]|1[0-2])([0-3][0-9]|w[1-5])?"), "a month such as 202612"),
}
_TIME = re.compile(r"([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?")
_DATE = re.compile(r"[0-9]{8}")


def value_of(fix_type: FixType, text: str) -> Value:
    """What a FIX text means: numbers as Decimal, times and dates as integers that compare as they do, else the text.

    Raises:
        NumberError: the text is not of the type; the message says what it should be.
    """
    if fix_type in _FORMS:
        form, said = _FORMS[fix_type]
        if not form.fullmatch(text):
            raise NumberError(f"{text!r} is not {said}")
        return Decimal(text) if fix_type in _DIGITS or fix_type in _DECIMAL or fix_type is FixType.INT else text
    reader = _READERS.get(fix_type)
    if reader is not None:
        return reader(text)
    if not _TEXT.fullmatch(text):
        raise NumberError(f"{text!r} is empty or has characters that FIX does not carry")
    return text


def _date(text: str) -> int:
    try:
        if _DATE.fullmatch(text):
            return date(int(text[:4]), int(text[4:6]), int(text[6:])).toordinal()
    except ValueError as cause:
        raise NumberError(f"{text!r} is not a date: {cause}") from cause
    raise NumberError(f"{text!r} is not a date such as 20261127")


def time_of_day(text: str) -> tuple[int, tzinfo | None]:
    """``HH:MM[:SS[.fraction]][Z|+HH:MM]`` as nanoseconds since midnight, and its own zone. Raises NumberError."""
    found = _TIME.fullmatch(text)
    if found is None or int(found[1]) > 23 or int(found[2]) > 59 or int(found[3] or 0) > 59:
        raise NumberError(f"{text!r} is not a time of day such as 16:30:00")
    seconds = (int(found[1]) * 60 + int(found[2])) * 60 + int(found[3] or 0)
    return seconds * E9 + int((found[4] or "").ljust(9, "0")), _offset(found[5])


def _offset(text: str | None) -> tzinfo | None:
    if text is None or text == "Z":
        return None if text is None else UTC
    digits = text[1:].replace(":", "").ljust(4, "0")
    hours, minutes = int(digits[:2]), int(digits[2:])
    if hours > 14 or minutes > 59:
        raise NumberError(f"{text!r} is not an offset from UTC")
    return timezone((-1 if text[0] == "-" else 1) * timedelta(hours=hours, minutes=minutes))


def _utc_time(text: str) -> int:
    time_ns, zone = time_of_day(text)
    if zone is not None or text.count(":") < 2:
        raise NumberError(f"{text!r} is not a UTC time of day such as 14:30:00")
    return time_ns


def _zoned_time(text: str) -> int:
    time_ns, zone = time_of_day(text)
    if zone is None:
        raise NumberError(f"{text!r} has no offset from UTC: a Z or +09 is its end")
    return time_ns - _offset_ns(zone)


def _zoned_stamp(text: str) -> int:
    day, _, rest = text.partition("-")
    return _date(day) * DAY_NS + _zoned_time(rest)


def _offset_ns(zone: tzinfo) -> int:
    offset = zone.utcoffset(None)
    assert offset is not None
    return int(offset.total_seconds()) * E9


_READERS: Final[dict[FixType, Callable[[str], Value]]] = {
    FixType.UTC_TIMESTAMP: parse_utc_ns,
    FixType.UTC_TIME_ONLY: _utc_time,
    FixType.TZ_TIMESTAMP: _zoned_stamp,
    FixType.TZ_TIME_ONLY: _zoned_time,
    FixType.UTC_DATE_ONLY: _date,
    FixType.LOCAL_MKT_DATE: _date,
}
