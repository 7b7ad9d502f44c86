"""Edits: boolean expressions over parameters, controls and FIX fields; read with their references resolved, and decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Final, NamedTuple, cast

from adapters.fixatdl.attributes import CORE, VALIDATION, Attributes, only
from adapters.fixatdl.document import NULL, Combine, Compare, Edit
from adapters.fixatdl.types import value_of
from adapters.fixatdl.xml import Element
from domain.errors import NumberError
from domain.wire_parameter import FixType

EDITS_MAX: Final = 10_000  # of a file's rules with every reference written out: references to references double quickly
DEPTH_MAX: Final = 64
FIX: Final = "FIX_"  # begins the name of a field of the order itself
_EXISTENCE: Final = ("EX", "NX")
_ORDERS: Final = ("EQ", "NE", "LT", "LE", "GT", "GE")
_LOGIC: Final = ("AND", "OR", "XOR", "NOT")
_EDIT, _EDIT_REF = (VALIDATION, "Edit"), (VALIDATION, "EditRef")


class _Sized(NamedTuple):
    edit: Edit
    edits: int  # with every reference written out
    depth: int


class Definitions:
    """The Edits that a file or a strategy gives an id, for EditRef to name. A strategy's hide the file's."""

    def __init__(self, elements: Iterable[Element], notes: list[str], outer: Definitions | None = None) -> None:
        self._outer = outer
        self._notes = notes
        self._elements: dict[str, Element] = {}
        self._read: dict[str, _Sized] = {}
        self.file_edits: list[int] = [] if outer is None else outer.file_edits  # of each rule of the file so far
        for element in elements:
            identifier = Attributes(element).need("id")
            if identifier in self._elements:
                raise element.wrong(f"a second Edit has the id {identifier!r}")
            self._elements[identifier] = element
        for element in self._elements.values():
            self._sized(element, (element,), 1)

    def only_edit(self, element: Element) -> Edit:
        """The one Edit or EditRef that a rule consists of."""
        found = list(element.each(VALIDATION, "Edit", "EditRef"))
        if len(found) != 1:
            raise element.wrong(f"{element.name} has {len(found)} Edits where it must have one")
        return self.edit(found[0])

    def edit(self, element: Element) -> Edit:
        """An Edit or EditRef with what it refers to in its place."""
        found = self._sized(element, (), 1)
        self.file_edits.append(found.edits)
        if sum(self.file_edits) > EDITS_MAX:
            raise element.wrong(f"the file's rules have more than {EDITS_MAX} Edits, references written out")
        return found.edit

    def _sized(self, element: Element, path: tuple[Element, ...], level: int) -> _Sized:
        """path: the Edits whose references led here; level: how deep, references counted."""
        if level > DEPTH_MAX:
            raise element.wrong(f"Edits and their references lie in each other more than {DEPTH_MAX} deep")
        if element.name == "EditRef":
            return self._referred(element, path, level)
        attributes = Attributes(element)
        attributes.text("id")
        operator, logic = attributes.text("operator"), attributes.text("logicOperator")
        only(element, self._notes, _EDIT, _EDIT_REF, (CORE, "Description"))
        if (operator is None) == (logic is None):
            raise element.wrong("an Edit needs either an operator or a logicOperator")
        if operator is not None:
            found = _compare(element, attributes, operator)
        else:
            found = self._combine(element, str(logic), path, level)
        attributes.done(self._notes)
        return found

    def _combine(self, element: Element, logic: str, path: tuple[Element, ...], level: int) -> _Sized:
        if logic not in _LOGIC:
            raise element.wrong(f"logicOperator {logic!r} is not one of {', '.join(_LOGIC)}")
        parts = [self._sized(child, path, level + 1) for child in element.each(VALIDATION, "Edit", "EditRef")]
        if not parts or (logic == "NOT" and len(parts) > 1):
            raise element.wrong(f"{logic} over {len(parts)} Edits means nothing")
        edits, depth = 1 + sum(part.edits for part in parts), 1 + max(part.depth for part in parts)
        if edits > EDITS_MAX or depth > DEPTH_MAX:
            why = f"with its references written out it has more than {EDITS_MAX} Edits, or lies more than {DEPTH_MAX} deep"
            raise element.wrong(f"the Edit is refused: {why}")
        return _Sized(Combine(logic, tuple(part.edit for part in parts), element.line), edits, depth)  # type: ignore[arg-type]

    def _referred(self, element: Element, path: tuple[Element, ...], level: int) -> _Sized:
        identifier = Attributes(element).need("id")
        target = self._elements.get(identifier)
        if target is None:
            if self._outer is None:
                raise element.wrong(f"EditRef names {identifier!r}, and there is no such Edit")
            return self._outer._referred(element, path, level)  # noqa: SLF001  the same class, one scope further out
        if target in path:
            raise element.wrong(f"EditRef {identifier!r} leads back to itself")
        if identifier not in self._read:
            self._read[identifier] = self._sized(target, (*path, target), level + 1)
        return self._read[identifier]


def _compare(element: Element, attributes: Attributes, operator: str) -> _Sized:
    if operator not in _EXISTENCE + _ORDERS:
        raise element.wrong(f"operator {operator!r} is not one of {', '.join(_EXISTENCE + _ORDERS)}")
    field, value, field2 = attributes.need("field"), attributes.text("value"), attributes.text("field2")
    if operator in _EXISTENCE and (value is not None or field2 is not None):
        raise element.wrong(f"{operator} takes a field alone")
    if operator in _ORDERS and (value is None) == (field2 is None):
        raise element.wrong(f"{operator} needs either a value or a field2")
    if any(True for _ in element.each(VALIDATION, "Edit", "EditRef")):
        raise element.wrong("an Edit with an operator has no Edits in it")
    return _Sized(Compare(operator, field, element.line, value, field2), 1, 1)  # type: ignore[arg-type]


def fields(edit: Edit) -> Iterator[tuple[str, int]]:
    """Every field that an edit speaks of, with the line."""
    if isinstance(edit, Combine):
        for part in edit.edits:
            yield from fields(part)
    else:
        yield edit.field, edit.line
        if edit.field2 is not None:
            yield edit.field2, edit.line


# ---------------------------------------------------------------------------------------------- deciding


class Operand(NamedTuple):
    """A field's value: text None where it has none, type None for plain text, wire values by enumID."""

    text: str | None
    type: FixType | None = None
    wire_values: Mapping[str, str] = {}


