"""Occupied prices as bits, against a sorted list, over ladders of one word and of all three levels of summary."""

from __future__ import annotations

from bisect import bisect_left, bisect_right

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from models.market.bits import PRICES_MAX, above, below, occupy, vacate, words

# Neighbours in one word, in one word of the first summary, in one of the second, and far away.
bases = st.sampled_from([0, 63, 4_095, 4_096, 65_535, 131_072, PRICES_MAX - 130])
places = st.builds(lambda base, near: base + near, bases, st.integers(0, 129))


@settings(max_examples=200, deadline=None)
@given(st.lists(st.tuples(places, st.booleans()), min_size=15, max_size=40), places, st.integers(0, 1))
def test_the_next_price_is_the_lists(changes: list[tuple[int, bool]], asked: int, side: int) -> None:
    bits, there = np.zeros((2, 2, words(PRICES_MAX)), np.int64), set[int]()
    for place, taken in changes:
        (occupy if taken else vacate)(bits, 1, side, place)
        (there.add if taken else there.discard)(place)
        order = sorted(there)
        for i in (place, asked, place - 1, place + 1):
            down, up = bisect_right(order, i), bisect_left(order, i)
            assert below(bits, 1, side, min(i, PRICES_MAX - 1)) == (order[down - 1] if down else -1)
            assert above(bits, 1, side, max(i, 0)) == (order[up] if up < len(order) else -1)
    assert not bits[0].any() and not bits[1, 1 - side].any()
    for place in there:
        vacate(bits, 1, side, place)
    assert not bits.any()


@pytest.mark.parametrize("prices", [1, 64, 65, 4_097, PRICES_MAX])
def test_the_ends_of_a_ladder(prices: int) -> None:
    bits = np.zeros((1, 2, words(prices)), np.int64)
    assert below(bits, 0, 0, prices - 1) == above(bits, 0, 0, 0) == above(bits, 0, 0, prices) == below(bits, 0, 0, -1) == -1
    for end in (0, prices - 1):
        occupy(bits, 0, 0, end)
    assert above(bits, 0, 0, 0) == 0 and below(bits, 0, 0, prices - 1) == prices - 1
    assert below(bits, 0, 0, max(0, prices - 2)) == 0
