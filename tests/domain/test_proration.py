"""Division among accounts: exact whatever the rule, never negative, fair as far as lots allow, the same every time."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.proration import (
    Remainder,
    Rounding,
    average_price_e9,
    by_priority,
    money_e9,
    prorate,
    rounding_max_e18,
    unit_e9,
)
from domain.values import E9

QUANTITIES = st.integers(0, 10**7 * E9)
LOTS = st.sampled_from([1, E9, 10 * E9, 100 * E9]) | st.integers(1, 1000 * E9)
WEIGHTS = st.lists(st.integers(0, 10**6 * E9), min_size=1, max_size=12).filter(any)
RULES = st.fixed_dictionaries(
    {"lot_e9": LOTS, "remainder": st.sampled_from(Remainder), "minimum_ticket_e9": st.integers(0, 10**4 * E9)}
)
FAIR = (Remainder.LARGEST_REMAINDER, Remainder.MINIMUM_TICKET)


def whole(*quantities: int) -> tuple[int, ...]:
    return tuple(quantity * E9 for quantity in quantities)


@given(QUANTITIES, WEIGHTS, RULES)
def test_parts_add_up_and_are_never_negative_and_nobody_without_weight_gets_any(
    quantity_e9: int, weights: list[int], rules: dict[str, Any]
) -> None:
    parts = prorate(quantity_e9, weights, **rules)
    assert sum(parts) == quantity_e9
    assert len(parts) == len(weights)
    assert min(parts) >= 0
    assert [part for part, weight in zip(parts, weights, strict=True) if not weight and part] == []
    assert prorate(quantity_e9, list(weights), **rules) == parts


@given(QUANTITIES, WEIGHTS, RULES)
def test_at_most_one_account_is_off_the_lot(quantity_e9: int, weights: list[int], rules: dict[str, Any]) -> None:
    parts = prorate(quantity_e9, weights, **rules)
    assert len([part for part in parts if part % rules["lot_e9"]]) == (1 if quantity_e9 % rules["lot_e9"] else 0)


@given(QUANTITIES, WEIGHTS, LOTS)
def test_by_largest_remainder_every_part_is_within_a_lot_of_its_exact_share(
    quantity_e9: int, weights: list[int], lot_e9: int
) -> None:
    parts = prorate(quantity_e9, weights, lot_e9=lot_e9, remainder=Remainder.LARGEST_REMAINDER)
    for part, weight in zip(parts, weights, strict=True):
        assert abs(part - Fraction(quantity_e9 * weight, sum(weights))) < lot_e9


@given(QUANTITIES, WEIGHTS, RULES, st.sampled_from(FAIR))
def test_more_weight_never_gets_less(quantity_e9: int, weights: list[int], rules: dict[str, Any], remainder: Remainder) -> None:
    parts = prorate(quantity_e9, weights, **{**rules, "remainder": remainder})
    by_weight = sorted(zip(weights, parts, strict=True))
    for (lighter, less), (heavier, more) in pairwise(by_weight):
        assert lighter == heavier or less <= more


@given(QUANTITIES, WEIGHTS, RULES)
def test_no_ticket_is_below_the_smallest_unless_it_is_the_only_one(
    quantity_e9: int, weights: list[int], rules: dict[str, Any]
) -> None:
    parts = prorate(quantity_e9, weights, **{**rules, "remainder": Remainder.MINIMUM_TICKET})
    tickets = [part for part in parts if part]
    assert len(tickets) <= 1 or min(tickets) >= rules["minimum_ticket_e9"]


@given(QUANTITIES, WEIGHTS, RULES)
def test_priority_adds_up_and_serves_nobody_before_those_ahead_have_theirs(
    quantity_e9: int, asked_e9: list[int], rules: dict[str, Any]
) -> None:
    parts = by_priority(quantity_e9, asked_e9, **rules)
    assert sum(parts) == quantity_e9
    assert min(parts) >= 0
    for at, part in enumerate(parts):
        if part:
            assert all(parts[ahead] >= asked_e9[ahead] for ahead in range(at))


@given(QUANTITIES, QUANTITIES, WEIGHTS, RULES)
def test_priority_gives_nobody_less_where_more_is_executed(
    quantity_e9: int, more_e9: int, asked_e9: list[int], rules: dict[str, Any]
) -> None:
    assume(quantity_e9 + more_e9 <= sum(asked_e9))
    before = by_priority(quantity_e9, asked_e9, **rules)
    after = by_priority(quantity_e9 + more_e9, asked_e9, **rules)
    assert all(new >= old for old, new in zip(before, after, strict=True))


@pytest.mark.parametrize(
    ("quantity", "weights", "lot", "remainder", "minimum", "parts"),
    [
        (1000, (600, 400), 1, "largest_remainder", 0, (600, 400)),
        (100, (1, 1, 1), 1, "largest_remainder", 0, (34, 33, 33)),  # equal remainders: in the order of the accounts
        (100, (1, 1, 1), 1, "first_account", 0, (34, 33, 33)),
        (100, (1, 1, 1), 1, "last_account", 0, (33, 33, 34)),
        (300, (150, 150), 100, "largest_remainder", 0, (200, 100)),
        (250, (1, 1), 100, "largest_remainder", 0, (150, 100)),  # one lot each, the odd piece to the next in line
        (500, (3, 3, 3), 100, "first_account", 0, (300, 100, 100)),
        (500, (0, 3, 3), 100, "first_account", 0, (0, 300, 200)),  # the first that takes part
        (70, (5, 3, 2), 100, "largest_remainder", 0, (70, 0, 0)),  # less than a lot in all: one ticket
        (100, (90, 6, 4), 1, "minimum_ticket", 5, (94, 6, 0)),
        (100, (90, 5, 5), 1, "minimum_ticket", 6, (100, 0, 0)),
        (100, (50, 50), 1, "minimum_ticket", 60, (100, 0)),  # equals: the last gives way
        (100, (50, 50), 1, "minimum_ticket", 1000, (100, 0)),  # below it even together: one ticket all the same
        (0, (1, 2), 1, "largest_remainder", 0, (0, 0)),
    ],
)
def test_what_each_rule_gives(
    quantity: int, weights: tuple[int, ...], lot: int, remainder: str, minimum: int, parts: tuple[int, ...]
) -> None:
    rules = {"lot_e9": lot * E9, "remainder": Remainder(remainder), "minimum_ticket_e9": minimum * E9}
    assert prorate(quantity * E9, whole(*weights), **rules) == whole(*parts)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("quantity", "parts"), [(250, (100, 150, 0)), (100, (100, 0, 0)), (600, (100, 200, 300)), (660, (110, 220, 330))]
)
def test_priority_by_example(quantity: int, parts: tuple[int, ...]) -> None:
    rules = {"lot_e9": E9, "remainder": Remainder.LARGEST_REMAINDER}
    assert by_priority(quantity * E9, whole(100, 200, 300), **rules) == whole(*parts)  # type: ignore[arg-type]


# ------------------------------------------------------------------------------------------- prices, money

FILLS = st.lists(st.tuples(st.integers(1, 10**6 * E9), st.integers(-(10**6) * E9, 10**6 * E9)), min_size=1, max_size=8)


@given(FILLS, st.integers(0, 9), st.sampled_from(Rounding), WEIGHTS, RULES)
def test_what_accounts_pay_differs_from_what_was_executed_by_no_more_than_the_rounding(
    fills: list[tuple[int, int]], decimals: int, rounding: Rounding, weights: list[int], rules: dict[str, Any]
) -> None:
    quantity_e9 = sum(quantity for quantity, _ in fills)
    notional_e18 = sum(quantity * price for quantity, price in fills)
    price_e9 = average_price_e9(notional_e18, quantity_e9, decimals, rounding)
    paid_e18 = sum(part * price_e9 for part in prorate(quantity_e9, weights, **rules))
    assert price_e9 % unit_e9(decimals) == 0
    assert abs(paid_e18 - notional_e18) <= rounding_max_e18(quantity_e9, decimals, rounding)


@pytest.mark.parametrize(
    ("rounding", "up", "down"),
    [("half_even", 100_12, 100_12), ("half_up", 100_13, 100_12), ("down", 100_12, 100_11)],
)
def test_each_rounding_on_the_half_and_below_it(rounding: str, up: int, down: int) -> None:
    cent_e9 = E9 // 100
    assert average_price_e9(100_125 * E9 // 1000 * E9, E9, 2, Rounding(rounding)) == up * cent_e9
    assert average_price_e9(100_119 * E9 // 1000 * E9, E9, 2, Rounding(rounding)) == down * cent_e9


def test_half_up_and_down_are_symmetric_about_zero() -> None:
    assert [average_price_e9(-E9 * E9 // 2, E9, 0, rounding) for rounding in Rounding] == [0, -E9, 0]


@pytest.mark.parametrize(
    ("currency", "money"), [("USD", 12_350_000_000), ("JPY", 12 * E9), ("KWD", 12_346_000_000), ("GBX", 12 * E9)]
)
def test_money_ends_with_the_smallest_coin_of_its_currency(currency: str, money: int) -> None:
    exact_e9 = 12_345_678_900
    assert money_e9(E9, exact_e9, E9, currency) == money
    assert money_e9(E9, exact_e9, 2 * E9, "USD") == 24_690_000_000
