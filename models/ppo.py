"""Proximal policy optimisation (Schulman et al. 2017) of the controller, in one file.

Why no library: torchrl and stable-baselines3 drive environments step by step from Python and own the policy's network. Here whole
horizons run in one compiled pass through the very core that quotes (`models.inference.infer`), so that what is learnt on is
what will decide, and what is left for PPO is two short formulas: the clipped ratio and generalised advantages (Schulman et al.
2016).

The policy is normal in raw actions (before squashing), its mean the actor's, its deviation a schedule of the caller's. Every
number that decides is an argument or comes from the generator that is handed in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.controller import Controller
from models.net_contract import LATENT

F32 = NDArray[np.float32]
F64 = NDArray[np.float64]
I64 = NDArray[np.int64]


@dataclass(frozen=True)
class Ppo:
    """How to learn."""

    rate: float = 2e-5  # of the actor
    critic_rate: float = 3e-4
    clip: float = 0.2
    epochs: int = 3
    batch: int = 8_192
    discount: float = 0.99
    decay: float = 0.95  # lambda of the advantages
    norm: float = 0.5  # most of a gradient, of the actor's and of the critic's
    divergence: float = 0.02  # mean divergence from the policy that acted of a batch at which an update ends


class Horizons(NamedTuple):
    """What P makers saw, did and got in T looks, of which `length` are theirs; the rest is room. Rewards in units of about 1."""

    seen: F32  # (P, T, 132) next z and own state
    raw: F32  # (P, T, 4)
    reward: F64  # (P, T)
    length: I64  # (P,)


class Learnt(NamedTuple):
    """Of one update: means over its batches."""

    divergence: float
    value_loss: float
    clipped: float
    batches: float


def advantages(reward: F64, value: F64, length: I64, discount: float, decay: float) -> F64:
    """Generalised advantages (P, T). A horizon's end is worth nothing beyond its last reward; 0 behind it."""
    paths, most = reward.shape
    gain: F64 = np.zeros((paths, most))
    carried: F64 = np.zeros(paths)
    after: F64 = np.zeros(paths)
    for t in range(most - 1, -1, -1):
        there = t < length
        carried = np.where(there, reward[:, t] + discount * after - value[:, t] + discount * decay * carried, 0.0)
        after = np.where(there, value[:, t], 0.0)
        gain[:, t] = carried
    return gain


def log_prob(mean: Tensor, raw: Tensor, deviation: float) -> Tensor:
    """(B,) of raw actions (B, 4), up to a constant."""
    return -0.5 * (((raw - mean) / deviation) ** 2).sum(dim=1)


def optimiser_of(controller: Controller, how: Ppo) -> torch.optim.Optimizer:
    """Adam; actor and critic share no layer and have each a rate."""
    actor = [value for name, value in controller.named_parameters() if name.startswith("actor")]
    critic = [value for name, value in controller.named_parameters() if name.startswith("critic")]
    groups = [{"params": actor, "lr": how.rate}, {"params": critic, "lr": how.critic_rate}]
    return torch.optim.Adam(groups, eps=1e-5)


def update(
    controller: Controller, optimiser: torch.optim.Optimizer, horizons: Sequence[Horizons], how: Ppo, deviation: float,
    chance: np.random.Generator, *, critic_alone: bool = False,
) -> Learnt:  # fmt: skip
    """Learn from horizons of one or more worlds; advantages are standardised world by world. critic_alone: the actor stays."""
    parts = [_examples(controller, one, how, deviation) for one in horizons]
    seen, raw, before, gain, target = (torch.cat(column) for column in zip(*parts, strict=True))
    told: list[list[float]] = []
    for _ in range(how.epochs):
        order = torch.from_numpy(chance.permutation(len(seen)))
        for rows in order.split(how.batch):
            if told and told[-1][0] > how.divergence:
                return _means(told)
            mean, value = controller(seen[rows, :LATENT], seen[rows, LATENT:])
            ratio = torch.exp(log_prob(mean, raw[rows], deviation) - before[rows])
            limited = ratio.clamp(1 - how.clip, 1 + how.clip)
            policy = -torch.minimum(ratio * gain[rows], limited * gain[rows]).mean()
            missed = ((value[:, 0] - target[rows]) ** 2).mean()
            optimiser.zero_grad()
            (missed if critic_alone else missed + policy).backward()
            for group in optimiser.param_groups:
                torch.nn.utils.clip_grad_norm_(group["params"], how.norm)
            optimiser.step()
            with torch.no_grad():
                apart = (ratio - 1 - torch.log(ratio.clamp_min(1e-12))).mean()
                told.append([float(apart), float(missed), float(((ratio - limited) != 0).float().mean())])
    return _means(told)


def _means(told: list[list[float]]) -> Learnt:
    divergence, missed, clipped = np.mean(told, axis=0).tolist()
    return Learnt(divergence, missed, clipped, float(len(told)))


def _examples(controller: Controller, one: Horizons, how: Ppo, deviation: float) -> tuple[Tensor, ...]:
    """(B, ...) what was seen, done, how likely that was, its advantage, and what the critic should have said."""
    there = np.arange(one.reward.shape[1]) < one.length[:, None]  # (P, T)
    seen, raw = torch.from_numpy(one.seen[there]), torch.from_numpy(one.raw[there])
    with torch.no_grad():
        mean, said = controller(seen[:, :LATENT], seen[:, LATENT:])
        before = log_prob(mean, raw, deviation)
    value = np.zeros(there.shape)
    value[there] = said[:, 0].double().numpy()
    gain = advantages(one.reward, value, one.length, how.discount, how.decay)
    target = torch.from_numpy((gain + value)[there]).float()
    standard = torch.from_numpy(gain[there]).float()
    return seen, raw, before, (standard - standard.mean()) / (standard.std() + 1e-8), target
