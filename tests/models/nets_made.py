"""Untrained nets with statistics that matter, observations and their torch answers, for the tests of the inference core."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models import controller, world_model
from models.controller import ControllerModule
from models.inference_layout import IN_CONTEXT, IN_OWN, IN_TAPE, INPUTS, OUT_ACTION, OUT_HEADS, OUT_NEXT, OUT_Z, RESULTS, STATE
from models.net_contract import ACTION, BOOK, FEATURES, LATENT, N_HEADS, TRADES
from models.weights_store import digest_of
from models.world_model import Observation, WorldModel

F32 = NDArray[np.float32]


class Nets(NamedTuple):
    """One version as torch modules, as tensors, and its digest."""

    model: WorldModel
    actor: ControllerModule
    tensors: dict[str, F32]
    digest: str


def nets(seed: int = 1) -> Nets:
    """Weights by chance, and means and scales that are not 0 and 1."""
    model, actor = world_model.initialised(seed), controller.initialised(seed)
    chance = torch.Generator().manual_seed(seed)
    for name, buffer in model.norm.named_buffers():
        buffer.copy_(torch.rand(buffer.shape, generator=chance) + (0.5 if name.endswith("scale") else 0.0))
    tensors = world_model.tensors_of(model, actor)
    return Nets(model, actor, tensors, digest_of(tensors))


def observations(n: int, seed: int = 5, scale: float = 1.0) -> F32:
    """(n, INPUTS): whole books and short ones, full tapes and young ones, features known and not."""
    chance = np.random.default_rng(seed)
    inputs = (scale * chance.normal(size=(n, INPUTS))).astype(np.float32)
    inputs[:, 1:BOOK:2] = abs(inputs[:, 1:BOOK:2]) * (chance.random((n, BOOK // 2)) < 0.8)
    sizes = slice(IN_TAPE + TRADES, IN_TAPE + 2 * TRADES)
    young = np.arange(TRADES) < chance.integers(0, TRADES + 1, n)[:, None] * (chance.random(n) < 0.3)[:, None]
    inputs[:, sizes] = np.where(young, 0.0, abs(inputs[:, sizes]))
    flags = chance.random((n, FEATURES)) < 0.8
    inputs[:, IN_CONTEXT + FEATURES : IN_CONTEXT + 2 * FEATURES] = flags
    inputs[:, IN_CONTEXT + 2 * FEATURES : IN_OWN] = np.eye(6, dtype=np.float32)[chance.integers(0, 6, n)]
    return inputs


def states(n: int, seed: int = 6) -> F32:
    """(n, STATE): hidden states within -1 .. 1 and some action."""
    return np.random.default_rng(seed).uniform(-1, 1, (n, STATE)).astype(np.float32)


def torch_answer(made: Nets, inputs: F32, state: F32, squash: object = controller.quote) -> tuple[F32, F32]:
    """What torch says of rows of inputs and states: results (n, RESULTS) laid out as the core's, and h' (n, 128)."""
    rows = torch.from_numpy(inputs)
    seen = Observation(rows[:, :BOOK], rows[:, IN_TAPE:IN_CONTEXT].reshape(-1, 3, TRADES), rows[:, IN_CONTEXT:IN_OWN])
    before = torch.from_numpy(state)
    with torch.no_grad():
        z = made.model.encode(seen)
        after, h = made.model.step(z, before[:, LATENT:], before[:, :LATENT])
        action = squash(made.actor.controller(after, rows[:, IN_OWN:])[0])  # type: ignore[operator]
        heads = made.model.forecast(z)
    results = np.zeros((len(inputs), RESULTS), np.float32)
    for at, part, size in (
        (OUT_ACTION, action, ACTION), (OUT_HEADS, heads, N_HEADS), (OUT_Z, z, LATENT), (OUT_NEXT, after, LATENT)
    ):  # fmt: skip
        results[:, at : at + size] = part.numpy()
    return results, h.numpy()
