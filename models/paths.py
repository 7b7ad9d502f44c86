"""Rollouts as distributions: how well they say what return, spread, volume and depth become, beside two that know no model.

From moments all along a tape paths of 20 steps are drawn by the world model, by a random walk whose increments have the
exponentially weighted variance of the past (decay 0.94 a step), and by a bootstrap of blocks of 5 increments out of the last
500 steps. All draws are put on the market's grid (half ticks, ticks, lots), then scored in the units of the heads: CRPS of
samples, and coverage of central intervals by the randomised rank (Czado, Gneiting and Held 2009), which is right also where a
value is likely to be met exactly.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models.baselines import observation
from models.dataset import EVERY, HORIZON_STEPS, Examples
from models.losses import MEANS, anchored, quantities
from models.net_contract import ACTION, LATENT, NOISE, QUANTITIES
from models.recalibrate import Drawn, Recalibration
from models.sequences import I64, STRIDE, paths, starts
from models.world_model import WorldModel

F64 = NDArray[np.float64]
SHOWN: Final = ("return", "spread", "volume", "depth")
SAMPLES: Final = 100
STARTS: Final = 120  # of each tape
SEEN: Final = 32  # steps before the rollout
PAST: Final = 500  # steps that the bootstrap draws from
DECAY: Final = 0.94
_BLOCK: Final = 5
_H: Final = HORIZON_STEPS
_NEVER_WRONG: Final = 1e-9  # a rival whose CRPS is 0, because nothing ever changed
COVERAGES: Final = (0.5, 0.8, 0.95)


class PathScores(NamedTuple):
    """Of one tape, n beginnings: CRPS of the model, the random walk and the bootstrap (3, n, 20, 4); the model's ranks (n, 20, 4)
    in 0 .. 1. The last axis is `SHOWN`."""

    crps: F64
    ranks: F64


def score_paths(model: WorldModel, one: Examples, seed: int, right: Recalibration | None = None) -> PathScores:
    """Roll out from `STARTS` moments of a tape, evenly spaced. A tape that is too short gives no beginnings.

    Args:
        right: what puts the model's draws right, learnt on other days.
    """
    begin = _beginnings(one)
    if not len(begin):
        return PathScores(np.zeros((3, 0, _H, 4)), np.zeros((0, _H, 4)))
    chance, units = np.random.default_rng([seed, 99]), one.units[begin]
    history = _to_units(_raw(one, begin, -PAST, 1), units)  # (n, 501, 5), the last one now
    told = draw_paths(model, one, seed)
    of_model = told.draws if right is None else right.apply(told).double().numpy()
    walked = [of_model, _walked(_random_walk(history, chance)), _walked(_bootstrap(history, chance))]
    samples, true = [_shown(_on_grid(each, units)) for each in walked], _shown(told.true)
    return PathScores(np.stack([_crps(each, true) for each in samples]), _ranks(samples[0], true, chance))


def draw_paths(model: WorldModel, one: Examples, seed: int) -> Drawn:
    """The model's draws from the same moments, what came, and what was known before. Raises ValueError for too short a tape."""
    begin = _beginnings(one)
    if not len(begin):
        raise ValueError(f"{one.name} is too short to roll out on")
    units = one.units[begin]
    true = _walked(_to_units(_raw(one, begin, 0, _H + 1), units))
    history = _to_units(_raw(one, begin, -PAST, 1), units)
    return Drawn(_walked(_of_model(model, one, begin, history[:, -1:], seed)), true, _known(history))


