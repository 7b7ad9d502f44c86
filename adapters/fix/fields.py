"""Values inside FIX text: numbers, timestamps, and the text cut into fields. Pure and quick: the desk's hot path."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from typing import Final

from adapters.fix.vocabulary import SOH
from domain.errors import NumberError
from domain.values import E9, E9_MAX, to_e9

NS: Final = 1_000_000_000
_FIRST_NS: Final = 0
_LAST_NS: Final = 2**63 - 1


def cut(text: str) -> dict[str, str]:
    """The last value of each tag. Total: what is no field becomes a tag that nobody looks for."""
    return {tag: value for tag, _, value in [field.partition("=") for field in text.split(SOH)]}


def occurrences(text: str, tags: tuple[str, ...]) -> list[tuple[str, str]]:
    """Every (tag, value) of these tags in the order of the text: how a repeating group is read."""
    return [(tag, value) for tag, _, value in [field.partition("=") for field in text.split(SOH)] if tag in tags]


def number_e9(text: str) -> int:
    """Exact fixed-point value of a FIX number (digits, one point, an optional minus). Raises NumberError."""
    return _known_number_e9(text) if len(text) <= _NUMBER_LENGTH_MAX else _number_e9(text)


def _number_e9(text: str) -> int:
    if len(text) <= 9 and text.isascii() and text.isdigit():
        return int(text) * E9
    whole, point, fraction = text.removeprefix("-").partition(".")
    if not (text.isascii() and (whole or fraction) and (whole + fraction).isdigit() and len(whole) <= 10):
        raise NumberError(f"{text!r} is not a number")
    fraction = fraction.rstrip("0") if point else ""
    if len(fraction) > 9:
        return to_e9(text)  # says that it is too fine
    value = int(whole or "0") * E9 + int(fraction.ljust(9, "0"))
    if value > E9_MAX:
        raise NumberError(f"{text!r} is too large")
    return -value if text.startswith("-") else value


# Prices and quantities come again and again. What is longer than a number can be is not kept: a peer could fill the memory.
_NUMBER_LENGTH_MAX: Final = 24
_known_number_e9: Final = lru_cache(maxsize=16_384)(_number_e9)


def number_text(value_e9: int) -> str:
    """A fixed-point value as FIX writes it: no exponent, no trailing zeros."""
    whole, fraction = divmod(abs(value_e9), E9)
    sign = "-" if value_e9 < 0 else ""
    return f"{sign}{whole}.{fraction:09d}".rstrip("0") if fraction else f"{sign}{whole}"


@lru_cache(maxsize=4096)
def _second_ns(text: str) -> int:
    # strptime takes "1:2:3" and other liberties; the length and the digits are checked by the caller.
    return int(datetime.strptime(text, "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp()) * NS


def timestamp_ns(text: str) -> int:
    """Nanoseconds since 1970 of a UTCTimestamp with none to nine decimals. Raises ValueError."""
    fraction = text[18:]
    if not (text.isascii() and text[:8].isdigit() and text[8:9] == "-" and len(text) <= 27):
        raise ValueError(f"{text!r} is not a UTC timestamp")
    if len(text) > 17 and (text[17] != "." or not fraction.isdigit()):
        raise ValueError(f"{text!r} is not a UTC timestamp")
    if len(text) < 17:
        raise ValueError(f"{text!r} is not a UTC timestamp")
    try:
        second_ns = _second_ns(text[:17])
    except ValueError:
        raise ValueError(f"{text!r} is not a UTC timestamp") from None
    value_ns = second_ns + int(fraction.ljust(9, "0")) if fraction else second_ns
    if not _FIRST_NS <= value_ns <= _LAST_NS:
        raise ValueError(f"{text!r} is outside the years that nanoseconds hold")
    return value_ns


@lru_cache(maxsize=1024)
def _second_text(second: int) -> str:
    return datetime.fromtimestamp(second, tz=UTC).strftime("%Y%m%d-%H:%M:%S")


def timestamp_text(time_ns: int) -> str:
    """UTCTimestamp with milliseconds, which every FIX 4.4 engine reads. Finer digits are cut off, not rounded."""
    second, rest_ns = divmod(time_ns, NS)
    return f"{_second_text(second)}.{rest_ns // 1_000_000:03d}"


def plain(text: str) -> str:
    """Text that can stand in a field: no separator, no NUL, nothing that is not encodable."""
    if text.isascii() and text.isprintable():
        return text
    clean = text.replace(SOH, " ").replace("\0", " ")
    return clean.encode("utf-8", "replace").decode("utf-8")
