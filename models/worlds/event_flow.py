"""What drives the event book: prices, signal, liquidity and other traders' orders, from the seed alone. Compiled.

Every draw comes from one of two counters of its path, and how many draws a second takes depends on nothing but earlier draws.
So two strategies with one seed meet the same arrivals, sides, sizes, patience and distances; what differs is what our orders did
to the book and to the reference price around which the others quote.

Prices are ticks, sizes shares, times seconds ("slots"). One slot of path p:
- **Fundamental** M: M' = M + a + v n. n is normal, ten times in a hundred three times as wide; v has a slow lognormal factor
  (volatility clusters) and the day's shape. a is a drift plus an Ornstein-Uhlenbeck signal. With a = 0 it is a martingale.
- **Other traders' parent orders** (Lillo, Mike and Farmer 2005): three at a time, lengths Pareto 1.5, and a market order is the
  next child of one of them. Signs of trades therefore have a power-law autocorrelation of exponent 0.5. A part of the market
  orders follows the news of the moment (trades move prices), a, or, where flow is toxic, the news of the next seconds.
- **Liquidity** has two states; limit orders arrive at a rate in proportion to its depth.
- **Our impact**: the reference is M + c sqrt(E), where E is the volume that we have displaced and that has not come back: a part
  of it stays, the others decay each at its rate. This is a book whose depth grows in proportion to the distance (Donier, Bonart,
  Mastromatteo and Bouchaud 2015: c sqrt(E) is the price at which it is eaten up) with resilience of volume (Alfonsi, Fruth and
  Schied 2010, who show that it cannot be manipulated).
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models.compiled import hot, i64, inlined

F64 = NDArray[np.float64]
I64 = NDArray[np.int64]
U64 = NDArray[np.uint64]

SLOTS: Final = 60  # of an interval
INTERVALS: Final = 20
WARM: Final = 120  # slots before the order arrives
PARENTS: Final = 3
PARTS: Final = 4  # of the displaced volume

# State of a path.
# MOVED: of the fundamental in this slot, beyond what was expected. CARRIED: sum of such moves times our shares still to trade.
M, SIGNAL, LOG_VOL, DEPTH, IMPACT, MOVED, CARRIED, E0, STATE = 0, 1, 2, 3, 4, 5, 6, 7, 7 + PARTS
# Parameters of a path.
SIGMA, VOL_SD, VOL_KEEP = 0, 1, 2  # ticks per slot; of the log; share of the log kept each slot
SIGNAL_SD, SIGNAL_KEEP, DRIFT = 3, 4, 5  # ticks per slot
TILT, NEWS, TOXIC = 6, 7, 8  # shares of market orders that follow the signal (per unit of it), the news, the coming news
SWITCH, THIN, THICK = 9, 10, 11  # of liquidity: probability a slot, and depths
LIMITS, MARKETS, LIFE, TOUCH, NEAR, FAR = 12, 13, 14, 15, 16, 17  # rates a slot, slots, share at the touch, ticks, ticks
LOTS, HALF = 18, 19  # typical shares; least half-spread of a quote, ticks
OPENING, CLOSING = 20, 21  # what the day's shape adds at the beginning and at the end
WEIGHT0, KEEP0 = 22, 22 + PARTS  # of the parts of displaced volume
SCALE = 22 + 2 * PARTS  # ticks per square root of a share
THIRST = SCALE + 1  # displaced volume grows with depth^-THIRST
SLACK = SCALE + 2  # ticks that a quote may stand on the wrong side of the reference before it is pulled
PARAMETERS = SCALE + 3

AHEAD: Final = 5  # slots of news that toxic flow knows
_GOLD, _MIX1, _MIX2 = np.uint64(0x9E3779B97F4A7C15), np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_PATH, _SLOT = np.uint64(0xD1342543DE82EF95), np.uint64(0xA24BAED4963EE407)
_U30, _U27, _U31, _U11 = np.uint64(30), np.uint64(27), np.uint64(31), np.uint64(11)
_STEP = SLOTS * INTERVALS


class Drive(NamedTuple):
    """Of P paths."""

    x: F64  # (P, STATE)
    par: F64  # (P, PARAMETERS)
    rng: U64  # (P, 2) counters: what moves prices, what arrives
    key: U64  # (P,) of the news
    parents: I64  # (P, PARENTS, 2): sign, children left


@inlined
def _mixed(z: np.uint64) -> np.uint64:
    """splitmix64 (Steele, Lea and Flood 2014)."""
    z = (z ^ (z >> _U30)) * _MIX1
    z = (z ^ (z >> _U27)) * _MIX2
    return z ^ (z >> _U31)


@inlined
def draw(d: Drive, p: int, stream: int) -> float:
    """A uniform number within 0 .. 1, both excluded."""
    d.rng[p, stream] += _GOLD
    return (float(_mixed(d.rng[p, stream]) >> _U11) + 0.5) * 2.0**-53


@inlined
def _gauss(first: float, second: float) -> float:
    return math.sqrt(-2.0 * math.log(first)) * math.cos(2.0 * math.pi * second)


@inlined
def normal(d: Drive, p: int, stream: int) -> float:
    """A standard normal number (Box and Muller)."""
    first = draw(d, p, stream)
    return _gauss(first, draw(d, p, stream))


@inlined
def poisson(d: Drive, p: int, stream: int, mean: float) -> int:
    """Knuth's product of uniforms; means here are below 50."""
    n, product, least = i64(0), draw(d, p, stream), math.exp(-mean)
    while product > least:
        n += 1
        product *= draw(d, p, stream)
    return n


