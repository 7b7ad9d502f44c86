"""What the nets are trained for: moves, quantities as distributions, rollouts as samples, and a latent that foresees itself."""

from __future__ import annotations

from typing import Final, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from models.net_contract import ACTION, BOOK, CONTEXT, HEAD, LATENT, MOVE_EVENTS, NOISE, QUANTITIES
from models.sequences import Batch
from models.world_model import WorldModel

MEANS: Final = [HEAD[f"{name}_mean"] for name in QUANTITIES]
SCALES: Final = [HEAD[f"{name}_log_scale"] for name in QUANTITIES]
TAILS: Final = [HEAD[f"{name}_tail"] for name in QUANTITIES]
YES_OR_NO: Final = [HEAD[name] for name in ("toxicity_logit", "fill_bid_logit", "fill_ask_logit")]
LOG_SCALE: Final = (-6.0, 4.0)
TAIL: Final = (0.01, 2.5)


class Losses(NamedTuple):
    """Means over the batch: moves in nats; quantities and rollouts as CRPS; latent and reading as squared distance."""

    moves: Tensor
    now: Tensor
    rollout: Tensor
    latent: Tensor
    rest: Tensor
    reading: Tensor

    def total(self) -> Tensor:
        """What is minimised."""
        return 2 * self.moves + self.now + self.rollout + 0.5 * self.latent + 0.5 * self.rest + 0.3 * self.reading


def reader(seed: int) -> nn.Linear:
    """A straight line from z back to what was seen, used in training alone: z is to carry it in a form that can be read."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return nn.Linear(LATENT, BOOK + CONTEXT + 1)


def compress(x: Tensor) -> Tensor:
    """sign(x) log2(1 + abs(x)), as `models.logarithm` has it."""
    return torch.sign(x) * torch.log2(1 + x.abs())


def targets(path: Tensor, units: Tensor) -> Tensor:
    """Raw paths (..., 5) in the units (..., 2) of one moment -> the quantities (..., 5) in the units of the heads."""
    price, size = units[..., :1], units[..., 1:]
    return torch.cat([path[..., :1] / price, compress(path[..., 1:2] / price), compress(path[..., 2:] / size)], dim=-1)


def quantities(heads: Tensor, n: Tensor) -> Tensor:
    """Heads (..., N_HEADS) and standard normals (..., 5) -> one draw of the quantities (..., 5)."""
    tail = fn.softplus(heads[..., TAILS]).clamp(*TAIL)
    return heads[..., MEANS] + torch.exp2(heads[..., SCALES].clamp(*LOG_SCALE)) * torch.sinh(tail * n) / tail


def anchored(drawn: Tensor, first: Tensor, known: Tensor) -> Tensor:
    """Draws (..., T, 5) along a rollout, moved so that spread and depths begin where they stand.

    Args:
        first: (..., 1, 5) means of the heads where the rollout begins.
        known: (..., 1, 5) what is seen there; returns and volumes of steps to come are not, and stay as they are drawn.
    """
    moved = torch.tensor([0.0, 1.0, 0.0, 1.0, 1.0], dtype=drawn.dtype, device=drawn.device)
    return drawn + moved * (known - first)


def quantile_crps(heads: Tensor, y: Tensor) -> Tensor:
    """CRPS of the heads' distributions by the pinball loss at 15 evenly spaced quantiles; y (..., 5)."""
    level = (torch.arange(15, dtype=y.dtype) + 0.5) / 15
    n = (torch.special.ndtri(level))[:, None].expand(-1, len(QUANTITIES))  # (15, 5)
    over = y[..., None, :] - quantities(heads[..., None, :], n)  # (..., 15, 5)
    return 2 * torch.maximum(level[:, None] * over, (level[:, None] - 1) * over).mean(dim=-2)


def sample_crps(x: Tensor, y: Tensor) -> Tensor:
    """CRPS of samples x (M, ...) for y (...), without the bias of few samples (Ferro 2014)."""
    m = x.shape[0]
    ordered = x.sort(dim=0).values
    weight = (2 * torch.arange(m, dtype=x.dtype) - m + 1).view(-1, *[1] * (x.dim() - 1))
    return (x - y).abs().mean(dim=0) - (weight * ordered).sum(dim=0) / (m * (m - 1))


