"""Scores of forecasts, and their uncertainty by resampling blocks of neighbours.

MCC of three classes is Gorodkin's R_K (2004). Expected calibration error: 15 bins of the largest probability. Intervals:
blocks of 50 neighbouring examples of one tape are drawn with replacement, of each tape as many as it has; 2.5 % and 97.5 % of
1,000 draws.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F64 = NDArray[np.float64]
BLOCK: Final = 50
DRAWS: Final = 1_000
BINS: Final = 15
CLASSES: Final = 3
_LEAST: Final = 1e-12


def chosen(probabilities: F64, strength: float) -> I64:
    """Classes (N,) of neighbouring examples of one tape, from their probabilities (N, 3).

    The greatest of p / (mean p so far)^strength: at 0 the most probable class, at 1 the one that is more probable than it
    usually was. The mean is of the forecaster's own probabilities up to and with this one, begun with 100 times the first, and
    knows no label, so that tapes on which nearly nothing moves are judged like those on which much does.
    """
    begun = 100 * probabilities[:1]
    mean = (np.cumsum(probabilities, axis=0) + begun) / (np.arange(len(probabilities))[:, None] + 101)
    return np.argmax(probabilities / np.maximum(mean, _LEAST) ** strength, axis=1)


def confusion(true: I64, told: I64) -> F64:
    """(..., 3, 3) of classes (..., N): how often class i was called j."""
    places = CLASSES * true + told
    return np.stack([(places == c).sum(axis=-1) for c in range(CLASSES**2)], axis=-1).reshape(*true.shape[:-1], 3, 3) * 1.0


def mcc(counts: F64) -> F64:
    """Matthews's correlation of confusion matrices (..., 3, 3), 0 where one class alone is true or told."""
    total, right = counts.sum(axis=(-2, -1)), np.trace(counts, axis1=-2, axis2=-1)
    true, told = counts.sum(axis=-1), counts.sum(axis=-2)
    above = right * total - (true * told).sum(axis=-1)
    below = np.sqrt((total**2 - (told**2).sum(axis=-1)) * (total**2 - (true**2).sum(axis=-1)))
    return np.where(below > 0, above / np.where(below > 0, below, 1.0), 0.0)


def macro_f1(counts: F64) -> float:
    """Mean over the classes of 2 right / (true + told)."""
    both = counts.sum(axis=0) + counts.sum(axis=1)
    return float(np.mean(np.where(both > 0, 2 * np.diag(counts) / np.where(both > 0, both, 1.0), 0.0)))


def log_losses(true: I64, probabilities: F64) -> F64:
    """(N,) in nats."""
    return -np.log(np.maximum(np.take_along_axis(probabilities, true[:, None], axis=1)[:, 0], _LEAST))


def calibration_error(true: I64, probabilities: F64) -> float:
    """Mean distance of the largest probability from how often it was right, bins weighed by what is in them."""
    best = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == true
    place = np.minimum((best * BINS).astype(int), BINS - 1)
    gap = np.abs(np.bincount(place, right, BINS) - np.bincount(place, best, BINS))
    return float(gap.sum() / len(true))


class Blocks(NamedTuple):
    """Sums by block of one tape: confusion (b, 3, 3) and log loss (b,), of the model and of its rival; sizes (b,)."""

    model: F64
    rival: F64
    model_loss: F64
    rival_loss: F64
    sizes: F64


def blocks(true: I64, model: I64, rival: I64, model_loss: F64, rival_loss: F64) -> Blocks:
    """Cut neighbouring examples (N,) into blocks; what is left at the end makes one of its own."""
    cuts = np.arange(BLOCK, len(true), BLOCK)
    truths = np.split(true, cuts)
    return Blocks(
        np.stack([confusion(t, m) for t, m in zip(truths, np.split(model, cuts), strict=True)]),
        np.stack([confusion(t, r) for t, r in zip(truths, np.split(rival, cuts), strict=True)]),
        np.array([part.sum() for part in np.split(model_loss, cuts)]),
        np.array([part.sum() for part in np.split(rival_loss, cuts)]),
        np.array([float(len(part)) for part in truths]),
    )


class Gain(NamedTuple):
    """Model less rival, positive where the model is better, with the interval's ends."""

    mcc: float
    mcc_low: float
    mcc_high: float
    log_loss: float
    log_loss_low: float
    log_loss_high: float


def gain(tapes: list[Blocks], seed: int = 0) -> Gain:
    """Pooled over tapes, resampled within each."""
    chance, drawn = np.random.default_rng(seed), [np.zeros((DRAWS, 3, 3)), np.zeros((DRAWS, 3, 3)), *np.zeros((3, DRAWS))]
    for one in tapes:
        size = len(one.sizes)
        times = chance.multinomial(size, np.full(size, 1 / size), DRAWS).astype(np.float64)  # (DRAWS, b)
        drawn = [total + np.tensordot(times, part, axes=1) for total, part in zip(drawn, one, strict=True)]
    whole = [sum(part.sum(axis=0) for part in parts) for parts in zip(*tapes, strict=True)]
    by_mcc, by_loss = mcc(drawn[0]) - mcc(drawn[1]), (drawn[3] - drawn[2]) / drawn[4]
    ends = [*np.percentile(by_mcc, (2.5, 97.5)).tolist(), *np.percentile(by_loss, (2.5, 97.5)).tolist()]
    return Gain(
        float(mcc(whole[0]) - mcc(whole[1])), ends[0], ends[1], float((whole[3] - whole[2]) / whole[4]), ends[2], ends[3]
    )  # fmt: skip
