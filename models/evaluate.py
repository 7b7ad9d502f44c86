"""Honest forecasts: every day of tapes is left out once, with all files of that day, and forecast by what the others taught.

Nothing of the day left out is seen before: not by the nets, not by their normalisation, not by the baselines, and not by the
strength with which classes are told (`scores.chosen`), which each forecaster gets where its own MCC is best on the ends of the
tapes that were learnt from.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import TapeError
from domain.ports_spread import Mapper, PiecesTold
from models import baselines, scores
from models.baselines import Forecaster
from models.dataset import Examples
from models.net_contract import MOVE_EVENTS
from models.paths import COVERAGES, SHOWN, PathScores, coverage, draw_paths, long_enough, score_paths, skill
from models.probes import Probe, probe
from models.recalibrate import Recalibration, fit
from models.sequences import I64, STRIDE, Split, split
from models.spread import IN_PROCESS, spread
from models.train import Trained, Training, train

F64 = NDArray[np.float64]
MODEL, RIVAL = "model", "logistic"
_STRENGTHS: Final = np.linspace(0, 1.2, 25)
Fold = Callable[[str, int, int, float], None]  # what, batches or pieces done, of how many, loss


class Forecast(NamedTuple):
    """One tape left out: its name, classes (N, 4), by forecaster probabilities (N, 4, 3) and classes told (N, 4)."""

    name: str
    moves: I64
    probabilities: dict[str, F64]
    told: dict[str, I64]
    paths: PathScores
    probes: dict[str, Probe]


def leave_days_out(
    files: Sequence[Examples],
    how: Training,
    progress: Fold = lambda *_: None,
    *,
    recalibrated: bool = False,
    mapper: Mapper = IN_PROCESS,
) -> list[Forecast]:
    """Train once for each day, forecast its tapes.

    Args:
        recalibrated: put rollouts right (`models.recalibrate`) by nets that were trained without the day left out and one more
            day each, on that other day: a training more for every pair of days.
        mapper: who trains and forecasts; the figures are the same by whichever.

    Raises:
        TapeError: there are tapes of fewer than two days, or of three where rollouts are put right.
        ProcessFailed: workers were lost again and again.
    """
    days = sorted({one.day for one in files})
    if len(days) < 2 + recalibrated:
        raise TapeError(f"to leave a day out, tapes of {2 + recalibrated} days are needed")
    left = [(day,) for day in days]
    # Which day is put right by which other is decided in `_forecast`: here are all that it may ask for.
    pairs = [(one, other) for one in days for other in days if one < other] if recalibrated else []
    without = [*left, *(pair for pair in pairs if any(long_enough(one) for one in files if one.day in pair))]
    train_one = partial(_trained, files, how, progress if mapper.here else None)
    nets = dict(zip(without, spread(mapper, train_one, without, _pieces(progress, "trainings")), strict=True))
    found = spread(mapper, partial(_forecast, files, how, nets, recalibrated), days, _pieces(progress, "days left out"))
    return [forecast for day in found for forecast in day]


def _pieces(progress: Fold, what: str) -> PiecesTold:
    return lambda done, of: progress(what, done, of, 0.0)


def _trained(files: Sequence[Examples], how: Training, progress: Fold | None, left: tuple[str, ...]) -> Trained:
    """Without some days."""
    name, learnt = " and ".join(left), [one for one in files if one.day not in left]
    return train(learnt, how, progress=lambda *done: progress(f"without {name}", *done) if progress else None)


def _forecast(
    files: Sequence[Examples], how: Training, nets: Mapping[tuple[str, ...], Trained], recalibrated: bool, day: str
) -> list[Forecast]:
    """A day left out, by nets that were trained without it."""
    learnt, right = [one for one in files if one.day != day], None
    if recalibrated:
        apart = [(one, nets[min(day, one.day), max(day, one.day)]) for one in learnt if long_enough(one)]
        right = fit([draw_paths(trained.model, one, how.seed) for one, trained in apart])
    return judge(nets[day,], learnt, [one for one in files if one.day == day], how, right)


def judge(
    trained: Trained, learnt: Sequence[Examples], left_out: Sequence[Examples], how: Training, right: Recalibration | None = None
) -> list[Forecast]:
    """Forecast tapes by a model and by the baselines, which learn from the same tapes. right: of the model's rollouts."""
    places = split(learnt, how.steps)
    forecasters = _forecasters(trained, learnt, places, how.seed)
    strengths = {name: _strengths(one, learnt, places) for name, one in forecasters.items()}
    read = probe(trained.model, learnt, places.learn)
    found = []
    for one in left_out:
        rows = np.arange(0, len(one), STRIDE)
        probabilities = {name: told(one, rows) for name, told in forecasters.items()}
        chosen = {
            name: np.stack([scores.chosen(p[:, j], strengths[name][j]) for j in range(len(MOVE_EVENTS))], axis=1)
            for name, p in probabilities.items()
        }
        walked = score_paths(trained.model, one, how.seed, right)
        found.append(Forecast(one.name, one.moves[rows], probabilities, chosen, walked, read(one)))
    return found


