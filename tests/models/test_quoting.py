"""Wanted quotes and own state against their definition in exact fractions, over what any action and any market may be."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from models import quoting
from models.compiled import hot

F32 = NDArray[np.float32]


@hot
def ask_for(mid2: int, bid: int, ask: int, unit: float, action: F32, size: int, edge: int) -> tuple[int, int, int, int]:
    return quoting.wanted(mid2, bid, ask, unit, action, size, edge)


@hot
def see(inventory: int, limit: int, mid2: int, bid: int, ask: int, unit: float, left: float, own: F32) -> None:
    quoting.own_state(inventory, limit, mid2, bid, ask, unit, left, own, 0)


@hot
def without(ten: NDArray[np.int64], bid: int, bid_lots: int, ask: int, ask_lots: int) -> tuple[int, int]:
    return quoting.outside(ten, bid, bid_lots, ask, ask_lots)


def slowly(mid2: int, best_bid: int, best_ask: int, unit: float, action: F32, size: int, edge: int) -> tuple[int, int, int, int]:
    middle, unit_of = Fraction(mid2, 2), Fraction(unit)
    bid = min(math.floor(middle - Fraction(float(action[0])) * unit_of), best_ask - 1)
    ask = max(math.ceil(middle + Fraction(float(action[1])) * unit_of), best_bid + 1)
    if bid >= ask:
        bid, ask = bid - 1, ask + 1
    bid_lots, ask_lots = (math.floor(Fraction(float(factor)) * size + Fraction(1, 2)) for factor in action[2:])
    if bid <= 0 or middle - bid < Fraction(edge, 2) or bid_lots == 0:
        bid = bid_lots = 0
    if ask <= 0 or ask - middle < Fraction(edge, 2) or ask_lots == 0:
        ask = ask_lots = 0
    return bid, ask, bid_lots, ask_lots


# Eighths, so that binary numbers hold every product and only the rules are left to differ.
EIGHTHS = st.integers(0, 32).map(lambda n: n / 8)
FACTORS = st.integers(0, 16).map(lambda n: n / 8)


@given(
    bid=st.integers(1, 300), spread=st.integers(0, 12), unit=st.integers(1, 64).map(lambda n: n / 16),
    offsets=st.tuples(EIGHTHS, EIGHTHS), factors=st.tuples(FACTORS, FACTORS), size=st.integers(0, 500), edge=st.integers(0, 8),
)  # fmt: skip
def test_what_is_wanted_is_what_the_rules_say(
    bid: int, spread: int, unit: float, offsets: tuple[float, float], factors: tuple[float, float], size: int, edge: int
) -> None:
    action = np.array([*offsets, *factors], np.float32)
    said = ask_for(2 * bid + spread, bid, bid + spread, unit, action, size, edge)
    assert said == slowly(2 * bid + spread, bid, bid + spread, unit, action, size, edge)
    ours, theirs, ours_lots, theirs_lots = said
    if ours_lots:
        assert ours < bid + spread
    if theirs_lots:
        assert theirs > bid
    if ours_lots and theirs_lots:
        assert ours < theirs


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("place", range(4))
def test_an_action_that_is_no_number_is_no_quote(bad: float, place: int) -> None:
    action = np.array([1, 1, 1, 1], np.float32)
    action[place] = bad
    bid, ask, bid_lots, ask_lots = ask_for(2_001, 1_000, 1_001, 1.0, action, 100, 1)
    hit, other = ((bid, bid_lots), (ask, ask_lots)) if place in (0, 2) else ((ask, ask_lots), (bid, bid_lots))
    assert hit == (0, 0)
    assert other[1] == 100


def test_own_quotes_are_seen_at_their_distance_from_the_middle() -> None:
    own = np.zeros(4, np.float32)
    see(-30, 120, 2_001, 999, 1_003, 0.5, 0.25, own)
    assert own.tolist() == [-0.25, 3.0, 5.0, 0.25]
    see(5, 0, 2_001, 0, 1_300, 0.5, 1.0, own)
    assert own.tolist() == [0.0, 0.0, quoting.DISTANCE_MAX, 1.0]


def test_a_level_that_is_ours_alone_is_no_reference() -> None:
    ten = np.zeros((10, 4), np.int64)
    ten[:3] = [(100, 7, 104, 9), (99, 5, 105, 2), (98, 3, 0, 0)]
    assert without(ten, 0, 0, 0, 0) == (100, 104)
    assert without(ten, 100, 7, 104, 9) == (99, 105)
    assert without(ten, 100, 6, 105, 2) == (100, 104), "somebody stands there beside us, or we are further back"
    ten[0] = (100, 7, 0, 0)
    assert without(ten, 100, 7, 105, 2) == (99, 0), "nobody else offers"
