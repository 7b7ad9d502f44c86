"""Numbers at 1e-9, rounding, and stream ids."""

from __future__ import annotations

import uuid
from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import NumberError
from domain.values import E9_MAX, Side, StreamId, divide_round, event_id, from_e9, multiply_e9, stream_id, to_e9


@pytest.mark.parametrize(
    ("text", "value_e9"),
    [
        ("0", 0),
        ("1", 10**9),
        ("-1.5", -1_500_000_000),
        ("187.01", 187_010_000_000),
        ("0.000000001", 1),
        ("1E+2", 100 * 10**9),
        ("9223372036.854775807", E9_MAX),
        (" 2 ", 2 * 10**9),
    ],
)
def test_a_decimal_is_exact(text: str, value_e9: int) -> None:
    assert to_e9(text) == value_e9
    assert from_e9(value_e9) == Decimal(text.strip())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("0.0000000001", "finer"),
        ("9223372036.854775808", "too large"),
        ("1e30", "too large"),
        ("1e999999", "is not a decimal number"),  # beyond what Decimal itself can scale
        ("NaN", "finite"),
        ("Infinity", "finite"),
        ("", "not a decimal"),
        ("12,5", "not a decimal"),
        ("one", "not a decimal"),
    ],
)
def test_what_does_not_fit_is_an_error_that_says_why(text: str, why: str) -> None:
    with pytest.raises(NumberError, match=why):
        to_e9(text)


@given(st.integers(-E9_MAX, E9_MAX))
def test_there_and_back(value_e9: int) -> None:
    assert to_e9(from_e9(value_e9)) == value_e9
    assert to_e9(f"{from_e9(value_e9):f}") == value_e9


def test_the_callers_decimal_context_changes_nothing() -> None:
    with localcontext(prec=4):
        assert from_e9(123_456_789_012_345) == Decimal("123456.789012345")


@pytest.mark.parametrize(
    ("numerator", "denominator", "quotient"),
    [(5, 2, 2), (7, 2, 4), (-5, 2, -2), (-7, 2, -4), (1, 3, 0), (2, 3, 1), (-2, 3, -1), (5, -2, -2), (7, -2, -4), (0, 7, 0)],
)
def test_division_rounds_half_to_even(numerator: int, denominator: int, quotient: int) -> None:
    assert divide_round(numerator, denominator) == quotient


@given(st.integers(-(10**40), 10**40), st.integers(-(10**20), 10**20).filter(bool))
def test_division_is_that_of_fractions(numerator: int, denominator: int) -> None:
    assert divide_round(numerator, denominator) == round(Fraction(numerator, denominator))


def test_money_is_price_times_quantity() -> None:
    assert multiply_e9(to_e9("187.015"), to_e9("100")) == to_e9("18701.5")


def test_a_side_has_a_sign() -> None:
    assert (Side.BUY.sign, Side.SELL.sign) == (1, -1)


@given(st.uuids(), st.integers(0, 10**9))
def test_an_events_id_is_the_uuid5_of_its_place(stream: uuid.UUID, version: int) -> None:
    assert event_id(StreamId(str(stream)), version) == str(uuid.uuid5(stream, str(version)))


def test_a_stream_id_is_a_key_and_nothing_else() -> None:
    assert stream_id("fill", "V", "2026-03-02", "E1") == stream_id("fill", "V", "2026-03-02", "E1")
    assert stream_id("fill", "V", "E1") != stream_id("fill", "VE", "1")
    assert uuid.UUID(stream_id("fill", "V")).version == 5
