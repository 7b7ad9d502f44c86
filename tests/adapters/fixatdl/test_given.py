"""What an order says in a broker's fields, read back: every value that `apply` sends is given again."""

from __future__ import annotations

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from adapters.fixatdl.apply import Applied, apply
from adapters.fixatdl.day import Day
from adapters.fixatdl.given import Given, given
from adapters.fixatdl.read import read
from tests.adapters.fixatdl.broker import WITH_PAIR

DOCUMENT = read("broker.xml", WITH_PAIR.encode())
FLOAT, PAIR = DOCUMENT.strategies
DAY = Day(date(2026, 11, 27), ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    "values",
    [
        {"Rate": "0.125"},
        {"Rate": "0.1", "Style": "e_Calm", "Pools": "p_Two p_One", "Limit": "10.01", "Note": "quick", "Sweep": "Y"},
        {"Rate": "0.01", "Start": "20261127-15:00:00", "End": "20261127-16:00:00"},
    ],
)
def test_what_was_sent_is_given(values: dict[str, str]) -> None:
    applied = apply(DOCUMENT, FLOAT, values, order={"Side": "1", "OrderQty": "1", "Price": None}, day=DAY)
    assert isinstance(applied, Applied)
    again = given(FLOAT, [(tag, text) for tag, text in applied.fields()])
    assert isinstance(again, Given)
    assert {name: float(v) if name == "Rate" else v for name, v in again.values.items()} == {
        **{name: float(v) if name == "Rate" else v for name, v in values.items()}, "Desk": "PT", "Cut": "20:45:00",
    }  # fmt: skip


def test_an_order_of_a_basket_has_the_parameters_of_the_strategy_and_of_the_group() -> None:
    found = given(PAIR, [(55, "X"), (7203, "0.5"), (7201, "-2"), (957, "1"), (958, "Leg"), (959, "14"), (960, "far")])
    assert found == Given({"Leg": "far", "Spread": "0.5", "Ratio": "-2"})


def test_fields_that_are_not_the_strategys_are_left_alone() -> None:
    assert given(FLOAT, [(9999, "x"), (38, "100"), (7103, "10")]) == Given({"Rate": "0.10"})


def test_a_wire_value_that_is_another_values_name_is_taken_as_the_wire_value() -> None:
    swapped = WITH_PAIR.replace('enumID="e_Calm" wireValue="C"', 'enumID="H" wireValue="C"')
    swapped = swapped.replace('enumID="e_Hasty" wireValue="H"', 'enumID="C" wireValue="H"')
    swapped = swapped.replace("e_Calm", "H").replace("e_Hasty", "C")
    (strategy, _) = read("b.xml", swapped.encode()).strategies
    assert given(strategy, [(7104, "H")]) == Given({"Style": "C"})


@pytest.mark.parametrize("text", ["1e3", "", "12,5", "9" * 40, "-", "NaN"])
def test_a_percentage_that_is_no_number_is_refused_or_nothing(text: str) -> None:
    assert not isinstance(given(FLOAT, [(7103, text)]), Given)
