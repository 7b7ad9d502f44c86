"""What drives a market: a recorded tape, or a seeded flow where there is none.

The generated flow is zero-intelligence around a mean-reverting fair price: limit orders arrive as a Poisson process
at geometric distances from it and are canceled after exponential lifetimes; market orders arrive as a second process
with heavy-tailed sizes. It never looks at the book, so the same seed gives the same events whatever our orders do,
and a restarted venue can run it forward to where it was. Reference for the mechanics: Smith, Farmer, Gillemot and
Krishnamurthy, "Statistical theory of the continuous double auction" (2003).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.tape import FLAG_ALL, FLAG_IOC, FLAG_MAY_BE_GONE, TAPE, Kind, Tape, empty_tape

_SLICE_NS: Final = 1_000_000_000
_ID_MIN: Final = 1 << 32


class RecordedFlow:
    """A tape that gives each event once, when it is due."""

    def __init__(self, tape: Tape, *, ends_ns: int | None = None) -> None:
        self._tape = tape
        self._times = tape["ts_event_ns"]
        self._next = 0
        self._ends_ns = ends_ns if ends_ns is not None else int(self._times[-1]) + 1 if tape.size else None

    def until(self, now_ns: int) -> Tape:
        """Events with a time up to now, in recorded order."""
        end = max(self._next, int(np.searchsorted(self._times, now_ns, side="right")))
        due = self._tape[self._next : end]
        self._next = end
        return due

    @property
    def ends_ns(self) -> int | None:
        """Just after the last event, unless the maker of the flow knew better."""
        return self._ends_ns


@dataclass(frozen=True, slots=True)
class FlowParameters:
    """Rates are per second, prices in ticks, sizes in lots.

    fair_sd_ticks is the fair price's standard deviation per square root of a second; reversion its pull per second.
    """

    fair_ticks: int
    limit_rate: float = 12.0
    market_rate: float = 1.2
    lifetime_s: float = 25.0
    distance_p: float = 0.35  # of the geometric distance behind the best price
    size_lots: int = 100  # typical order size; orders are multiples of it
    fair_sd_ticks: float = 0.5
    reversion: float = 0.01
    opening_orders: int = 60  # per side, so that the market is there at the first moment
    u_curve: bool = False  # more trading near open_ns and close_ns


class GeneratedFlow:
    """Endless (or until close_ns) market events, one second at a time, from a generator handed in.

    Args:
        rng: its state alone decides all events from open_ns on.
        open_ns: time of the first event.
        close_ns: end of the session; needed for the U-curve.
    """

    def __init__(
        self, rng: np.random.Generator, parameters: FlowParameters, *, open_ns: int, close_ns: int | None = None
    ) -> None:
        self._rng = rng
        self._p = parameters
        self._open_ns = open_ns
        self._close_ns = close_ns
        self._made_until_ns = open_ns
        self._away = 0.0  # of the fair price from its mean, ticks
        self._next_id = _ID_MIN
        self._cancels = empty_tape()
        self._ready = self._opening()

    def until(self, now_ns: int) -> Tape:
        """Events with a time up to now."""
        end_ns = now_ns if self._close_ns is None else min(now_ns, self._close_ns)
        parts = [self._ready]
        while self._made_until_ns <= end_ns:
            parts.append(self._slice())
        events = np.concatenate(parts) if len(parts) > 1 else self._ready
        split = int(np.searchsorted(events["ts_event_ns"], now_ns, side="right"))
        self._ready = events[split:]
        return events[:split]

    def leaving(self, now_ns: int) -> Tape:
        """Cancels up to now of the orders that have come so far, in place of `until`: nothing new comes any more."""
        due = self._cancels["ts_event_ns"] <= now_ns
        events, self._cancels = self._cancels[due], self._cancels[~due]
        return events[np.argsort(events["ts_event_ns"], kind="stable")]

    @property
    def ends_ns(self) -> int | None:
        """The close, if there is one."""
        return self._close_ns

    def _opening(self) -> Tape:
        count = self._p.opening_orders
        sides = np.repeat(np.array([1, -1], np.int8), count)
        times = np.full(2 * count, self._open_ns, np.int64)
        return self._limit_orders(times, sides, patience=4.0)

    def _slice(self) -> Tape:
        """The next second: fair price moves, orders arrive, earlier ones are canceled."""
        p, rng, start = self._p, self._rng, self._made_until_ns
        self._away += -p.reversion * self._away + p.fair_sd_ticks * float(rng.standard_normal())
        pace = self._pace(start)
        limits, markets = int(rng.poisson(p.limit_rate * pace)), int(rng.poisson(p.market_rate * pace))
        times = start + np.sort(rng.integers(0, _SLICE_NS, limits))
        sides = rng.choice(np.array([1, -1], np.int8), limits)
        arriving = self._limit_orders(times, sides, patience=1.0)
        taking = self._market_orders(start + rng.integers(0, _SLICE_NS, markets))
        self._made_until_ns = start + _SLICE_NS
        due = self._cancels["ts_event_ns"] < self._made_until_ns
        events = np.concatenate([arriving, taking, self._cancels[due]])
        self._cancels = self._cancels[~due]
        return events[np.argsort(events["ts_event_ns"], kind="stable")]

    def _limit_orders(self, times: NDArray[np.int64], sides: NDArray[np.int8], *, patience: float) -> Tape:
        count, p, rng = times.size, self._p, self._rng
        orders = self._blank(times)
        fair = p.fair_ticks + self._away
        distance = rng.geometric(p.distance_p, count) - 1
        orders["kind"], orders["side"] = Kind.ADD, sides
        orders["price_ticks"] = np.where(sides > 0, np.ceil(fair) - 1 - distance, np.floor(fair) + 1 + distance)
        orders["size_lots"] = p.size_lots * rng.geometric(0.5, count)
        cancels = orders.copy()
        cancels["kind"], cancels["flags"] = Kind.CANCEL, FLAG_ALL | FLAG_MAY_BE_GONE
        cancels["ts_event_ns"] += 1 + rng.exponential(p.lifetime_s * patience * 1e9, count).astype(np.int64)
        cancels["ts_recv_ns"] = cancels["ts_event_ns"]
        self._cancels = np.concatenate([self._cancels, cancels])
        return orders

    def _market_orders(self, times: NDArray[np.int64]) -> Tape:
        p, rng = self._p, self._rng
        orders = self._blank(times)
        sides = rng.choice(np.array([1, -1], np.int8), times.size)
        orders["kind"], orders["side"], orders["flags"] = Kind.ADD, sides, FLAG_IOC
        orders["price_ticks"] = p.fair_ticks + round(self._away) + 50 * sides.astype(np.int64)  # a collar, as venues have
        orders["size_lots"] = np.maximum(1, p.size_lots * rng.lognormal(0.3, 0.8, times.size)).astype(np.int64)
        return orders

    def _blank(self, times: NDArray[np.int64]) -> Tape:
        orders = np.zeros(times.size, TAPE)
        orders["ts_event_ns"] = orders["ts_recv_ns"] = times
        orders["order_id"] = self._next_id + np.arange(times.size)
        self._next_id += times.size
        return orders

    def _pace(self, at_ns: int) -> float:
        """Trading relative to the day's mean: 1, or a parabola from about 1.9 at the ends to 0.6 at noon."""
        if not self._p.u_curve or self._close_ns is None:
            return 1.0
        part = (at_ns - self._open_ns) / (self._close_ns - self._open_ns)
        return 0.6 + 1.2 * (2 * part - 1) ** 2
