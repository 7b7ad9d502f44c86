"""The event book's settings, and what a regime makes of them: the parameters of its drivers.

Scale: a tick is a basis point of the arrival price, a horizon of 20 intervals is a quarter of a day, and its usual move is
`sigma_bps`. What is calibrated, and against which published facts, is in docs/event-book.md; tests hold each fact.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from models.worlds import event_flow as ef
from models.worlds.event_flow import F64, INTERVALS, PARTS, SLOTS
from models.worlds.world import Regime

HORIZON: Final = SLOTS * INTERVALS
POWER_LIVES: Final = (0.5, 2.0, 8.0, 32.0)  # intervals: weights life^-0.5 make sums of them fall as t^-0.5


@dataclass(frozen=True)
class EventBookConfig:
    """Settings of the usual day."""

    participations: tuple[float, ...] = (0.02, 0.05, 0.10, 0.20)  # of the usual volume, order by order in turn
    usual_volume: float = 270_000.0  # shares that the others trade over a horizon of the usual day
    sigma_bps: float = 50.0  # of a horizon
    vol_sd: float = 0.45  # of the logarithm of volatility
    vol_half_life: float = 3.0  # intervals
    signal_r2: float = 0.02  # share of an interval's variance that is known at its start
    signal_half_life: float = 5.0  # intervals
    tilt: float = 2.5  # share of market orders that follow the signal, by standard deviation of an interval's move
    news: float = 0.15  # share that follows the moment's news
    toxic: float = 0.35  # share that knows the next seconds, where flow is toxic
    depths: tuple[float, float] = (2.0 / 3.0, 2.0)  # of the two states of liquidity
    stay: float = 0.9  # probability that liquidity stays for an interval
    limits_per_s: float = 12.0
    markets_per_s: float = 1.5
    life_s: float = 9.0
    lots: float = 150.0
    touch: float = 0.6  # share of limit orders at the touch
    near_bps: float = 0.4
    far_bps: float = 4.0
    half_bps: float = 0.25  # least half-spread of a quote
    slack_bps: float = 0.25  # that a quote may stand on the wrong side of the reference before its owner pulls it
    prefactor: float = 0.75  # Y of the square-root law, of the reference at the end of an even order
    stays: float = 0.2  # share of displaced volume that never comes back
    comes_back: float = 5.0  # intervals, half-life of the rest
    thirst: float = 2.0  # displaced volume by depth: price impact is in proportion to 1 / depth
    walk_bps: float = 2.0  # that an even slice of a tenth of the usual volume walks into the book: for bounds alone
    passive: float = 0.0  # share of each piece that waits at the near touch
    residual_bps: float = 50.0  # beyond the last price that the book had, for what it could not sell
    window: int = 4096  # ticks of the books' ladders


# What the regimes of that name are besides their line in REGIMES: share of toxic flow, and what the day's shape adds.
TOXIC: Final = ("toxic",)
DAY_SHAPE: Final = {"open": (2.0, 0.0), "close": (0.0, 2.0)}


def curve(name: str) -> F64:
    """(n,) share of the horizon's usual volume by interval."""
    opening, closing = DAY_SHAPE.get(name, (0.0, 0.0))
    t = (np.arange(HORIZON) + 0.5) / HORIZON
    pace = (1.0 + opening * np.exp(-4.0 * t) + closing * np.exp(-4.0 * (1.0 - t))).reshape(INTERVALS, SLOTS).sum(axis=1)
    return np.asarray(pace / pace.sum())


def volume(config: EventBookConfig, name: str) -> float:
    """Shares that the others usually trade over a horizon."""
    opening, closing = DAY_SHAPE.get(name, (0.0, 0.0))
    return config.usual_volume * (1.0 + (opening + closing) * (1.0 - math.exp(-4.0)) / 4.0)


def kernel(config: EventBookConfig, power_law: bool) -> tuple[F64, F64]:
    """Weights (4,) of the parts of displaced volume, and what is left of each a slot later."""
    if power_law:
        lives = np.array(POWER_LIVES)
        weights = lives**-0.5
        return weights / weights.sum(), np.exp(-1.0 / (lives * SLOTS))
    back = 0.5 ** (1.0 / (config.comes_back * SLOTS))
    return np.array([config.stays, 1.0 - config.stays, 0.0, 0.0]), np.array([1.0, back, 1.0, 1.0])


def left_over(weights: F64, keeps: F64) -> float:
    """Share of an even order's displaced volume that is still there when it ends."""
    ages = np.arange(HORIZON)
    return float((weights * (keeps ** ages[:, None]).mean(axis=0)).sum())


def parameters(config: EventBookConfig, name: str, regime: Regime) -> F64:
    """(PARAMETERS,) of a regime, for an order that buys. A drift is against the order."""
    par = np.zeros(ef.PARAMETERS)
    sigma = config.sigma_bps * regime.volatility
    opening, closing = DAY_SHAPE.get(name, (0.0, 0.0))
    slot = sigma / math.sqrt(HORIZON)
    keep = 0.5 ** (1.0 / (config.signal_half_life * SLOTS))
    sums = (1.0 - keep**SLOTS) / (1.0 - keep)  # of the signal over an interval, by its value at the start
    known = math.sqrt(config.signal_r2 / (1.0 - config.signal_r2)) * slot * math.sqrt(SLOTS)  # an interval's known move
    par[ef.SIGMA], par[ef.VOL_SD] = slot, config.vol_sd
    par[ef.VOL_KEEP] = 0.5 ** (1.0 / (config.vol_half_life * SLOTS))
    par[ef.SIGNAL_SD], par[ef.SIGNAL_KEEP] = regime.signal * known / sums, keep
    par[ef.DRIFT] = regime.drift * sigma / HORIZON
    par[ef.TILT], par[ef.NEWS] = config.tilt, config.news
    par[ef.TOXIC] = config.toxic if name in TOXIC else 0.0
    base = 1.0 / regime.impact
    thin, thick = config.depths if regime.switching else (1.0, 1.0)
    par[ef.THIN], par[ef.THICK] = thin * base, thick * base
    par[ef.SWITCH] = (1.0 - config.stay) / SLOTS if regime.switching else 0.0
    par[[ef.LIMITS, ef.MARKETS, ef.LIFE, ef.LOTS]] = config.limits_per_s, config.markets_per_s, config.life_s, config.lots
    par[[ef.TOUCH, ef.NEAR, ef.FAR, ef.HALF]] = config.touch, config.near_bps, config.far_bps, config.half_bps
    par[ef.OPENING], par[ef.CLOSING] = opening, closing
    weights, keeps = kernel(config, regime.power_law)
    par[ef.WEIGHT0 : ef.WEIGHT0 + PARTS], par[ef.KEEP0 : ef.KEEP0 + PARTS] = weights, keeps
    par[ef.SCALE] = config.prefactor * sigma / math.sqrt(volume(config, name) * left_over(weights, keeps))
    par[ef.THIRST], par[ef.SLACK] = config.thirst, config.slack_bps
    return par
