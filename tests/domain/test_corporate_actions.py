"""Splits by exact ratios: nothing is rounded, nothing is done twice, and what does not come out is said."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.corporate_actions import NotExact, carried_over, ratio, renamed, taking_effect
from domain.day_rows import CorporateAction, DayRow, FxRate, Locate, Position, ReferencePrice
from domain.values import E9, E9_MAX

DAY, BEFORE = date(2026, 11, 24), date(2026, 11, 23)


def split(new: int, old: int, effective: date = DAY, symbol: str = "A") -> CorporateAction:
    return CorporateAction(id="1", symbol=symbol, kind="split", effective=effective, new_shares=new, old_shares=old)


def rename(old: str, new: str, effective: date = DAY) -> CorporateAction:
    return CorporateAction(id="2", symbol=new, kind="rename", effective=effective, old_symbol=old)


def carried(row: DayRow, *actions: CorporateAction) -> DayRow | NotExact:
    return carried_over(row, {"A": actions}, renamed(actions, DAY), DAY)


def position(quantity_e9: int, as_of: date = BEFORE, symbol: str = "A") -> Position:
    return Position(account="HOUSE", symbol=symbol, quantity_e9=quantity_e9, as_of=as_of)


@given(st.integers(-(10**15), 10**15), st.integers(1, 1000), st.integers(1, 1000))
def test_a_position_is_exact_or_refused(quantity_e9: int, new: int, old: int) -> None:
    exact = Fraction(quantity_e9 * new, old)
    found = carried(position(quantity_e9), split(new, old))
    if new == old:
        assert found == position(quantity_e9)
    elif exact.denominator == 1:
        assert found == position(int(exact), DAY)
        assert carried(found, split(new, old)) == found
    else:
        assert isinstance(found, NotExact) and found.column == "quantity"


def test_a_price_goes_the_other_way() -> None:
    price = ReferencePrice(symbol="A", close_e9=90 * E9, as_of=BEFORE)
    assert carried(price, split(3, 1)) == ReferencePrice(symbol="A", close_e9=30 * E9, as_of=DAY)
    assert carried(price, split(1, 7)) == ReferencePrice(symbol="A", close_e9=630 * E9, as_of=DAY)
    assert isinstance(carried(price, split(7, 1)), NotExact)


def test_a_number_beyond_fixed_point_is_refused() -> None:
    assert isinstance(carried(position(E9_MAX), split(2, 1)), NotExact)
    assert isinstance(carried(position(-E9_MAX), split(2, 1)), NotExact)


def test_splits_of_the_same_day_multiply_before_anything_is_judged() -> None:
    assert carried(position(5 * E9), split(1, 3), split(3, 1)) == position(5 * E9)
    assert ratio([split(2, 1), split(3, 1), split(5, 1, symbol="B")], "A", BEFORE, DAY) == 6


@pytest.mark.parametrize(
    ("as_of", "effective", "by"),
    [
        (BEFORE, DAY, 2),
        (DAY, DAY, 1),  # the row is of after it
        (BEFORE, BEFORE, 1),
        (BEFORE, DAY + timedelta(days=1), 1),  # still to come
        (BEFORE - timedelta(days=3), BEFORE - timedelta(days=1), 2),  # on a weekend in between
    ],
)
def test_which_rows_an_action_changes(as_of: date, effective: date, by: int) -> None:
    assert ratio([split(2, 1, effective)], "A", as_of, DAY) == by


def test_a_row_gets_the_new_name_and_the_split_of_the_new_name() -> None:
    found = carried_over(position(5 * E9, symbol="OLD"), {"A": [split(2, 1)]}, renamed([rename("OLD", "A")], DAY), DAY)
    assert found == position(10 * E9, DAY)


def test_a_coming_name_changes_nothing() -> None:
    assert renamed([rename("OLD", "A", DAY + timedelta(days=1))], DAY)("OLD") == "OLD"


def test_rows_that_are_of_no_instrument_stay_as_they_are() -> None:
    rate = FxRate(currency="EUR", rate_e9=E9, as_of=BEFORE)
    assert carried(rate, split(2, 1)) == rate


def test_a_locate_keeps_its_other_terms() -> None:
    locate = Locate(id="L", account="HOUSE", symbol="A", quantity_e9=E9, expires=DAY, as_of=BEFORE)
    assert carried(locate, split(2, 1)) == locate.model_copy(update={"quantity_e9": 2 * E9, "as_of": DAY})


@pytest.mark.parametrize(
    ("previous", "effective", "takes"),
    [
        (date(2026, 11, 20), [date(2026, 11, 20), date(2026, 11, 21), DAY, date(2026, 11, 25)], [1, 2]),
        (None, [BEFORE, DAY], [1]),
    ],
)
def test_what_takes_effect_is_what_came_since_the_last_trading_day(
    previous: date | None, effective: Sequence[date], takes: list[int]
) -> None:
    actions = [split(2, 1, day) for day in effective]
    assert taking_effect(actions, DAY, lambda _: previous) == tuple(actions[number] for number in takes)
