"""One parameter's value: from what a person or an OMS gives to what the wire carries."""

from __future__ import annotations

from datetime import tzinfo
from decimal import ROUND_HALF_UP, Decimal
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from adapters.fixatdl.day import Day
from adapters.fixatdl.document import NULL, Parameter
from adapters.fixatdl.types import DECIMALS, LISTS, TIMES, time_of_day, value_of
from domain.errors import NumberError
from domain.wire_parameter import FixType

_BOOLEANS: Final = {"Y": True, "N": False, "true": True, "false": False}


class WireValue(NamedTuple):
    """What rules compare (a wire value, but a percentage as a ratio), and what is sent; None where there is nothing."""

    compared: str | None
    sent: str | None
    unchecked: tuple[str, ...] = ()  # bounds that could not be held against it, and why


NOTHING: Final = WireValue(None, None)


def wire_value(parameter: Parameter, text: str | None, day: Day) -> WireValue:
    """A value checked against its parameter.

    Args:
        text: FIX text, an enumID (several of them between blanks for a list), a ratio for a percentage (0.1 is 10%), true
            or false for a boolean; None, "" and {NULL} are no value.

    Raises:
        NumberError: the value is not of the type, not one of the legal values, out of bounds, or too short or long.
    """
    if text in (None, "", NULL):
        return NOTHING
    assert text is not None
    if parameter.type is FixType.BOOLEAN and not parameter.enum_pairs:
        return _boolean(parameter, text)
    if parameter.type in LISTS:
        return _list(parameter, text)
    if parameter.enum_pairs:
        text = _legal(parameter, text)
        if text in ("", NULL):
            return NOTHING
    value_of(parameter.type, text)
    _check_length(parameter, text)
    return WireValue(text, _number(parameter, text) if parameter.type in DECIMALS else text, _check_bounds(parameter, text, day))


def constant(parameter: Parameter, day: Day) -> WireValue:
    """The value of a parameter that always has the same. Raises NumberError where a time's zone is not known."""
    if parameter.const is None or parameter.type not in TIMES:
        return wire_value(parameter, parameter.const, day)
    zone = _zone(parameter, parameter.const, day)
    if zone is None:
        raise NumberError(f"the zone of the constant {parameter.const} is not known")
    text = day.wire(parameter.type, parameter.const, zone)
    return WireValue(text, text)


def _legal(parameter: Parameter, text: str) -> str:
    """The wire value of an enumID, or a wire value itself. An enumID is taken first."""
    by_id = {pair.enum_id: pair.wire_value for pair in parameter.enum_pairs}
    if text in by_id:
        return by_id[text]
    if text not in by_id.values() and not parameter.editable:
        raise NumberError(f"{text!r} is not one of {', '.join(by_id)}")
    return text


def _boolean(parameter: Parameter, text: str) -> WireValue:
    if text not in _BOOLEANS:
        raise NumberError(f"{text!r} is neither Y nor N")
    true = _BOOLEANS[text]
    sent = parameter.true_wire_value if true else parameter.false_wire_value
    return WireValue("Y" if true else "N", None if sent in ("", NULL) else sent)


def _list(parameter: Parameter, text: str) -> WireValue:
    words = text.split(" ")
    if parameter.enum_pairs:
        words = [_legal(parameter, word) for word in words]
    if len(set(words)) != len(words):
        raise NumberError(f"{text!r} says something twice")
    chosen = " ".join(words)
    value_of(parameter.type, chosen)
    if parameter.invert_on_wire:
        words = [pair.wire_value for pair in parameter.enum_pairs if pair.wire_value not in words]
    _check_length(parameter, chosen)
    return WireValue(chosen, " ".join(words) or None)


def _check_length(parameter: Parameter, text: str) -> None:
    shortest, longest = parameter.minimum_length, parameter.maximum_length
    if shortest is not None and len(text) < shortest:
        raise NumberError(f"{text!r} has {len(text)} characters where at least {shortest} are needed")
    if longest is not None and len(text) > longest:
        raise NumberError(f"{text!r} has {len(text)} characters where at most {longest} are taken")


def _number(parameter: Parameter, text: str) -> str:
    if not parameter.multiply_by_100 and parameter.precision is None:
        return text
    number = Decimal(text).scaleb(2) if parameter.multiply_by_100 else Decimal(text)
    if parameter.precision is not None:
        number = round_to(number, parameter.precision)
    return f"{number:f}"


def round_to(number: Decimal, decimals: int) -> Decimal:
    """A number at a precision, half away from zero; one with fewer decimals stays as it is."""
    exponent = number.as_tuple().exponent
    assert isinstance(exponent, int)
    return number if -exponent <= decimals else number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP)


def _check_bounds(parameter: Parameter, text: str, day: Day) -> tuple[str, ...]:
    unchecked = []
    for bound, sign, said in ((parameter.minimum, 1, "below"), (parameter.maximum, -1, "above")):
        if bound is None:
            continue
        if parameter.type in TIMES:
            zone = _zone(parameter, bound, day)
            if zone is None:
                unchecked.append(f"{parameter.name}: the zone of its bound {bound} is not known")
                continue
            distance: int | Decimal = day.local_ns(parameter.type, text, zone) - time_of_day(bound)[0]
        else:
            value, limit = value_of(parameter.type, text), value_of(parameter.type, bound)
            if isinstance(value, str) or isinstance(limit, str):
                distance = (str(value) > str(limit)) - (str(value) < str(limit))
            else:
                distance = Decimal(value) - Decimal(limit)
        if distance * sign < 0:
            raise NumberError(f"{text} is {said} {bound}")
    return tuple(unchecked)


def _zone(parameter: Parameter, text: str, day: Day) -> tzinfo | None:
    """The zone of a local time: its own, else its parameter's, else the one that the order is written in."""
    named = ZoneInfo(parameter.local_mkt_tz) if parameter.local_mkt_tz else day.zone
    return time_of_day(text)[1] or named
