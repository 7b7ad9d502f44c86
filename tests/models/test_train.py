"""Training: the same digest twice, also across an interruption; and the whole way from tapes to figures."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from domain.errors import TapeError, WeightsError
from models import baselines, evaluate, train
from models.card import card
from models.dataset import Examples, examples
from models.pictures import draw_curves, draw_forecasts
from models.train import Training
from models.weights_store import digest_of
from tests.models.made_tapes import NOON_NS, less_of_it, made_tape, stored

TINY = Training(seed=3, batches=8, size=8, burn=4, ahead=3, samples=2, judge_every=4)
DAY_NS = 86_400 * 10**9


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    less_of_it(monkeypatch)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Examples]:
    folder = tmp_path_factory.mktemp("tapes")
    return [examples(stored(folder / f"day{n}", made_tape(24_000, seed=n, begins_ns=NOON_NS + n * DAY_NS))) for n in range(2)]


def digest(trained: train.Trained) -> str:
    return digest_of(train.tensors(trained.model, TINY.seed))


def test_the_same_tapes_and_seed_give_the_same_digest_and_another_seed_another(files: list[Examples]) -> None:
    first = train.train(files, TINY)
    torch.manual_seed(99)
    assert digest(train.train(files, TINY)) == digest(first)
    assert digest(train.train(files, Training(**{**vars(TINY), "seed": 4}))) != digest(first)
    assert [one.batch for one in first.history] == [4, 8]
    assert first.history[1].judged["total"] < first.history[0].judged["total"]


def test_an_interrupted_training_ends_as_if_it_had_not_been(files: list[Examples], tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    with pytest.raises(KeyboardInterrupt):
        train.train(files, TINY, checkpoint=checkpoint, progress=interrupted_at(8, checkpoint))
    kept = torch.load(checkpoint, weights_only=True)
    assert kept["batch"] == 4
    assert digest(train.train(files, TINY, checkpoint=checkpoint)) == digest(train.train(files, TINY))


def interrupted_at(batch: int, checkpoint: Path) -> Callable[..., None]:
    def told(done: int, of: int, loss: float) -> None:
        if done == batch:
            raise KeyboardInterrupt

    return told


def test_a_checkpoint_of_another_training_is_refused(files: list[Examples], tmp_path: Path) -> None:
    checkpoint = tmp_path / "checkpoint.pt"
    train.train(files, TINY, checkpoint=checkpoint)
    with pytest.raises(WeightsError, match="another training"):
        train.train(files[:1], TINY, checkpoint=checkpoint)


def test_training_stops_when_nothing_gets_better(files: list[Examples]) -> None:
    still = Training(**{**vars(TINY), "rate": 0.0, "batches": 40, "judge_every": 1, "patience": 3})
    assert train.train(files, still).history[-1].batch == 4


def test_what_never_varied_is_not_listened_to(files: list[Examples]) -> None:
    """All tapes were of a continuous market: a halt, never seen, changes no latent."""
    model = train.train(files, TINY).model
    seen = baselines.observation(files[0], files[0].at[:3] * 0)
    before = model.encode(seen)
    seen.context[:, 12:] = torch.tensor([0.0, 0, 0, 0, 0, 1])
    assert torch.equal(model.encode(seen), before)


def test_tapes_too_short_for_a_sequence_are_refused(files: list[Examples]) -> None:
    with pytest.raises(TapeError, match="long enough"):
        train.train(files, Training(**{**vars(TINY), "burn": 2_000}))


def test_from_tapes_to_figures_card_and_pictures(files: list[Examples], tmp_path: Path) -> None:
    found = evaluate.leave_days_out(files, TINY)
    figures = json.loads(json.dumps(evaluate.report(found)))
    wanted = {"mcc", "mcc_logistic", "mcc_gain", "mcc_gain_low", "log_loss", "log_loss_logistic", "ece", "macro_f1", "mcc_mlp"}
    for horizon in ("k10", "k20", "k50", "k100"):
        assert wanted <= figures[horizon].keys()
        assert figures["files"].keys() == {"day0", "day1"}
        assert wanted <= figures["files"]["day0"][horizon].keys()
    assert 0 < figures["coverage_50"] < figures["coverage_95"] <= 1
    assert figures["crps_skill"].keys() == {"random_walk", "block_bootstrap"}
    assert figures["impact"].startswith("absent")
    assert figures["k10"]["mcc_logistic"] > 0.02, "the made market goes where the imbalance points"
    trained = train.train(files, TINY)
    text = card(trained, TINY, files, digest(trained), figures)
    assert digest(trained) in text and f"{figures['k10']['mcc']:.3f}" in text
    draw_curves(trained.history, tmp_path / "curves.png")
    draw_forecasts(figures, tmp_path / "forecast.png")
    assert {path.read_bytes()[:4] for path in tmp_path.glob("*.png")} == {b"\x89PNG"}


def test_one_day_alone_cannot_be_left_out(files: list[Examples]) -> None:
    with pytest.raises(TapeError, match="tapes of 2 days"):
        evaluate.leave_days_out(files[:1], TINY)


def test_baselines_learn_nothing_of_the_day_left_out(files: list[Examples]) -> None:
    """Labels of the day left out, all turned round: the same forecasts."""
    from dataclasses import replace

    turned = replace(files[1], moves=2 - files[1].moves)
    plain, other = (evaluate.leave_days_out([files[0], last], TINY)[-1] for last in (files[1], turned))
    for name, told in plain.probabilities.items():
        assert (told == other.probabilities[name]).all(), name
        assert (plain.told[name] == other.told[name]).all(), name
