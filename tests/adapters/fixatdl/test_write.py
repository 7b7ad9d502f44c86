"""Our algorithms as FIXatdl: the schema's structure, and the same orders taken as the desk takes."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapters.fixatdl.apply import Applied, apply
from adapters.fixatdl.day import Day
from adapters.fixatdl.read import read
from adapters.fixatdl.write import write
from domain.algo_parameters import MODELS, AlgoParameters, parse, wire_fields
from domain.refusal import Refusal
from domain.values import Algo

WIRE_VALUES = {Algo.TWAP: "1001", Algo.VWAP: "1", Algo.POV: "2", Algo.AC: "1002", Algo.ADAPTIVE: "1003"}
TEXT = write(MODELS.values(), WIRE_VALUES, 'A "B" & <C>')
DOCUMENT = read("own.xml", TEXT.encode())
BASE = "{http://www.fixprotocol.org/FIXatdl-1-1/"
XSI_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
# Attributes that the schema has on these elements, and the order of children where it asks for one.
ATTRIBUTES = {
    "Core}Strategies": {"strategyIdentifierTag", "tag957Support", "changeStrategyOnCxlRpl"},
    "Core}Strategy": {"name", "uiRep", "wireValue", "version", "fixMsgType", "providerID"},
    "Core}Parameter": {"name", XSI_TYPE, "use", "mutableOnCxlRpl", "revertOnCxlRpl", "minValue", "maxValue", "multiplyBy100"},
    "Core}Description": set(),
    "Layout}StrategyLayout": set(),
    "Layout}StrategyPanel": {"title", "orientation", "collapsible", "border"},
    "Layout}Control": {"ID", XSI_TYPE, "parameterRef", "label", "tooltip"},
    "Validation}StrategyEdit": {"errorMessage"},
    "Validation}Edit": {"field", "field2", "value", "operator", "logicOperator"},
}
ORDER = {
    "Core}Strategies": ["Core}Strategy"],
    "Core}Strategy": ["Core}Description", "Core}Parameter", "Layout}StrategyLayout", "Validation}StrategyEdit"],
    "Core}Parameter": ["Core}Description"],
    "Layout}StrategyLayout": ["Layout}StrategyPanel"],
    "Layout}StrategyPanel": ["Layout}Control"],
    "Validation}StrategyEdit": ["Validation}Edit"],
    "Validation}Edit": ["Validation}Edit"],
}


def test_elements_attributes_and_their_order_are_the_schemas() -> None:
    root = ET.fromstring(TEXT)
    assert root.tag == f"{BASE}Core}}Strategies"
    for element in root.iter():
        name = element.tag.removeprefix(BASE)
        assert set(element.attrib) <= ATTRIBUTES[name]
        places = [ORDER.get(name, []).index(child.tag.removeprefix(BASE)) for child in element]
        assert places == sorted(places)
    for strategy in root:
        for edit in strategy.iter(f"{BASE}Validation}}StrategyEdit"):
            assert len(edit) == 1


def test_it_reads_back_as_the_models_say() -> None:
    assert DOCUMENT.notes == ()
    assert (DOCUMENT.strategy_identifier_tag, DOCUMENT.tag_957_support) == (847, True)
    assert [strategy.wire_value for strategy in DOCUMENT.strategies] == list(WIRE_VALUES.values())
    assert {strategy.provider_id for strategy in DOCUMENT.strategies} == {'A "B" & <C>'}
    for strategy, model in zip(DOCUMENT.strategies, MODELS.values(), strict=True):
        told = [(parameter.name, parameter.type, parameter.required) for parameter in strategy.parameters]
        assert told == [(wire.parameter.name, wire.parameter.type, wire.required) for wire in wire_fields(model)]
        assert [rule.error_message for rule in strategy.strategy_edits] == [rule.message for rule in model.rules]
        assert [control.parameter_ref for control in strategy.controls()] == [parameter.name for parameter in strategy.parameters]


VALUES = {
    "StartTime": st.sampled_from(["20261127-14:30:00", "20261127-16:00:00", "14:30", ""]),
    "EndTime": st.sampled_from(["20261127-15:30:00", "20261127-16:00:00", "20261127-20:00:00", "late"]),
    "DurationMinutes": st.sampled_from(["0", "0.000000001", "30", "10080", "10080.1", "-1"]),
    "MaxParticipation": st.sampled_from(["0", "0.000000001", "0.000000002", "0.1", "1", "1.000000001"]),
    "WouldPrice": st.sampled_from(["0", "0.000000001", "187.01", "x"]),
    "Urgency": st.sampled_from(["0", "0.000000001", "1.5", "30", "30.1", "high"]),
    "ParticipationRate": st.sampled_from(["0.05", "1", "2"]),
}


@given(st.sampled_from(list(MODELS)), st.fixed_dictionaries({}, optional=VALUES))
def test_the_file_takes_what_the_desk_takes(algo: Algo, values: dict[str, str]) -> None:
    """The desk's parse and the file's checks agree, but for the order of times, which the desk judges when it is there."""
    strategy = DOCUMENT.strategies[list(MODELS).index(algo)]
    found = apply(DOCUMENT, strategy, values, order={}, day=Day(date(2026, 11, 27)))
    sent = found.parameters if isinstance(found, Applied) else ()
    percents = ("MaxParticipation", "ParticipationRate")
    by_hand = tuple((name, _percent(text) if name in percents else text) for name, text in values.items() if text)
    parsed = parse(algo, by_hand)
    if isinstance(found, Applied):
        assert sorted((name, value) for name, _, value in sent) == sorted(by_hand)
        assert isinstance(parsed, AlgoParameters)
        assert parsed.start_ns is None or parsed.end_ns is None or parsed.start_ns < parsed.end_ns
        assert [code for name, code, _ in sent if name in percents] == [11] * sum(name in percents for name, _, _ in sent)
    elif [refusal.text for refusal in found] == [f"{strategy.name}: EndTime must be after StartTime"]:
        assert values["EndTime"] <= values["StartTime"]
        assert isinstance(parsed, AlgoParameters)
    else:
        assert isinstance(parsed, Refusal)


@pytest.mark.parametrize(("end", "taken"), [("15:00:00", False), ("14:59:59", False), ("15:00:00.001", True)])
def test_the_end_is_after_the_start(end: str, taken: bool) -> None:
    values = {"StartTime": "20261127-15:00:00", "EndTime": f"20261127-{end}"}
    found = apply(DOCUMENT, DOCUMENT.strategies[0], values, order={}, day=Day(date(2026, 11, 27)))
    assert isinstance(found, Applied) is taken


def _percent(text: str) -> str:
    return f"{Decimal(text).scaleb(2):f}"


def test_an_algorithm_without_a_wire_value_cannot_be_published() -> None:
    with pytest.raises(KeyError):
        write(MODELS.values(), {Algo.TWAP: "1001"}, "EMS")
