"""Parameters of a FIXatdl file: each attribute in its type, and contradictions refused while the file is read."""

from __future__ import annotations

from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from adapters.fixatdl.attributes import CORE, Attributes, only
from adapters.fixatdl.document import NULL, EnumPair, Parameter, RepeatingGroup
from adapters.fixatdl.types import BOUNDED, DECIMALS, LISTS, SIZED, TIMES, TYPE_OF, Value, time_of_day, value_of
from adapters.fixatdl.xml import Element
from domain.errors import NumberError
from domain.wire_parameter import FixType

# The message's frame, and what says who trades what: a file of algorithms must not be able to overwrite them.
RESERVED: Final = frozenset({
    8, 9, 10, 34, 35, 43, 49, 50, 52, 56, 57, 89, 90, 91, 93, 97, 115, 116, 122, 128, 129, 142, 143, 144, 145, 212, 213, 369,
    627, 1128, 1129, 1137, 1156,
    1, 11, 22, 37, 38, 41, 48, 54, 55, 60, 66, 167, 207, 453,
    957, 958, 959, 960,
})  # fmt: skip

TOT_NO_ORDERS: Final = "TotNoOrders"
NO_LEGS: Final = "NoLegs"
GROUP_FIELDS: Final = {TOT_NO_ORDERS: 68, NO_LEGS: 555}  # what a RepeatingGroup may repeat over


def read_parameters(element: Element, tag_957_support: bool, notes: list[str]) -> tuple[Parameter, ...]:
    """The Parameters of a strategy or of its repeating group. A shared tag is noted: brokers do so, and one may be sent."""
    names: set[str] = set()
    tags: dict[int, str] = {}
    found = []
    for child in element.each(CORE, "Parameter"):
        parameter = _parameter(child, notes)
        if parameter.name in names:
            raise child.wrong(f"a second parameter has the name {parameter.name}")
        if parameter.fix_tag is None and not tag_957_support:
            raise child.wrong(f"{parameter.name} has no fixTag, and the file does not support tag 957: it could not be sent")
        if parameter.fix_tag in tags:
            sharing = f"{tags[parameter.fix_tag]} and {parameter.name} share the fixTag {parameter.fix_tag}"
            notes.append(f"line {child.line}: {sharing}: an order that sets both is refused")
        names.add(parameter.name)
        if parameter.fix_tag is not None:
            tags[parameter.fix_tag] = parameter.name
        found.append(parameter)
    return tuple(found)


def read_group(element: Element, tag_957_support: bool, notes: list[str]) -> RepeatingGroup:
    """A RepeatingGroup with its parameters."""
    attributes = Attributes(element)
    only(element, notes, (CORE, "Parameter"), (CORE, "Description"))
    name, tag = _group_field(element, attributes)
    attributes.need("minSize")
    minimum, maximum = attributes.whole("minSize"), attributes.whole("maxSize")
    assert minimum is not None
    if maximum is not None and maximum < minimum:
        raise element.wrong(f"minSize {minimum} is above maxSize {maximum}")
    parameters = read_parameters(element, tag_957_support, notes)
    if not parameters:
        raise element.wrong("a RepeatingGroup has no Parameter")
    group = RepeatingGroup(name, tag, minimum, maximum, parameters, element.line)
    attributes.done(notes)
    return group


def _group_field(element: Element, attributes: Attributes) -> tuple[str, int | None]:
    """Which of the two groups of orders that FIXatdl knows it is. Either of name and fixTag says it; neither need be there."""
    name, tag = attributes.text("name"), attributes.tag("fixTag")
    if name is not None and name not in GROUP_FIELDS:
        raise element.wrong(f"the name {name!r} of a RepeatingGroup is neither of {' and '.join(GROUP_FIELDS)}")
    if tag is not None and tag not in GROUP_FIELDS.values():
        known = " and ".join(f"{number} ({said})" for said, number in GROUP_FIELDS.items())
        raise element.wrong(f"the fixTag {tag} of a RepeatingGroup is neither of {known}")
    if name is None:
        name = next((said for said, number in GROUP_FIELDS.items() if number == tag), "")
    elif tag not in (None, GROUP_FIELDS[name]):
        raise element.wrong(f"the fixTag {tag} of a RepeatingGroup is not that of its name {name}")
    return name, GROUP_FIELDS.get(name)


