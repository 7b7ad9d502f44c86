"""POV: a share of what the market has traded, never more than remains."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvariantBroken
from domain.schedule import PlanRequest
from domain.values import E9
from models.planners.pov import Pov
from tests.models.planners.requests import START_NS, request, traded


def pov(volume: int, **changes: Any) -> PlanRequest:
    return request(**{"participation_e9": E9 // 10, "started_volume_e9": 5_000 * E9, "market": traded(volume), **changes})


@pytest.mark.parametrize(
    ("volume", "filled", "due"),
    [
        (5_000, 0, 0),
        (5_009, 0, 0),  # nine tenths of a share
        (5_019, 0, 1),
        (7_000, 0, 200),
        (7_000, 150, 50),
        (7_000, 200, 0),
        (7_000, 250, 0),  # ahead
        (4_000, 0, 0),  # a market state from before the order
        (50_000, 900, 100),  # all that remains
    ],
)
def test_what_is_due(volume: int, filled: int, due: int) -> None:
    asked = pov(volume, filled_e9=filled * E9, remaining_e9=(1_000 - filled) * E9)
    schedule = Pov().plan(asked)
    assert schedule.target_e9(START_NS) == (filled + due) * E9
    assert len(schedule.slices) == (due > 0)


def test_lots_and_the_odd_rest() -> None:
    assert Pov().plan(pov(7_999, lot_e9=100 * E9)).target_e9(START_NS) == 200 * E9
    assert Pov().plan(pov(7_999, lot_e9=100 * E9, remaining_e9=50 * E9)).target_e9(START_NS) == 50 * E9


def test_an_amendment_begins_a_new_count() -> None:
    asked = pov(7_000, filled_e9=600 * E9, start_filled_e9=550 * E9, remaining_e9=400 * E9)
    assert Pov().plan(asked).target_e9(START_NS) == 750 * E9


def test_nothing_is_due_before_the_start_or_without_a_market() -> None:
    assert Pov().plan(pov(9_000, now_ns=START_NS - 1)).slices == ()
    assert Pov().plan(pov(9_000, market=None)).slices == ()


def test_a_rate_is_needed() -> None:
    with pytest.raises(InvariantBroken, match="without a participation rate"):
        Pov().plan(pov(9_000, participation_e9=None))


@given(
    volume=st.integers(0, 10**6),
    filled=st.integers(0, 1_000),
    rate_e9=st.integers(1, E9),
    lot_e9=st.sampled_from([E9, 100 * E9]),
)
def test_it_never_exceeds_its_share_nor_the_order(volume: int, filled: int, rate_e9: int, lot_e9: int) -> None:
    asked = pov(volume, filled_e9=filled * E9, remaining_e9=(1_000 - filled) * E9, participation_e9=rate_e9, lot_e9=lot_e9)
    target_e9 = Pov().plan(asked).target_e9(START_NS)
    assert filled * E9 <= target_e9 <= 1_000 * E9
    if target_e9 > filled * E9:
        assert target_e9 * E9 <= rate_e9 * max(0, volume - 5_000) * E9
