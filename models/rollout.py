"""Many futures from one moment: 500 samples of 20 steps with every forecast, for planners.

Two ways through one weights file. `roll` is compiled and runs on the processor: every row's sums have the order of the inference
core's, so that a sample is the same bits whatever the number of samples, of threads, and the width of the machine's vectors;
with no noise its first step is `infer`'s. `roll_on` is the torch module, for a graphics card and as the reference.

Chance is drawn from the seed alone, before anything is computed: sample i of a seed has the same noise whatever is done in it,
which makes two plans comparable (common random numbers).
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ForecastError
from models import inference_layout as lay
from models.inference_layout import aligned
from models.net_contract import ACTION, LATENT, N_HEADS, NOISE
from models.rollout_kernels import ROW, roll_rows

if TYPE_CHECKING:  # a planner's process needs no torch
    import torch

    from models.world_model import WorldModel

F32 = NDArray[np.float32]
SAMPLES: Final = 500
STEPS: Final = 20
SHARD: Final = 128  # samples that one thread takes at a time


class Paths(NamedTuple):
    """latents (n, T, 128) and heads (n, T, N_HEADS) after each step."""

    latents: F32
    heads: F32


def noise(seed: int, samples: int = SAMPLES, steps: int = STEPS) -> F32:
    """(samples, steps, 16) standard normal. Fewer samples of the same steps are the first of more."""
    generator = np.random.Generator(np.random.Philox(key=seed))
    return generator.standard_normal((samples, steps, NOISE), dtype=np.float32)


def roll(weights: F32, z: F32, h: F32, actions: F32, chance: F32, *, threads: int = 1) -> Paths:
    """Futures from one moment.

    Args:
        weights: (WEIGHTS,), of `models.inference_layout.pack`.
        z, h: (128,), the moment.
        actions: (T, 4) for everybody, or (n, T, 4).
        chance: (n, T, 16), of `noise`.
        threads: how many work at once; the result does not depend on it.

    Raises:
        ForecastError: what goes in does not fit together, or what goes in or comes out is no number.
    """
    n, steps = chance.shape[:2]
    actions = actions[None] if actions.ndim == 2 else actions
    shapes = (weights.shape, z.shape, h.shape, actions.shape, chance.shape)
    if shapes != ((lay.WEIGHTS,), (LATENT,), (LATENT,), (len(actions), steps, ACTION), (n, steps, NOISE)) or not n or not steps:
        raise ForecastError(f"a rollout of shapes {shapes}")
    if len(actions) not in (1, n):
        raise ForecastError(f"actions for {len(actions)} samples of {n}")
    for name, array in (("z", z), ("h", h), ("actions", actions), ("chance", chance)):
        if not np.isfinite(array).all():
            raise ForecastError(f"a rollout whose {name} is no number")
    paths = Paths(np.empty((n, steps, LATENT), np.float32), np.empty((n, steps, N_HEADS), np.float32))
    parts = [slice(first, min(first + SHARD, n)) for first in range(0, n, SHARD)]
    z, h, actions, chance = (np.ascontiguousarray(array, np.float32) for array in (z, h, actions, chance))

    def shard(part: slice) -> None:
        own = actions if len(actions) == 1 else actions[part]
        rows = -(-(part.stop - part.start) // 4) * 4
        roll_rows(weights, z, h, own, chance[part], aligned(rows * ROW), paths.latents[part], paths.heads[part])

    if threads == 1:
        for part in parts:
            shard(part)
    else:
        with ThreadPoolExecutor(threads) as pool:
            list(pool.map(shard, parts))
    if not (np.isfinite(paths.latents).all() and np.isfinite(paths.heads).all()):
        raise ForecastError("a rollout that comes to what is no number")
    return paths


def roll_on(model: WorldModel, z: torch.Tensor, h: torch.Tensor, actions: torch.Tensor, chance: torch.Tensor) -> torch.Tensor:
    """The same by torch, on the device of its arguments: heads (n, T, N_HEADS).

    Args:
        z, h: (128,). actions: (T, 4) or (n, T, 4). chance: (n, T, 16).
    """
    import torch

    n, steps = chance.shape[:2]
    with torch.inference_mode():
        path = model.rollout(z.expand(n, -1), h.expand(n, -1), actions.expand(n, steps, -1), chance)  # (n, T + 1, 128)
        latents = path[:, 1:].reshape(n * steps, -1)  # (n T, 128)
        return model.forecast(latents).reshape(n, steps, -1)
