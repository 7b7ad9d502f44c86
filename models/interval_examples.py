"""Orders in the training worlds -> what the scheduler's nets learn from: one step is one interval.

Own trading is by chance alone (off-policy): a wavy schedule with pauses that knows nothing of the market, so that what our
orders do to the price cannot be taken for what the market was about to do. `Propagator` is fitted on it and takes our own part
out of the moves that are learnt.

**Which interval a latent speaks of.** The net looks (z), learns what we do in the interval (action) and steps: the latent
behind the step stands for the interval's end, and its heads tell what happened in it. Step j of a rollout is therefore interval
j - 1 from now, and what is foretold of an interval may depend on our own action in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ForecastError
from models.net_contract import ACTION, BOOK, LEVELS
from models.worlds.world import F32, F64, TRAINING_REGIMES, TRAINING_SEEDS, Public, World, capped

_PAUSES: Final = 0.15  # chance of an interval without a purchase
_WAVES: Final = 0.6  # log deviation of an interval's purchase from the even slice
_USUAL: Final = 0.3  # where the search for the transient share begins
_PASSES: Final = 2
_SPREAD: Final = 0.1  # share of an interval's move that purchases pay, from which on they were spread over it
PATH: Final = 5  # columns of a path: return of the interval, spread at its end, volume in it, depth bid and ask at its end


class Runs(NamedTuple):
    """P orders over n intervals. Units are those of the moment before each interval."""

    book: F32  # (P, n + 1, 40), before each interval; the last, of which nothing is seen behind it, stands twice
    tape: F32  # (P, n + 1, 3, 50)
    context: F32  # (P, n + 1, 18)
    action: F32  # (P, n, 4)
    unit: F64  # (P, n) price unit, basis points
    moves: F64  # (P, n) of the middle over each interval, basis points, our own part in it
    alone: F64  # (P, n - 1) the same of the same market in which we buy nothing; before the last interval, in which we must
    volume: F64  # (P, n) size units
    bought: F64  # (P, n) over the even slice
    slipped: F64  # (P, n) basis points that were paid beyond the middle
    share: F64  # (P, n) of an even slice in the interval's usual volume
    size: F64  # (P,) of an even slice, size units
    curve: F64  # (n,) usual volume over its average

    @property
    def scale(self) -> F64:
        """(P, n) basis points: the price unit times the root of the order's share of the usual volume."""
        return self.unit * np.sqrt(self.share * self.curve)


def run_schedules(world: World[Any], seed: int, paths: int, regime: str, *, looks: bool = True) -> Runs:
    """Work orders by chance, and beside them watch the same market in which they are not.

    Args:
        looks: whether books and trades are wanted: without them it is ten times as quick.

    Raises:
        ConfigError: the world does not know the regime.
    """
    chance = np.random.default_rng([seed, paths])
    n, state = world.intervals, world.start(seed, paths, regime)
    wanted = np.exp(_WAVES * chance.standard_normal((paths, n)) + np.cumsum(0.2 * chance.standard_normal((paths, n)), axis=1))
    wanted *= chance.random((paths, n)) > _PAUSES
    seen, actions = [world.seen(state)], []
    for k in range(n):
        public = world.public(state)
        even = public.total / n
        shares = capped(even * wanted[:, k], public) if k < n - 1 else public.left
        actions.append(action_of(shares, public))
        state = world.trade(state, shares)
        seen.append(world.seen(state) if looks and k < n - 1 else seen[-1])
    return _runs(world.public(state), seen, np.stack(actions, axis=1), _alone(world, seed, paths, regime))


def _alone(world: World[Any], seed: int, paths: int, regime: str) -> F64:
    state = world.start(seed, paths, regime)
    for _ in range(world.intervals - 1):
        state = world.trade(state, np.zeros(paths))
    return np.diff(world.public(state).mids, axis=1)


def action_of(shares: F64, public: Public) -> F32:
    """(P, 4) of buying shares (P,) now: [share of the interval's usual volume, 1 where anything is bought, 0, 0]."""
    action = np.zeros((len(shares), ACTION), np.float32)
    action[:, 0] = shares / (public.usual_volume * public.curve[public.k])
    action[:, 1] = shares > 0
    return action


def _runs(done: Public, seen: Sequence[Any], actions: F32, alone: F64) -> Runs:
    even = done.total[:, None] / done.intervals
    unit = np.stack([one.units[:, 0] for one in seen[:-1]], axis=1)
    size = np.stack([one.units[:, 1] for one in seen[:-1]], axis=1)
    slipped = np.where(done.bought > 0, done.prices - done.mids[:, :-1], 0.0)
    book, tape, context = (np.stack([getattr(one, name) for one in seen], axis=1) for name in ("book", "tape", "context"))
    return Runs(
        book, tape, context, actions, unit, np.diff(done.mids, axis=1), alone, done.volume / size, done.bought / even, slipped,
        even / (done.usual_volume[:, None] * done.curve), even[:, 0] / size[:, 0], done.curve * done.intervals,
    )  # fmt: skip


