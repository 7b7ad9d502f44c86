"""Training the scheduler's weights on orders in the training worlds: seeded, on fresh orders, the same digest twice.

They learn in the linear-quadratic world, in `practice`, the same laws with orders of many sizes in markets of many
volatilities, depths and drifts under a curve of volume, and in the event book. Chunk n of orders is the worlds' training seed n
in every training regime; batch and noise n come from (seed, n) alone. Orders are mirrored by chance: a sale in the mirrored
market is a purchase in this one, and no direction is better than the other.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models import feature_arrays as fa
from models import impact, world_model
from models.impact import ImpactModel
from models.interval_examples import Propagator, Runs, as_floats, measured_propagator, paths_of, training_runs
from models.net_contract import BOOK, CONTEXT, FEATURES
from models.scheduler_losses import Orders, SchedulerLosses, losses, reader
from models.world_model import Observation, WorldModel
from models.worlds.lq import LqConfig, LqWorld, Scenario
from models.worlds.world import F32, INTERVALS, TRAINING_SEEDS, World

Progress = Callable[[int, int, float], None]
_HALF: Final = 0.5
_ENOUGH: Final = 0.5  # even slices: what less than that slips is spread and noise


@dataclass(frozen=True)
class SchedulerTraining:
    """How to train. Chosen on training seeds alone."""

    seed: int = 7
    batches: int = 320
    size: int = 192  # orders in a batch
    chunk: int = 96  # orders of each world and regime that are made at a time
    measured: int = 200  # orders of each world and regime by which our own impact is measured
    visits: int = 3  # how often an order is learnt from
    rate: float = 2e-3
    decay: float = 1e-3
    clip: float = 1.0


def practice(seed: int = 5, scenarios: int = 48) -> LqWorld:
    """A world to learn in, where nothing is judged. Scenarios by chance: participation 2 to 25 %, log-uniform."""
    chance = np.random.default_rng(seed)

    def between(low: float, high: float) -> float:
        return float(np.exp(chance.uniform(np.log(low), np.log(high))))

    drawn = [
        Scenario(between(0.02, 0.25), between(0.5, 2.5), between(0.5, 2.0), float(chance.uniform(-0.5, 0.5)))
        for _ in range(scenarios)
    ]
    curve = 0.6 + 1.6 * np.linspace(-1, 1, INTERVALS) ** 2
    return LqWorld(LqConfig(scenarios=tuple(drawn), curve=tuple((curve / curve.mean()).tolist())), "practice")


class Pool(NamedTuple):
    """Orders that are learnt from for a while, as arrays of the shapes of `scheduler_losses.Orders`."""

    book: F32  # (P, T, 40)
    tape: F32
    context: F32
    action: F32
    path: F32
    slipped: F32
    share: F32
    root: F32
    size: F32


class Trained(NamedTuple):
    """The nets, what they think buying slips, how our buying moves the price in each world, mean losses of the last batches."""

    model: WorldModel
    impact: ImpactModel
    propagators: dict[str, Propagator]
    learnt: dict[str, float]


def train(worlds: Sequence[World[Any]], how: SchedulerTraining, progress: Progress = lambda *_: None) -> Trained:
    """Train on the worlds' training regimes. Worlds all have the same number of intervals."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    propagators = [measured_propagator(world, how.measured, TRAINING_SEEDS[-100]) for world in worlds]
    pool = pooled(training_runs(worlds, 0, how.chunk), propagators)
    model, slips, reading = world_model.initialised(how.seed), impact.initialised(how.seed), reader(how.seed)
    fit_normalisation(model, pool)
    parameters = [*model.parameters(), *slips.parameters(), *reading.parameters()]
    optimiser = torch.optim.AdamW(parameters, lr=how.rate, weight_decay=how.decay)
    told: list[list[float]] = []
    each = max(1, how.visits * len(pool.size) // how.size)  # batches from one chunk
    for n in range(how.batches):
        if n and n % each == 0:
            pool = pooled(training_runs(worlds, n // each, how.chunk), propagators)
        chance = np.random.default_rng([how.seed, n])
        orders = drawn(pool, chance, how.size)
        for group in optimiser.param_groups:
            group["lr"] = how.rate * min(1.0, (n + 1) / 20) * 0.5 * (1 + math.cos(math.pi * n / how.batches))
        seen_until = int(chance.integers(0, orders.path.shape[1]))
        found = losses(model, slips, reading, orders, seen_until, torch.Generator().manual_seed(how.seed * 1_000_003 + n))
        optimiser.zero_grad()
        found.total().backward()
        torch.nn.utils.clip_grad_norm_(parameters, how.clip)
        optimiser.step()
        told = [*told[-49:], [float(one.detach()) for one in (*found, found.total())]]
        if (n + 1) % 25 == 0 or n + 1 == how.batches:
            progress(n + 1, how.batches, float(np.mean(told, axis=0)[-1]))
    slips.decay.fill_(float(np.mean([one.decay for one in propagators])))
    means = np.mean(told, axis=0).tolist()
    names = {world.name: one for world, one in zip(worlds, propagators, strict=True)}
    return Trained(model.eval(), slips.eval(), names, dict(zip((*SchedulerLosses._fields, "total"), means, strict=True)))


def pooled(runs: Sequence[tuple[int, Runs]], propagators: Sequence[Propagator]) -> Pool:
    """Orders of all worlds and regimes in one pool."""
    return Pool(*(np.concatenate(column) for column in zip(*(_columns(one, propagators[n]) for n, one in runs), strict=True)))


def _columns(runs: Runs, propagator: Propagator) -> list[F32]:
    with np.errstate(invalid="ignore", divide="ignore"):
        slipped = np.where(runs.bought > _ENOUGH, propagator.own_slips(runs) / runs.bought / runs.scale, np.nan)
    root = np.sqrt(runs.share * runs.curve)
    rest = (runs.action, paths_of(runs, propagator), slipped, runs.share, root, runs.size)
    return [*(one[:, :-1] for one in (runs.book, runs.tape, runs.context)), *(as_floats(one) for one in rest)]


def drawn(pool: Pool, chance: np.random.Generator, count: int) -> Orders:
    """So many orders of a pool, each mirrored with a chance of one half."""
    rows = chance.integers(0, len(pool.size), count)
    some = Pool(*(column[rows] for column in pool))
    return as_orders(mirrored(some, chance.random(count) < _HALF))


def mirrored(pool: Pool, which: NDArray[np.bool_]) -> Pool:
    """Bids are asks and purchases are sales in the orders (P,) that are told."""
    book = pool.book.reshape(*pool.book.shape[:2], BOOK // 4, 4)[..., [2, 3, 0, 1]] * np.array([-1, 1, -1, 1], np.float32)
    tape = pool.tape * np.array([[-1], [1], [-1]], np.float32)
    context = pool.context.copy()
    context[..., [fa.OFI, fa.QUEUE]] *= -1
    path = pool.path[..., [0, 1, 2, 4, 3]] * np.array([-1, 1, 1, 1, 1], np.float32)
    action = pool.action * np.array([-1, 1, 1, 1], np.float32)
    changed = {"book": book.reshape(pool.book.shape), "tape": tape, "context": context, "path": path, "action": action}
    return pool._replace(
        **{name: np.where(which.reshape(-1, *[1] * (one.ndim - 1)), one, getattr(pool, name)) for name, one in changed.items()}
    )


def as_orders(pool: Pool) -> Orders:
    """Arrays as tensors."""
    seen = Observation(*(torch.from_numpy(as_floats(one)).flatten(0, 1) for one in (pool.book, pool.tape, pool.context)))
    return Orders(seen, *(torch.from_numpy(as_floats(one)) for one in pool[3:]))


def fit_normalisation(model: WorldModel, pool: Pool) -> None:
    """Means and scales of what is seen, mirrored like it; a part of the context that never varies is silenced for ever."""
    both = [pool, mirrored(pool, np.ones(len(pool.size), np.bool_))]
    book = np.concatenate([one.book.reshape(-1, BOOK) for one in both]).astype(np.float64)
    tape = np.concatenate([one.tape.swapaxes(2, 3).reshape(-1, 3) for one in both]).astype(np.float64)
    context = np.concatenate([one.context.reshape(-1, CONTEXT) for one in both]).astype(np.float64)
    for name, seen in (("book", book), ("tape", tape), ("context", context)):
        scale = seen.std(axis=0)
        getattr(model.norm, f"{name}_mean").copy_(torch.from_numpy(seen.mean(axis=0)).float())
        getattr(model.norm, f"{name}_scale").copy_(torch.from_numpy(np.where(scale > 1e-3, scale, 1.0)).float())
    constant = torch.from_numpy(context.std(axis=0) <= 1e-3)
    constant[:FEATURES] = False
    with torch.no_grad():
        model.encoder.fusion.weight[:, -CONTEXT:][:, constant] = 0.0


def settings(how: SchedulerTraining) -> str:
    """In words, for the card."""
    return ", ".join(f"{name} {value:g}" for name, value in asdict(how).items())