@hot
def news(d: Drive, p: int, slot: int) -> float:
    """The news of a slot, unit variance, heavy tails: known to whoever asks for it, also before its time."""
    base = d.key[p] + np.uint64(slot + 1) * _SLOT
    a, b, c = _mixed(base), _mixed(base + _GOLD), _mixed(base + _PATH)
    wide = 3.0 if float(c >> _U11) * 2.0**-53 < 0.1 else 1.0
    return wide * _gauss((float(a >> _U11) + 0.5) * 2.0**-53, (float(b >> _U11) + 0.5) * 2.0**-53) / math.sqrt(1.8)


@inlined
def pace(d: Drive, p: int, slot: int) -> float:
    """The day's shape of volume at a slot of the order, 1 in the middle of the day; before it as at its start."""
    t = min(max(slot, 0), _STEP) / _STEP
    return 1.0 + d.par[p, OPENING] * math.exp(-4.0 * t) + d.par[p, CLOSING] * math.exp(-4.0 * (1.0 - t))


@inlined
def alpha(d: Drive, p: int) -> float:
    """Ticks that M is expected to move in a slot."""
    return d.par[p, DRIFT] + d.par[p, SIGNAL_SD] * d.x[p, SIGNAL]


@hot
def move(d: Drive, p: int, slot: int) -> float:
    """The drivers move by a slot. Returns the volatility of the moment over its long mean."""
    x, par = d.x[p], d.par[p]
    n = normal(d, p, 0)
    x[LOG_VOL] = par[VOL_KEEP] * x[LOG_VOL] + par[VOL_SD] * math.sqrt(1.0 - par[VOL_KEEP] ** 2) * n
    shape = math.sqrt(pace(d, p, slot))
    vol = math.exp(x[LOG_VOL] - par[VOL_SD] ** 2) * shape  # the mean of its square is that of the shape
    x[MOVED] = par[SIGMA] * vol * news(d, p, slot)
    x[M] += alpha(d, p) + x[MOVED]
    x[SIGNAL] = par[SIGNAL_KEEP] * x[SIGNAL] + math.sqrt(1.0 - par[SIGNAL_KEEP] ** 2) * normal(d, p, 0)
    if draw(d, p, 0) < par[SWITCH]:
        x[DEPTH] = par[THIN] if x[DEPTH] > math.sqrt(par[THIN] * par[THICK]) else par[THICK]
    displaced = 0.0
    for part in range(PARTS):
        x[E0 + part] *= par[KEEP0 + part]
        displaced += x[E0 + part]
    x[IMPACT] = math.copysign(par[SCALE] * math.sqrt(abs(displaced)), displaced)
    return vol


