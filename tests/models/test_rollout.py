"""Rollouts against torch and against the core; and that nothing but seed and inputs decides a sample."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from domain.errors import ForecastError
from models.compiled import hot
from models.inference import OK, infer, make_core, put_weights
from models.inference_kernels import softplus
from models.inference_layout import OUT_NEXT, OUT_Z, RESULTS, pack
from models.net_contract import LATENT
from models.rollout import Paths, noise, roll, roll_on
from models.vectors import load, store
from tests.models.nets_made import F32, nets, observations, states

MADE = nets()
WEIGHTS = pack(MADE.tensors)
STEPS = 20


def moment(seed: int = 3) -> tuple[F32, F32, F32]:
    """z, h and an action for every step."""
    chance = np.random.default_rng(seed)
    z, h = chance.normal(size=LATENT), chance.uniform(-1, 1, LATENT)
    return z.astype(np.float32), h.astype(np.float32), chance.random((STEPS, 4), np.float32)


def bits(paths: Paths) -> tuple[bytes, bytes]:
    return paths.latents.tobytes(), paths.heads.tobytes()


def test_it_is_torchs_to_a_hundred_thousandth() -> None:
    z, h, actions = moment()
    chance = noise(7, 60, STEPS)
    found = roll(WEIGHTS, z, h, actions, chance)
    expected = roll_on(MADE.model, *(torch.from_numpy(part) for part in (z, h, actions, chance))).numpy()
    assert abs(found.heads - expected).max() <= 1e-5
    assert found.heads[:, -1].std(axis=0).min() > 1e-4, "the samples differ"


def test_without_noise_its_first_step_is_the_cores_bit_for_bit() -> None:
    core = make_core()
    assert put_weights(core, MADE.tensors, MADE.digest)
    for inputs, state in zip(observations(20), states(20), strict=True):
        results = np.zeros(RESULTS, np.float32)
        assert infer(core, inputs, state, results, 0) == OK
        z, h, action = results[OUT_Z : OUT_Z + LATENT], state[:LATENT], state[None, LATENT:]
        paths = roll(WEIGHTS, z, h, action, np.zeros((1, 1, 16), np.float32))
        assert paths.latents[0, 0].tobytes() == results[OUT_NEXT : OUT_NEXT + LATENT].tobytes()


@pytest.mark.parametrize("samples", [1, 2, 3, 4, 127, 129, 300])
def test_a_sample_is_the_same_bits_among_any_number_of_others(samples: int) -> None:
    z, h, actions = moment()
    whole = roll(WEIGHTS, z, h, actions, noise(7, 300, STEPS))
    some = roll(WEIGHTS, z, h, actions, noise(7, samples, STEPS))
    assert bits(some) == bits(Paths(whole.latents[:samples], whole.heads[:samples]))


def test_a_sample_is_the_same_bits_in_any_place() -> None:
    z, h, actions = moment()
    chance, places = noise(7, 150, STEPS), np.random.default_rng(1).permutation(150)
    whole, moved = roll(WEIGHTS, z, h, actions, chance), roll(WEIGHTS, z, h, actions, chance[places])
    assert bits(moved) == bits(Paths(whole.latents[places], whole.heads[places]))


@pytest.mark.parametrize("threads", [2, 3, 8])
def test_the_number_of_threads_decides_nothing(threads: int) -> None:
    z, h, actions = moment()
    chance = noise(7, 500, STEPS)
    assert bits(roll(WEIGHTS, z, h, actions, chance, threads=threads)) == bits(roll(WEIGHTS, z, h, actions, chance))


def test_the_seed_decides_the_noise_and_nothing_else_does() -> None:
    assert noise(7).tobytes() == noise(7).tobytes() != noise(8).tobytes()
    assert noise(7, 10).tobytes() == noise(7)[:10].tobytes()
    assert abs(noise(7).mean()) < 0.01 and abs(noise(7).std() - 1) < 0.01


def test_common_random_numbers_make_plans_comparable() -> None:
    """The difference that an action makes varies far less under the same noise than under another."""
    z, h, actions = moment()
    other = actions + np.float32(0.1)
    paths = [roll(WEIGHTS, z, h, each, noise(seed, 200, STEPS)).heads[:, -1] for each, seed in
             ((actions, 7), (other, 7), (other, 8))]  # fmt: skip
    same, apart = (paths[0] - paths[1]).std(axis=0), (paths[0] - paths[2]).std(axis=0)
    assert (same < 0.5 * apart).all(), (same / apart).max()


def test_each_sample_may_have_actions_of_its_own() -> None:
    z, h, actions = moment()
    chance = noise(7, 6, STEPS)
    own = np.stack([actions * np.float32(i) for i in range(6)])
    together = roll(WEIGHTS, z, h, own, chance)
    for i in range(6):
        alone = roll(WEIGHTS, z, h, own[i], chance[i : i + 1])
        assert bits(alone) == bits(Paths(together.latents[i : i + 1], together.heads[i : i + 1]))


def test_what_is_no_number_or_does_not_fit_is_refused() -> None:
    z, h, actions = moment()
    chance = noise(7, 4, STEPS)
    for place in range(4):
        parts = [part.copy() for part in (z, h, actions, chance)]
        parts[place].ravel()[-1] = np.nan
        with pytest.raises(ForecastError, match="no number"):
            roll(WEIGHTS, *parts)
    wild = MADE.tensors | {"dynamics.noise_out": np.full((LATENT, 16), 1e30, np.float32)}
    with pytest.raises(ForecastError, match="comes to what is no number"):
        roll(pack(wild), z, h, actions, chance * np.float32(1e20))
    for parts in ((z[:-1], h, actions, chance), (z, h, actions[:-1], chance), (z, h, actions, chance[:0])):
        with pytest.raises(ForecastError, match="shapes"):
            roll(WEIGHTS, *parts)
    with pytest.raises(ForecastError, match="actions for 3"):
        roll(WEIGHTS, z, h, np.stack([actions] * 3), chance)


@hot
def _softplus(x: F32, y: F32) -> None:
    for i in range(0, x.size, 16):
        store(y, i, softplus(load(x, i)))


def test_softplus_is_as_exact_as_it_says() -> None:
    x = np.linspace(-79, 79, 160_000).astype(np.float32)
    y = np.zeros_like(x)
    _softplus(x, y)
    exact = np.logaddexp(0, x.astype(np.float64))
    assert (abs(y - exact) < 3e-7 + 6e-8 * abs(x)).all()
