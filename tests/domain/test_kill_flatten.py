"""Flattening reduces, and never past zero, whatever fills meanwhile; a limit stays within its collar."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.kill_flatten import Position, limit_e9, to_trade
from domain.values import E9, Side

SIGNED = st.integers(-(10**15), 10**15)
OPEN = st.integers(0, 10**15)


@given(st.builds(Position, SIGNED, SIGNED, OPEN, OPEN), st.integers(1, 100), st.data())
def test_no_fill_of_what_is_out_takes_the_account_past_zero_by_the_order(
    position: Position, lot: int, data: st.DataObject
) -> None:
    side, quantity_e9 = to_trade(position, lot * E9)
    assert quantity_e9 % (lot * E9) == 0
    assert quantity_e9 <= abs(position.scope_e9), "no more than the trip is about"
    if not quantity_e9:
        return
    others_e9 = data.draw(st.integers(0, position.selling_e9 if side is Side.SELL else position.buying_e9))
    left_e9 = position.account_e9 + side.sign * (quantity_e9 + others_e9)
    assert left_e9 * position.account_e9 >= 0, "the sign never turns"
    assert abs(left_e9) < abs(position.account_e9), "it reduces"


@pytest.mark.parametrize(
    ("position", "wanted"),
    [
        (Position(100, 100, 0, 0), (Side.SELL, 100)),
        (Position(-100, -100, 0, 0), (Side.BUY, 100)),
        (Position(100, 100, 0, 30), (Side.SELL, 70)),  # a sell whose cancel has no answer yet
        (Position(100, 100, 30, 0), (Side.SELL, 100)),  # a buy that may fill only adds
        (Position(100, 100, 0, 100), (Side.SELL, 0)),
        (Position(100, 60, 0, 0), (Side.SELL, 60)),  # somebody else has sold from the account
        (Position(100, -5, 0, 0), (Side.SELL, 0)),
        (Position(40, 100, 0, 0), (Side.SELL, 40)),  # of one strategy among others
        (Position(0, 100, 0, 0), (Side.BUY, 0)),
        (Position(15, 15, 0, 0), (Side.SELL, 10)),  # whole lots
    ],
)
def test_it_takes_what_is_certain_to_reduce(position: Position, wanted: tuple[Side, int]) -> None:
    scaled = Position(*(part * E9 for part in position))
    assert to_trade(scaled, 10 * E9) == (wanted[0], wanted[1] * E9)


@given(st.integers(1, 10**15), st.sampled_from(Side), st.integers(1, 2000))
def test_a_limit_stays_within_its_collar_on_the_side_that_trades(reference_e9: int, side: Side, bps: int) -> None:
    limit = limit_e9(reference_e9, side, bps)
    assert abs(limit - reference_e9) <= reference_e9 * bps // 10_000
    assert side.sign * (limit - reference_e9) >= 0