def _parameter(element: Element, notes: list[str]) -> Parameter:
    attributes = Attributes(element)
    only(element, notes, (CORE, "EnumPair"), (CORE, "Description"))
    name, fix_type = attributes.name("name"), _type(element)
    use = attributes.text("use") or "optional"
    if use not in ("required", "optional"):
        raise element.wrong(f"use {use!r} is neither required nor optional")
    const = attributes.wire("constValue")
    parameter = Parameter(
        name=name,
        type=fix_type,
        line=element.line,
        fix_tag=_tag(element, attributes),
        required=use == "required",
        minimum=attributes.wire("minValue") if fix_type in BOUNDED else None,
        maximum=attributes.wire("maxValue") if fix_type in BOUNDED else None,
        minimum_length=attributes.whole("minLength") if fix_type in SIZED else None,
        maximum_length=attributes.whole("maxLength") if fix_type in SIZED else None,
        const=const,
        precision=attributes.whole("precision") if fix_type in DECIMALS else None,
        multiply_by_100=fix_type is FixType.PERCENTAGE and attributes.flag("multiplyBy100"),
        invert_on_wire=fix_type in LISTS and attributes.flag("invertOnWire"),
        true_wire_value=_wire_word(attributes, "trueWireValue", "Y") if fix_type is FixType.BOOLEAN else "Y",
        false_wire_value=_wire_word(attributes, "falseWireValue", "N") if fix_type is FixType.BOOLEAN else "N",
        mutable_on_cxl_rpl=attributes.flag("mutableOnCxlRpl", absent=True),
        revert_on_cxl_rpl=attributes.flag("revertOnCxlRpl"),
        defined_by_fix=attributes.flag("definedByFIX"),
        local_mkt_tz=_zone(element, attributes) if fix_type in TIMES else None,
        enum_pairs=_enum_pairs(element, fix_type, notes),
        description=description(element),
    )
    attributes.done(notes)
    _check_bounds(element, parameter)
    return parameter


def description(element: Element) -> str:
    """The text of an element's Description."""
    return " ".join(child.said() for child in element.each(CORE, "Description"))


def _type(element: Element) -> FixType:
    if element.type is None:
        raise element.wrong(f"{element.name} {element.attributes.get('name', '')} lacks its xsi:type")
    namespace, name = element.type
    if namespace != CORE or name not in TYPE_OF:
        raise element.wrong(f"xsi:type {name!r} of {namespace or 'no namespace'} is not a parameter type of FIXatdl 1.1")
    return TYPE_OF[name]


def _tag(element: Element, attributes: Attributes) -> int | None:
    tag = attributes.tag("fixTag")
    if tag in RESERVED:
        raise element.wrong(f"fixTag {tag} belongs to the message or to the order itself: no parameter may set it")
    return tag


def _wire_word(attributes: Attributes, name: str, absent: str) -> str:
    text = attributes.wire(name)
    return absent if text is None else text


def _zone(element: Element, attributes: Attributes) -> str | None:
    name = attributes.text("localMktTz")
    if name:
        try:
            ZoneInfo(name)
        except (ValueError, OSError, ZoneInfoNotFoundError) as cause:
            raise element.wrong(f"localMktTz {name!r} is not a time zone") from cause
    return name or None


def _enum_pairs(element: Element, fix_type: FixType, notes: list[str]) -> tuple[EnumPair, ...]:
    pairs: dict[str, EnumPair] = {}
    for child in element.each(CORE, "EnumPair"):
        attributes = Attributes(child)
        enum_id, wire_value = attributes.enum_id(notes), attributes.wire("wireValue")
        if wire_value is None:
            raise child.wrong(f"EnumPair {enum_id} lacks its wireValue")
        if enum_id in pairs:
            raise child.wrong(f"a second EnumPair has the enumID {enum_id}")
        if wire_value not in ("", NULL):
            _typed(child, fix_type, "wireValue", wire_value)
        pairs[enum_id] = EnumPair(enum_id, wire_value)
        attributes.done(notes, "index")
    return tuple(pairs.values())


def _check_bounds(element: Element, parameter: Parameter) -> None:
    lowest = _bound(element, parameter, "minValue", parameter.minimum)
    highest = _bound(element, parameter, "maxValue", parameter.maximum)
    if lowest is not None and highest is not None and lowest > highest:  # type: ignore[operator]  # values of one type
        raise element.wrong(f"{parameter.name}: minValue {parameter.minimum} is above maxValue {parameter.maximum}")
    shortest, longest = parameter.minimum_length, parameter.maximum_length
    if shortest is not None and longest is not None and shortest > longest:
        raise element.wrong(f"{parameter.name}: minLength {shortest} is above maxLength {longest}")
    const = _bound(element, parameter, "constValue", parameter.const)
    if const is None:
        return
    if (lowest is not None and const < lowest) or (highest is not None and const > highest):  # type: ignore[operator]
        raise element.wrong(f"{parameter.name}: constValue {parameter.const} is outside its own bounds")


def _bound(element: Element, parameter: Parameter, attribute: str, text: str | None) -> Value | None:
    names = [pair.enum_id for pair in parameter.enum_pairs] if attribute == "constValue" else []
    if text is None or text in (NULL, *names):
        return None
    if parameter.type in TIMES:
        try:
            return time_of_day(text)[0]
        except NumberError as cause:
            raise element.wrong(f"{parameter.name}: {attribute} {cause}") from cause
    return _typed(element, parameter.type, attribute, text)


def _typed(element: Element, fix_type: FixType, attribute: str, text: str) -> Value:
    try:
        return value_of(fix_type, text)
    except NumberError as cause:
        raise element.wrong(f"{attribute} {cause}") from cause
