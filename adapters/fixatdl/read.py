"""A broker's FIXatdl 1.1 file, read whole or refused with its line and reason: `read` and `load`.

Held to the standard: names, types, bounds, enumerations, references between parameters, controls and edits. What FIXatdl
does not define, such as a vendor's own attribute, is passed over and said in the document's notes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

from adapters.fixatdl.attributes import CORE, LAYOUT, VALIDATION, Attributes, only
from adapters.fixatdl.document import NULL, Combine, Document, Edit, Parameter, Scope, Strategy, StrategyEdit
from adapters.fixatdl.edits import FIX, Definitions, fields
from adapters.fixatdl.layout import read_layout
from adapters.fixatdl.parameters import RESERVED, description, read_group, read_parameters
from adapters.fixatdl.types import value_of
from adapters.fixatdl.xml import BYTES_MAX, Element, parse
from domain.errors import NumberError, ReferenceDataError

_PARAMETERS_GROUP: Final = range(957, 961)
_STRATEGY_CHILDREN: Final = (
    *((CORE, name) for name in ("Description", "Regions", "Markets", "SecurityTypes", "Parameter", "RepeatingGroup")),
    *((VALIDATION, name) for name in ("Edit", "StrategyEdit")),
    (LAYOUT, "StrategyLayout"),
)


def load(path: Path) -> Document:
    """Read a file. Raises ReferenceDataError as `read` does, and where there is no such file."""
    try:
        with path.open("rb") as file:
            return read(path.name, file.read(BYTES_MAX + 1))
    except OSError as cause:
        raise ReferenceDataError(f"{path} cannot be read: {cause.strerror}") from cause


def read(file: str, content: bytes) -> Document:
    """Read a file's bytes; file is its name in errors.

    Raises:
        ReferenceDataError: the file is hostile, malformed or contradicts itself; the message names line and reason.
    """
    root = parse(file, content)
    if root.name != "Strategies" or root.namespace != CORE:
        where = f"in the namespace {root.namespace!r}"
        raise root.wrong(f"the root is {root.name} {where}, where Strategies of {CORE} must be")
    notes: list[str] = []
    attributes = Attributes(root)
    only(root, notes, (CORE, "Description"), (VALIDATION, "Edit"), (CORE, "Strategy"))
    attributes.need("strategyIdentifierTag")
    tags = [attributes.tag(f"{name}IdentifierTag") for name in ("strategy", "version", "draftFlag")]
    tag_957_support = attributes.flag("tag957Support")
    _check_tags(root, tags, tag_957_support, notes)
    definitions = Definitions(root.each(VALIDATION, "Edit"), notes)
    assert tags[0] is not None
    document = Document(
        file=file,
        sha256=hashlib.sha256(content).hexdigest(),
        strategy_identifier_tag=tags[0],
        version_identifier_tag=tags[1],
        draft_flag_identifier_tag=tags[2],
        change_strategy_on_cxl_rpl=attributes.flag("changeStrategyOnCxlRpl"),
        tag_957_support=tag_957_support,
        strategies=_strategies(root, tag_957_support, definitions, notes),
    )
    attributes.done(notes, "imageLocation")
    for strategy in document.strategies:
        _check_free(root, strategy, tags)
    return replace(document, notes=tuple(notes))


def _check_tags(root: Element, tags: list[int | None], tag_957_support: bool, notes: list[str]) -> None:
    given = [tag for tag in tags if tag is not None]
    if len(set(given)) != len(given):
        raise root.wrong("strategyIdentifierTag, versionIdentifierTag and draftFlagIdentifierTag must differ")
    for tag in given:
        if tag in _PARAMETERS_GROUP and not tag_957_support:  # seen in the field, and harmless without the group
            notes.append(f"line {root.line}: the identifier tag {tag} belongs to StrategyParametersGrp, and is used outside it")
        elif tag in RESERVED:
            raise root.wrong(f"the identifier tag {tag} belongs to the message or to the order itself")


def _check_free(root: Element, strategy: Strategy, tags: list[int | None]) -> None:
    group = strategy.repeating_group.parameters if strategy.repeating_group else ()
    names = {parameter.name for parameter in strategy.parameters}
    used = {parameter.fix_tag for parameter in strategy.parameters}
    basket = [tag for tag in strategy.basket_tags() if tag is not None]
    here = replace(root, line=strategy.line)
    for tag in basket:
        if tag in RESERVED:
            raise here.wrong(f"{strategy.name}: the tag {tag} of its baskets belongs to the message or to the order itself")
        if tag in tags or basket.count(tag) > 1:
            raise here.wrong(f"{strategy.name}: the tag {tag} of its baskets says something else too")
    for parameter in (*strategy.parameters, *group):
        if parameter.fix_tag is not None and parameter.fix_tag in tags:
            raise _at(root, parameter, f"fixTag {parameter.fix_tag} identifies the strategy: no parameter may set it")
        if parameter.fix_tag is not None and parameter.fix_tag in basket:
            raise _at(root, parameter, f"fixTag {parameter.fix_tag} says which basket an order is of: no parameter may set it")
    for parameter in group:
        if parameter.name in names or (parameter.fix_tag is not None and parameter.fix_tag in used):
            raise _at(root, parameter, "the name or fixTag is used outside the repeating group too")


def _at(root: Element, parameter: Parameter, why: str) -> ReferenceDataError:
    return replace(root, line=parameter.line).wrong(f"{parameter.name}: {why}")


def _strategies(root: Element, tag_957_support: bool, definitions: Definitions, notes: list[str]) -> tuple[Strategy, ...]:
    found: dict[str, Strategy] = {}
    for element in root.each(CORE, "Strategy"):
        strategy = _strategy(element, tag_957_support, definitions, notes)
        if strategy.name in found:
            raise element.wrong(f"a second strategy has the name {strategy.name}")
        found[strategy.name] = strategy
    if not found:
        raise root.wrong("there is no Strategy in it")
    return tuple(found.values())


def _strategy(element: Element, tag_957_support: bool, outer: Definitions, notes: list[str]) -> Strategy:
    attributes = Attributes(element)
    only(element, notes, *_STRATEGY_CHILDREN)
    name = attributes.name("name")
    attributes.need("wireValue")
    wire_value, version = attributes.wire("wireValue"), attributes.wire("version")
    assert wire_value is not None
    definitions = Definitions(element.each(VALIDATION, "Edit"), notes, outer)
    parameters = read_parameters(element, tag_957_support, notes)
    panels, parameters = read_layout(element, parameters, definitions, notes)
    groups = [read_group(group, tag_957_support, notes) for group in element.each(CORE, "RepeatingGroup")]
    if len(groups) > 1:
        raise element.wrong(f"{name} has {len(groups)} repeating groups where it may have one")
    scopes = _scopes(element, notes)
    strategy = Strategy(
        name=name,
        wire_value=wire_value,
        line=element.line,
        ui_rep=attributes.text("uiRep") or name,
        version=version or "",
        provider_id=attributes.text("providerID") or "",
        fix_msg_type=attributes.wire("fixMsgType") or "",
        description=description(element),
        markets=scopes["Market"],
        regions=scopes["Region"],
        countries=scopes["Country"],
        security_types=scopes["SecurityType"],
        parameters=parameters,
        repeating_group=groups[0] if groups else None,
        common_id_tag=attributes.tag("commonIDTag"),
        order_sequence_tag=attributes.tag("orderSequenceTag"),
        total_orders_tag=attributes.tag("totalOrdersTag"),
        total_orders=attributes.whole("totalOrders"),
        strategy_edits=tuple(_rule(rule, definitions, notes) for rule in element.each(VALIDATION, "StrategyEdit")),
        panels=panels,
    )
    attributes.done(notes, "imageLocation", "disclosureDoc", "sentOrderLink", "providerSubID", "totalLegs")
    _note_unknown_fields(strategy, notes)
    return strategy


def _rule(element: Element, definitions: Definitions, notes: list[str]) -> StrategyEdit:
    attributes = Attributes(element)
    only(element, notes, (VALIDATION, "Edit"), (VALIDATION, "EditRef"), (CORE, "Description"))
    rule = StrategyEdit(attributes.need("errorMessage"), definitions.only_edit(element), element.line)
    attributes.done(notes)
    return rule


def _scopes(element: Element, notes: list[str]) -> dict[str, tuple[Scope, ...]]:
    """What the strategy is for, by the kind of thing."""
    found: dict[str, list[Scope]] = {"Market": [], "Region": [], "Country": [], "SecurityType": []}

    def take(parent: Element, name: str, attribute: str, *children: tuple[str, str]) -> None:
        only(parent, notes, (CORE, name))
        for child in parent.each(CORE, name):
            only(child, notes, *children)
            attributes = Attributes(child)
            inclusion = attributes.need("inclusion")
            if inclusion not in ("Include", "Exclude"):
                raise child.wrong(f"inclusion {inclusion!r} is neither Include nor Exclude")
            found[name].append(Scope(attributes.need(attribute), inclusion == "Include"))
            attributes.done(notes)
            if children:
                take(child, "Country", "CountryCode")

    for parent in element.each(CORE, "Markets"):
        take(parent, "Market", "MICCode")
    for parent in element.each(CORE, "Regions"):
        take(parent, "Region", "name", (CORE, "Country"))
    for parent in element.each(CORE, "SecurityTypes"):
        take(parent, "SecurityType", "name")
    return {name: tuple(scopes) for name, scopes in found.items()}


def _note_unknown_fields(strategy: Strategy, notes: list[str]) -> None:
    """A rule that can never be decided is not an error in FIXatdl; it is passed over when orders are checked."""
    names = {parameter.name for parameter in strategy.of_order()}
    controls = {control.id for control in strategy.controls()}
    rules = [(rule.edit, names, "parameter") for rule in strategy.strategy_edits]
    rules += [(rule.edit, controls, "control") for control in strategy.controls() for rule in control.state_rules]
    for edit, known, kind in rules:
        for field, line in fields(edit):
            if field not in known and not field.startswith(FIX):
                notes.append(f"line {line}: the rule is passed over, because {strategy.name} has no {kind} {field!r}")
    for rule in strategy.strategy_edits:
        notes += _unfit_values(rule.edit, strategy)


def _unfit_values(edit: Edit, strategy: Strategy) -> Iterator[str]:
    """Values in a rule that are none of their parameter's type."""
    if isinstance(edit, Combine):
        for part in edit.edits:
            yield from _unfit_values(part, strategy)
        return
    parameter = strategy.parameter(edit.field)
    words = ("", NULL, "true", "false", *(pair.enum_id for pair in parameter.enum_pairs)) if parameter else ()
    if parameter is None or edit.value is None or edit.value in words:
        return
    try:
        value_of(parameter.type, edit.value)
    except NumberError as error:
        yield f"line {edit.line}: the rule is passed over, because for {parameter.name} {error}"
