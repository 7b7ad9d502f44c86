"""The nets against the contract: shapes, what is masked, which chance decides, and weights files that are none."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

from domain.errors import WeightsError
from models import controller, world_model
from models.net_contract import BOOK, CONTEXT, HEADS, N_HEADS, TAPE_ROWS, TRADES, tensor_shapes
from models.weights_store import digest_of, read_weights, write_weights
from models.world_model import Observation, WorldModel


def seen(batch: int = 3, seed: int = 0) -> Observation:
    chance = torch.Generator().manual_seed(seed)
    book = torch.rand(batch, BOOK, generator=chance) + 0.5
    tape = torch.rand(batch, TAPE_ROWS, TRADES, generator=chance) + 0.5
    context = torch.rand(batch, CONTEXT, generator=chance)
    context[:, 6:12] = 1.0
    return Observation(book, tape, context)


def tensors(seed: int = 1) -> dict[str, np.ndarray]:
    return world_model.tensors_of(world_model.initialised(seed), controller.initialised(seed))


def test_every_tensor_is_named_and_shaped_by_the_contract() -> None:
    found = tensors()
    assert {name: array.shape for name, array in found.items()} == tensor_shapes()
    assert {array.dtype for array in found.values()} == {np.dtype(np.float32)}
    assert len(set(HEADS)) == N_HEADS


def test_shapes_of_every_verb() -> None:
    model, actor = world_model.initialised(1), controller.initialised(1)
    z = model.encode(seen())
    after, h = model.step(z, torch.zeros(3, 4), torch.zeros(3, 128))
    assert z.shape == after.shape == h.shape == (3, 128)
    assert model.forecast(z).shape == (3, N_HEADS)
    assert model.rollout(z, h, torch.zeros(3, 20, 4), torch.zeros(3, 20, 16)).shape == (3, 21, 128)
    raw, value = actor.controller(z, torch.zeros(3, 4))
    assert (raw.shape, value.shape) == ((3, 4), (3, 1))


def test_a_latent_is_normalised_whatever_is_seen() -> None:
    z = world_model.initialised(1).encode(Observation(*(100 * part for part in seen())))
    assert torch.allclose(z.mean(1), torch.zeros(3), atol=1e-5)
    assert torch.allclose(z.var(1, correction=0), torch.ones(3), atol=1e-3)


@pytest.mark.parametrize("part", ["level", "trade", "feature"])
def test_what_is_missing_says_nothing(part: str) -> None:
    """A price without a size, a trade without one, a value without its bit: another number there changes no latent."""
    model = world_model.initialised(1)
    model.norm.book_mean += 0.3
    one, other = seen(), seen()
    for number, observation in ((7.0, one), (-2.0, other)):
        if part == "level":
            observation.book[:, 4], observation.book[:, 5] = number, 0.0
        elif part == "trade":
            observation.tape[:, :, 3] = torch.tensor([number, 0.0, number])
        else:
            observation.context[:, 2], observation.context[:, 8] = number, 0.0
    assert torch.equal(model.encode(one), model.encode(other))
    assert not torch.equal(model.encode(one), model.encode(seen()))


def test_without_noise_a_rollout_is_the_steps_and_with_noise_it_spreads() -> None:
    model = world_model.initialised(1)
    z, h = model.encode(seen()), torch.zeros(3, 128)
    still = model.rollout(z, h, torch.zeros(3, 2, 4), torch.zeros(3, 2, 16))
    first, h = model.step(z, torch.zeros(3, 4), h)
    second, _ = model.step(first, torch.zeros(3, 4), h)
    assert torch.equal(still[:, 0], z) and torch.equal(still[:, 1], first)
    assert torch.allclose(still[:, 2], second)
    moved = model.rollout(z, torch.zeros(3, 128), torch.zeros(3, 2, 4), torch.ones(3, 2, 16))
    assert (moved[:, 1:] - still[:, 1:]).abs().amax(2).min() > 1e-3


def test_a_seed_decides_the_weights_and_leaves_the_global_generator_alone() -> None:
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    digests = [digest_of(tensors(seed)) for seed in (1, 1, 2)]
    assert digests[0] == digests[1] != digests[2]
    assert torch.equal(torch.rand(1), expected)


def test_actions_stay_within_their_bounds() -> None:
    raw = torch.tensor([[-1e9, 1e9, 0.0, 1.0]])
    assert torch.allclose(controller.quote(raw), torch.tensor([[0.0, 4.0, 1.0, 1.5]]))
    assert torch.allclose(controller.share(raw), torch.tensor([[0.0, 1.0, 0.0, 0.0]]))


def test_weights_come_back_from_their_file(tmp_path: Path) -> None:
    path, wrote = tmp_path / "a.safetensors", tensors()
    digest = write_weights(path, wrote, {"seed": "1"})
    read = read_weights(path, digest)
    assert read.digest == digest == digest_of(wrote)
    assert read.metadata == {"contract": "1", "step": "events:10", "seed": "1"}
    model = WorldModel()
    world_model.load(model, read.tensors)
    assert torch.equal(model.encode(seen()), world_model.initialised(1).encode(seen()))


def test_weights_of_another_version_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.safetensors"
    digest = write_weights(path, tensors(), {})
    write_weights(path, tensors(2), {})
    with pytest.raises(WeightsError, match="is version"):
        read_weights(path, digest)


@pytest.mark.parametrize("damage", ["missing", "cut", "noise", "contract", "tensor", "shape", "type", "nan", "scale"])
def test_damaged_weights_are_refused(tmp_path: Path, damage: str) -> None:
    path, wrote, told = tmp_path / "a.safetensors", tensors(), {"contract": "1", "step": "events:10"}
    if damage == "contract":
        told["contract"] = "99"
    elif damage == "tensor":
        del wrote["heads.out.bias"]
    elif damage == "shape":
        wrote["heads.out.bias"] = np.zeros(N_HEADS + 1, np.float32)
    elif damage == "type":
        wrote["heads.out.bias"] = wrote["heads.out.bias"].astype(np.float64)
    elif damage == "nan":
        wrote["heads.out.bias"][3] = np.nan
    elif damage == "scale":
        wrote["norm.book_scale"][3] = 0.0
    if damage != "missing":
        save_file(wrote, path, metadata=told)
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:1000])
    elif damage == "noise":
        path.write_bytes(np.random.default_rng(1).bytes(5000))
    with pytest.raises(WeightsError):
        read_weights(path)
