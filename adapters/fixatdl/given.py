"""What an order says in a broker's fields, as values that the broker's rules are about: `apply` read backward."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from adapters.fixatdl.document import Parameter, Strategy
from adapters.fixatdl.types import DECIMALS, LISTS, value_of
from domain.errors import NumberError
from domain.refusal import Reason, Refusal
from domain.wire_parameter import FixType

Fields = Sequence[tuple[int, str]]
_NAME, _VALUE = 958, 960  # StrategyParametersGrp
_GROUP: Final = frozenset({957, 958, 959, 960})


class Given(NamedTuple):
    """Values as `apply` takes them, by parameter."""

    values: dict[str, str]


def given(strategy: Strategy, fields: Fields) -> Given | tuple[Refusal, ...]:
    """The parameters among an order's fields. Fields of other tags are not the strategy's, and left alone."""
    refusals: list[Refusal] = []
    named, flat = _named(fields, strategy, refusals), _flat(fields, strategy, refusals)
    values: dict[str, str] = {}
    for name, text in named.items():
        parameter = strategy.parameter(name)
        values[name] = text if parameter is None else _read(strategy, (parameter,), text, refusals)[1]
    for tag, text in flat.items():
        sharing = tuple(parameter for parameter in strategy.of_order() if parameter.fix_tag == tag)
        name, value = _read(strategy, sharing, text, refusals)
        if name in values:
            refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {name} is given twice"))
        values[name] = value
    return tuple(refusals) if refusals else Given(values)


def from_wire(parameter: Parameter, text: str) -> str:
    """A value as `wire_value` takes it, from what the wire carries. Raises NumberError."""
    if parameter.type is FixType.BOOLEAN and not parameter.enum_pairs:
        words = {parameter.false_wire_value: "N", parameter.true_wire_value: "Y"}
        if text not in words:
            raise NumberError(f"{text!r} is neither {parameter.true_wire_value} nor {parameter.false_wire_value}")
        return words[text]
    if parameter.type in LISTS and parameter.enum_pairs:
        chosen = [_enum_id(parameter, word) for word in text.split(" ")]
        if parameter.invert_on_wire:
            chosen = [pair.enum_id for pair in parameter.enum_pairs if pair.enum_id not in chosen]
        return " ".join(chosen)
    if parameter.enum_pairs:
        return _enum_id(parameter, text)
    if parameter.type in DECIMALS and parameter.multiply_by_100:
        value_of(parameter.type, text)
        return f"{Decimal(text).scaleb(-2):f}"
    return text


def _enum_id(parameter: Parameter, text: str) -> str:
    """By wire value alone: an enumID is a name for people, and may be another value's wire value."""
    found = next((pair.enum_id for pair in parameter.enum_pairs if pair.wire_value == text), None)
    if found is not None:
        return found
    if parameter.editable:
        return text
    raise NumberError(f"{text!r} is not one of {', '.join(pair.wire_value for pair in parameter.enum_pairs)}")


def _read(strategy: Strategy, parameters: Sequence[Parameter], text: str, refusals: list[Refusal]) -> tuple[str, str]:
    """The first of the parameters that share a tag which can be meant, and its value."""
    wrong: NumberError | None = None
    for parameter in parameters:
        try:
            return parameter.name, from_wire(parameter, text)
        except NumberError as error:
            wrong = wrong or error
    refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {parameters[0].name}: {wrong}"))
    return parameters[0].name, text


def _named(fields: Fields, strategy: Strategy, refusals: list[Refusal]) -> dict[str, str]:
    """StrategyParametersGrp by name."""
    found: dict[str, str] = {}
    name = ""
    for tag, text in fields:
        if tag == _NAME:
            name = text
        elif tag == _VALUE:
            if name in found:
                refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {name} is given twice"))
            found[name] = text
    return found


def _flat(fields: Fields, strategy: Strategy, refusals: list[Refusal]) -> dict[int, str]:
    """Values of the parameters' own tags."""
    own = {parameter.fix_tag for parameter in strategy.of_order()} - {None}
    found: dict[int, str] = {}
    for tag, text in fields:
        if tag not in own or tag in _GROUP:
            continue
        if tag in found:
            refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: the tag {tag} is given twice"))
        found[tag] = text
    return found