@hot
def begin(d: Drive) -> None:
    """Signal, volatility and liquidity start where they usually are; parents are in the middle of their work."""
    for p in range(d.x.shape[0]):
        x, par = d.x[p], d.par[p]
        x[SIGNAL] = normal(d, p, 0)
        x[LOG_VOL] = par[VOL_SD] * normal(d, p, 0)
        x[DEPTH] = par[THIN] if draw(d, p, 0) < 0.5 else par[THICK]


@hot
def foresee(d: Drive, slot: int, intervals: int, out: F64) -> None:
    """What the drivers will do from a slot on, in a copy of them.

    Args:
        out (3, P, intervals): moves of M, the signal and the depth at each interval's start; written.
    """
    for p in range(d.x.shape[0]):
        for i in range(intervals):
            out[1, p, i], out[2, p, i] = d.x[p, SIGNAL], d.x[p, DEPTH]
            before = d.x[p, M]
            for j in range(SLOTS):
                move(d, p, slot + i * SLOTS + j)
            out[0, p, i] = d.x[p, M] - before


@inlined
def displace(d: Drive, p: int, signed: float) -> None:
    """Shares that we bought (sold: negative) displace volume: the more, the thinner the market is."""
    volume = signed * d.x[p, DEPTH] ** -d.par[p, THIRST]
    for part in range(PARTS):
        d.x[p, E0 + part] += d.par[p, WEIGHT0 + part] * volume


@hot
def side_of_market(d: Drive, p: int, slot: int) -> int:
    """+1 or -1: whose child the next market order is."""
    par, u = d.par[p], draw(d, p, 1)
    which = int(draw(d, p, 1) * PARENTS)
    length, sign = draw(d, p, 1), draw(d, p, 1)
    drift = alpha(d, p) * math.sqrt(SLOTS) / par[SIGMA]  # of an interval, in its standard deviations
    told = min(0.6, par[TILT] * abs(drift))
    if u < told:
        return 1 if drift > 0 else -1
    if u < told + par[NEWS]:
        return 1 if news(d, p, slot) > 0 else -1
    if u < told + par[NEWS] + par[TOXIC]:
        coming = 0.0
        for ahead in range(1, AHEAD + 1):
            coming += news(d, p, slot + ahead)
        return 1 if coming > 0 else -1
    parent = d.parents[p, which]
    if parent[1] <= 0:
        parent[0] = 1 if sign < 0.5 else -1
        parent[1] = int(min(length ** (-1.0 / 1.5), 1000.0))
    parent[1] -= 1
    return parent[0]


@inlined
def size_of(d: Drive, p: int) -> int:
    """Shares of an order, lognormal."""
    return i64(max(1.0, d.par[p, LOTS] * math.exp(0.8 * normal(d, p, 1) - 0.32)))


@inlined
def distance(d: Drive, p: int) -> float:
    """Ticks of a limit order behind the nearest quote: some at the touch, the others in a hump behind it."""
    touch, first, second = draw(d, p, 1), draw(d, p, 1), draw(d, p, 1)
    if touch < d.par[p, TOUCH]:
        return -d.par[p, NEAR] * math.log(first)
    return -d.par[p, FAR] * (math.log(first) + math.log(second))


@inlined
def patience(d: Drive, p: int, most: int) -> int:
    """Slots until an order is canceled."""
    return i64(min(1.0 - d.par[p, LIFE] * math.log(draw(d, p, 1)), float(most)))


def key_of(seed: int, path: int) -> int:
    """A 64-bit key of a path, the same for every number of paths."""
    z = (seed * 0x9E3779B97F4A7C15 + path * 0xD1342543DE82EF95 + 0x2545F4914F6CDD1D) & (2**64 - 1)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        z = ((z ^ (z >> shift)) * factor) & (2**64 - 1)
    return z ^ (z >> 31)
