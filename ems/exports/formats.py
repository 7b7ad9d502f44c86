"""How exports write times and numbers. Every rule is of integers: nothing passes through a float.

Times are cut off, never rounded (a record must not say that something happened later than it did); decimals of RTS 24 are
rounded half to even to the digits that the annex allows. The two rules must not be mixed.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from domain.values import E9, divide_round, from_e9

EASTERN: Final = ZoneInfo("America/New_York")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_DELIMITERS: Final = str.maketrans({",": "_", "|": "_", '"': "_", "@": "_"})


_kept = lru_cache(maxsize=4096)  # times and prices come again and again


def moment(time_ns: int, zone: ZoneInfo | None = None) -> tuple[datetime, int]:
    """The whole second of a time in a zone (UTC by default), and the nanoseconds after it."""
    second, nanosecond = divmod(time_ns, E9)
    return (_EPOCH + timedelta(seconds=second)).astimezone(zone or UTC), nanosecond


@_kept
def utc(time_ns: int) -> str:
    """``YYYY-MM-DDThh:mm:ss.ddddddZ``, cut off at the microsecond; "" for no time."""
    if not time_ns:
        return ""
    second, nanosecond = moment(time_ns)
    return f"{second:%Y-%m-%dT%H:%M:%S}.{nanosecond // 1000:06d}Z"


def utc_day(time_ns: int) -> str:
    """``YYYY-MM-DD`` in UTC."""
    return moment(time_ns)[0].date().isoformat()


@_kept
def eastern(time_ns: int, digits: int = 9) -> str:
    """``YYYYMMDDTHHMMSS.CCCNNNNNN`` in Eastern Time, cut off at that many digits of the second (3 to 9)."""
    second, nanosecond = moment(time_ns, EASTERN)
    return f"{second:%Y%m%dT%H%M%S}.{f'{nanosecond:09d}'[:digits]}"


@_kept
def eastern_date(time_ns: int) -> str:
    """``YYYYMMDD`` in Eastern Time."""
    return f"{moment(time_ns, EASTERN)[0]:%Y%m%d}"


def local_date(time_ns: int, zone: ZoneInfo) -> str:
    """The ISO date of a moment in a zone."""
    return moment(time_ns, zone)[0].date().isoformat()


@_kept
def decimal(value_e9: int | None) -> str:
    """Exact, without trailing zeros or exponent; "" where there is none."""
    return "" if value_e9 is None else f"{from_e9(value_e9):f}"


@_kept
def rounded(value_e9: int | None, digits: int) -> str:
    """A decimal of RTS 24 with at most so many digits after the point, rounded half to even, without trailing zeros."""
    if value_e9 is None:
        return ""
    step = 10 ** max(0, 9 - digits)
    return decimal(divide_round(value_e9, step) * step)


def text(value: str, length: int = 64) -> str:
    """CAT's Text: printable ASCII without delimiters. What is not becomes an underscore; an id of ours never needs that."""
    ascii_only = "".join(c if " " <= c <= "~" else "_" for c in value)
    return ascii_only.translate(_DELIMITERS)[:length]
