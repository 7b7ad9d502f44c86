"""Costs against arrival, the market's VWAP and the whole order; None where there is no basis."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import InvariantBroken
from domain.market_state import MarketState
from domain.values import E9, Side, to_e9
from ems.tca.summary import Summary, summary


def market(bid: str | None, ask: str | None, *, volume: int = 0, notional: int = 0, last: str | None = None) -> MarketState:
    prices: dict[str, Any] = {"bid_e9": bid, "ask_e9": ask, "last_e9": last}
    known = {name: to_e9(price) for name, price in prices.items() if price is not None}
    return MarketState(instrument="AMZN", time_ns=0, volume_e9=volume * E9, notional_e9=notional * E9, **known)


ARRIVAL = market("99.98", "100.02", volume=10_000, notional=990_000)
END = market("100.48", "100.52", volume=12_000, notional=1_190_400)  # 2,000 shares at 100.2


def fills(*pairs: tuple[int, str]) -> list[tuple[int, int]]:
    return [(quantity * E9, to_e9(price)) for quantity, price in pairs]


def test_a_filled_buy() -> None:
    done = summary(Side.BUY, 400 * E9, fills((100, "100.1"), (300, "100.3")), ARRIVAL, END)
    assert done == Summary(
        filled_e9=400 * E9,
        fill_rate=1.0,
        avg_price_e9=to_e9("100.25"),
        arrival_price_e9=to_e9(100),
        is_bps=25.0,
        shortfall_bps=25.0,
        market_volume_e9=2_000 * E9,
        market_vwap_e9=to_e9("100.2"),
        vwap_slippage_bps=pytest.approx(10_000 * 0.05 / 100.2),
        participation=0.2,
    )


def test_a_sell_gains_where_a_buy_pays() -> None:
    bought = summary(Side.BUY, 400 * E9, fills((100, "100.1"), (200, "100.3")), ARRIVAL, END)
    sold = summary(Side.SELL, 400 * E9, fills((100, "100.1"), (200, "100.3")), ARRIVAL, END)
    assert bought.is_bps is not None
    assert bought.is_bps > 0
    assert (sold.is_bps, sold.shortfall_bps) == (-bought.is_bps, -(bought.shortfall_bps or 0))
    assert sold.vwap_slippage_bps == -(bought.vwap_slippage_bps or 0)
    assert sold.fill_rate == 0.75


def test_what_is_not_filled_costs_the_move_it_missed() -> None:
    """Half filled at arrival, the other half missed 50 cents of 100: nothing lost on fills, 25 bps on the order."""
    done = summary(Side.BUY, 200 * E9, fills((100, "100")), ARRIVAL, END)
    assert (done.is_bps, done.shortfall_bps) == (0.0, 25.0)
    none = summary(Side.BUY, 200 * E9, (), ARRIVAL, END)
    assert (none.is_bps, none.shortfall_bps) == (None, 50.0)


def test_nothing_filled() -> None:
    done = summary(Side.SELL, 100 * E9, (), ARRIVAL, END)
    assert (done.filled_e9, done.fill_rate, done.participation) == (0, 0.0, 0.0)
    assert (done.avg_price_e9, done.is_bps, done.vwap_slippage_bps) == (None, None, None)
    assert done.market_vwap_e9 == to_e9("100.2")


@pytest.mark.parametrize(
    ("arrival", "end", "missing"),
    [
        (None, END, {"arrival_price_e9", "is_bps", "shortfall_bps", "market_volume_e9", "market_vwap_e9"}),
        (ARRIVAL, None, {"shortfall_bps", "market_volume_e9", "market_vwap_e9", "vwap_slippage_bps", "participation"}),
        (ARRIVAL, ARRIVAL, {"market_vwap_e9", "vwap_slippage_bps", "participation"}),  # nothing traded
        (END, ARRIVAL, {"market_volume_e9", "market_vwap_e9", "vwap_slippage_bps", "participation"}),  # another session
        (market(None, "100"), END, {"arrival_price_e9", "is_bps", "shortfall_bps"}),
        (ARRIVAL, market(None, None, volume=12_000, notional=1_190_400), {"shortfall_bps"}),
    ],
)
def test_without_a_basis_there_is_no_figure(arrival: MarketState | None, end: MarketState | None, missing: set[str]) -> None:
    done = summary(Side.BUY, 200 * E9, fills((100, "100.5")), arrival, end)
    found = {name for name in Summary.__slots__ if getattr(done, name) is None}
    assert missing <= found
    if arrival is not None and end is not None:
        assert found == missing


def test_the_last_trade_stands_in_for_an_empty_side() -> None:
    done = summary(Side.BUY, 100 * E9, fills((100, "101")), market(None, "103", last="100"), END)
    assert (done.arrival_price_e9, done.is_bps) == (to_e9(100), 100.0)


def test_figures_are_plain_numbers_under_the_names_of_the_summary_line() -> None:
    figures = summary(Side.BUY, 400 * E9, fills((100, "100.1"), (300, "100.3")), ARRIVAL, END).figures()
    assert {"filled", "avg_px", "arrival_px", "is_bps", "vwap_slippage_bps", "fill_rate"} <= set(figures)
    assert (figures["filled"], figures["avg_px"], figures["arrival_px"], figures["market_vwap"]) == (400, 100.25, 100, 100.2)
    assert summary(Side.BUY, E9, (), None, None).figures()["avg_px"] is None


@pytest.mark.parametrize(("quantity_e9", "fill"), [(0, (1, 1)), (-1, (1, 1)), (1, (0, 1)), (1, (1, 0))])
def test_impossible_numbers_are_refused(quantity_e9: int, fill: tuple[int, int]) -> None:
    with pytest.raises(InvariantBroken):
        summary(Side.BUY, quantity_e9, [fill], ARRIVAL, END)


@given(prices=st.lists(st.integers(1, 10**14), min_size=1, max_size=20), quantity_e9=st.integers(1, 10**15))
def test_the_average_lies_within_the_fills_and_trading_with_oneself_costs_nothing(prices: list[int], quantity_e9: int) -> None:
    pairs = [(quantity_e9, price_e9) for price_e9 in prices]
    bought = summary(Side.BUY, quantity_e9 * len(prices), pairs, ARRIVAL, END)
    sold = summary(Side.SELL, quantity_e9 * len(prices), pairs, ARRIVAL, END)
    assert bought.avg_price_e9 is not None
    assert min(prices) <= bought.avg_price_e9 <= max(prices)
    assert (bought.is_bps or 0) + (sold.is_bps or 0) == 0