def losses(model: WorldModel, reading: nn.Linear, batch: Batch, burn: int, samples: int, chance: torch.Generator) -> Losses:
    """Of a batch of sequences: `burn` steps are seen, then `samples` paths are rolled out over the rest."""
    size, steps = batch.moves.shape[:2]
    z = model.encode(batch.seen)  # (B L, 128)
    heads = model.forecast(z).view(size, steps, -1)
    read = _reading(model, reading, batch, z)
    z = z.view(size, steps, LATENT)
    now = targets(batch.path, batch.units)
    return Losses(
        _moves(heads, batch.moves),
        quantile_crps(heads, now).mean(),
        *_dynamics(model, batch, z, burn, samples, chance),
        _rest(heads, batch),
        read,
    )


def _reading(model: WorldModel, reading: nn.Linear, batch: Batch, z: Tensor) -> Tensor:
    """Book, context and the direction of the last ten trades, normalised; what is missing there is 0 and asked for as such."""
    seen = model.norm(batch.seen)
    wanted = torch.cat([seen.book, seen.context, batch.seen.tape[:, 2, -10:].mean(dim=1, keepdim=True)], dim=1)
    return fn.smooth_l1_loss(reading(z), wanted)


def _moves(heads: Tensor, moves: Tensor) -> Tensor:
    return torch.stack(
        [
            fn.cross_entropy(heads[..., 3 * j : 3 * j + 3].reshape(-1, 3), moves[..., j].reshape(-1))
            for j in range(len(MOVE_EVENTS))
        ]
    ).mean()


def _rest(heads: Tensor, batch: Batch) -> Tensor:
    volatility = compress(batch.other[..., 3] / batch.units[..., 0])
    missed = fn.smooth_l1_loss(heads[..., HEAD["log_volatility"]], volatility)
    return missed + fn.binary_cross_entropy_with_logits(heads[..., YES_OR_NO], batch.other[..., :3])


def _dynamics(
    model: WorldModel, batch: Batch, z: Tensor, burn: int, samples: int, chance: torch.Generator
) -> tuple[Tensor, Tensor]:
    """Loss of the rollouts, and of the latents: one step ahead while seeing, further while rolling."""
    size, steps = z.shape[:2]
    h, still = z.new_zeros(size, LATENT), z.new_zeros(size, ACTION)
    near = []
    for t in range(burn):
        foreseen, h_next = model.step(z[:, t], still, h)
        near.append(foreseen - z[:, t + 1].detach())
        h = h_next if t + 1 < burn else h
    ahead = steps - burn
    begin, memory = (one.repeat(samples, 1) for one in (z[:, burn - 1], h))
    eps = torch.randn(samples * size, ahead, NOISE, generator=chance)
    path = model.rollout(begin, memory, still.new_zeros(samples * size, ahead, ACTION), eps)  # (M B, T + 1, 128)
    heads = model.forecast(path.reshape(-1, LATENT)).view(samples, size, ahead + 1, -1)
    xi = torch.randn(samples, size, ahead + 1, len(QUANTITIES), generator=chance)
    true = targets(batch.path[:, burn - 1 :], batch.units[:, burn - 1 : burn])  # (B, T + 1, 5)
    drawn = anchored(quantities(heads, xi), heads[:, :, :1, MEANS], true[:, :1])  # (M, B, T + 1, 5)
    root = torch.arange(1, ahead + 2, dtype=z.dtype).sqrt()
    returns = sample_crps(drawn[..., 0].cumsum(dim=2) / root, true[..., 0].cumsum(dim=1) / root).mean()
    others = sample_crps(drawn[:, :, 1:, 1:], true[:, 1:, 1:]).mean()
    rolled = path.view(samples, size, ahead + 1, LATENT).mean(dim=0)[:, 1:] - z[:, burn:].detach()
    latent = torch.stack(near).square().mean() + 0.5 * rolled.square().mean()
    return returns + others, latent
