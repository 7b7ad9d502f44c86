"""The world model: encoder, dynamics and heads. Its verbs: encode, step, forecast, rollout.

The encoder's and the dynamics' layers are those of the specification. Beside them stands what a distribution needs: a
transition with chance, z' = LN(h') + N (s(h') eps) with eps in R^16, whose deterministic path (eps = 0) is the plain one; a
LayerNorm behind the fusion, so that the distance of two latents means something; and one trunk of heads. What the arrays and
columns are is said in `models.net_contract`. B stands for batch, S for samples, T for steps.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as fn

from models.net_contract import (
    ACTION,
    BOOK,
    BOOK_HIDDEN,
    BOOK_OUT,
    CONTEXT,
    FEATURES,
    KERNEL,
    LATENT,
    N_HEADS,
    NOISE,
    TAPE_OUT,
    TAPE_ROWS,
    TRUNK,
)


class Observation(NamedTuple):
    """What `models.observation.observe` made: book (B, 40), tape (B, 3, 50), context (B, 18), float32."""

    book: Tensor
    tape: Tensor
    context: Tensor


class Normalisation(nn.Module):
    """Statistics of the model version, which training sets once."""

    def __init__(self) -> None:
        super().__init__()
        for name, size in (("book", BOOK), ("tape", TAPE_ROWS), ("context", CONTEXT)):
            self.register_buffer(f"{name}_mean", torch.zeros(size))
            self.register_buffer(f"{name}_scale", torch.ones(size))
        self.book_mean: Tensor
        self.book_scale: Tensor
        self.tape_mean: Tensor
        self.tape_scale: Tensor
        self.context_mean: Tensor
        self.context_scale: Tensor

    def forward(self, seen: Observation) -> Observation:
        """(x - mean) / scale; 0 where a level or trade has no size, or a feature's known bit is 0. Shapes stay."""
        level = (seen.book.view(-1, BOOK // 2, 2)[:, :, 1:] > 0).expand(-1, -1, 2).reshape(-1, BOOK)  # (B, 40)
        book = torch.where(level, (seen.book - self.book_mean) / self.book_scale, 0.0)
        trade = seen.tape[:, 1:2] > 0  # (B, 1, 50)
        tape = torch.where(trade, (seen.tape - self.tape_mean[:, None]) / self.tape_scale[:, None], 0.0)
        known = torch.ones_like(seen.context, dtype=torch.bool)
        known[:, :FEATURES] = seen.context[:, FEATURES : 2 * FEATURES] > 0
        context = torch.where(known, (seen.context - self.context_mean) / self.context_scale, 0.0)
        return Observation(book, tape, context)


class MicrostructureEncoder(nn.Module):
    """Vision: a normalised observation -> z (B, 128)."""

    def __init__(self) -> None:
        super().__init__()
        self.book1 = nn.Linear(BOOK, BOOK_HIDDEN)
        self.book2 = nn.Linear(BOOK_HIDDEN, BOOK_OUT)
        self.tape = nn.Conv1d(TAPE_ROWS, TAPE_OUT, KERNEL, padding=KERNEL // 2)
        self.fusion = nn.Linear(BOOK_OUT + TAPE_OUT + CONTEXT, LATENT)
        self.norm = nn.LayerNorm(LATENT)

    def forward(self, seen: Observation) -> Tensor:
        book = fn.silu(self.book2(fn.silu(self.book1(seen.book))))  # (B, 64)
        tape = fn.silu(self.tape(seen.tape)).mean(dim=2)  # (B, 32)
        fused: Tensor = self.norm(self.fusion(torch.cat([book, tape, seen.context], dim=1)))  # (B, 128)
        return fused


class TickDynamics(nn.Module):
    """Memory: (z, action, h) -> (next z, next h)."""

    def __init__(self) -> None:
        super().__init__()
        self.gru = nn.GRUCell(LATENT + ACTION, LATENT)
        self.norm = nn.LayerNorm(LATENT)
        self.noise_scale = nn.Linear(LATENT, NOISE)
        self.noise_out = nn.Parameter(torch.zeros(LATENT, NOISE))

    def forward(self, z: Tensor, action: Tensor, h: Tensor, eps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """eps: (B, 16) standard normal; None is the deterministic path. Both results (B, 128)."""
        h = self.gru(torch.cat([z, action], dim=1), h)
        z = self.norm(h)
        if eps is not None:
            z = z + (fn.softplus(self.noise_scale(h)) * eps) @ self.noise_out.T
        return z, h


class Heads(nn.Module):
    """z (B, 128) -> forecasts (B, N_HEADS), columns as in `models.net_contract.HEADS`."""

    def __init__(self) -> None:
        super().__init__()
        self.trunk = nn.Linear(LATENT, TRUNK)
        self.out = nn.Linear(TRUNK, N_HEADS)

    def forward(self, z: Tensor) -> Tensor:
        told: Tensor = self.out(fn.silu(self.trunk(z)))
        return told


class WorldModel(nn.Module):
    """All of it. Noise is always handed in: the model draws nothing, so that a seed decides."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = Normalisation()
        self.encoder = MicrostructureEncoder()
        self.dynamics = TickDynamics()
        self.heads = Heads()

    def encode(self, seen: Observation) -> Tensor:
        """An observation as it was made -> z (B, 128)."""
        z: Tensor = self.encoder(self.norm(seen))
        return z

    def step(self, z: Tensor, action: Tensor, h: Tensor, eps: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """One step of ten events -> (next z, next h), both (B, 128)."""
        told: tuple[Tensor, Tensor] = self.dynamics(z, action, h, eps)
        return told

    def forecast(self, z: Tensor) -> Tensor:
        """The heads at z -> (B, N_HEADS)."""
        told: Tensor = self.heads(z)
        return told

    def rollout(self, z: Tensor, h: Tensor, actions: Tensor, eps: Tensor) -> Tensor:
        """Paths from one or many beginnings.

        Args:
            z, h: (S, 128), where each path begins.
            actions: (S, T, 4).
            eps: (S, T, 16) standard normal.

        Returns:
            (S, T + 1, 128): the latents, the beginning first.
        """
        path = [z]
        for t in range(eps.shape[1]):
            z, h = self.step(z, actions[:, t], h, eps[:, t])
            path.append(z)
        return torch.stack(path, dim=1)  # (S, T + 1, 128)


def initialised(seed: int) -> WorldModel:
    """An untrained model whose weights the seed decides; the global generator is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = WorldModel()
        nn.init.normal_(model.dynamics.noise_out, std=0.05)
    return model


def tensors_of(*modules: nn.Module) -> dict[str, NDArray[np.float32]]:
    """The parameters and statistics of modules by the contract's names: of a WorldModel, and of a Controller."""
    found = [(name, value) for module in modules for name, value in module.state_dict().items()]
    return {name: value.detach().cpu().numpy().astype(np.float32) for name, value in found}


def load(module: nn.Module, tensors: Mapping[str, NDArray[np.float32]]) -> None:
    """Puts the tensors that a module has into it; there may be others. Raises KeyError where one is missing."""
    module.load_state_dict({name: torch.from_numpy(tensors[name].copy()) for name in module.state_dict()})
