"""The market maker's exact world and its grid, run event by event: nothing of it is rounded to time steps.

Between two events (a market order, a turn of the signal's coins, a change of regime) nothing changes but time and the middle, so
quotes are set once an event: what holding costs between events is an exact product, and the only thing a maker loses against
continuous time is that quotes do not move between events. The closed form's own quotes, set this way, are worth the closed form's
value within a simulation's error (a test holds it). Market orders say how far they reached, exponential with mean 1 / kappa; a
quote trades if it stood within reach.

What the market does by itself is drawn from the seed alone, before any maker acts, and each event has a book and a tape
(`models.worlds.emission`): the imbalance shows the signal, the depth the regime, both through noise. The middle's own noise is
integrated out of rewards: a fill is worth its distance from the middle less the jump, holding q over dt is worth
(a q - phi q^2) dt, and what is left at the end costs alpha q^2.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from models import inference_layout as lay
from models.worlds.emission import Shown, emit
from models.worlds.making_exact import F64
from models.worlds.making_grid import EXACT, GridConfig, long_run, regime_table
from models.worlds.world import F32, chance

I64 = NDArray[np.int64]
I8 = NDArray[np.int8]
END, BUY, SELL, OTHER = 0, 1, 2, 3  # what an event is; END: the horizon's end comes first
PRICE_UNIT: Final = 0.4  # of the nets, prices: the usual distance 1 / kappa is 1.7 of them
SIGNAL_NOISE: Final = 0.5  # variance of the shown imbalance's noise, over the signal's
DEPTH_NOISE: Final = 0.35
_MEMORY: Final = 100.0  # events that rolling estimates reach back
_STEPS, _FIRST, _SHOWN = 21, 22, 23  # streams
_UNIFORMS: Final = 3  # of each event: when, what, how far


class MakingPaths(NamedTuple):
    """P horizons of T events at most. Row t is the moment before event t."""

    inputs: F32  # (P, T, INPUTS): what the nets see; own state is the maker's to fill in
    kind: I8  # (P, T) of the event that comes
    wait: F64  # (P, T) time until it
    reach: F64  # (P, T) how far from the middle it goes, prices
    left: F64  # (P, T) of the horizon
    signal: F64  # (P, T) drift of the middle, prices a horizon
    state: I64  # (P, T, 2) regime and number of the signal's value
    rolling: F64  # (P, T, 3) estimates that any desk could make: arrivals of a side a horizon, kappa, sigma
    length: I64  # (P,) events, the end among them


@dataclass(frozen=True)
class MakingWorld:
    """A world of `models.worlds.making_grid.GridConfig`."""

    config: GridConfig = EXACT
    name: str = "exact"

    @property
    def events_max(self) -> int:
        """Rows of a path: six deviations more than the busiest regime's mean."""
        most = 2.0 * float(regime_table(self.config)[:, 0].max()) + self._turns + self._changes
        return int(most + 6.0 * np.sqrt(most)) + 2

    @property
    def _turns(self) -> float:
        return 0.5 * self.config.signal_rate * self.config.coins

    @property
    def _changes(self) -> float:
        return self.config.regime_rate if len(self.config.regimes) > 1 else 0.0

    def draw(self, seed: int, paths: int, *, looks: bool = True) -> MakingPaths:
        """P horizons. The first rows of more are those of fewer. looks: make books and tapes as well."""
        c, most = self.config, self.events_max
        table, signals = regime_table(c), c.signals
        uniform = chance(seed, _STEPS).random((paths, most, _UNIFORMS))
        noise = chance(seed, _SHOWN).standard_normal((paths, most, 4))
        kind, wait, reach, left = (np.zeros((paths, most)) for _ in range(4))
        state, rolling, moved = np.zeros((paths, most, 2), np.int64), np.zeros((paths, most, 3)), np.zeros((paths, most))
        now, estimates = self._first(seed, paths), _Estimates(c, paths)
        time_left: F64 = np.ones(paths)
        before: F64 = np.zeros(paths)
        for t in range(most):
            arrivals, coins = table[now[:, 0], 0], now[:, 1]
            rate = 2.0 * arrivals + self._turns + self._changes
            dt = -np.log1p(-uniform[:, t, 0]) / rate
            last = dt >= time_left
            dt = np.where(last, time_left, dt)
            which = uniform[:, t, 1] * rate
            buys, sells = which < arrivals, (which >= arrivals) & (which < 2.0 * arrivals)
            what = np.where(last, END, np.where(buys, BUY, np.where(sells, SELL, OTHER)))
            kind[:, t], wait[:, t], left[:, t], state[:, t], moved[:, t] = what, dt, time_left, now, before
            reach[:, t] = -np.log1p(-uniform[:, t, 2]) / table[now[:, 0], 1]
            rolling[:, t] = estimates.now()
            way = np.where(what == BUY, 1.0, np.where(what == SELL, -1.0, 0.0))
            before = signals[coins] * dt + c.base.sigma * np.sqrt(dt) * noise[:, t, 0] + c.jump * way
            estimates.add(dt, way, reach[:, t], before)
            now = self._next(now, what, which - 2.0 * arrivals, uniform[:, t, 2])
            time_left = np.where(last, 0.0, time_left - dt)
        length = (left > 0).sum(axis=1)
        signal, inputs = signals[state[:, :, 1]], np.zeros((paths, most, lay.INPUTS), np.float32)
        if looks:
            self._show(seed, inputs, left, signal, state, moved, noise)
        return MakingPaths(inputs, kind.astype(np.int8), wait, reach, left, signal, state, rolling, length)

    def _first(self, seed: int, paths: int) -> I64:
        """(P, 2) regimes and signals of their long run."""
        chances = np.cumsum(long_run(self.config).ravel())
        place = np.searchsorted(chances, chance(seed, _FIRST).random(paths) * chances[-1])
        return np.stack(np.divmod(place, self.config.coins + 1), axis=1).astype(np.int64)

    def _next(self, now: I64, what: F64, beyond: F64, uniform: F64) -> I64:
        """(P, 2): a coin has turned, or the regime has changed. beyond (P,): where in the rates of these two the draw fell."""
        coins, count = self.config.coins, len(self.config.regimes)
        other = what == OTHER
        turned = other & (beyond < self._turns)
        heads = beyond / max(self._turns, 1e-300) < now[:, 1] / max(coins, 1)  # each coin is as likely as the others
        signal = now[:, 1] + np.where(turned, np.where(heads, -1, 1), 0)
        jump = 1 + np.floor(uniform * max(count - 1, 1)).astype(np.int64)
        regime = np.where(other & ~turned, (now[:, 0] + jump) % count, now[:, 0])
        return np.stack([regime, signal], axis=1)

    def _show(self, seed: int, inputs: F32, left: F64, signal: F64, state: I64, moved: F64, noise: F64) -> None:
        """Books and tapes of every moment that there is."""
        there = left > 0
        depth = np.array([one.depth for one in self.config.regimes])[state[:, :, 0]]
        lean = signal / self.config.signal_sd if self.config.coins else signal
        n = int(there.sum())
        shown = Shown(
            (lean + np.sqrt(SIGNAL_NOISE) * noise[:, :, 1])[there], (depth + DEPTH_NOISE * noise[:, :, 2])[there],
            moved[there] / PRICE_UNIT, np.exp(0.3 * noise[:, :, 3] - 0.045)[there], np.zeros(n), 0.0,
        )  # fmt: skip
        seen = emit(shown, np.ones((n, 2)), seed, 0)
        flat = np.concatenate([seen.book, seen.tape.reshape(n, -1), seen.context], axis=1)
        inputs[there, : flat.shape[1]] = flat


class _Estimates:
    """Rolling arrivals, reach and volatility, with the usual day's as if they had been seen for a whole memory."""

    def __init__(self, config: GridConfig, paths: int) -> None:
        base, rate = config.base, 2.0 * config.base.arrivals
        self._keep = 1.0 - 1.0 / _MEMORY
        start = np.array([_MEMORY, _MEMORY / rate, _MEMORY / base.kappa, base.sigma**2 * _MEMORY / rate])
        self._sums = np.tile(start, (paths, 1))  # orders, time, reach, squared moves

    def add(self, dt: F64, way: F64, reach: F64, moved: F64) -> None:
        came = np.abs(way)
        self._sums = self._keep * self._sums + np.stack([came, dt, came * reach, moved**2], axis=1)

    def now(self) -> F64:
        """(P, 3)."""
        orders, time, reached, squares = self._sums.T
        return np.stack([0.5 * orders / time, orders / reached, np.sqrt(squares / time)], axis=1)