def _beginnings(one: Examples) -> I64:
    whole = starts(one, SEEN + _H, min(PAST * STRIDE, 3 * len(one) // 5), len(one))
    return whole[np.linspace(0, len(whole) - 1, min(STARTS, len(whole))).astype(int)] + (SEEN - 1) * STRIDE


def long_enough(one: Examples) -> bool:
    """Has a tape a moment to roll out from?"""
    return len(_beginnings(one)) > 0


def skill(scores: Sequence[PathScores], rival: int) -> tuple[F64, F64]:
    """1 - CRPS / rival's CRPS by step and quantity (20, 4), pooled, and the interval's lower end; rival 1 walk, 2 bootstrap."""
    crps = np.concatenate([one.crps for one in scores], axis=1)
    times = np.random.default_rng(0).multinomial(crps.shape[1], np.full(crps.shape[1], 1 / crps.shape[1]), 500) * 1.0
    sums = np.tensordot(times, crps, axes=(1, 1))  # (500, 3, 20, 4)
    draws = 1 - sums[:, 0] / np.maximum(sums[:, rival], _NEVER_WRONG)
    return 1 - crps[0].sum(0) / np.maximum(crps[rival].sum(0), _NEVER_WRONG), np.percentile(draws, 2.5, axis=0)


def coverage(scores: Sequence[PathScores], level: float) -> F64:
    """(4,): how often the central interval of that level held what came, by quantity, over all steps."""
    ranks = np.concatenate([one.ranks for one in scores])
    return (np.abs(ranks - 0.5) <= level / 2).mean(axis=(0, 1))


def _raw(one: Examples, begin: I64, first: int, stop: int) -> F64:
    """(n, stop - first, 5) of the steps first .. stop - 1 from each beginning; what lies before the tape repeats its start."""
    rows = np.maximum(begin[:, None] + STRIDE * np.arange(first, stop), 0)
    return paths(one, rows.ravel()).reshape(*rows.shape, -1)


def _to_units(raw: F64, units: F64) -> F64:
    """Raw paths (n, T, 5) -> the units of the heads."""
    price, size = units[:, None, :1], units[:, None, 1:]
    return np.concatenate([raw[..., :1] / price, np.log2(1 + raw[..., 1:2] / price), np.log2(1 + raw[..., 2:] / size)], axis=-1)


def _on_grid(walked: F64, units: F64) -> F64:
    """Draws (S, n, 20, 5) to whole half ticks, ticks and lots."""
    price, size = units[:, None, :1], units[:, None, 1:]
    moved = np.round(2 * walked[..., :1] * price) / (2 * price)
    plain = np.exp2(np.clip(walked[..., 1:], 0, 30)) - 1
    spread = np.log2(1 + np.round(plain[..., :1] * price) / price)
    return np.concatenate([moved, spread, np.log2(1 + np.round(plain[..., 1:] * size) / size)], axis=-1)


def _walked(steps: F64) -> F64:
    """Steps 0 .. 20 (..., 21, 5) -> after 1 .. 20 steps: the return so far, spread, volume of the last step, depths."""
    moved = steps[..., :-1, :1].cumsum(axis=-2)
    return np.concatenate([moved, steps[..., 1:, 1:2], steps[..., :-1, 2:3], steps[..., 1:, 3:]], axis=-1)


def _shown(walked: F64) -> F64:
    """Both sides' depths as their mean: (..., 4)."""
    return np.concatenate([walked[..., :3], walked[..., 3:].mean(axis=-1, keepdims=True)], axis=-1)


def _of_model(model: WorldModel, one: Examples, begin: I64, now: F64, seed: int) -> F64:
    """(S, n, 21, 5); now (n, 1, 5): what stands at each beginning."""
    n, chance = len(begin), torch.Generator().manual_seed(seed)
    with torch.no_grad():
        h, still = torch.zeros(n, LATENT), torch.zeros(n, ACTION)
        for back in range(SEEN - 1, 0, -1):
            _, h = model.step(model.encode(observation(one, begin - back * STRIDE)), still, h)
        z = model.encode(observation(one, begin))
        path = model.rollout(
            z.repeat(SAMPLES, 1), h.repeat(SAMPLES, 1), torch.zeros(SAMPLES * n, _H, ACTION),
            torch.randn(SAMPLES * n, _H, NOISE, generator=chance),
        )  # fmt: skip
        heads = model.forecast(path.reshape(-1, LATENT)).view(SAMPLES, n, _H + 1, -1)
        xi = torch.randn(SAMPLES, n, _H + 1, len(QUANTITIES), generator=chance)
        known = torch.from_numpy(now)[None].float()
        return anchored(quantities(heads, xi), heads[:, :, :1, MEANS], known).double().numpy()


def _steps_of(increments: F64, history: F64) -> F64:
    """Increments (S, n, 21, 5) -> steps: returns are increments, the others add up from now on."""
    others = history[:, -1:, 1:] + increments[..., 1:].cumsum(axis=2) - increments[:, :, :1, 1:]
    return np.concatenate([increments[..., :1], others], axis=-1)


def _known(history: F64) -> F64:
    """What of the history is known now (n, 500, 5): returns and volumes up to the step that ends now, changes of the others."""
    known = history.copy()
    known[:, 1:, [0, 2]] = history[:, :-1, [0, 2]]
    return known


def _random_walk(history: F64, chance: np.random.Generator) -> F64:
    known = _known(history)
    changes = np.concatenate([known[:, 1:, :1], np.diff(known[..., 1:], axis=1)], axis=-1)
    weights = DECAY ** np.arange(changes.shape[1])[::-1]
    scale = np.sqrt((weights[:, None] * changes**2).sum(axis=1) / weights.sum())  # (n, 5)
    return _steps_of(chance.standard_normal((SAMPLES, len(history), _H + 1, 5)) * scale[:, None], known)


def _bootstrap(history: F64, chance: np.random.Generator) -> F64:
    known = _known(history)
    changes = np.concatenate([known[:, 1:, :1], np.diff(known[..., 1:], axis=1)], axis=-1)
    blocks = -(-(_H + 1) // _BLOCK)
    first = chance.integers(0, changes.shape[1] - _BLOCK, (SAMPLES, len(history), blocks))
    rows = (first[..., None] + np.arange(_BLOCK)).reshape(SAMPLES, len(history), -1)[..., : _H + 1]
    return _steps_of(changes[np.arange(len(history))[:, None], rows], known)


def _crps(samples: F64, true: F64) -> F64:
    """CRPS of samples (S, n, 20, 4) for (n, 20, 4), without the bias of few samples."""
    m, ordered = len(samples), np.sort(samples, axis=0)
    weight = (2 * np.arange(m) - m + 1).reshape(-1, 1, 1, 1)
    return np.abs(samples - true).mean(axis=0) - (weight * ordered).sum(axis=0) / (m * (m - 1))


def _ranks(samples: F64, true: F64, chance: np.random.Generator) -> F64:
    """Where what came stands among the samples, in 0 .. 1; among equals by chance."""
    near = 1e-6
    below, equal = (samples < true - near).sum(axis=0), (np.abs(samples - true) <= near).sum(axis=0)
    return (below + chance.random(true.shape) * (1 + equal)) / (len(samples) + 1)


assert EVERY * STRIDE == 10  # a step is ten events
