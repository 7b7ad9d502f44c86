"""The ticket of a strategy: panels, controls and the rules that change controls' states."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from adapters.fixatdl.attributes import CORE, FLOW, LAYOUT, VALIDATION, Attributes, only
from adapters.fixatdl.document import Control, Panel, Parameter, StateRule
from adapters.fixatdl.edits import Definitions
from adapters.fixatdl.xml import Element

_CONTROLS: Final = frozenset(
    f"{name}_t"
    for name in (
        "CheckBox CheckBoxList Clock DoubleSpinner DropDownList EditableDropDownList HiddenField Label MultiSelectList "
        "RadioButton RadioButtonList SingleSelectList SingleSpinner Slider TextField"
    ).split()
)
_PANEL_LOOKS: Final = ("collapsible", "collapsed", "border", "color")
_CONTROL_LOOKS: Final = (
    "tooltip disableForTemplate initPolicy initValueMode orientation radioGroup checkedEnumRef uncheckedEnumRef increment "
    "incrementPolicy innerIncrement innerIncrementPolicy outerIncrement"
).split()


def read_layout(
    strategy: Element, parameters: tuple[Parameter, ...], definitions: Definitions, notes: list[str]
) -> tuple[tuple[Panel, ...], tuple[Parameter, ...]]:
    """The panels of a strategy, and its parameters with what their controls know of them: defaults, and names of values."""
    panels: list[Panel] = []
    for layout in strategy.each(LAYOUT, "StrategyLayout"):
        only(layout, notes, (LAYOUT, "StrategyPanel"))
        panels += [_panel(element, definitions, notes) for element in layout.each(LAYOUT, "StrategyPanel")]
    by_name = {parameter.name: parameter for parameter in parameters}
    identifiers: set[str] = set()
    for control in (control for panel in panels for control in panel.controls()):
        if control.id in identifiers:
            raise _wrong(strategy, control, f"a second control has the ID {control.id}")
        identifiers.add(control.id)
        if control.parameter_ref is None:
            continue
        parameter = by_name.get(control.parameter_ref)
        if parameter is None:
            raise _wrong(strategy, control, f"{control.id} is for {control.parameter_ref!r}, and there is no such parameter")
        by_name[parameter.name] = _informed(strategy, parameter, control)
    return tuple(panels), tuple(by_name.values())


def _wrong(strategy: Element, control: Control, why: str) -> Exception:
    return replace(strategy, line=control.line).wrong(why)


def _informed(strategy: Element, parameter: Parameter, control: Control) -> Parameter:
    shown = dict(control.items)
    if parameter.enum_pairs:
        known = {pair.enum_id for pair in parameter.enum_pairs}
        for enum_id in shown:
            if enum_id not in known:
                raise _wrong(strategy, control, f"{control.id} offers {enum_id!r}, which is no EnumPair of {parameter.name}")
    pairs = tuple(replace(pair, ui_rep=shown.get(pair.enum_id, pair.ui_rep)) for pair in parameter.enum_pairs)
    default = parameter.default if parameter.default is not None else control.init_value
    editable = parameter.editable or control.type == "EditableDropDownList_t"
    return replace(parameter, enum_pairs=pairs, default=default, editable=editable)


def _panel(element: Element, definitions: Definitions, notes: list[str]) -> Panel:
    attributes = Attributes(element)
    only(element, notes, (LAYOUT, "StrategyPanel"), (LAYOUT, "Control"))
    orientation = attributes.text("orientation") or "VERTICAL"
    if orientation not in ("HORIZONTAL", "VERTICAL"):
        raise element.wrong(f"orientation {orientation!r} is neither HORIZONTAL nor VERTICAL")
    content = tuple(
        _panel(child, definitions, notes) if child.name == "StrategyPanel" else _control(child, definitions, notes)
        for child in element.each(LAYOUT, "StrategyPanel", "Control")
    )
    panel = Panel(attributes.text("title") or "", orientation, element.line, content)
    attributes.done(notes, *_PANEL_LOOKS)
    return panel


def _control(element: Element, definitions: Definitions, notes: list[str]) -> Control:
    attributes = Attributes(element)
    only(element, notes, (LAYOUT, "ListItem"), (FLOW, "StateRule"), (LAYOUT, "HelpText"))
    identifier = attributes.name("ID")
    if element.type is None:
        raise element.wrong(f"Control {identifier} lacks its xsi:type")
    namespace, kind = element.type
    if namespace != LAYOUT or kind not in _CONTROLS:
        raise element.wrong(f"xsi:type {kind!r} of {namespace or 'no namespace'} is not a control of FIXatdl 1.1")
    control = Control(
        id=identifier,
        type=kind,
        line=element.line,
        parameter_ref=attributes.text("parameterRef"),
        label=attributes.text("label") or "",
        init_value=attributes.text("initValue") or None,
        init_fix_field=attributes.text("initFixField"),
        local_mkt_tz=attributes.text("localMktTz"),
        items=tuple(_item(child, notes) for child in element.each(LAYOUT, "ListItem")),
        state_rules=tuple(_state_rule(child, definitions, notes) for child in element.each(FLOW, "StateRule")),
    )
    attributes.done(notes, *_CONTROL_LOOKS)
    return control


def _item(element: Element, notes: list[str]) -> tuple[str, str]:
    attributes = Attributes(element)
    item = attributes.enum_id(notes), attributes.text("uiRep") or ""
    attributes.done(notes)
    return item


def _state_rule(element: Element, definitions: Definitions, notes: list[str]) -> StateRule:
    attributes = Attributes(element)
    only(element, notes, (VALIDATION, "Edit"), (VALIDATION, "EditRef"), (CORE, "Description"))
    enabled, visible, value = attributes.maybe("enabled"), attributes.maybe("visible"), attributes.text("value")
    if enabled is None and visible is None and value is None:
        raise element.wrong("a StateRule changes nothing: it has none of enabled, visible and value")
    rule = StateRule(definitions.only_edit(element), element.line, enabled, visible, value)
    attributes.done(notes)
    return rule
