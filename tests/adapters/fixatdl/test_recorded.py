"""Files of real brokers and of other implementations, read here and by an independent walk of the plain XML tree."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from adapters.fixatdl.apply import Applied, apply
from adapters.fixatdl.day import Day
from adapters.fixatdl.document import Combine, Document, Edit, Parameter, Strategy
from adapters.fixatdl.read import load
from domain.errors import ReferenceDataError

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "fixatdl"
SPACE = {kind: f"{{http://www.fixprotocol.org/FIXatdl-1-1/{kind}}}" for kind in ("Core", "Layout", "Validation", "Flow")}
TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
KINDS = (
    "Core:Strategy",
    "Core:Parameter",
    "Core:EnumPair",
    "Layout:Control",
    "Validation:Edit",
    "Flow:StateRule",
    "Validation:StrategyEdit",
)
COUNTS = {  # of each of KINDS, counted in the files by hand and by xml.etree
    "atdl4j/Example CheckBoxList.xml": (1, 5, 10, 5, 0, 0, 0),
    "atdl4j/Example Clock Tests.xml": (1, 6, 0, 6, 0, 0, 0),
    "atdl4j/Example Enforce Limit Price.xml": (1, 0, 0, 2, 4, 1, 1),
    "atdl4j/Example Multiple Strategies.xml": (4, 4, 0, 4, 0, 0, 0),
    "atdl4j/Example Numeric Tests.xml": (1, 5, 0, 7, 6, 2, 1),
    "atdl4j/Example RadioButtonList.xml": (1, 6, 19, 6, 0, 0, 0),
    "atdl4j/Example StartTime and EndTime.xml": (2, 8, 0, 18, 15, 6, 3),
    "atdl4j/Example StrategyPanel Tests.xml": (1, 0, 0, 20, 0, 0, 0),
    "atdl4j/ExampleDisplayLimitPrice.xml": (2, 2, 0, 8, 17, 3, 1),
    "atdl4j/ExampleMinMaxLengthCheck.xml": (1, 6, 0, 6, 0, 0, 0),
    "atdl4net/atdl_all_controls_example.xml": (3, 23, 42, 24, 4, 0, 1),
    "fixportal/twap.xml": (1, 3, 0, 3, 0, 0, 0),
    "fixportal/tz-clock.xml": (15, 211, 348, 234, 73, 25, 12),
    "fixportal/vwap.xml": (1, 4, 0, 4, 0, 0, 0),
}
FILES = pytest.mark.parametrize("name", COUNTS)
pytestmark = pytest.mark.needs_data


def path(name: str) -> Path:
    if not (DATA / name).exists():
        pytest.skip(f"recorded FIXatdl files are not here: {name}")
    return DATA / name


# ------------------------------------------------------------------------------------- the independent reading


def all_of(element: ET.Element, kind: str) -> Iterator[ET.Element]:
    space, name = kind.split(":")
    return element.iter(SPACE[space] + name)


def plain_edit(element: ET.Element) -> Any:
    """An Edit as nested tuples."""
    children = tuple(plain_edit(child) for child in element.findall(f"{SPACE['Validation']}Edit"))
    if children:
        return (element.get("logicOperator"), children)
    return tuple(element.get(key) for key in ("operator", "field", "value", "field2"))


def plain_rule(element: ET.Element) -> Any:
    edit = element.find(f"{SPACE['Validation']}Edit")
    assert edit is not None
    return plain_edit(edit)


def plain_parameter(element: ET.Element) -> Any:
    get = element.get
    return (
        get("name"), element.attrib[TYPE].removesuffix("_t"), get("fixTag"), get("use") == "required", get("minValue"),
        get("maxValue"), get("minLength"), get("maxLength"), get("constValue"), get("precision"), get("multiplyBy100") == "true",
        get("mutableOnCxlRpl") != "false", get("revertOnCxlRpl") == "true", get("definedByFIX") == "true", get("localMktTz"),
        tuple((pair.get("enumID"), pair.get("wireValue")) for pair in all_of(element, "Core:EnumPair")),
    )  # fmt: skip


def plain_strategy(element: ET.Element) -> dict[str, Any]:
    get = element.get
    return {
        "head": (get("name"), get("uiRep"), get("wireValue"), get("version", ""), get("providerID", ""), get("fixMsgType", "")),
        "parameters": [plain_parameter(found) for found in all_of(element, "Core:Parameter")],
        "controls": [
            (
                found.get("ID"), found.attrib[TYPE].split(":")[-1], found.get("parameterRef"), found.get("initValue") or None,
                [(item.get("enumID"), item.get("uiRep")) for item in all_of(found, "Layout:ListItem")],
                [(*map(rule.get, ("enabled", "visible", "value")), plain_rule(rule)) for rule in all_of(found, "Flow:StateRule")],
            )
            for found in all_of(element, "Layout:Control")
        ],
        "rules": [(found.get("errorMessage"), plain_rule(found)) for found in all_of(element, "Validation:StrategyEdit")],
        "regions": [(found.get("name"), found.get("inclusion") == "Include") for found in all_of(element, "Core:Region")],
        "types": [(found.get("name"), found.get("inclusion") == "Include") for found in all_of(element, "Core:SecurityType")],
    }  # fmt: skip


# ------------------------------------------------------------------------------------------ ours in its terms


def our_edit(edit: Edit) -> Any:
    if isinstance(edit, Combine):
        return (edit.operator, tuple(our_edit(part) for part in edit.edits))
    return (edit.operator, edit.field, edit.value, edit.field2)


def our_parameter(parameter: Parameter) -> Any:
    numbers = (parameter.minimum_length, parameter.maximum_length, parameter.fix_tag, parameter.precision)
    shortest, longest, tag, precision = (None if number is None else str(number) for number in numbers)
    return (
        parameter.name, parameter.type.label, tag, parameter.required, parameter.minimum, parameter.maximum, shortest, longest,
        parameter.const, precision, parameter.multiply_by_100, parameter.mutable_on_cxl_rpl, parameter.revert_on_cxl_rpl,
        parameter.defined_by_fix, parameter.local_mkt_tz,
        tuple((pair.enum_id, pair.wire_value) for pair in parameter.enum_pairs),
    )  # fmt: skip


def our_strategy(strategy: Strategy) -> dict[str, Any]:
    flags = {None: None, True: "true", False: "false"}
    return {
        "head": (
            strategy.name, strategy.ui_rep, strategy.wire_value, strategy.version, strategy.provider_id, strategy.fix_msg_type,
        ),
        "parameters": [our_parameter(parameter) for parameter in strategy.parameters],
        "controls": [
            (
                control.id, control.type, control.parameter_ref, control.init_value, list(control.items),
                [(flags[rule.enabled], flags[rule.visible], rule.value, our_edit(rule.edit)) for rule in control.state_rules],
            )
            for control in strategy.controls()
        ],
        "rules": [(rule.error_message, our_edit(rule.edit)) for rule in strategy.strategy_edits],
        "regions": [(scope.name, scope.include) for scope in strategy.regions],
        "types": [(scope.name, scope.include) for scope in strategy.security_types],
    }  # fmt: skip


@FILES
def test_every_strategy_is_read_as_the_plain_walk_reads_it(name: str) -> None:
    root, document = ET.parse(path(name)).getroot(), load(path(name))
    assert tuple(sum(1 for _ in all_of(root, kind)) for kind in KINDS) == COUNTS[name]
    assert [our_strategy(strategy) for strategy in document.strategies] == [plain_strategy(found) for found in root]
    tags = (document.strategy_identifier_tag, document.version_identifier_tag or 0)
    assert tags == (int(root.attrib["strategyIdentifierTag"]), int(root.get("versionIdentifierTag", "0")))


def test_the_collection_is_whole() -> None:
    assert [sum(counts) for counts in zip(*COUNTS.values(), strict=True)] == [35, 283, 419, 347, 119, 37, 19]
    files = {found.relative_to(DATA).as_posix() for found in path("fixportal").parent.rglob("*.xml*")}
    assert files - set(COUNTS) == {"fixportal/invalid-schema.xml", "fixportal/malformed.xml.txt"}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("fixportal/invalid-schema.xml", "invalid-schema.xml line 13: Strategy lacks its name"),
        ("fixportal/malformed.xml.txt", "malformed.xml.txt line 6: is not well-formed XML: mismatched tag"),
    ],
)
def test_the_broken_files_are_refused(name: str, said: str) -> None:
    with pytest.raises(ReferenceDataError) as refused:
        load(path(name))
    assert str(refused.value) == said


# ---------------------------------------------------------------------------------------------- wire fields

ORDER = {"Side": "1", "OrderQty": "1000", "Price": "25"}
SAMPLES = {
    "String": "abcdef", "Int": "5", "Float": "5", "Char": "x", "Price": "24", "Qty": "1", "Percentage": "0.5", "TagNum": "1000",
    "UTCTimeOnly": "15:00:00",
}  # fmt: skip
CONSTANTS = {"07:30:00": "20261127-12:30:00"}  # half past seven in New York, in winter


def sample(element: ET.Element, place: int) -> tuple[str | None, str]:
    """A value to give and what the wire must then carry, chosen by the plain element alone."""
    kind, const = element.attrib[TYPE].removesuffix("_t"), element.get("constValue")
    pairs = list(all_of(element, "Core:EnumPair"))
    if const is not None:
        return None, CONSTANTS.get(const, const)
    if pairs and kind.startswith("Multiple"):
        return " ".join(pair.attrib["enumID"] for pair in pairs[-2:]), " ".join(pair.attrib["wireValue"] for pair in pairs[-2:])
    if pairs:
        return pairs[-1].attrib["enumID"], pairs[-1].attrib["wireValue"]
    if kind == "UTCTimestamp":  # later ones are later
        return (stamp := f"20261127-13:{place:02d}:00"), stamp
    value = element.get("minValue", SAMPLES[kind])
    return value, "1" if element.get("multiplyBy100") == "true" else value


@FILES
def test_an_order_with_every_parameter_carries_their_tags(name: str) -> None:
    root, document = ET.parse(path(name)).getroot(), load(path(name))
    day = Day(date(2026, 11, 27), ZoneInfo("Europe/Berlin"))
    for element, strategy in zip(root, document.strategies, strict=True):
        values, expected = {}, head(root, element)
        for place, parameter in enumerate(all_of(element, "Core:Parameter")):
            given, wire = sample(parameter, place)
            tag = int(parameter.attrib["fixTag"])
            if tag in dict(expected):  # one file has two parameters in one tag
                continue
            if given is not None:
                values[parameter.attrib["name"]] = given
            if wire:
                expected.append((tag, wire))
        found = apply(document, strategy, values, order=ORDER, day=day)
        assert isinstance(found, Applied), (strategy.name, found)
        assert found.fields() == tuple(expected)
        assert found.unchecked == ()


def head(root: ET.Element, element: ET.Element) -> list[tuple[int, str]]:
    tags = [(int(root.attrib["strategyIdentifierTag"]), element.attrib["wireValue"])]
    if "versionIdentifierTag" in root.attrib and "version" in element.attrib:
        tags.append((int(root.attrib["versionIdentifierTag"]), element.attrib["version"]))
    return tags


@pytest.mark.parametrize(
    ("name", "strategy", "values", "said"),
    [
        (
            "fixportal/tz-clock.xml",
            "VWAP",
            {"p_StartTime": "20261127-15:00:00", "p_EndTime": "20261127-14:00:00"},
            "Start time must be",
        ),
        ("fixportal/tz-clock.xml", "VWAP", {"p_VolMaxPct": "101"}, "p_VolMaxPct: 101 is above 100"),
        ("fixportal/tz-clock.xml", "VWAP", {"p_Style": "e_Bold"}, "p_Style: 'e_Bold' is not one of"),
        ("fixportal/twap.xml", "TWAP", {"StartTime": "20261127-15:00:00"}, "TWAP needs EndTime"),
        (
            "atdl4j/Example Numeric Tests.xml",
            "NumericTests",
            {"BoundedInt": "1", "PercentRaw": "0.8"},
            "Percent Raw cannot exceed 75%",
        ),
        ("atdl4j/Example Numeric Tests.xml", "NumericTests", {"ConstantInt": "6"}, "ConstantInt: it is always 5, not 6"),
        ("atdl4j/Example Clock Tests.xml", "ClockTests", {"ClockNYMax": "20261127-22:30:01"}, "is above 17:30:00"),
        ("atdl4j/ExampleMinMaxLengthCheck.xml", "MinMaxLengthSample", {"StringMin5": "four"}, "at least 5 are needed"),
    ],
)
def test_orders_that_the_files_forbid(name: str, strategy: str, values: dict[str, str], said: str) -> None:
    document: Document = load(path(name))
    chosen = document.strategy(strategy)
    assert chosen is not None
    found = apply(document, chosen, values, order=ORDER, day=Day(date(2026, 11, 27), ZoneInfo("Europe/Berlin")))
    assert isinstance(found, tuple)
    assert [refusal.text for refusal in found if said in refusal.text]
