"""What an order will cost, before it trades: a mean and an interval, from published figures alone. Pure.

    mean      half spread + Y (2/3) sigma_day sqrt(Q / V)
    variance  sigma_day^2 (T / day) / 3 + ((Y_high - Y_low) / sqrt(12))^2 ((2/3) sigma_day)^2 (Q / V)

The square-root law with a prefactor of order one: the peak impact of Q shares of a day's V is Y sigma sqrt(Q/V) (B. Toth et al.,
Physical Review X 1, 021006, 2011; Y. Sato and K. Kanazawa, arXiv:2411.13965, find the exponent 0.489 over all of a market's
stocks); an order that is filled evenly pays two thirds of its peak, the mean of a square root. We take Y as uniform between 0.5
and 1. The price moves on its own as a random walk: the mean of evenly spaced executions over a time T has a third of the walk's
variance (R. Almgren and N. Chriss, Journal of Risk 3(2), 2001). The interval is mean +- z sd, z 1.645 for 90 %.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from domain.values import E9

Y_LOW, Y_HIGH = 0.5, 1.0
DAY_MINUTES: Final = 390.0
_Z90: Final = 1.645
_EVEN: Final = 2 / 3


class Setting(NamedTuple):
    """An order in its market; None is not known. volatility_bps: a square root of a minute."""

    quantity_e9: int
    duration_ns: int
    adv_e9: int | None
    spread_bps: float | None
    volatility_bps: float | None


class Estimate(NamedTuple):
    """Basis points of the arrival price; positive is a cost. None where something is missing, which missing says."""

    mean_bps: float | None
    low_bps: float | None  # of 90 %
    high_bps: float | None
    spread_bps: float | None  # of the mean: half the spread
    impact_bps: float | None
    risk_bps: float | None  # one standard deviation, of the market's own moves and of what Y may be
    missing: tuple[str, ...] = ()


def estimate(setting: Setting) -> Estimate:
    """The cost of working an order evenly over its time, crossing half the spread."""
    told = {
        "the average daily volume": setting.adv_e9 or None,
        "the spread at arrival": setting.spread_bps,
        "the volatility before arrival": setting.volatility_bps,
    }
    if missing := tuple(f"{name} is not known" for name, value in told.items() if value is None):
        return Estimate(None, None, None, None, None, None, missing)
    assert setting.adv_e9 and setting.spread_bps is not None and setting.volatility_bps is not None
    day_bps = setting.volatility_bps * math.sqrt(DAY_MINUTES)
    peak_bps = day_bps * math.sqrt(setting.quantity_e9 / setting.adv_e9)
    impact_bps, half_bps = (Y_LOW + Y_HIGH) / 2 * _EVEN * peak_bps, setting.spread_bps / 2
    minutes = max(0, setting.duration_ns) / (60 * E9)
    prefactor_bps = (Y_HIGH - Y_LOW) / math.sqrt(12) * _EVEN * peak_bps
    risk_bps = math.sqrt(setting.volatility_bps**2 * minutes / 3 + prefactor_bps**2)
    mean_bps = half_bps + impact_bps
    return Estimate(mean_bps, mean_bps - _Z90 * risk_bps, mean_bps + _Z90 * risk_bps, half_bps, impact_bps, risk_bps)
