"""An order for a broker's algorithm: its parameters checked as the broker's file says, and the FIX fields they become."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from adapters.fixatdl.day import Day
from adapters.fixatdl.document import Document, Parameter, Strategy, StrategyEdit
from adapters.fixatdl.edits import FIX, Operand, fields, holds
from adapters.fixatdl.parameters import NO_LEGS
from adapters.fixatdl.wire_value import NOTHING, WireValue, constant, wire_value
from domain.errors import NumberError
from domain.instructions import Basket
from domain.refusal import Reason, Refusal
from domain.wire_parameter import FixType

_BOOLEAN_WORDS: Final = {"true": "Y", "false": "N"}
_MESSAGES: Final = {"E": "NewOrderList", "AB": "NewOrderMultileg", "s": "NewOrderCross"}


@dataclass(frozen=True, slots=True)
class Applied:
    """What an order for the algorithm carries beside its ordinary fields."""

    tags: tuple[tuple[int, str], ...]  # (tag, value): what identifies the strategy, then its parameters
    parameters: tuple[tuple[str, int, str], ...] = ()  # StrategyParametersGrp: name (958), type (959), value (960)
    unchecked: tuple[str, ...] = ()  # rules and bounds that could not be held against the order, and why

    def fields(self) -> tuple[tuple[int, str], ...]:
        """Everything as (tag, value) in the order sent."""
        found = list(self.tags)
        if self.parameters:
            found.append((957, str(len(self.parameters))))
        for name, fix_type, value in self.parameters:
            found += [(958, name), (959, str(fix_type)), (960, value)]
        return tuple(found)


def apply(
    document: Document,
    strategy: Strategy,
    values: Mapping[str, str],
    *,
    order: Mapping[str, str | None],
    day: Day,
    basket: Basket | None = None,
    original: Mapping[str, str] | None = None,
) -> Applied | tuple[Refusal, ...]:
    """Check an order's parameters and make its fields. Every parameter that is wrong is refused; then every rule.

    Args:
        values: by parameter, as `wire_value` takes them.
        order: the order's other fields by their FIX names, for rules about FIX_Side and the like. None says that the order
            has no such field; of a name that is not here nothing is known, and a rule that asks for it is left unchecked.
        basket: the order's place in the list that it came in. A strategy that works baskets takes no order without one, and
            its values are those of the strategy and of this order's entry of the repeating group.
        original: the values of the order that this one replaces. What may not change is sent again as it was.
    """
    if original is not None:
        refused = _changed(strategy, values, original)
        if refused:
            return refused
        values = {**values, **_kept(strategy, original)}
    refusals = _unknown(strategy, values)
    checked = _check(strategy, values, original or {}, day, refusals)
    unchecked = [why for value in checked.values() for why in value.unchecked]
    of_basket, wrong = _check_basket(strategy, basket)
    if wrong:
        refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {wrong}"))
    if refusals:
        return tuple(refusals)
    for rule in strategy.strategy_edits:
        refusal = _judge(rule, strategy, checked, order, unchecked)
        if refusal is not None:
            refusals.append(refusal)
    if refusals:
        return tuple(refusals)
    sent = {name: value for name, value in checked.items() if name in values or _always(strategy, name)}
    return _fields(document, strategy, sent, of_basket, unchecked)


def _kept(strategy: Strategy, original: Mapping[str, str]) -> dict[str, str]:
    """What a replace repeats: the original's values of the parameters that may not change."""
    fixed = (parameter.name for parameter in strategy.of_order() if not parameter.mutable_on_cxl_rpl)
    return {name: original[name] for name in fixed if name in original}


def _changed(strategy: Strategy, values: Mapping[str, str], original: Mapping[str, str]) -> tuple[Refusal, ...]:
    return tuple(
        Refusal(Reason.NOT_AMENDABLE, f"{strategy.name}: {parameter.name} cannot be changed by a replace")
        for parameter in strategy.of_order()
        if not parameter.mutable_on_cxl_rpl and parameter.const is None
        if parameter.name in values and values[parameter.name] != original.get(parameter.name)
    )


def _always(strategy: Strategy, name: str) -> bool:
    parameter = strategy.parameter(name)
    return parameter is not None and parameter.const is not None


def _unknown(strategy: Strategy, values: Mapping[str, str]) -> list[Refusal]:
    names = [parameter.name for parameter in strategy.of_order()]
    known = ", ".join(names) or "none"
    return [
        Refusal(Reason.UNKNOWN_PARAMETER, f"{strategy.name} has no parameter {name!r}; it has {known}")
        for name in values
        if name not in names
    ]


