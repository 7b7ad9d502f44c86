"""What is measured in one world's training orders before the scheduler's nets are used there: our own impact, and the scale of
forecasts. The nets learnt in other worlds; a market's own laws are three numbers and a curve, which a desk fits on its own past.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import torch

from models.execution.learned import Market, Nets
from models.interval_examples import Runs, measured_propagator, paths_of, run_schedules
from models.net_contract import HEAD, LATENT
from models.scheduler_losses import unrolled
from models.train_scheduler import as_orders, pooled
from models.worlds.world import F64, TRAINING_REGIMES, TRAINING_SEEDS, World

_SEED: Final = TRAINING_SEEDS[-200]
_SEEN: Final = (2, 8)  # intervals up to which orders are seen
_LEADS: Final = 10


def measured_market(nets: Nets, world: World[Any], orders: int = 500) -> Market:
    """Measure a world. orders: of each training regime that it can show."""
    regimes = [one for one in TRAINING_REGIMES if one in world.regimes]
    propagator = measured_propagator(world, orders, _SEED)
    upper, lower = np.zeros(_LEADS), np.zeros(_LEADS)
    slips: list[tuple[F64, F64]] = []
    for place, regime in enumerate(regimes):
        runs = run_schedules(world, _SEED - place, orders, regime)
        for seen_until in _SEEN:
            moves, told, slipped = _foretold(nets, runs, propagator, seen_until)
            upper += (moves * told)[:, :_LEADS].sum(axis=0)
            lower += (told * told)[:, :_LEADS].sum(axis=0)
        slips.append(slipped)
    return Market(propagator, _geometric(upper, lower), _ratios(slips))


def _foretold(nets: Nets, runs: Runs, propagator: Any, seen_until: int) -> tuple[F64, F64, tuple[F64, F64]]:
    """The market's moves from `seen_until` on and the forecasts of them; realised and foretold slips, (P, n), NaN where none."""
    pool = pooled([(0, runs)], [propagator])
    orders = as_orders(pool)
    size, steps = pool.path.shape[:2]
    with torch.no_grad():
        z = nets.model.encode(orders.seen).view(size, steps, LATENT)
        path, *_ = unrolled(nets.model, z, orders.action, seen_until)
        flat = path.reshape(-1, LATENT)
        told = nets.model.forecast(flat)[:, HEAD["return_mean"]].view(size, steps).double().numpy()
        sizes = orders.size[:, None].expand_as(orders.share).reshape(-1)
        expected = nets.impact(flat, sizes, orders.share.reshape(-1)).temporary.view(size, steps).double().numpy()
    moves = paths_of(runs, propagator)[..., 0].astype(np.float64)
    realised = pool.slipped * pool.root
    return moves[:, seen_until:], told[:, seen_until:], (realised.astype(np.float64), expected)


def _geometric(upper: F64, lower: F64) -> tuple[float, float]:
    """first x later^j for the slopes upper / lower of moves on forecasts, weighed by the forecasts' variance: by search."""
    best, least = (1.0, 1.0), np.inf
    for later in np.linspace(0.85, 1.2, 71):
        shape = later ** np.arange(len(upper))
        first = float(np.clip((upper * shape).sum() / (lower * shape * shape).sum(), 0.0, 10.0))
        missed = float((lower * (first * shape) ** 2 - 2 * upper * first * shape).sum())
        if missed < least:
            best, least = (first, float(later)), missed
    return best


def _ratios(slips: list[tuple[F64, F64]]) -> tuple[float, ...]:
    """(n,) realised over foretold by interval, each drawn towards that of all as far as it may be chance (James and Stein)."""
    realised, expected = (np.concatenate(column) for column in zip(*slips, strict=True))
    there = ~np.isnan(realised)
    weight = np.where(there, expected**2, 0.0)
    each = np.where(there, realised * expected, 0.0).sum(axis=0) / weight.sum(axis=0)
    whole = float((each * weight.sum(axis=0)).sum() / weight.sum())
    missed = np.where(there, realised - each * expected, 0.0)
    doubt = (missed**2 * weight).sum(axis=0) / weight.sum(axis=0) ** 2  # variance of each
    kept = max(0.0, 1.0 - float(doubt.mean()) / max(float(np.square(each - whole).mean()), 1e-12))
    return tuple((whole + kept * (each - whole)).tolist())
