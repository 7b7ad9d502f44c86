"""Books, trades and features that show a hidden signal and the hidden liquidity through noise, in the nets' observation units.

Two numbers decide what can be told: `imbalance`, the signal in its usual standard deviations plus noise, and `depth`, minus the
natural logarithm of the impact factor plus noise. Everything else is drawn given these two: **the sizes of the levels hold
exactly them and no more** (their own noise is orthogonal to what reads them off), and trades, spread and features are garblings.
So a filter on the two numbers is the best that any reader of these books can do, and `read` shows how they are read.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from models import feature_arrays as fa
from models.net_contract import BOOK, CONTEXT, FEATURES, LEVELS, TRADES
from models.worlds.world import F32, F64, Seen, chance

_WEIGHTS: Final = 0.85 ** np.arange(LEVELS)  # how much a level shows of the imbalance
_SHAPE: Final = 1.4 + 0.08 * np.arange(LEVELS)  # usual log size of the levels, in size units
_LEAN: Final = 0.35  # of the log sizes by one standard deviation of imbalance
_SIZE_NOISE: Final = 0.3
_BOUGHT: Final = 0.45  # probit of a trade being a purchase, by one standard deviation
_STREAM: Final = 100  # the emission's chance begins at this stream, one for each interval


class Shown(NamedTuple):
    """What there is to be shown before an interval, (P,) each."""

    imbalance: F64  # standard deviations
    depth: F64  # natural logarithm of what stands in the book, over the usual
    moved: F64  # of the middle in the interval before, price units
    volume: F64  # traded in the interval before, over the usual
    left: F64  # share of the order
    time_left: float  # share of the horizon


def emit(shown: Shown, units: F64, seed: int, k: int) -> Seen:
    """Books and trades before interval k, from the seed alone.

    Args:
        units: (P, 2), told as they are.
    """
    size = (len(shown.imbalance), 2 * LEVELS + 3 * TRADES + 4)
    noise = chance(seed, _STREAM + k).standard_normal(size, dtype=np.float32)
    sizes, trades, rest = np.split(noise, [2 * LEVELS, 2 * LEVELS + 3 * TRADES], axis=1)
    book, spread = _book(shown, sizes, rest[:, 0])
    tape = _tape(shown, trades.reshape(-1, 3, TRADES), spread)
    return Seen(book, tape, _context(shown, book, tape, spread, rest), _own(shown), units)


def read(book: F32) -> tuple[F64, F64]:
    """The imbalance and the depth (P,) that books (P, 40) show: what a filter may know."""
    seen = book.astype(np.float64).reshape(-1, LEVELS, 4)[:, :, 1::2]  # (P, 10, 2)
    there = seen > 0  # a level that is missing is as if it were usual
    sizes = np.where(there, np.log(np.exp2(np.where(there, seen, 1.0)) - 1.0) - _SHAPE[:, None], 0.0)
    lean = (sizes[:, :, 0] - sizes[:, :, 1]) @ _WEIGHTS / (2 * _LEAN * (_WEIGHTS @ _WEIGHTS))
    return lean, sizes.mean(axis=(1, 2))


def _book(shown: Shown, noise: F32, spread_noise: F32) -> tuple[F32, F64]:
    """(P, 40), and half the spread (P,) in price units."""
    sides = _SIZE_NOISE * noise.astype(np.float64).reshape(-1, LEVELS, 2)  # (P, 10, 2)
    common, apart = sides.sum(axis=2) / 2, (sides[:, :, 0] - sides[:, :, 1]) / 2  # (P, 10)
    common -= common.mean(axis=1, keepdims=True)
    apart -= np.outer(apart @ _WEIGHTS, _WEIGHTS) / (_WEIGHTS @ _WEIGHTS)
    lean = _LEAN * np.outer(shown.imbalance, _WEIGHTS) + apart
    level = _SHAPE + shown.depth[:, None] + common
    half = 0.5 * np.exp(-0.4 * shown.depth + 0.3 * spread_noise)  # a thin book is wide
    away = half[:, None] * (1 + 0.8 * np.arange(LEVELS))
    book = np.stack([-away, np.exp(level + lean), away, np.exp(level - lean)], axis=2)  # (P, 10, 4)
    return squeeze(book).reshape(-1, BOOK), half


def _tape(shown: Shown, noise: F32, half: F64) -> F32:
    """(P, 3, 50), oldest first: prices come to where the middle is now from where it was."""
    way = np.where(noise[:, 2] + _BOUGHT * shown.imbalance[:, None] > 0, 1.0, -1.0)  # (P, 50)
    back = -shown.moved[:, None] * (1 - np.arange(1, TRADES + 1) / TRADES)
    price = back + half[:, None] * way + 0.3 * noise[:, 0]
    size = np.exp(0.6 * noise[:, 1]) * np.sqrt(shown.volume)[:, None]
    return np.stack([squeeze(price), squeeze(size), way.astype(np.float32)], axis=1)


def _context(shown: Shown, book: F32, tape: F32, half: F64, noise: F32) -> F32:
    """(P, 18): the six features, all known, in continuous trading."""
    context = np.zeros((len(book), CONTEXT), np.float32)
    bid, ask, way = np.exp2(book[:, 1]) - 1, np.exp2(book[:, 3]) - 1, tape[:, 2]
    context[:, fa.OFI] = np.tanh(0.5 * shown.imbalance + noise[:, 1])
    context[:, fa.QUEUE] = (bid - ask) / (bid + ask)
    context[:, fa.VPIN] = np.abs(way.mean(axis=1))
    context[:, fa.SPREAD] = squeeze(2 * half)
    context[:, fa.ARRIVAL] = squeeze(5 * shown.volume)
    slope = 0.5 * np.exp(-shown.depth + 0.5 * noise[:, 2])
    context[:, fa.SLOPE] = slope / (1 + slope)
    context[:, FEATURES : 2 * FEATURES] = 1.0
    context[:, 2 * FEATURES + fa.CONTINUOUS] = 1.0
    return context


def _own(shown: Shown) -> F32:
    own = np.zeros((len(shown.left), 4), np.float32)
    own[:, 0], own[:, 3] = shown.left, shown.time_left
    return own


def squeeze(x: F64) -> F32:
    """sign(x) log2(1 + abs(x)): what `models.logarithm.compress` does, for arrays."""
    return (np.sign(x) * np.log2(1 + np.abs(x))).astype(np.float32)
