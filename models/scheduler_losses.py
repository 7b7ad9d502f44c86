"""What the scheduler's nets are trained for, on whole orders: filter as long as one sees, foretell every interval that is left.

A batch's orders are seen up to one interval b, which chance draws, and rolled out from there to their end without noise. Each of
the n latents behind a step stands for one interval (`models.interval_examples`) and is asked for what the market did in it
without us, how the book stood at its end, and what buying in it slipped. Paths with noise are trained beside it on fewer
orders, so that samples spread as what comes does.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from models.impact import ImpactModel
from models.losses import MEANS, quantile_crps, quantities, sample_crps
from models.net_contract import BOOK, CONTEXT, LATENT, NOISE
from models.world_model import Observation, WorldModel

SAMPLES: Final = 2
NOISY: Final = 24  # orders of a batch whose paths with noise are trained
RETURN_SD: Final = 8.0  # price units in an interval's deviation, about
SLIPPED: Final = 8.0  # what an even slice slips, in units of the orders' scale, about
SLIPS: Final = 4  # of so many latents one is asked for its impact


class Orders(NamedTuple):
    """B orders over T intervals. seen: (B T, ...) in order of order. path (B, T, 5) as `interval_examples.paths_of` has it;
    slipped (B, T): of an even slice in units of the order's scale, NaN where nothing was bought; share (B, T), size (B,)."""

    seen: Observation
    action: Tensor
    path: Tensor
    slipped: Tensor
    share: Tensor
    root: Tensor  # (B, T) square root of the order's share of the usual volume
    size: Tensor


class SchedulerLosses(NamedTuple):
    """Means over a batch; each has the scale at which it is added."""

    moves: Tensor
    quantities: Tensor
    latent: Tensor
    reading: Tensor
    impact: Tensor
    samples: Tensor

    def total(self) -> Tensor:
        """What is minimised."""
        return 8 * self.moves + 0.5 * self.quantities + 0.2 * self.latent + self.reading + self.impact + 0.3 * self.samples


def reader(seed: int) -> nn.Linear:
    """Reads book and context off a latent by a straight line, in training alone."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(LATENT, BOOK + CONTEXT)


def unrolled(model: WorldModel, z: Tensor, action: Tensor, seen_until: int) -> tuple[Tensor, Tensor, Tensor]:
    """Latents behind each step, (B, T, 128): seen z (B, T, 128) enter up to `seen_until`, then the model's own.

    Returns:
        The latents, and z and h (B, 128) behind the last interval that was seen.
    """
    h, ahead, path = z.new_zeros(len(z), LATENT), z[:, 0], []
    kept = ahead, h
    for k in range(z.shape[1]):
        ahead, h = model.step(z[:, k] if k <= seen_until else ahead, action[:, k], h)
        path.append(ahead)
        if k == seen_until:
            kept = ahead, h
    return torch.stack(path, dim=1), *kept


def losses(
    model: WorldModel, impact: ImpactModel, reading: nn.Linear, orders: Orders, seen_until: int, chance: torch.Generator
) -> SchedulerLosses:
    """Of a batch that is seen up to and with interval `seen_until`."""
    size, steps = orders.path.shape[:2]
    z = model.encode(orders.seen).view(size, steps, LATENT)
    path, begin, memory = unrolled(model, z, orders.action, seen_until)
    heads = model.forecast(path.reshape(-1, LATENT)).view(size, steps, -1)
    missed = heads[..., MEANS[0]] - orders.path[..., 0]
    return SchedulerLosses(
        missed.square().mean() / RETURN_SD**2,
        quantile_crps(heads, orders.path).mean(),
        (path[:, :-1] - z[:, 1:].detach()).square().mean(),
        _reading(model, reading, orders, z, path),
        _impact(impact, orders, path, seen_until),
        _samples(model, orders, begin, memory, seen_until, chance),
    )


def _reading(model: WorldModel, reading: nn.Linear, orders: Orders, z: Tensor, path: Tensor) -> Tensor:
    """What is seen now from z, and what will be seen from the latent that foretells it."""
    seen = model.norm(orders.seen)
    shown = torch.cat([seen.book, seen.context], dim=1).view(*z.shape[:2], -1)
    return 0.3 * fn.mse_loss(reading(z), shown) + fn.mse_loss(reading(path[:, :-1]), shown[:, 1:])


def _impact(impact: ImpactModel, orders: Orders, path: Tensor, seen_until: int) -> Tensor:
    rows = torch.arange(seen_until % SLIPS, orders.share.numel(), SLIPS)
    wanted = orders.slipped.reshape(-1)[rows]
    share, root = orders.share.reshape(-1)[rows], orders.root.reshape(-1)[rows]
    size = orders.size[:, None].expand_as(orders.share).reshape(-1)[rows]
    told = impact(path.reshape(-1, LATENT)[rows], size, share).temporary / root
    there = ~torch.isnan(wanted)
    return 2 * fn.huber_loss(told[there] / SLIPPED, wanted[there] / SLIPPED)  # the square, but for what noise has thrown far off


def _samples(
    model: WorldModel, orders: Orders, begin: Tensor, memory: Tensor, seen_until: int, chance: torch.Generator
) -> Tensor:
    """CRPS of sampled paths of cumulated moves and of the quantities; 0 where nothing is left to roll out."""
    ahead = orders.path.shape[1] - 1 - seen_until
    if ahead == 0:
        return begin.new_zeros(())
    few = min(NOISY, len(begin))
    z, h = (one[:few].detach().repeat(SAMPLES, 1) for one in (begin, memory))
    action = orders.action[:few, seen_until + 1 :].repeat(SAMPLES, 1, 1)
    eps = torch.randn(SAMPLES * few, ahead, NOISE, generator=chance)
    path = model.rollout(z, h, action, eps)[:, 1:]
    heads = model.forecast(path.reshape(-1, LATENT)).view(SAMPLES, few, ahead, -1)
    drawn = quantities(heads, torch.randn(SAMPLES, few, ahead, len(MEANS), generator=chance))
    true = orders.path[:few, seen_until + 1 :]
    root = torch.arange(1, ahead + 1, dtype=z.dtype).sqrt()
    returns = sample_crps(drawn[..., 0].cumsum(dim=2) / root, true[..., 0].cumsum(dim=1) / root).mean() / RETURN_SD
    return returns + sample_crps(drawn[..., 1:], true[..., 1:]).mean()
