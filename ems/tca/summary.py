"""Transaction cost analysis: what an order cost against the market it met. Pure; a figure without a basis is None.

Signs: positive is a cost, for buys and sells alike. Prices and quantities are integers at 1e-9.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from domain.errors import InvariantBroken
from domain.market_state import MarketState
from domain.values import E9, Side, divide_round

BPS = 10_000


@dataclass(frozen=True, slots=True)
class Summary:
    """An order's execution against its benchmarks.

    The arrival price is the mid when the order came, or the last trade where a side of the book was empty. is_bps is
    the cost of what was filled against it; shortfall_bps is that of the whole order (Perold's), what was not filled
    taken at the mid at the end. vwap_slippage_bps is measured against everything that traded between the two market
    states, our own fills included; participation is our share of that.
    """

    filled_e9: int
    fill_rate: float
    avg_price_e9: int | None
    arrival_price_e9: int | None
    is_bps: float | None
    shortfall_bps: float | None
    market_volume_e9: int | None
    market_vwap_e9: int | None
    vwap_slippage_bps: float | None
    participation: float | None

    def figures(self) -> dict[str, float | None]:
        """The figures as plain numbers (shares, currency, basis points) for screens and JSON."""
        return {
            "filled": self.filled_e9 / E9,
            "avg_px": _number(self.avg_price_e9),
            "arrival_px": _number(self.arrival_price_e9),
            "is_bps": self.is_bps,
            "shortfall_bps": self.shortfall_bps,
            "market_vwap": _number(self.market_vwap_e9),
            "vwap_slippage_bps": self.vwap_slippage_bps,
            "fill_rate": self.fill_rate,
            "participation": self.participation,
        }


def summary(
    side: Side,
    quantity_e9: int,
    fills: Iterable[tuple[int, int]],
    arrival: MarketState | None,
    end: MarketState | None,
) -> Summary:
    """Sum an order up.

    Args:
        quantity_e9: what the order was for.
        fills: (quantity_e9, price_e9) of each.
        arrival: the market when the order came, None where it was not known.
        end: the market when the order ended, or now.

    Raises:
        InvariantBroken: the order or a fill has no positive quantity or price.
    """
    fills = tuple(fills)
    if quantity_e9 <= 0 or any(fill_e9 <= 0 or price_e9 <= 0 for fill_e9, price_e9 in fills):
        raise InvariantBroken("an order and its fills have positive quantities and prices")
    filled_e9 = sum(fill_e9 for fill_e9, _ in fills)
    paid_e18 = sum(fill_e9 * price_e9 for fill_e9, price_e9 in fills)
    arrival_e9, end_e9 = _price(arrival), _price(end)
    volume_e9, notional_e9 = _traded(arrival, end)
    vwap_e18 = (notional_e9 * E9, volume_e9) if volume_e9 and notional_e9 is not None else None
    return Summary(
        filled_e9=filled_e9,
        fill_rate=filled_e9 / quantity_e9,
        avg_price_e9=divide_round(paid_e18, filled_e9) if filled_e9 else None,
        arrival_price_e9=arrival_e9,
        is_bps=_cost_bps(side, paid_e18, filled_e9, (arrival_e9, 1) if arrival_e9 else None),
        shortfall_bps=_shortfall_bps(side, quantity_e9, filled_e9, paid_e18, arrival_e9, end_e9),
        market_volume_e9=volume_e9,
        market_vwap_e9=divide_round(*vwap_e18) if vwap_e18 else None,
        vwap_slippage_bps=_cost_bps(side, paid_e18, filled_e9, vwap_e18),
        participation=filled_e9 / volume_e9 if volume_e9 else None,
    )


def _cost_bps(side: Side, paid_e18: int, filled_e9: int, benchmark: tuple[int, int] | None) -> float | None:
    """The average price paid against a benchmark price given as a fraction (at 1e-9); exact until the last division."""
    if not filled_e9 or benchmark is None:
        return None
    numerator, denominator = benchmark
    return side.sign * BPS * (paid_e18 * denominator - numerator * filled_e9) / (numerator * filled_e9)


def _shortfall_bps(
    side: Side, quantity_e9: int, filled_e9: int, paid_e18: int, arrival_e9: int | None, end_e9: int | None
) -> float | None:
    """Cost of the whole order against buying or selling all of it at arrival."""
    left_e9 = max(0, quantity_e9 - filled_e9)
    if not arrival_e9 or (left_e9 and end_e9 is None):
        return None
    missed_e18 = left_e9 * ((end_e9 or 0) - arrival_e9)
    return side.sign * BPS * (paid_e18 - arrival_e9 * filled_e9 + missed_e18) / (arrival_e9 * quantity_e9)


def _price(market: MarketState | None) -> int | None:
    """The mid, or the last trade where there is none."""
    if market is None:
        return None
    return market.last_e9 if market.mid_e9 is None else market.mid_e9


def _traded(arrival: MarketState | None, end: MarketState | None) -> tuple[int, int] | tuple[None, None]:
    """Volume and notional between two states of one session; nothing is known where the sums went back."""
    if arrival is None or end is None:
        return None, None
    volume_e9, notional_e9 = end.volume_e9 - arrival.volume_e9, end.notional_e9 - arrival.notional_e9
    return (volume_e9, notional_e9) if volume_e9 >= 0 and notional_e9 >= 0 else (None, None)


def _number(value_e9: int | None) -> float | None:
    return None if value_e9 is None else value_e9 / E9
