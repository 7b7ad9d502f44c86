"""The quoter's checks in a compiled loop: how long one takes, and that it says what a slow reading of the rules says."""

from __future__ import annotations

import time
from typing import Final

import numpy as np

from models import risk_kernel as kernel
from models.compiled import hot
from models.risk_kernel import Int64s

ORDERS: Final = 200_000
VERIFIED: Final = 2_000
RUNS: Final = 5


@hot
def _loop(limits: Int64s, exposure: Int64s, sent_ns: Int64s, orders: Int64s, said: Int64s) -> None:
    """Judge every row of orders, (n, 5): kill word, side, price, quantity, reference; a microsecond apart."""
    for i in range(orders.shape[0]):
        said[i] = kernel.check(
            limits, exposure, sent_ns, orders[i, 0], orders[i, 1], orders[i, 2], orders[i, 3], orders[i, 4], i * 1_000
        )
        if i % 64 == 63:  # fills and cancels free what is reserved
            exposure[kernel.BUYING] = 0
            exposure[kernel.SELLING] = 0


def hot_us() -> float:
    """Microseconds of one check, the best of several runs; the verdicts of the first orders are verified."""
    orders = _orders()
    said = np.zeros(len(orders), np.int64)
    _loop(*_fresh(), orders[:VERIFIED], said[:VERIFIED])
    assert list(said[:VERIFIED]) == _slowly(orders[:VERIFIED])
    assert np.bitwise_or.reduce(said[:VERIFIED]) == 63 and 0 in said[:VERIFIED], "every rule was broken, and kept"
    took = []
    for _ in range(RUNS):
        arrays = _fresh()
        began = time.perf_counter()
        _loop(*arrays, orders, said)
        took.append(time.perf_counter() - began)
    return round(min(took) / len(orders) * 1e6, 4)


def _fresh() -> tuple[Int64s, Int64s, Int64s]:
    limits, sent_ns = kernel.limits(
        size_max=100, collar_e9=50_000_000, long_max=500, short_max=500, messages_max=40, window_ns=150_000
    )  # fmt: skip
    return limits, np.zeros(kernel.EXPOSURES, np.int64), sent_ns


def _orders() -> Int64s:
    chance = np.random.default_rng(7)
    n = ORDERS
    kill = (chance.random(n) < 0.01).astype(np.int64)
    side = chance.choice(np.array([-1, 1], np.int64), n)
    price = 10_000 + chance.integers(-600, 600, n)
    reference = np.where(chance.random(n) < 0.01, 0, 20_001)
    return np.column_stack([kill, side, price, chance.integers(0, 104, n), reference]).astype(np.int64)


def _slowly(orders: Int64s) -> list[int]:
    """The same rules in plain Python, read from the limits' definitions."""
    buying = selling = 0
    sent: list[int] = []
    found = []
    for i, (kill, side, price, quantity, reference) in enumerate(orders.tolist()):
        said = kernel.KILLED if kill else 0
        said |= kernel.SIZE if not 0 < quantity <= 100 else 0
        said |= kernel.NO_REFERENCE if not reference else 0
        said |= kernel.COLLAR if reference and side * (price - reference / 2) > 0.05 * reference / 2 else 0
        said |= kernel.POSITION_LIMIT if (buying if side > 0 else selling) + quantity > 500 else 0
        said |= kernel.RATE if sum(i * 1_000 - at < 150_000 for at in sent[-40:]) >= 40 else 0
        if not said:
            buying, selling = (buying + quantity, selling) if side > 0 else (buying, selling + quantity)
            sent.append(i * 1_000)
        found.append(said)
        if i % 64 == 63:
            buying = selling = 0
    return found
