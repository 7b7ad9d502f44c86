"""A parameter of an algorithm as the wire knows it, and how its value is read from text."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from enum import IntEnum, StrEnum
from functools import lru_cache
from typing import Final, NamedTuple

from domain.errors import NumberError
from domain.values import E9, from_e9, to_e9


class FixType(IntEnum):
    """StrategyParameterType (959): the types that a parameter of any algorithm, ours or a broker's, may have."""

    INT = 1
    LENGTH = 2
    NUM_IN_GROUP = 3
    SEQ_NUM = 4
    TAG_NUM = 5
    FLOAT = 6
    QTY = 7
    PRICE = 8
    PRICE_OFFSET = 9
    AMT = 10
    PERCENTAGE = 11
    CHAR = 12
    BOOLEAN = 13
    STRING = 14
    MULTIPLE_CHAR_VALUE = 15
    CURRENCY = 16
    EXCHANGE = 17
    MONTH_YEAR = 18
    UTC_TIMESTAMP = 19
    UTC_TIME_ONLY = 20
    LOCAL_MKT_DATE = 21
    UTC_DATE_ONLY = 22
    DATA = 23
    MULTIPLE_STRING_VALUE = 24
    COUNTRY = 25
    LANGUAGE = 26
    TZ_TIME_ONLY = 27
    TZ_TIMESTAMP = 28
    TENOR = 29

    @property
    def label(self) -> str:
        """The type's name in FIX, such as UTCTimestamp."""
        return _LABELS.get(self.name) or "".join(word.capitalize() for word in self.name.split("_"))


_LABELS: Final = {
    "UTC_TIMESTAMP": "UTCTimestamp",
    "UTC_TIME_ONLY": "UTCTimeOnly",
    "UTC_DATE_ONLY": "UTCDateOnly",
    "TZ_TIME_ONLY": "TZTimeOnly",
    "TZ_TIMESTAMP": "TZTimestamp",
}


class Unit(StrEnum):
    """What a value counts on the wire."""

    UTC = "UTC"
    MINUTES = "minutes"
    PERCENT = "percent"
    PRICE = "price"
    NUMBER = "number"
    CURRENCY = "currency"


_SCALE: Final = {
    Unit.MINUTES: (60, 1),
    Unit.PERCENT: (1, 100),
    Unit.PRICE: (1, 1),
    Unit.NUMBER: (1, 1),
    Unit.CURRENCY: (1, 1),
}  # from the wire's unit to the field's


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter as the wire knows it. The bounds are numbers at 1e-9 in its unit, and themselves allowed."""

    name: str  # StrategyParameterName (958)
    type: FixType  # StrategyParameterType (959)
    unit: Unit
    description: str
    absent: str  # what holds where it is not sent
    minimum_e9: int | None = None
    maximum_e9: int | None = None


class After(NamedTuple):
    """A rule: where both are sent, the later parameter's value is above the earlier one's."""

    later: str
    earlier: str
    message: str


_UTC_TIMESTAMP: Final = re.compile(r"[0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()


def parse_utc_ns(text: str) -> int:
    """A FIX UTCTimestamp (``20120621-13:30:00[.123[456[789]]]``) as nanoseconds. Raises NumberError."""
    whole, _, fraction = text.partition(".")
    if fraction and not (fraction.isascii() and fraction.isdigit() and len(fraction) <= 9):
        raise NumberError(f"{text!r} is not a UTC time stamp")
    if not _UTC_TIMESTAMP.fullmatch(whole):
        raise NumberError(f"{text!r} is not a UTC time stamp such as 20120621-13:30:00")
    hour, minute, second = int(whole[9:11]), int(whole[12:14]), int(whole[15:17])
    if hour > 23 or minute > 59 or second > 59:
        raise NumberError(f"{text!r} is not a UTC time stamp: there is no such time of day")
    try:
        day = _epoch_day(whole[:8])
    except ValueError as cause:
        raise NumberError(f"{text!r} is not a UTC time stamp: {cause}") from cause
    seconds = ((day * 24 + hour) * 60 + minute) * 60 + second
    return seconds * E9 + int(fraction.ljust(9, "0") or 0)


def utc_text(time_ns: int) -> str:
    """A moment as `parse_utc_ns` reads it, to the nanosecond."""
    seconds, fraction = divmod(time_ns, E9)
    days, second = divmod(seconds, 86_400)
    day = date.fromordinal(_EPOCH_DAY + days)
    return f"{day:%Y%m%d}-{second // 3600:02}:{second // 60 % 60:02}:{second % 60:02}.{fraction:09}"


@lru_cache(maxsize=64)  # an order carries two time stamps, and a day's orders one day
def _epoch_day(text: str) -> int:
    return date(int(text[0:4]), int(text[4:6]), int(text[6:8])).toordinal() - _EPOCH_DAY


def reader(parameter: Parameter) -> Callable[[str], int]:
    """The function that makes the parameter's text a field's value; it raises NumberError."""
    if parameter.type is FixType.UTC_TIMESTAMP:
        return parse_utc_ns
    times, per = _SCALE[parameter.unit]
    minimum_e9, maximum_e9, unit = parameter.minimum_e9 or 1, parameter.maximum_e9, parameter.unit

    def read(text: str) -> int:
        number_e9 = _plain_e9(text)
        if number_e9 <= 0:
            raise NumberError(f"must be a positive number, not {text!r}")
        if number_e9 < minimum_e9:
            raise NumberError(f"{text} is below {from_e9(minimum_e9):f} {unit}")
        if maximum_e9 is not None and number_e9 > maximum_e9:
            raise NumberError(f"{text} is above {from_e9(maximum_e9):f} {unit}")
        value, finer = divmod(number_e9 * times, per)
        if finer:
            raise NumberError(f"{text} is finer than {from_e9(per):f} {unit}")
        return value

    return read


def _plain_e9(text: str) -> int:
    """Digits with at most one point as a number at 1e-9; 0 for anything else. Raises NumberError as `to_e9` does."""
    whole, _, fraction = text.partition(".")
    digits = whole + fraction.ljust(9, "0")
    if not (digits.isascii() and digits.isdigit()):
        return 0
    if len(fraction) > 9 or len(whole) > 9:
        return to_e9(Decimal(text))
    return int(digits)  # a quarter of the time that Decimal takes
