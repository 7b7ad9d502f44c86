"""Strategies x regimes of one world, on the same orders: figures with intervals, and the claims beside them.

Every strategy works the same orders of the same judging seeds (`models.worlds.world`); numbers that strategies have were chosen
on training seeds (`models.execution.choice`). Means and ratios are of expected costs, with the price's own noise integrated out
where the world can; deviations and tails are of costs as they happened. Regimes are never pooled.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np

from domain.errors import ConfigError
from domain.ports_spread import Mapper
from models.execution.choice import Choice
from models.execution.knowing import Filter, LqOptimum, PriceOracle, SignalOracle, TrueMeans, VolumeOracle
from models.execution.policies import EstimatedAlmgrenChriss, Pov, QpEwma, Tilt, almgren_chriss, static_transient, twap, vwap
from models.spread import IN_PROCESS, spread
from models.worlds.bounds import exact_regimes
from models.worlds.lq import LqWorld
from models.worlds.world import CHECK_REGIMES, F64, JUDGING_SEEDS, Policy, World, run

MAIN: Final = "mixed"
BATCH: Final = 2_000  # orders of one seed
Told = Callable[[str, int, int], None]
BOUNDS: Final = ("filter", "true_means", "true_means_free", "lq_optimum", "signal_oracle", "price_oracle", "vwap_oracle")
_FREE: Final = "true_means_free"


class Plan(NamedTuple):
    """What is judged: strategies that were learned come from outside, since weights may be missing."""

    world: World[Any]
    choice: Choice
    learned: Sequence[Policy]
    judged: str  # the strategy whose ratios are told
    orders: int  # of the main regime
    orders_elsewhere: int
    regimes: tuple[str, ...]
    tells: bool  # the world can tell the truth that bounds need

    @property
    def main(self) -> str:
        """The regime whose figures stand at the top."""
        return MAIN if MAIN in self.regimes else self.regimes[0]


@dataclass(frozen=True)
class Costs:
    """One regime's orders: (N, S) basis points by strategy, fill rates (S,), and shares of plans that fell back where known."""

    names: list[str]
    expected: F64
    happened: F64
    filled: F64
    fallback: dict[str, float]

    def of(self, name: str) -> F64:
        """(N,) expected costs of a strategy."""
        return self.expected[:, self.names.index(name)]


def strategies(plan: Plan, regime: str) -> list[Policy]:
    """Those of a regime; ablations and oracles only where they tell something: in the main regime and in the checks."""
    world, n = plan.world, plan.world.intervals
    chosen: list[Policy] = [
        twap(n), vwap(), Pov("pov"), almgren_chriss(n, plan.choice.urgency), EstimatedAlmgrenChriss("ac_estimated"),
        static_transient(n), Tilt("tilt", strength=plan.choice.strength), QpEwma("qp_ewma"),
    ]  # fmt: skip
    whole = regime in (plan.main, *CHECK_REGIMES)
    chosen += [one for one in plan.learned if whole or one.name == plan.judged]
    if plan.tells:
        chosen += [TrueMeans()]
        chosen += [SignalOracle(), PriceOracle(), VolumeOracle()] if regime == plan.main else []
    if isinstance(world, LqWorld):
        chosen += [Filter()]
        chosen += [TrueMeans(_FREE, uncapped=True), LqOptimum(regime=regime)] if regime in exact_regimes(world) else []
    return chosen


class _Piece(NamedTuple):
    """One strategy's orders of one seed."""

    regime: str
    place: int  # of the strategy in the regime
    batch: int
    size: int


class _Worked(NamedTuple):
    """(size,) of a piece's orders, and how many plans there were and fell back, where the strategy counts them."""

    expected: F64
    happened: F64
    filled: F64
    plans: int
    fallbacks: int


def costs(plan: Plan, told: Told, mapper: Mapper = IN_PROCESS) -> dict[str, Costs]:
    """Work all orders of each regime with every strategy; by regime.

    Args:
        mapper: who does it. The figures are the same by whichever.

    Raises:
        ConfigError: the strategy that is to be judged is not there.
    """
    pieces: list[_Piece] = []
    for regime in plan.regimes:
        names = [one.name for one in strategies(plan, regime)]
        if plan.judged not in names:
            raise ConfigError(f"no strategy {plan.judged!r} to judge; there are {', '.join(names)}")
        pieces += [_Piece(regime, place, *batch) for place in range(len(names)) for batch in _batches(plan, regime)]
    worked = spread(mapper, partial(_work, plan), pieces, partial(told, "orders"))
    by_piece = dict(zip(pieces, worked, strict=True))
    return {regime: _together(plan, regime, by_piece) for regime in plan.regimes}


def _batches(plan: Plan, regime: str) -> list[tuple[int, int]]:
    """(which seed, how many orders)."""
    orders = plan.orders if regime == plan.main else plan.orders_elsewhere
    return [(batch, min(BATCH, orders - batch * BATCH)) for batch in range(-(-orders // BATCH))]


def _work(plan: Plan, piece: _Piece) -> _Worked:
    policy = strategies(plan, piece.regime)[piece.place]
    cost = run(plan.world, policy, JUDGING_SEEDS[piece.batch], piece.size, piece.regime).cost
    # Who knows the prices' noise cannot have it integrated out.
    expected = cost.bps if policy.name == "price_oracle" else cost.expected_bps
    return _Worked(expected, cost.bps, cost.filled, getattr(policy, "plans", 0), getattr(policy, "fallbacks", 0))


def _together(plan: Plan, regime: str, worked: dict[_Piece, _Worked]) -> Costs:
    """The pieces of a regime, in the order of strategies and seeds."""
    names, batches = [one.name for one in strategies(plan, regime)], _batches(plan, regime)
    columns: list[list[F64]] = []
    fallback: dict[str, float] = {}
    for place, name in enumerate(names):
        parts = [worked[_Piece(regime, place, *batch)] for batch in batches]
        columns.append([np.concatenate(each) for each in list(zip(*parts, strict=True))[:3]])
        if planned := sum(one.plans for one in parts):
            fallback[name] = sum(one.fallbacks for one in parts) / planned
    expected, happened, filled = (np.stack(each, axis=1) for each in zip(*columns, strict=True))
    return Costs(names, expected, happened, filled.mean(axis=0), fallback)


def scenarios(plan: Plan, orders: int) -> Any:
    """(N,) which scenario of the world each order has."""
    count = len(plan.world.config.scenarios) if isinstance(plan.world, LqWorld) else 1
    return np.arange(orders) % BATCH % count
