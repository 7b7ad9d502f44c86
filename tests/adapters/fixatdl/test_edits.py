"""Edits: what they decide, and references that lead nowhere, round in circles, or to more than can be decided."""

from __future__ import annotations

import pytest

from adapters.fixatdl.attributes import VALIDATION
from adapters.fixatdl.document import Edit
from adapters.fixatdl.edits import DEPTH_MAX, Definitions, Operand, fields, holds
from adapters.fixatdl.xml import Element, parse
from domain.errors import NumberError, ReferenceDataError
from domain.wire_parameter import FixType

VALUES = {
    "A": Operand("5", FixType.INT),
    "B": Operand("10", FixType.INT),
    "None": Operand(None, FixType.INT),
    "Start": Operand("20261127-09:30:00", FixType.UTC_TIMESTAMP),
    "End": Operand("20261127-09:30:00.5", FixType.UTC_TIMESTAMP),
    "Style": Operand("H", FixType.CHAR, {"e_Hasty": "H", "e_None": ""}),
    "FIX_OrderQty": Operand("700"),
    "FIX_Side": Operand("1"),
    "FIX_Price": Operand(None),
    "FIX_Text": Operand("abc"),
}


def rules(text: str) -> list[Element]:
    """Elements that begin on line 2."""
    return parse("f", f'<x xmlns="{VALIDATION}">\n{text}\n</x>'.encode()).children


def read(*edits: str, notes: list[str] | None = None) -> Edit:
    """The last of these, the others being definitions."""
    *definitions, last = rules("\n".join(edits))
    return Definitions(definitions, [] if notes is None else notes).edit(last)


@pytest.mark.parametrize(
    ("attributes", "true"),
    [
        ('field="A" operator="EX"', True),
        ('field="A" operator="NX"', False),
        ('field="None" operator="EX"', False),
        ('field="None" operator="NX"', True),
        ('field="A" operator="EQ" value="5"', True),
        ('field="A" operator="EQ" value="05"', True),
        ('field="A" operator="NE" value="5"', False),
        ('field="A" operator="LT" value="10"', True),
        ('field="A" operator="LE" value="5"', True),
        ('field="A" operator="GT" value="10"', False),
        ('field="A" operator="GE" value="5"', True),
        ('field="A" operator="LT" field2="B"', True),
        ('field="B" operator="LE" field2="A"', False),
        ('field="Start" operator="LT" field2="End"', True),
        ('field="End" operator="GT" field2="Start"', True),
        ('field="Style" operator="EQ" value="e_Hasty"', True),
        ('field="Style" operator="EQ" value="H"', True),
        ('field="Style" operator="EQ" value="e_None"', False),
        ('field="FIX_OrderQty" operator="GT" value="80"', True),  # as numbers: as texts it would be the other way
        ('field="FIX_OrderQty" operator="GT" field2="B"', True),
        ('field="FIX_Text" operator="EQ" value="abc"', True),
        ('field="FIX_Text" operator="LT" value="abd"', True),
        ('field="None" operator="EQ" value="{NULL}"', True),
        ('field="A" operator="EQ" value="{NULL}"', False),
        ('field="A" operator="NE" value="{NULL}"', True),
        ('field="None" operator="EQ" value="5"', False),
        ('field="None" operator="NE" value="5"', True),
        ('field="None" operator="LT" value="5"', False),
        ('field="None" operator="GE" value="5"', False),
        ('field="None" operator="EQ" field2="FIX_Price"', True),
        ('field="None" operator="GE" field2="FIX_Price"', False),
        ('field="None" operator="NE" field2="FIX_Price"', False),
    ],
)
def test_comparisons(attributes: str, true: bool) -> None:
    assert holds(read(f"<Edit {attributes}/>"), VALUES.__getitem__) is true


T, F = '<Edit field="A" operator="EX"/>', '<Edit field="A" operator="NX"/>'


@pytest.mark.parametrize(
    ("logic", "parts", "true"),
    [
        ("AND", (T,), True), ("AND", (T, T, T), True), ("AND", (T, F, T), False),
        ("OR", (F,), False), ("OR", (F, F, T), True), ("OR", (F, F), False),
        ("XOR", (T, F, F), True), ("XOR", (T, T, F), False), ("XOR", (T, T, T), False), ("XOR", (F, F), False),
        ("NOT", (T,), False), ("NOT", (F,), True),
    ],
)  # fmt: skip
def test_logic(logic: str, parts: tuple[str, ...], true: bool) -> None:
    assert holds(read(f'<Edit logicOperator="{logic}">{"".join(parts)}</Edit>'), VALUES.__getitem__) is true


@pytest.mark.parametrize(("logic", "first"), [("AND", F), ("OR", T)])
def test_and_and_or_stop_where_they_know(logic: str, first: str) -> None:
    edit = read(f'<Edit logicOperator="{logic}">{first}<Edit field="A" operator="LT" value="abc"/></Edit>')
    assert holds(edit, VALUES.__getitem__) is (logic == "OR")


