"""The parameters of our algorithms as the OMS sends them: StrategyParametersGrp, name 958 and value 960."""

from __future__ import annotations

import re
from datetime import date, time
from decimal import Decimal
from typing import Final, NamedTuple

from domain.errors import NumberError
from domain.refusal import Reason, Refusal
from domain.values import E9, Algo, to_e9


class AlgoParameters(NamedTuple):
    """Times are UTC nanoseconds, rates are fractions at 1e-9; None means the algorithm's default."""

    start_ns: int | None = None
    end_ns: int | None = None
    duration_ns: int | None = None
    participation_e9: int | None = None  # ParticipationRate: what POV aims at
    max_participation_e9: int | None = None  # MaxParticipation: a cap for every algorithm
    would_price_e9: int | None = None  # WouldPrice: complete at this price or better


_UTC_TIMESTAMP: Final = re.compile(r"[0-9]{8}-[0-9]{2}:[0-9]{2}:[0-9]{2}")
_EPOCH_DAY: Final = date(1970, 1, 1).toordinal()

NAMES = ("StartTime", "EndTime", "DurationMinutes", "ParticipationRate", "MaxParticipation", "WouldPrice")


def parse(algo: Algo, parameters: tuple[tuple[str, str], ...]) -> AlgoParameters | Refusal:
    """Read the group. Refuses unknown and repeated names, unreadable values, and what the algorithm needs but lacks."""
    values = dict(parameters)
    for name in values:
        if name not in NAMES:
            return Refusal(Reason.UNKNOWN_PARAMETER, f"{algo} has no parameter {name!r}; it has {', '.join(NAMES)}")
    if len(values) != len(parameters):
        return Refusal(Reason.BAD_PARAMETER, "a strategy parameter is given twice")
    try:
        parsed = AlgoParameters(
            start_ns=_time(values, "StartTime"),
            end_ns=_time(values, "EndTime"),
            duration_ns=_minutes(values, "DurationMinutes"),
            participation_e9=_percent(values, "ParticipationRate"),
            max_participation_e9=_percent(values, "MaxParticipation"),
            would_price_e9=_price(values, "WouldPrice"),
        )
    except NumberError as error:
        return Refusal(Reason.BAD_PARAMETER, str(error))
    if algo is Algo.POV and parsed.participation_e9 is None:
        return Refusal(Reason.BAD_PARAMETER, "pov needs ParticipationRate, in percent")
    return parsed


def parse_utc_ns(text: str) -> int:
    """A FIX UTCTimestamp (``20120621-13:30:00[.123[456[789]]]``) as nanoseconds. Raises NumberError."""
    whole, _, fraction = text.partition(".")
    if fraction and not (fraction.isascii() and fraction.isdigit() and len(fraction) <= 9):
        raise NumberError(f"{text!r} is not a UTC time stamp")
    if not _UTC_TIMESTAMP.fullmatch(whole):
        raise NumberError(f"{text!r} is not a UTC time stamp such as 20120621-13:30:00")
    try:  # strptime takes ten times as long, and an order carries two of these
        day = date(int(whole[0:4]), int(whole[4:6]), int(whole[6:8])).toordinal() - _EPOCH_DAY
        moment = time(int(whole[9:11]), int(whole[12:14]), int(whole[15:17]))
    except ValueError as cause:
        raise NumberError(f"{text!r} is not a UTC time stamp: {cause}") from cause
    seconds = ((day * 24 + moment.hour) * 60 + moment.minute) * 60 + moment.second
    return seconds * E9 + int(fraction.ljust(9, "0") or 0)


def _time(values: dict[str, str], name: str) -> int | None:
    return parse_utc_ns(values[name]) if name in values else None


def _minutes(values: dict[str, str], name: str) -> int | None:
    if name not in values:
        return None
    minutes_e9 = _positive(values[name], name)
    if minutes_e9 > 7 * 24 * 60 * E9:
        raise NumberError(f"{name} is longer than a week")
    return minutes_e9 * 60


def _percent(values: dict[str, str], name: str) -> int | None:
    if name not in values:
        return None
    percent_e9 = _positive(values[name], name)
    if percent_e9 > 100 * E9:
        raise NumberError(f"{name} is above 100 percent")
    return percent_e9 // 100


def _price(values: dict[str, str], name: str) -> int | None:
    return _positive(values[name], name) if name in values else None


def _positive(text: str, name: str) -> int:
    number_e9 = to_e9(Decimal(text)) if text.replace(".", "", 1).isdigit() and text.isascii() else 0
    if number_e9 <= 0:
        raise NumberError(f"{name} must be a positive number, not {text!r}")
    return number_e9
