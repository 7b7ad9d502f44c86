"""How well the scheduler's nets foretell moves and impact, beside the best that the shown books allow.

The bound is a Kalman filter that knows the worlds' laws and reads the imbalance that the books show exactly
(`models.worlds.emission.read`): no reader of those books foretells more.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import torch

from models.execution.learned import Nets
from models.interval_examples import Runs, paths_of
from models.net_contract import HEAD, LATENT
from models.scheduler_losses import unrolled
from models.train_scheduler import Pool, as_orders, pooled
from models.world_model import WorldModel
from models.worlds.emission import read
from models.worlds.lq import UNITS_OF_SIGMA, LqWorld
from models.worlds.world import F64


class Skill(NamedTuple):
    """Share of the variance of what the market does without us that is foretold, by intervals ahead (n,), from `seen` on.

    A 95 % interval of the first, by bootstrap over orders."""

    r2: F64
    low: float
    high: float


def told_moves(model: WorldModel, pool: Pool, seen_until: int) -> F64:
    """(P, T - seen_until) expected moves, price units, of the intervals from `seen_until` on."""
    orders = as_orders(pool)
    size, steps = pool.path.shape[:2]
    with torch.no_grad():
        z = model.encode(orders.seen).view(size, steps, LATENT)
        path, *_ = unrolled(model, z, orders.action, seen_until)
        heads = model.forecast(path[:, seen_until:].reshape(-1, LATENT))
    return heads[:, HEAD["return_mean"]].view(size, -1).double().numpy()


def kalman_moves(world: LqWorld, runs: Runs, seen_until: int) -> F64:
    """The same by the filter that knows the world."""
    noise, phi, doubt = world.config.signal_noise, world.phi, 1.0
    signal: F64 = np.zeros(len(runs.size))
    for k in range(seen_until + 1):
        shown, _ = read(runs.book[:, k])
        gain = doubt / (doubt + noise)
        signal, doubt = signal + gain * (shown - signal), doubt * (1 - gain)
        if k < seen_until:
            signal, doubt = phi * signal, phi**2 * doubt + 1 - phi**2
    ahead = np.arange(runs.moves.shape[1] - seen_until)
    told: F64 = signal[:, None] * phi**ahead * world.signal_sd / world.config.sigma_bps * UNITS_OF_SIGMA  # price units
    return told


def skill(told: F64, moves: F64, seed: int = 7, draws: int = 1_000) -> Skill:
    """Of forecasts (P, T) of moves (P, T), both about 0."""
    missed, all_of_it = np.square(moves - told), np.square(moves)
    rows = np.random.default_rng(seed).integers(0, len(told), (draws, len(told)))
    again = 1 - missed[:, 0][rows].sum(axis=1) / all_of_it[:, 0][rows].sum(axis=1)
    low, high = np.quantile(again, [0.025, 0.975])
    return Skill(1 - missed.sum(axis=0) / all_of_it.sum(axis=0), float(low), float(high))


def report(nets: Nets, world: Any, runs: Runs, seen_until: int = 8) -> dict[str, Any]:
    """Figures of one world's orders: R2 by intervals ahead, of the nets as used there and, where laws are known, the bound."""
    market = nets.market(world.name)
    moves = paths_of(runs, market.propagator)[:, seen_until:, 0].astype(np.float64)
    told = told_moves(nets.model, pooled([(0, runs)], [market.propagator]), seen_until)
    skilled = skill(told * market.follows[0] * market.follows[1] ** np.arange(told.shape[1]), moves)
    figures: dict[str, Any] = {"r2": skilled.r2[:8].tolist(), "r2_low": skilled.low, "r2_high": skilled.high, "seen": seen_until}
    if isinstance(world, LqWorld):
        figures["r2_bound"] = skill(kalman_moves(world, runs, seen_until), moves).r2[:8].tolist()
    return figures
