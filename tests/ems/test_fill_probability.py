"""How likely a resting order is filled: what the forecast says, what the market's volume says, and when nobody knows."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.market_state import MarketState
from domain.observation import Observation, Observed
from domain.values import E9, Side
from ems.fill_probability import Drains, Trading, drains

S = 1_000_000_000
MARKET = MarketState(instrument="ABC", time_ns=0, bid_e9=99 * E9, bid_size_e9=400 * E9, ask_e9=101 * E9, ask_size_e9=800 * E9)


def seen(fills: tuple[float, float] | None, *, at_s: float = 0.0) -> Observed:
    told = Observation(time_ns=int(at_s * S), arrays="", price_unit_e9=1, size_unit_e9=1, step_ns=2 * S)
    return Observed("ABC", told, (0.0,) * 128, fills)


def test_the_forecast_is_met_at_the_back_of_the_queue_after_a_hundred_events() -> None:
    for side, p, queue in ((Side.BUY, 0.4, 400), (Side.SELL, 0.7, 800)):
        found = drains(side, MARKET, seen((0.4, 0.7)), None, S)
        assert found is not None and found.source == "forecast"
        assert found.chance(queue * E9, 0, 20 * S).probability == pytest.approx(p)
        assert found.chance(queue * E9, 0, 10 * S).probability == pytest.approx(1 - math.sqrt(1 - p))


def test_without_a_forecast_half_of_what_trades_meets_our_side() -> None:
    found = drains(Side.BUY, MARKET, None, 2 * 10.0, 0)
    assert found == Drains(10.0, "volume")
    assert found.chance(400 * E9, 100 * E9, 50 * S).probability == pytest.approx(1 - math.exp(-1))


@pytest.mark.parametrize("found", [seen(None), seen((0.5, 0.5), at_s=-61), seen((0.5, 0.5), at_s=1)])
def test_a_forecast_that_is_none_old_or_of_the_future_is_none(found: Observed) -> None:
    assert drains(Side.BUY, MARKET, found, None, 0) is None
    said = drains(Side.BUY, MARKET, found, 1.0, 0)
    assert said is not None and said.source == "volume"


def test_a_certain_forecast_is_still_a_number() -> None:
    found = drains(Side.BUY, MARKET, seen((1.0, 0.0)), None, 0)
    assert found is not None and math.isfinite(found.e9_per_ns)
    assert drains(Side.SELL, MARKET, seen((1.0, 0.0)), None, 0) == Drains(0.0, "forecast")


@given(st.floats(0, 1e6), st.integers(0, 10**15), st.integers(0, 10**15), st.integers(-(10**12), 10**12))
def test_a_chance_is_a_probability_that_rises_with_time_and_falls_with_the_queue(
    rate: float, ahead: int, quantity: int, rest: int
) -> None:
    drained = Drains(rate, "volume")
    p = drained.chance(ahead, quantity, rest).probability
    assert 0.0 <= p <= 1.0
    assert p <= drained.chance(ahead, quantity, rest + S).probability
    assert p >= drained.chance(ahead + E9, quantity, rest).probability


def at(time_s: float, volume: int) -> MarketState:
    return MARKET.model_copy(update={"time_ns": int(time_s * S), "volume_e9": volume * E9})


def test_trading_is_known_after_five_seconds_and_forgets_in_minutes() -> None:
    trading = Trading()
    assert trading.per_ns("ABC") is None
    trading.note(at(0, 1_000))
    trading.note(at(4, 1_040))
    assert trading.per_ns("ABC") is None
    trading.note(at(6, 1_060))
    trading.note(at(6, 1_060))
    assert trading.per_ns("ABC") == pytest.approx(10.0, rel=1e-3)
    trading.note(at(3, 9_000))  # an older one that comes late
    assert trading.per_ns("ABC") == pytest.approx(10.0, rel=1e-3)
    trading.note(at(606, 1_060))
    rate = trading.per_ns("ABC")
    assert rate is not None and rate < 0.01


def test_a_new_day_begins_anew() -> None:
    trading = Trading()
    trading.note(at(0, 1_000))
    trading.note(at(10, 2_000))
    trading.note(at(20, 5))
    assert trading.per_ns("ABC") is None
    trading.note(at(30, 25))
    assert trading.per_ns("ABC") == pytest.approx(2.0)