def _check(
    strategy: Strategy,
    values: Mapping[str, str],
    original: Mapping[str, str],
    day: Day,
    refusals: list[Refusal],
) -> dict[str, WireValue]:
    """Each parameter's value; what is left out of a replace is the original's where the broker reverts to it."""
    found = {}
    for parameter in strategy.of_order():
        text = values.get(parameter.name)
        if text is None and parameter.revert_on_cxl_rpl:
            text = original.get(parameter.name)
        try:
            value = wire_value(parameter, text, day)
            if parameter.const is not None:
                value = _constant(parameter, value, day)
        except NumberError as error:
            refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {parameter.name}: {error}"))
            value = NOTHING
        else:
            if parameter.required and value.compared is None:
                refusals.append(Refusal(Reason.BAD_PARAMETER, f"{strategy.name} needs {parameter.name}"))
        found[parameter.name] = value
    return found


def _constant(parameter: Parameter, given: WireValue, day: Day) -> WireValue:
    value = constant(parameter, day)
    if given.compared not in (None, value.compared):
        raise NumberError(f"it is always {value.compared}, not {given.compared}")
    return value


def _check_basket(strategy: Strategy, basket: Basket | None) -> tuple[list[tuple[int, str]], str]:
    """What an order says of its basket, and what is wrong with that, "" where nothing is."""
    message = strategy.fix_msg_type or "D"
    if message != "D" or (strategy.repeating_group is not None and strategy.repeating_group.name == NO_LEGS):
        asked = message if message != "D" else "AB"
        return (
            [],
            f"it wants {_MESSAGES.get(asked, asked)} (35={asked}), and brokers get NewOrderSingle (35=D) here",
        )
    if not strategy.works_baskets():
        return [], ""
    if basket is None:
        return [], "it works the orders of a basket together, so they have to come in a list (35=E)"
    group, orders = strategy.repeating_group, basket.orders
    fewest, most = (group.minimum_size, group.maximum_size) if group is not None else (1, None)
    if strategy.total_orders is not None:
        fewest = most = strategy.total_orders
    if orders < fewest or (most is not None and orders > most):
        bounds = f"{fewest}" if fewest == most else f"{fewest} to {'any number of' if most is None else most}"
        return [], f"a basket of {orders} orders where {bounds} are taken"
    said = zip(strategy.basket_tags(), (basket.id, str(basket.number), str(orders)), strict=True)
    return [(tag, text) for tag, text in said if tag is not None], ""


def _judge(
    rule: StrategyEdit,
    strategy: Strategy,
    checked: Mapping[str, WireValue],
    order: Mapping[str, str | None],
    unchecked: list[str],
) -> Refusal | None:
    """A refusal where the rule does not hold. One that asks for what is not known is passed over, as FIXatdl says."""
    unknown = [field for field, _ in fields(rule.edit) if field not in checked and _fix_name(field) not in order]
    if unknown:
        unchecked.append(f"the rule of line {rule.line}: nothing is known of {unknown[0]}")
        return None

    def lookup(field: str) -> Operand:
        parameter = strategy.parameter(field)
        if parameter is None:
            return Operand(order[_fix_name(field)] or None)
        words = {pair.enum_id: pair.wire_value for pair in parameter.enum_pairs}
        if parameter.type is FixType.BOOLEAN:
            words = {**_BOOLEAN_WORDS, **words}
        return Operand(checked[field].compared, parameter.type, words)

    try:
        holding = holds(rule.edit, lookup)
    except NumberError as error:
        unchecked.append(f"the rule of line {rule.line}: {error}")
        return None
    return None if holding else Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {rule.error_message}")


def _fix_name(field: str) -> str:
    return field.removeprefix(FIX) if field.startswith(FIX) else ""


def _fields(
    document: Document,
    strategy: Strategy,
    sent: Mapping[str, WireValue],
    of_basket: list[tuple[int, str]],
    unchecked: list[str],
) -> Applied | tuple[Refusal, ...]:
    tags = [(document.strategy_identifier_tag, strategy.wire_value)]
    if document.version_identifier_tag is not None and strategy.version:
        tags.append((document.version_identifier_tag, strategy.version))
    if document.draft_flag_identifier_tag is not None:
        tags.append((document.draft_flag_identifier_tag, "N"))
    tags += of_basket
    used: dict[int, str] = {}
    parameters = []
    for parameter in strategy.of_order():
        value = sent.get(parameter.name, NOTHING).sent
        if value is None:
            continue
        if parameter.fix_tag is None:
            parameters.append((parameter.name, int(parameter.type), value))
            continue
        if parameter.fix_tag in used:
            both = f"{used[parameter.fix_tag]} and {parameter.name} share the tag {parameter.fix_tag}"
            return (Refusal(Reason.BAD_PARAMETER, f"{strategy.name}: {both}, and both are given"),)
        used[parameter.fix_tag] = parameter.name
        tags.append((parameter.fix_tag, value))
    return Applied(tuple(tags), tuple(parameters), tuple(unchecked))
