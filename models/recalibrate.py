"""Rollouts put right by what the tape itself has lately been: where their centre lies, and how wide they are.

A net that has never seen a market takes its spreads, volumes and depths for those of markets that it knows, and is too sure of
it. What the tape has shown so far says better where they are. Of each quantity q, h steps ahead,

    x' = c + g d (s / sd)^p,   c = a m + b last + (1 - a - b) level,   d = x - m

m and sd: mean and standard deviation of the draws; last: what stands now; level and s: mean and deviation of the past, weighed
by `DECAY` a step (of returns c is m, and s grows with the root of h). a, b (as logits) and log g are straight lines in log h,
p is one number. They minimise CRPS on days that the nets drawing them have not seen; then g is moved until the 50, 80 and 95 %
intervals hold as often as they say there: a conformal step (Vovk, Gammerman and Shafer 2005), by days left out (cross-conformal,
Vovk 2015).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.losses import sample_crps

F64 = NDArray[np.float64]
DECAY: Final = 0.98
LEVELS: Final = (0.5, 0.8, 0.95)
_KIND: Final = [0, 1, 2, 3, 3]  # return, spread, volume, and both depths as one
_FITTED: Final = [1, 2, 3, 5, 8, 12, 16, 20]  # steps ahead
_LEAST: Final = 1e-3  # deviation of draws that are all alike
_ROUNDS: Final = 100


class Drawn(NamedTuple):
    """Of one tape, n beginnings: draws (S, n, T, 5) and what came (n, T, 5), the return so far and the others after each step;
    history (n, P, 5), steps that were known when each began, the last one then."""

    draws: F64
    true: F64
    history: F64


class Recalibration(NamedTuple):
    """centre (4, 2, 2): logits of last and of level beside the net's, at step 1 and what they gain up to step 20; width (4, 2):
    log g likewise; share (4,): logit of p. The first axis is return, spread, volume, depth."""

    centre: Tensor
    width: Tensor
    share: Tensor

    def apply(self, drawn: Drawn, steps: Sequence[int] | None = None) -> Tensor:
        """Draws put right, (S, n, len(steps), 5); steps ahead from 1, all by default."""
        wanted = list(steps) if steps is not None else list(range(1, drawn.true.shape[1] + 1))
        kind = self.centre.dtype
        draws = torch.from_numpy(drawn.draws[:, :, [h - 1 for h in wanted]]).to(kind)
        last, level, past = (torch.from_numpy(one).to(kind) for one in _past(drawn.history, wanted))
        line = _line(wanted).to(kind)  # (H, 2)
        logits = torch.cat([torch.zeros(4, 1, 2, dtype=kind), self.centre], dim=1) @ line.T  # (4, 3, H)
        parts = logits.softmax(dim=1)
        parts = torch.cat([torch.tensor([1.0, 0, 0], dtype=kind)[None, :, None].expand(1, 3, len(wanted)), parts[1:]])[
            _KIND
        ]  # (5, 3, H)
        net, now, before = parts.permute(1, 2, 0)  # (H, 5) each
        mean, deviation = draws.mean(dim=0), draws.std(dim=0).clamp_min(_LEAST)
        width = torch.exp(self.width @ line.T)[_KIND].T  # (H, 5)
        power = torch.sigmoid(self.share)[_KIND]
        return net * mean + now * last + before * level + width * (draws - mean) * (past / deviation) ** power


def fit(tapes: Sequence[Drawn]) -> Recalibration:
    """What puts draws right on tapes that the nets that drew them had not seen. Raises ValueError where there are none.

    In double precision, and handed over in single: the last bit of a sum depends on where its terms lie in memory.
    """
    if not tapes:
        raise ValueError("to recalibrate, draws of a tape that was not learnt from are needed")
    found = Recalibration(torch.zeros(4, 2, 2).double(), torch.zeros(4, 2).double(), torch.full((4,), -1.0).double())
    for one in found:
        one.requires_grad_()
    optimiser = torch.optim.Adam(list(found), lr=0.05)
    whole = Drawn(*(np.concatenate([getattr(one, name) for one in tapes], axis=int(name == "draws")) for name in Drawn._fields))
    true = torch.from_numpy(whole.true[:, [h - 1 for h in _FITTED]])
    for _ in range(_ROUNDS):
        optimiser.zero_grad()
        sample_crps(found.apply(whole, _FITTED), true).mean().backward()
        optimiser.step()
    with torch.no_grad():
        found.width.add_(_conformal(found.apply(whole, _FITTED), true))
    return Recalibration(*(one.detach().float() for one in found))


def _conformal(draws: Tensor, true: Tensor) -> Tensor:
    """(4, 2): by how much log g must move, a line through the factors with which the central intervals hold best."""
    mean = draws.mean(dim=0)
    half = torch.quantile((draws - mean).abs(), torch.tensor(LEVELS).to(draws), dim=0).clamp_min(1e-9)  # (3, n, H, 5)
    ratio = (true - mean).abs() / half
    tried = torch.linspace(-1, 1.5, 51)
    held = torch.stack([(ratio <= torch.exp(move)).float().mean(dim=1) for move in tried])  # (51, 3, H, 5)
    missed = (held - torch.tensor(LEVELS)[:, None, None]).abs().sum(dim=1)  # (51, H, 5)
    by_kind = torch.cat([missed[..., :3], missed[..., 3:].mean(dim=-1, keepdim=True)], dim=-1)
    return torch.linalg.lstsq(_line(_FITTED).double(), tried[by_kind.argmin(dim=0)].double()).solution.T


def _line(steps: Sequence[int]) -> Tensor:
    """(H, 2): 1 and log h, 0 at one step and 1 at twenty."""
    log = torch.tensor(steps).float().log() / np.log(20)
    return torch.stack([torch.ones_like(log), log], dim=1)


def _past(history: F64, steps: Sequence[int]) -> tuple[F64, F64, F64]:
    """What stands, the level and the deviation, (n, 1 or H, 5) each, from history that was known."""
    weights = DECAY ** np.arange(history.shape[1])[::-1]
    weights = (weights / weights.sum())[:, None]
    last, level = history[:, -1], (weights * history).sum(axis=1)
    square = (history - level[:, None]) ** 2
    square[..., 0] = history[..., 0] ** 2
    deviation = np.repeat(np.sqrt((weights * square).sum(axis=1))[:, None], len(steps), axis=1)
    deviation[..., 0] *= np.sqrt(np.asarray(steps))
    return last[:, None], level[:, None], np.maximum(deviation, _LEAST)
