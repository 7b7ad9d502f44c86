"""Our algorithms as a FIXatdl 1.1 file, generated from the models that the desk parses orders with."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape, quoteattr

from adapters.fixatdl.attributes import CORE, FLOW, LAYOUT, VALIDATION
from adapters.fixatdl.xml import XSI
from domain.algo_parameters import AlgoParameters, WireField, wire_fields
from domain.values import Algo, from_e9
from domain.wire_parameter import After, FixType, Parameter, Unit

TARGET_STRATEGY: Final = 847
VERSION: Final = "1"
_CONTROL: Final = {FixType.UTC_TIMESTAMP: "Clock_t", FixType.FLOAT: "SingleSpinner_t", FixType.PERCENTAGE: "SingleSpinner_t"}
_SHOWN: Final = {
    Unit.UTC: "",
    Unit.MINUTES: " (minutes)",
    Unit.PERCENT: " (%)",
    Unit.PRICE: "",
    Unit.NUMBER: "",
    Unit.CURRENCY: "",
}


def write(models: Iterable[type[AlgoParameters]], wire_values: Mapping[Algo, str], provider: str) -> str:
    """The file's text.

    Parameters go into StrategyParametersGrp (957), so none has a tag of its own. Every one of them may change in a replace,
    and what a replace leaves out is its default again.

    Args:
        wire_values: TargetStrategy (847) of each algorithm.
        provider: who is asked to run them, the file's providerID.
    """
    lines = [
        '<?xml version="1.0" encoding="UTF-8"?>',
        f'<Strategies xmlns="{CORE}" xmlns:val="{VALIDATION}" xmlns:lay="{LAYOUT}" xmlns:flow="{FLOW}" xmlns:xsi="{XSI}"',
        f'            strategyIdentifierTag="{TARGET_STRATEGY}" tag957Support="true" changeStrategyOnCxlRpl="true">',
    ]
    for model in models:
        lines += (f"  {line}" for line in _strategy(model, wire_values[model.algo], provider))
    return "\n".join([*lines, "</Strategies>", ""])


def _element(name: str, attributes: Mapping[str, str | None], content: Iterable[str] = ()) -> Iterator[str]:
    said = "".join(f" {key}={quoteattr(value)}" for key, value in attributes.items() if value is not None)
    inside = [f"  {line}" for line in content]
    if not inside:
        yield f"<{name}{said}/>"
        return
    yield f"<{name}{said}>"
    yield from inside
    yield f"</{name}>"


def _described(text: str) -> str:
    return f"<Description>{escape(text)}</Description>"


def _strategy(model: type[AlgoParameters], wire_value: str, provider: str) -> Iterator[str]:
    fields = list(wire_fields(model))
    content = [_described(" ".join((model.__doc__ or "").split()))]
    for field in fields:
        content += _parameter(field)
    content += _layout(model.__name__, fields)
    for rule in model.rules:
        content += _rule(rule)
    attributes = {
        "name": model.__name__,
        "uiRep": model.algo.upper(),
        "wireValue": wire_value,
        "version": VERSION,
        "fixMsgType": "D",
        "providerID": provider,
    }
    return _element("Strategy", attributes, content)


def _parameter(field: WireField) -> Iterator[str]:
    parameter = field.parameter
    attributes = {
        "name": parameter.name,
        "xsi:type": f"{parameter.type.label}_t",
        "use": "required" if field.required else "optional",
        "mutableOnCxlRpl": "true",
        "revertOnCxlRpl": "false",
        "minValue": _bound(parameter, parameter.minimum_e9),
        "maxValue": _bound(parameter, parameter.maximum_e9),
        "multiplyBy100": "true" if parameter.unit is Unit.PERCENT else None,
    }
    absent = "" if field.required else f" Without it: {parameter.absent}."
    return _element("Parameter", attributes, [_described(parameter.description + absent)])


def _bound(parameter: Parameter, bound_e9: int | None) -> str | None:
    """A bound as FIXatdl counts: of a percentage as the ratio that multiplyBy100 then sends in percent."""
    if bound_e9 is None:
        return None
    return f"{from_e9(bound_e9 // 100 if parameter.unit is Unit.PERCENT else bound_e9):f}"


def _layout(title: str, fields: Iterable[WireField]) -> Iterator[str]:
    controls = [line for field in fields for line in _control(field.parameter)]
    panel = {"title": title, "orientation": "VERTICAL", "collapsible": "false", "border": "Line"}
    return _element("lay:StrategyLayout", {}, _element("lay:StrategyPanel", panel, controls))


def _control(parameter: Parameter) -> Iterator[str]:
    attributes = {
        "ID": f"c_{parameter.name}",
        "xsi:type": f"lay:{_CONTROL.get(parameter.type, 'TextField_t')}",
        "parameterRef": parameter.name,
        "label": parameter.name + _SHOWN[parameter.unit],
        "tooltip": parameter.description,
    }
    return _element("lay:Control", attributes)


def _rule(rule: After) -> Iterator[str]:
    """Either is left out, or the later one is later."""
    edits = [
        *_element("val:Edit", {"field": rule.later, "operator": "NX"}),
        *_element("val:Edit", {"field": rule.earlier, "operator": "NX"}),
        *_element("val:Edit", {"field": rule.later, "operator": "GT", "field2": rule.earlier}),
    ]
    edit = _element("val:Edit", {"logicOperator": "OR"}, edits)
    return _element("val:StrategyEdit", {"errorMessage": rule.message}, edit)