class Propagator(NamedTuple):
    """How what we buy moves the price afterwards, in units of what an even slice slips.

    transient: share of what slips that the price is displaced by, in an interval of usual volume; temporary impact is the
    inverse of volume, so in a busy interval less slips and more of it displaces. decay: what is left of a displacement an
    interval later. permanent: of the order's scale, for each even slice. within: share of an interval's own move that
    purchases in it pay: 0 where all is bought at its beginning, about a half where it is bought piece by piece; slope: what an
    even slice slips then, of the order's scale, since what was paid there is mostly what the market did meanwhile.
    """

    transient: float
    decay: float
    permanent: float
    within: float = 0.0
    slope: float = 0.0

    def displaces(self, curve: F64) -> F64:
        """Share of what slips that displaces the price, of intervals with so much usual volume over the average."""
        return 1 / ((1 / self.transient - 0.5) / curve + 0.5)

    def own_moves(self, runs: Runs) -> F64:
        """(P, n) basis points by which our own buying moved the middle over each interval."""
        pushed = self.displaces(runs.curve) * (self.slope * runs.scale * runs.bought if self.within else runs.slipped)
        displaced: F64 = np.zeros(len(runs.size))
        own = np.empty_like(pushed)
        for k in range(pushed.shape[1]):
            after = self.decay * (displaced + pushed[:, k])
            own[:, k] = after - displaced + self.permanent * runs.scale[:, k] * runs.bought[:, k]
            displaced = after
        return own

    def own_slips(self, runs: Runs) -> F64:
        """(P, n) basis points that purchases slipped, without what the market did meanwhile by itself."""
        return np.where(runs.bought > 0, runs.slipped - self.within * self.market_moves(runs), 0.0)

    def market_moves(self, runs: Runs) -> F64:
        """(P, n) basis points that the middle moved without us: as seen, and in the last interval less what we did to it."""
        return np.concatenate([runs.alone, (runs.moves - self.own_moves(runs))[:, -1:]], axis=1)


def measured_propagator(world: World[Any], paths: int, seed: int) -> Propagator:
    """Fitted on so many orders of each training regime that the world can show."""
    regimes = [regime for regime in TRAINING_REGIMES if regime in world.regimes]
    return fit_propagator([run_schedules(world, seed, paths, regime, looks=False) for regime in regimes])


def fit_propagator(runs: Sequence[Runs]) -> Propagator:
    """Least squares on what orders worked by chance did to the middle, in units of the orders' scale, over a grid of decays.

    Raises:
        ForecastError: nothing was bought.
    """
    if not any(one.bought.any() for one in runs):
        raise ForecastError("impact cannot be fitted where nothing was bought")
    found = Propagator(_USUAL, 0.87, 0.0, *_paid(runs))
    for _ in range(_PASSES):  # how busy intervals displace depends on the transient share itself
        found = _fitted(runs, found)
    return found


def _paid(runs: Sequence[Runs]) -> tuple[float, float]:
    """`within` and `slope`: least squares of what slipped on what the market did meanwhile and on what was bought."""
    market = np.concatenate([(one.alone / one.scale[:, :-1]).ravel() for one in runs])
    bought = np.concatenate([one.bought[:, :-1].ravel() for one in runs])
    slipped = np.concatenate([(one.slipped / one.scale)[:, :-1].ravel() for one in runs])
    there = bought > 0
    within, slope = np.linalg.lstsq(np.stack([market, bought], axis=1)[there], slipped[there], rcond=None)[0]
    return (float(within), float(slope)) if within > _SPREAD else (0.0, 0.0)


def _fitted(runs: Sequence[Runs], before: Propagator) -> Propagator:
    best, least, transient = before, np.inf, before.transient
    y = np.concatenate([((one.moves[:, :-1] - one.alone) / one.scale[:, :-1]).ravel() for one in runs])
    bought = np.concatenate([one.bought[:, :-1].ravel() for one in runs])
    for decay in np.arange(0.5, 0.98, 0.02):
        alone = [before._replace(decay=float(decay), permanent=0.0).own_moves(one) / one.scale for one in runs]
        x = np.stack([np.concatenate([one[:, :-1].ravel() for one in alone]), bought], axis=1)
        found, *_ = np.linalg.lstsq(x, y, rcond=None)
        missed = float(np.square(y - x @ found).sum())
        if missed < least:
            scaled = float(np.clip(found[0] * transient, 0.01, 1.9))
            best, least = before._replace(transient=scaled, decay=float(decay), permanent=float(max(found[1], 0.0))), missed
    return best


def paths_of(runs: Runs, propagator: Propagator) -> F32:
    """(P, n, 5): the quantities that the heads foretell, in their units; the return is what the market did without us."""
    returns = propagator.market_moves(runs) / runs.unit
    ends = runs.book[:, 1:].reshape(*runs.moves.shape, LEVELS, BOOK // LEVELS)  # (P, n, 10, 4)
    wide = np.exp2(np.abs(ends[..., 0, 2])) - 1 + np.exp2(np.abs(ends[..., 0, 0])) - 1
    depth = (np.exp2(ends[..., 1::2]) - 1).sum(axis=2)  # (P, n, 2) size units
    rest = np.stack([wide, runs.volume, depth[..., 0], depth[..., 1]], axis=2)
    return np.concatenate([returns[..., None], np.log2(1 + rest)], axis=2).astype(np.float32)


def training_runs(worlds: Sequence[World[Any]], chunk: int, paths: int, first: int = 0) -> list[tuple[int, Runs]]:
    """(world's number, orders) of each world in each training regime it can show, of the seed that belongs to the chunk."""
    seed = TRAINING_SEEDS[first + chunk]
    return [
        (number, run_schedules(world, seed, paths, regime))
        for number, world in enumerate(worlds)
        for regime in TRAINING_REGIMES
        if regime in world.regimes
    ]


def as_floats(array: NDArray[Any]) -> F32:
    """Contiguous float32."""
    return np.ascontiguousarray(array, np.float32)
