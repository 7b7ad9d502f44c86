"""What the event book is calibrated to, measured in it: the published facts of markets and of impact (docs/event-book.md).

Everything here is a measurement of books and trades alone, as one would take it of a recorded day; nothing reads the drivers.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from models.market.layout import I64
from models.observation import COUNT, DIRECTION
from models.worlds.event_book import EventBook, EventState
from models.worlds.event_flow import F64, SLOTS
from models.worlds.event_market import interval

STEP: Final = 10  # slots between two looks at the market
RATIO_OVER: Final = 10  # steps


class Day(NamedTuple):
    """Paths watched without an order of ours."""

    mids: F64  # (P, T) every STEP slots, bps
    signs: list[I64]  # (trades,) of each path: aggressors' directions in order
    spread: F64  # (P, T) bps, NaN while a side is empty
    best: F64  # (P, T) mean of the shares at the two best prices
    volume: F64  # (P,)


def watch(world: EventBook, seed: int, paths: int, regime: str) -> Day:
    """Look at a horizon every ten seconds."""
    state = world.start(seed, paths, regime)
    market, none = state.market, np.zeros(paths, np.int64)
    steps = world.intervals * SLOTS // STEP
    mids, spread, best = (np.zeros((paths, steps)) for _ in range(3))
    signs: list[list[I64]] = [[] for _ in range(paths)]
    total, now, volume = np.zeros(paths), np.zeros(paths), np.zeros(paths)
    for step in range(steps):
        seen = market.watch.ints[:, COUNT].copy()
        interval(market, step * STEP, STEP, state.sides, none, none, 0.0, now, volume)
        total += volume
        mids[:, step], top = now, market.desk.ten[:, 0]
        whole = (top[:, 1] > 0) & (top[:, 3] > 0)
        spread[:, step] = np.where(whole, top[:, 2] - top[:, 0], np.nan)
        best[:, step] = 0.5 * (top[:, 1] + top[:, 3])
        for p in range(paths):
            signs[p].append(_latest(market.watch.trades[p], market.watch.ints[p], int(market.watch.ints[p, COUNT] - seen[p])))
    return Day(mids, [np.concatenate(one) for one in signs], spread, best, total)


def _latest(ring: I64, ints: I64, new: int) -> I64:
    """The last `new` trades' directions, oldest first."""
    new = min(new, len(ring))
    return np.asarray(np.roll(ring, -int(ints[0]), axis=0)[len(ring) - new :, DIRECTION])


def variance_ratio(mids: F64, over: int = RATIO_OVER) -> float:
    """Variance of moves over so many steps by as many times that of one step; 1 for a martingale. Lo and MacKinlay 1988."""
    one, many = np.diff(mids, axis=1), mids[:, over:] - mids[:, :-over]
    return float(np.mean(many**2) / (over * np.mean(one**2)))


def kurtosis(mids: F64) -> float:
    """Of the moves of a step; 3 for a normal distribution."""
    moves = np.diff(mids, axis=1)
    return float(np.mean(moves**4) / np.mean(moves**2) ** 2)


def clustering(mids: F64, lag: int = 1) -> float:
    """Autocorrelation of absolute moves."""
    size = np.abs(np.diff(mids, axis=1))
    size = size - size.mean()
    return float(np.mean(size[:, lag:] * size[:, :-lag]) / np.mean(size**2))


def sign_exponent(signs: list[I64], lags: tuple[int, ...] = (2, 4, 8, 16, 32, 64, 128)) -> tuple[float, F64]:
    """The power with which the autocorrelation of trades' signs falls, by least squares on logarithms; and it, by lag."""
    products = np.array([np.concatenate([one[lag:] * one[:-lag] for one in signs]).mean() for lag in lags])
    kept = np.maximum(products, 1e-6)
    return float(-np.polyfit(np.log(lags), np.log(kept), 1)[0]), products


def impact_path(world: EventBook, seed: int, paths: int, regime: str, worked: int) -> tuple[F64, F64]:
    """Middles with an even order over the first `worked` intervals less those of the same seed without, in the buyer's frame.

    Returns (moved (P, n) bps at each interval's start, the order over the horizon's usual volume (P,)).
    """
    with_order, without = (_worked(world, seed, paths, regime, part) for part in (worked, 0))
    share = with_order.total / world.public(with_order).usual_volume[0]
    return with_order.mids - without.mids, share


def _worked(world: EventBook, seed: int, paths: int, regime: str, worked: int) -> EventState:
    state = world.start(seed, paths, regime)
    for k in range(world.intervals - 1):
        state = world.trade(state, state.total / max(worked, 1) if k < worked else np.zeros(paths))
    return state