def test_values_that_cannot_be_compared_are_said() -> None:
    with pytest.raises(NumberError, match="'abc' is not a whole number"):
        holds(read('<Edit field="A" operator="LT" value="abc"/>'), VALUES.__getitem__)


def test_a_reference_stands_for_its_edit_and_order_is_kept() -> None:
    edit = read(f'<Edit id="x" logicOperator="NOT">{F}</Edit>', f'<Edit logicOperator="AND"><EditRef id="x"/>{T}</Edit>')
    assert list(fields(edit)) == [("A", 2), ("A", 3)]
    assert holds(edit, VALUES.__getitem__)


def test_a_strategy_hides_the_files_definition_but_sees_the_others() -> None:
    outer = Definitions(rules('<Edit id="a" field="A" operator="EX"/><Edit id="b" field="B" operator="EX"/>'), [])
    own, *references = rules('<Edit id="a" field="A" operator="NX"/><EditRef id="a"/><EditRef id="b"/>')
    inner = Definitions([own], [], outer)
    assert [holds(inner.edit(reference), VALUES.__getitem__) for reference in references] == [False, True]


def doubling(levels: int) -> list[str]:
    """Definitions of which each names the one before it twice."""
    first = '<Edit id="d0" field="A" operator="EX"/>'
    return [first] + [
        f'<Edit id="d{n}" logicOperator="OR"><EditRef id="d{n - 1}"/><EditRef id="d{n - 1}"/></Edit>' for n in range(1, levels)
    ]


def round_about(name: str, other: str) -> str:
    return f'<Edit id="{name}" logicOperator="NOT">\n<EditRef id="{other}"/></Edit>'


@pytest.mark.parametrize(
    ("edits", "line", "why"),
    [
        (["<Edit/>"], 2, "either an operator or a logicOperator"),
        ([f'<Edit operator="EX" field="A" logicOperator="AND">{T}</Edit>'], 2, "either an operator or a logicOperator"),
        (['<Edit field="A" operator="LIKE" value="x"/>'], 2, "operator 'LIKE' is not one of"),
        (['<Edit logicOperator="NAND"/>'], 2, "logicOperator 'NAND' is not one of"),
        (['<Edit operator="EX"/>'], 2, "Edit lacks its field"),
        (['<Edit field="A" operator="EX" value="1"/>'], 2, "EX takes a field alone"),
        (['<Edit field="A" operator="EQ"/>'], 2, "either a value or a field2"),
        (['<Edit field="A" operator="EQ" value="1" field2="B"/>'], 2, "either a value or a field2"),
        ([f'<Edit field="A" operator="EX">{T}</Edit>'], 2, "no Edits in it"),
        (['<Edit logicOperator="AND"/>'], 2, "AND over 0 Edits"),
        ([f'<Edit logicOperator="NOT">{T}{T}</Edit>'], 2, "NOT over 2 Edits"),
        ([T, '<EditRef id="x"/>'], 2, "Edit lacks its id"),
        (['<EditRef id="nowhere"/>'], 2, "'nowhere', and there is no such Edit"),
        (['<EditRef/>'], 2, "EditRef lacks its id"),
        (['<Edit id="x" field="A" operator="EX"/>'] * 2 + [T], 3, "second Edit has the id 'x'"),
        (['<Edit id="x" logicOperator="NOT"><EditRef id="x"/></Edit>', T], 2, "'x' leads back to itself"),
        ([round_about("x", "y"), round_about("y", "x"), T], 5, "'x' leads back to itself"),
        ([*doubling(40), T], 15, "more than 10000 Edits"),
    ],
)  # fmt: skip
def test_refused(edits: list[str], line: int, why: str) -> None:
    with pytest.raises(ReferenceDataError, match=f"^f line {line}: .*{why}"):
        read(*edits)


def test_a_chain_of_references_ends() -> None:
    chain = ['<Edit id="c0" field="A" operator="EX"/>']
    chain += [f'<Edit id="c{n}" logicOperator="NOT"><EditRef id="c{n - 1}"/></Edit>' for n in range(1, 3 * DEPTH_MAX)]
    with pytest.raises(ReferenceDataError, match=f"{DEPTH_MAX} deep"):
        read(*chain, T)
    with pytest.raises(ReferenceDataError, match=f"{DEPTH_MAX} deep"):
        read(*reversed(chain), T)


def test_many_rules_cannot_each_refer_to_much() -> None:
    definitions = Definitions(rules("\n".join(doubling(12))), [])
    (reference,) = rules('<EditRef id="d11"/>')
    definitions.edit(reference)
    definitions.edit(reference)
    with pytest.raises(ReferenceDataError, match="the file's rules have more than 10000 Edits"):
        definitions.edit(reference)


def test_an_attribute_that_edits_do_not_have_is_noted() -> None:
    notes: list[str] = []
    read('<Edit field="A" operator="EX" colour="red"/>', notes=notes)
    assert notes == ["line 2: Edit has an attribute 'colour' that is not read"]
