"""The exact linear-quadratic world: linear impact that is part temporary, part transient, part permanent, a signal that decays,
and liquidity that switches between two states. Its optimum is known (`models.worlds.bounds`).

Scale: the even schedule costs 2/3 Y sigma_T sqrt(participation), the square-root law's average over a uniform order, split into
temporary, transient and permanent parts by `split`. R2 is the share of an interval's variance that the signal knows at its start:
sd(a) = sigma sqrt(R2 / (1 - R2)). The liquidity factor multiplies temporary and transient impact alike.

Books and trades show signal and liquidity through noise (`models.worlds.emission`): the imbalance is a / sd(a) plus normal noise
of variance `signal_noise`, the log depth is minus the log factor plus normal noise of deviation `depth_noise`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, NamedTuple

import numpy as np

from models.worlds.emission import Shown, emit
from models.worlds.world import (
    ARRIVAL,
    CAP_SLICES,
    F64,
    INTERVALS,
    REGIMES,
    Cost,
    Public,
    Regime,
    Seen,
    Truth,
    chance,
    config_sha256,
    regime_named,
)

_NOISE, _SIGNAL, _LIQUIDITY, _VOLUME, _SHOWN, _LATER = 1, 2, 3, 4, 5, 6  # streams
POWER: Final = 0.4  # exponent of the power law by which a displacement comes back, where a regime says so
UNITS_OF_SIGMA: Final = 8.0  # price units in the deviation of one interval's move
TRADES_OF_VOLUME: Final = 100.0  # size units in one interval's usual volume


class Scenario(NamedTuple):
    """How one order differs from the others of its world. Order i has scenario i modulo their number."""

    participation: float = 0.1  # the order over the horizon's usual volume
    volatility: float = 1.0  # times the world's
    impact: float = 1.0  # times the world's
    drift: float = 0.0  # as in a regime


@dataclass(frozen=True)
class LqConfig:
    """Everything that decides how the world behaves."""

    intervals: int = INTERVALS
    sigma_bps: float = 10.0  # of an interval's move
    volume_shares: float = 10_000.0  # usual, of an interval
    prefactor: float = 1.0  # Y of the square-root law
    split: tuple[float, float, float] = (0.3, 0.5, 0.2)  # of the even schedule's cost: temporary, transient, permanent
    resilience_half_life: float = 5.0  # intervals
    signal_r2: float = 0.02
    signal_half_life: float = 5.0  # intervals
    signal_noise: float = 0.5  # variance of the shown imbalance's noise, over the signal's
    factors: tuple[float, float] = (0.5, 1.5)  # of impact, deep and thin
    stay: float = 0.9  # chance that liquidity stays as it is
    depth_noise: float = 0.35
    curve: tuple[float, ...] = (1.0,) * INTERVALS  # usual volume by interval, over the average; temporary impact is its inverse
    volume_noise: float = 0.3  # log deviation of an interval's volume
    scenarios: tuple[Scenario, ...] = (Scenario(),)


class Impact(NamedTuple):
    """Of the usual state, by order (P,): price per share."""

    eta: F64
    kappa: F64
    gamma: F64


class Hidden(NamedTuple):
    """What the market is and does by itself; rows are orders."""

    usual: Impact
    factor: F64  # (P, n) of temporary and transient impact
    mean_factor: F64  # (P,)
    reversion: float  # share of the factor's distance from its mean that is left an interval later
    kernel: F64  # (n + 1,) share of a displacement that is left l intervals later
    signal: F64  # (P, n) expected moves, as far as anybody can know
    drift: F64  # (P, n) what is expected of the moves that happen: the signal, unless prices run backward
    moves: F64  # (P, n)
    volume: F64  # (P, n + 1) of the interval before each
    imbalance: F64  # (P, n) shown
    depth: F64  # (P, n) shown
    units: F64  # (P, 2)
    impact: F64  # (P,) of regime and scenario, over the world's
    volatility: F64  # (P,)


@dataclass(frozen=True)
class LqState:
    """Before interval k. Arrays of the past have k columns."""

    seed: int
    hidden: Hidden
    total: F64  # (P,)
    bought: F64  # (P, k)
    prices: F64  # (P, k)
    mids: F64  # (P, k + 1)
    spent: F64  # (P,) expected cost so far, shares times basis points

    @property
    def k(self) -> int:
        """Intervals that are over."""
        return self.bought.shape[1]

    @property
    def left(self) -> F64:
        """(P,) shares."""
        return self.total - self.bought.sum(axis=1)


class LqWorld:
    """See the module. Also the world of the chapter, with other settings (`models.worlds.chapter`)."""

    regimes: tuple[str, ...] = tuple(REGIMES)

    def __init__(self, config: LqConfig | None = None, name: str = "lq") -> None:
        self.name, self.config = name, config or LqConfig()
        self.intervals = self.config.intervals
        self.curve = np.array(self.config.curve) / np.mean(self.config.curve)  # (n,)

    @property
    def config_sha256(self) -> str:
        """Of name, settings and regimes."""
        return config_sha256(self.name, self.config)

    def start(self, seed: int, paths: int, regime: str = "mixed") -> LqState:
        """P orders have arrived."""
        own = [self.config.scenarios[i % len(self.config.scenarios)] for i in range(paths)]
        hidden = self._draw(seed, own, regime_named(regime, self.regimes))
        total = np.array([one.participation for one in own]) * self.intervals * self.config.volume_shares  # (P,)
        none = np.zeros((paths, 0))
        return LqState(seed, hidden, total, none, none, np.full((paths, 1), ARRIVAL), np.zeros(paths))

    def seen(self, state: LqState) -> Seen:
        """Books and trades before interval k."""
        h, k = state.hidden, state.k
        moved = (state.mids[:, k] - state.mids[:, k - 1]) / h.units[:, 0] if k else np.zeros(len(state.total))
        volume = h.volume[:, k] / self.config.volume_shares
        shown = Shown(h.imbalance[:, k], h.depth[:, k], moved, volume, state.left / state.total, 1 - k / self.intervals)
        return emit(shown, h.units, state.seed, k)

    def public(self, state: LqState) -> Public:
        """What any desk sees."""
        k, total = state.k, state.total
        return Public(
            k=k, intervals=self.intervals, total=total, left=state.left, cap=CAP_SLICES * total / self.intervals,
            mid=state.mids[:, k], mids=state.mids, volume=state.hidden.volume[:, 1 : k + 1], bought=state.bought,
            prices=state.prices, curve=self.curve / self.intervals,
            usual_volume=np.full(len(total), self.intervals * self.config.volume_shares),
        )  # fmt: skip

    def truth(self, state: LqState) -> Truth:
        """Expected liquidity and signal given their values now, and what will be."""
        h, k = state.hidden, state.k
        ahead = np.arange(self.intervals - k)
        factor = h.mean_factor[:, None] + (h.factor[:, k : k + 1] - h.mean_factor[:, None]) * h.reversion**ahead  # (P, n - k)
        now = h.signal[:, k : k + 1]
        eta, kappa = h.usual.eta[:, None] / self.curve[k:], h.usual.kappa[:, None]
        return Truth(
            alpha=now * self.phi**ahead, eta=eta * factor, kappa=kappa * factor,
            decay=np.full_like(factor, self.decay), gamma=h.usual.gamma, risk=np.zeros_like(factor),
            displacement=self._displacement(state), moves=h.moves[:, k:], alphas=h.signal[:, k:],
            etas=eta * h.factor[:, k:], kappas=kappa * h.factor[:, k:], volume=h.volume[:, k + 1 :],
            factor=factor, impact=h.impact, volatility=h.volatility,
        )  # fmt: skip

    def trade(self, state: LqState, shares: F64) -> LqState:
        """Buy (P,): a rule that is not held to caps may also sell back what it has."""
        h, k, left, displaced = state.hidden, state.k, state.left, self._displacement(state)
        u = left if k == self.intervals - 1 else shares
        eta, kappa, gamma = h.usual.eta / self.curve[k] * h.factor[:, k], h.usual.kappa * h.factor[:, k], h.usual.gamma
        walked = displaced + (eta + kappa / 2 + gamma / 2) * u  # what is paid above the undisplaced middle
        undisplaced = state.mids[:, k] - displaced
        spent = state.spent + (left - u) * (h.drift[:, k] + gamma * u) + u * walked
        done = replace(
            state,
            bought=np.column_stack([state.bought, u]),
            prices=np.column_stack([state.prices, np.where(u != 0, undisplaced + walked, 0.0)]),
            spent=spent,
        )
        after = undisplaced + h.moves[:, k] + gamma * u + self._displacement(done)
        return replace(done, mids=np.column_stack([state.mids, after]))

    def cost(self, state: LqState) -> Cost:
        """Implementation shortfall; the price's own noise is integrated out by summing by parts."""
        paid = (state.bought * (state.prices - ARRIVAL)).sum(axis=1) / state.total
        return Cost(paid, state.spent / state.total, state.bought.sum(axis=1) / state.total)

    @property
    def phi(self) -> float:
        """Share of the signal that is left an interval later."""
        return float(0.5 ** (1 / self.config.signal_half_life))

    @property
    def decay(self) -> float:
        """Share of a displacement that is left an interval later, where it decays exponentially."""
        return float(0.5 ** (1 / self.config.resilience_half_life))

    @property
    def signal_sd(self) -> float:
        """Of the usual signal, basis points."""
        c = self.config
        return float(c.sigma_bps * np.sqrt(c.signal_r2 / (1 - c.signal_r2)))

    def usual(self, participation: F64, volatility: F64, impact: F64) -> Impact:
        """Impact whose even schedule costs what the square-root law says, times `impact`; arguments (P,)."""
        c, n = self.config, self.intervals
        total = participation * n * c.volume_shares
        cost = impact * 2 / 3 * c.prefactor * volatility * c.sigma_bps * np.sqrt(n * participation) * total  # bps x shares
        lasting = sum(0.5 + sum(self.decay**j for j in range(1, k + 1)) for k in range(n)) / n**2
        temporary, transient, permanent = c.split
        spread = float(np.mean(1 / self.curve))  # so that the even schedule's cost stays what it is under a curve
        scale = cost / total**2
        return Impact(temporary * scale * n / spread, transient * scale / lasting, 2 * permanent * scale)

    def _displacement(self, state: LqState) -> F64:
        """(P,) of the price before interval k."""
        h, k = state.hidden, state.bought.shape[1]
        pushed = h.usual.kappa[:, None] * h.factor[:, :k] * state.bought  # (P, k)
        return pushed @ h.kernel[k - np.arange(k)]  # (P,)

    def _draw(self, seed: int, own: list[Scenario], regime: Regime) -> Hidden:
        c, n, paths = self.config, self.intervals, len(own)
        participation, volatility, impact, drift = np.array(own).T  # (P,) each
        volatility, impact, drift = volatility * regime.volatility, impact * regime.impact, drift + regime.drift
        sigma = volatility * c.sigma_bps
        imbalance_noise, depth_noise = chance(seed, _SHOWN).standard_normal((paths, n, 2)).transpose(2, 0, 1)
        signal, later = self._signal(seed, volatility, drift, regime)  # (P, n) each
        happens = later[:, ::-1] if regime.backward else signal
        moves = happens + sigma[:, None] * chance(seed, _NOISE).standard_normal((paths, n))
        factor = self._factor(seed, paths, regime)
        volume = chance(seed, _VOLUME).standard_normal((paths, n + 1))
        usual_volume = c.volume_shares * np.concatenate([self.curve[:1], self.curve])
        thin = np.column_stack([factor[:, :1], factor])  # a thin market trades less
        lags = np.arange(n + 1)
        return Hidden(
            usual=self.usual(participation, volatility, impact),
            factor=factor,
            mean_factor=np.full(paths, np.mean(c.factors)) if regime.switching else factor[:, 0],
            reversion=2 * c.stay - 1,
            kernel=np.where(regime.power_law, (1.0 + lags) ** -POWER, self.decay**lags),
            signal=signal, drift=happens, moves=moves,
            volume=usual_volume * thin**-0.5 * np.exp(c.volume_noise * volume - c.volume_noise**2 / 2),
            imbalance=signal / (self.signal_sd * volatility[:, None]) + np.sqrt(c.signal_noise) * imbalance_noise,
            depth=-np.log(factor * impact[:, None]) + c.depth_noise * depth_noise,
            units=np.column_stack([sigma / UNITS_OF_SIGMA, np.full(paths, c.volume_shares / TRADES_OF_VOLUME)]),
            impact=impact, volatility=volatility,
        )  # fmt: skip

    def _signal(self, seed: int, volatility: F64, drift: F64, regime: Regime) -> tuple[F64, F64]:
        """(P, n) of the horizon and of as long again after it: an autoregression.

        Its first value has the drift's mean, so that the expected move over the horizon is the drift.
        """
        n, phi = self.intervals, self.phi
        noise = np.concatenate(
            [chance(seed, stream).standard_normal((len(volatility), n)) for stream in (_SIGNAL, _LATER)], axis=1
        )
        sd = regime.signal * self.signal_sd * volatility
        signal = np.empty_like(noise)  # (P, 2 n)
        signal[:, 0] = self.first_signal(volatility, drift) + sd * noise[:, 0]
        for k in range(1, 2 * n):
            signal[:, k] = phi * signal[:, k - 1] + sd * np.sqrt(1 - phi**2) * noise[:, k]
        return signal[:, :n], signal[:, n:]

    def first_signal(self, volatility: F64, drift: F64) -> F64:
        """Mean (P,) of the first signal, basis points."""
        horizon_sd = volatility * self.config.sigma_bps * np.sqrt(self.intervals)
        return drift * horizon_sd / sum(self.phi**j for j in range(self.intervals))

    def _factor(self, seed: int, paths: int, regime: Regime) -> F64:
        """(P, n): a chain of two states that begins with even chances."""
        if not regime.switching:
            return np.ones((paths, self.intervals))
        draws = chance(seed, _LIQUIDITY).random((paths, self.intervals))
        switched = draws > self.config.stay
        switched[:, 0] = draws[:, 0] > 0.5
        state = np.cumsum(switched, axis=1) % 2
        return np.array(self.config.factors)[state]