def _forecasters(trained: Trained, learnt: Sequence[Examples], places: Split, seed: int) -> dict[str, Forecaster]:
    drawn = baselines.drawn_examples(places.learn, seed)
    return {
        MODEL: baselines.of_model(trained.model),
        RIVAL: baselines.logistic(learnt, drawn),
        "prior": baselines.class_prior(learnt, drawn),
        "last_move": baselines.last_move(learnt, drawn),
        "mlp": baselines.perceptron(learnt, places.learn, drawn, seed),
    }


def _strengths(told: Forecaster, learnt: Sequence[Examples], places: Split) -> list[float]:
    """By horizon, with which strength MCC is best on the ends of the tapes, every tape counted alike."""
    tapes = [(one, rows[::STRIDE]) for one, rows in zip(learnt, places.judge, strict=True) if len(rows)]
    probabilities = [told(one, rows) for one, rows in tapes]
    best = []
    for j in range(len(MOVE_EVENTS)):
        found = [
            np.mean([
                scores.mcc(scores.confusion(one.moves[rows, j], scores.chosen(p[:, j], strength)))
                for (one, rows), p in zip(tapes, probabilities, strict=True)
            ])
            for strength in _STRENGTHS
        ]  # fmt: skip
        best.append(float(_STRENGTHS[int(np.argmax(found))]))
    return best


def report(found: Sequence[Forecast]) -> dict[str, Any]:
    """The figures, flat numbers but for the horizons, the files and what is told of rollouts and probes."""
    result: dict[str, Any] = {f"k{k}": _horizon(found, j) for j, k in enumerate(MOVE_EVENTS)}
    result["files"] = {one.name: {f"k{k}": _horizon([one], j) for j, k in enumerate(MOVE_EVENTS)} for one in found}
    walked = [one.paths for one in found if one.paths.ranks.size]
    if walked:
        covered = {level: coverage(walked, level) for level in COVERAGES}
        result |= {f"coverage_{round(100 * level)}": _rounded(part.mean()) for level, part in covered.items()}
        result["coverage"] = {
            name: {f"{round(100 * level)}": _rounded(part[i]) for level, part in covered.items()} for i, name in enumerate(SHOWN)
        }
        result["crps_skill"] = _skills(walked)
    result["probes"] = _probes(found)
    result["impact"] = "absent: tapes that were only watched cannot tell what our own orders do"
    return result


def _horizon(found: Sequence[Forecast], j: int) -> dict[str, float]:
    true = np.concatenate([one.moves[:, j] for one in found])
    share = np.bincount(true, minlength=3) / len(true)
    result: dict[str, float] = {"events": float(len(true)), "flat_share": share[1]}
    for name in found[0].probabilities:
        told = np.concatenate([one.told[name][:, j] for one in found])
        p = np.concatenate([one.probabilities[name][:, j] for one in found])
        counts, tail = scores.confusion(true, told), "" if name == MODEL else f"_{name}"
        result[f"mcc{tail}"] = float(scores.mcc(counts))
        result[f"macro_f1{tail}"] = scores.macro_f1(counts)
        result[f"log_loss{tail}"] = float(scores.log_losses(true, p).mean())
        result[f"ece{tail}"] = scores.calibration_error(true, p)
    gained = scores.gain([_blocks(one, j) for one in found])
    result |= {
        "mcc_gain": gained.mcc, "mcc_gain_low": gained.mcc_low, "mcc_gain_high": gained.mcc_high,
        "log_loss_gain": gained.log_loss, "log_loss_gain_low": gained.log_loss_low, "log_loss_gain_high": gained.log_loss_high,
    }  # fmt: skip
    return {name: _rounded(value) for name, value in result.items()}


def _blocks(one: Forecast, j: int) -> scores.Blocks:
    true, model, rival = one.moves[:, j], one.probabilities[MODEL][:, j], one.probabilities[RIVAL][:, j]
    return scores.blocks(
        true, one.told[MODEL][:, j], one.told[RIVAL][:, j], scores.log_losses(true, model), scores.log_losses(true, rival)
    )  # fmt: skip


def _skills(walked: Sequence[PathScores]) -> dict[str, Any]:
    told: dict[str, Any] = {}
    for rival, name in ((1, "random_walk"), (2, "block_bootstrap")):
        value, low = skill(walked, rival)
        told[name] = {
            shown: {f"h{h}": _rounded(value[h - 1, i]) for h in (1, 2, 3, 5, 10, 20)}
            | {f"h{h}_low": _rounded(low[h - 1, i]) for h in (1, 2, 3)}
            for i, shown in enumerate(SHOWN)
        }
    return told


def _probes(found: Sequence[Forecast]) -> Mapping[str, Any]:
    names = found[0].probes
    return {name: {one.name: _rounded(one.probes[name].r2) for one in found if one.probes[name].there} for name in names}


def _rounded(value: float) -> float:
    return round(float(value), 5)
