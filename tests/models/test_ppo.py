"""PPO: advantages by definition, an update that goes where rewards are, a critic that learns alone; the maker's training."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from ems.bootstrap.makers import SHIPPED, MakerTraining, train_maker
from ems.bootstrap.making import evaluate_making
from models.controller import ControllerModule, initialised, quote
from models.net_contract import ACTION, LATENT, OWN_STATE
from models.ppo import Horizons, Ppo, advantages, optimiser_of, update
from models.weights_store import CHAMPION, read_weights
from models.worlds.world import F64

TINY = MakerTraining(clones=2, updates=2, critic_alone=1, paths=2, sessions=1, regimes=1)


def test_advantages_are_the_sums_that_they_are_defined_as() -> None:
    chance = np.random.default_rng(3)
    reward, value, length = chance.normal(size=(4, 9)), chance.normal(size=(4, 9)), np.array([9, 1, 5, 9])
    found = advantages(reward, value, length, 0.9, 0.8)
    for p, n in enumerate(length):
        after = np.append(value[p, 1:n], 0.0)
        errors = reward[p, :n] + 0.9 * after - value[p, :n]
        for t in range(n):
            assert found[p, t] == pytest.approx(sum((0.9 * 0.8) ** (s - t) * errors[s] for s in range(t, n)))
        assert not found[p, n:].any()


def _horizons(module: ControllerModule, seed: int, deviation: float) -> Horizons:
    """What pays is the distance of the bid from 1.2 price units: an action's own reward, at once."""
    chance = np.random.default_rng(seed)
    seen = chance.normal(size=(16, 32, LATENT + OWN_STATE)).astype(np.float32)
    with torch.no_grad():
        mean = module.controller(
            torch.from_numpy(seen[:, :, :LATENT]).flatten(0, 1), torch.from_numpy(seen[:, :, LATENT:]).flatten(0, 1)
        )
    noise = deviation * chance.normal(size=(16 * 32, ACTION)).astype(np.float32)
    raw = mean[0].numpy() + noise
    paid = -((quote(torch.from_numpy(raw))[:, 0].double().numpy() - 1.2) ** 2)
    return Horizons(seen, raw.reshape(16, 32, ACTION), paid.reshape(16, 32), np.full(16, 32))


def _distance(module: ControllerModule) -> float:
    seen = torch.from_numpy(np.random.default_rng(0).normal(size=(500, LATENT + OWN_STATE)).astype(np.float32))
    with torch.no_grad():
        return float((quote(module.controller(seen[:, :LATENT], seen[:, LATENT:])[0])[:, 0] - 1.2).abs().mean())


def test_updates_go_where_the_rewards_are_and_the_critic_can_learn_alone() -> None:
    torch.set_num_threads(1)
    how, module = Ppo(rate=3e-4, batch=128, discount=0.0, divergence=0.5), initialised(1)
    optimiser, chance = optimiser_of(module.controller, how), np.random.default_rng(2)
    before = _distance(module)
    first = update(module.controller, optimiser, [_horizons(module, 0, 0.3)], how, 0.3, chance, critic_alone=True)
    assert _distance(module) == before
    told = [update(module.controller, optimiser, [_horizons(module, n, 0.3)], how, 0.3, chance) for n in range(1, 25)]
    assert _distance(module) < 0.4 * before
    assert told[-1].value_loss < first.value_loss and max(one.divergence for one in told) < 0.5


def test_an_update_ends_where_the_policy_has_gone_too_far() -> None:
    torch.set_num_threads(1)
    how, module = Ppo(rate=3e-2, batch=128, divergence=0.01), initialised(1)
    told = update(
        module.controller, optimiser_of(module.controller, how), [_horizons(module, 0, 0.3)], how, 0.3, np.random.default_rng(2)
    )
    assert told.batches < how.epochs * 4


@pytest.mark.slow
def test_the_same_seed_gives_the_same_digest_and_nothing_but_the_controller_has_changed(tmp_path: Path) -> None:
    first, second = (train_maker(tmp_path / name, lambda *_: None, TINY, judged=0) for name in "ab")
    assert first.digest == second.digest
    frozen, made = read_weights(CHAMPION), read_weights(first.weights)
    changed = {name for name, value in made.tensors.items() if not np.array_equal(value, frozen.tensors[name])}
    assert changed == {name for name in made.tensors if name.startswith("controller.")}
    assert made.metadata["frozen"] == frozen.digest
    assert len(json.loads((tmp_path / "a" / "maker.json").read_text("utf-8"))["curve"]) == TINY.updates
    assert "GLFT" in (tmp_path / "a" / "maker.md").read_text("utf-8")


def test_the_shipped_maker_is_near_the_optimum_and_keeps_its_limit(tmp_path: Path) -> None:
    made, frozen = read_weights(SHIPPED), read_weights(CHAMPION)
    for name, value in made.tensors.items():
        assert name.startswith("controller.") or np.array_equal(value, frozen.tensors[name])
    told = evaluate_making(lambda *_: None, chosen=("exact",), paths=100, out=tmp_path)
    assert told["rho_high"] <= 0.15 and told["within_limit"] == 1.0
    assert told["worlds"]["exact"]["rows"]["fixed"]["rho_low"] > 0.5
    assert (tmp_path / "making.png").stat().st_size > 10_000 and (tmp_path / "making.txt").read_text("utf-8")


def _means(rows: dict[str, dict[str, float]], key: str) -> F64:
    return np.array([row[key] for row in rows.values()])


@pytest.mark.slow
def test_the_shipped_maker_beats_the_rules_in_the_event_book() -> None:
    told = evaluate_making(lambda *_: None, chosen=("event-book",), sessions=60, regimes=("mixed",))
    found = told["worlds"]["event-book"]["regimes"]["mixed"]
    assert found["better_by"]["glft"]["objective_low"] > 0 and found["better_by"]["fixed"]["objective_low"] > 0
    assert (_means(found["rows"], "within_limit") == 1.0).all() and told["within_limit"] == 1.0
    assert told["better_glft_objective"] == found["better_by"]["glft"]["objective"] and told["rho"] is None