def holds(edit: Edit, lookup: Callable[[str], Operand]) -> bool:
    """Whether an edit is true. AND and OR stop at the first operand that decides.

    A field without a value equals only {NULL} and another without one; it is neither above nor below anything.

    Raises:
        NumberError: two values that cannot be compared.
    """
    if isinstance(edit, Compare):
        return _compared(edit, lookup)
    if edit.operator == "AND":
        return all(holds(part, lookup) for part in edit.edits)
    if edit.operator == "OR":
        return any(holds(part, lookup) for part in edit.edits)
    true = sum(holds(part, lookup) for part in edit.edits)
    return true == 1 if edit.operator == "XOR" else true == 0


def _compared(edit: Compare, lookup: Callable[[str], Operand]) -> bool:
    left = lookup(edit.field)
    if edit.operator in _EXISTENCE:
        return (left.text is None) == (edit.operator == "NX")
    if edit.field2 is not None:
        right = lookup(edit.field2)
    else:
        assert edit.value is not None
        value = left.wire_values.get(edit.value, edit.value)
        right = Operand(None if value in (NULL, "") else value, left.type)
    if left.text is None or right.text is None:
        return (left.text is right.text) == (edit.operator == "EQ") and edit.operator in ("EQ", "NE")
    return _ordered(edit.operator, left.text, right.text, left.type or right.type)


def _ordered(operator: str, left: str, right: str, fix_type: FixType | None) -> bool:
    if fix_type is None:  # two numbers compare as numbers, else as texts
        try:
            fix_type = FixType.FLOAT
            value_of(fix_type, left), value_of(fix_type, right)
        except NumberError:
            fix_type = FixType.STRING
    a, b = cast("Decimal", value_of(fix_type, left)), cast("Decimal", value_of(fix_type, right))
    return {"EQ": a == b, "NE": a != b, "LT": a < b, "LE": a <= b, "GT": a > b, "GE": a >= b}[operator]
