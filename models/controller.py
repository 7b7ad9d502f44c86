"""The controller: what to do, seen from z and our own state. Actor and critic of the specification, with own state beside z.

An action's components, each squashed by s = softsign(u) = u / (1 + abs(u)), for which no mathematics library is needed:

| place | quoter (`quote`) | scheduler (`share`) |
|---|---|---|
| 0 | bid offset from the middle, 2 (1 + s) price units | participation, share of the volume, (1 + s) / 2 |
| 1 | ask offset, 2 (1 + s) | aggression, the part that crosses the spread, (1 + s) / 2 |
| 2 | bid size factor, 1 + s | 0 |
| 3 | ask size factor, 1 + s | 0 |

What the nets see of an action is this vector as it stands, whoever acts.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor, nn
from torch.nn import functional as fn

from models.net_contract import ACTION, LATENT, OWN_STATE

OFFSET_HALF: Final = 2.0  # price units at softsign 0; twice that is the widest


class Controller(nn.Module):
    """z (B, 128) and own state (B, 4) -> raw action (B, 4) and value (B, 1)."""

    def __init__(self) -> None:
        super().__init__()
        self.actor1 = nn.Linear(LATENT + OWN_STATE, 128)
        self.actor2 = nn.Linear(128, 64)
        self.actor3 = nn.Linear(64, ACTION)
        self.critic1 = nn.Linear(LATENT + OWN_STATE, 128)
        self.critic2 = nn.Linear(128, 1)

    def forward(self, z: Tensor, own: Tensor) -> tuple[Tensor, Tensor]:
        seen = torch.cat([z, own], dim=1)  # (B, 132)
        raw = self.actor3(fn.silu(self.actor2(fn.silu(self.actor1(seen)))))  # (B, 4)
        return raw, self.critic2(fn.silu(self.critic1(seen)))  # (B, 1)


class ControllerModule(nn.Module):
    """A controller under the name that its tensors have in a weights file."""

    def __init__(self) -> None:
        super().__init__()
        self.controller = Controller()


def quote(raw: Tensor) -> Tensor:
    """Raw actions (B, 4) -> [bid offset, ask offset, bid size factor, ask size factor]: 0 .. 4 price units, 0 .. 2."""
    half = torch.tensor([OFFSET_HALF, OFFSET_HALF, 1.0, 1.0], dtype=raw.dtype, device=raw.device)
    return half * (1 + fn.softsign(raw))


def share(raw: Tensor) -> Tensor:
    """Raw actions (B, 4) -> [participation, aggression, 0, 0], the first two in 0 .. 1."""
    half = torch.tensor([0.5, 0.5, 0.0, 0.0], dtype=raw.dtype, device=raw.device)
    return half * (1 + fn.softsign(raw))


def initialised(seed: int) -> ControllerModule:
    """An untrained controller whose weights the seed decides; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return ControllerModule()
