"""Examples of many tapes as sequences of steps, split by time with a gap, and drawn by a seed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.augment import Parts, augmented
from models.dataset import AHEAD, DEPTH_ASK, DEPTH_BID, EVERY, MIDDLE, SPREAD, VOLUME, Examples
from models.net_contract import FEATURES, STEP_EVENTS
from models.world_model import Normalisation, Observation

I64 = NDArray[np.int64]
STRIDE: Final = STEP_EVENTS // EVERY  # examples from one step to the next
HELD_BACK: Final = 0.15  # of every tape, its end: for early stopping
PATH: Final = 5  # columns of a path: return of the next step, spread, volume of the next step, depth bid, depth ask


class Split(NamedTuple):
    """First examples of the sequences of each tape: of those to learn from, and of those to stop by."""

    learn: list[I64]
    judge: list[I64]


class Batch(NamedTuple):
    """B sequences of L steps. seen: (B L, ...) in order of sequence. moves (B, L, 4) classes; path (B, L, 5) as `paths` has it;
    units (B, L, 2); other (B, L, 4): toxic, filled at the bid, at the ask, volatility in ticks."""

    seen: Observation
    moves: Tensor
    path: Tensor
    units: Tensor
    other: Tensor


def starts(one: Examples, steps: int, begin: int, stop: int) -> I64:
    """Examples of begin .. stop - 1 at which a sequence of so many steps begins without a hole."""
    last = np.arange(begin, max(begin, stop - (steps - 1) * STRIDE))
    whole = one.at[last + (steps - 1) * STRIDE] - one.at[last] == (steps - 1) * STEP_EVENTS
    return last[whole]


def split(files: Sequence[Examples], steps: int) -> Split:
    """Each tape's beginning to learn from, its end to judge by; between them a gap that no label reaches over."""
    learn, judge = [], []
    for one in files:
        cut = int(len(one) * (1 - HELD_BACK))
        gap = AHEAD // EVERY
        learn.append(starts(one, steps, 0, cut))
        judge.append(starts(one, steps, min(len(one), cut + gap), len(one)))
    return Split(learn, judge)


def draw(chance: np.random.Generator, places: Sequence[I64], count: int) -> list[tuple[int, I64]]:
    """So many sequences: a tape by the fourth root of its length, as each is a market of its own, and a start in it."""
    weights = np.array([len(one) for one in places]) ** 0.25
    per_file = chance.multinomial(count, weights / weights.sum())
    return [(n, chance.choice(places[n], size)) for n, size in enumerate(per_file) if size]


def gather(
    files: Sequence[Examples], drawn: Sequence[tuple[int, I64]], steps: int, chance: np.random.Generator | None = None
) -> Batch:
    """The sequences as tensors; changed by chance (`models.augment`) where there is one."""
    found = [_parts(files[n], begins[:, None] + STRIDE * np.arange(steps)) for n, begins in drawn]
    parts = Parts(*(np.concatenate(column) for column in zip(*found, strict=True)))
    if chance is not None:
        parts = augmented(parts, chance)
    return Batch(
        Observation(*(torch.from_numpy(one).float().flatten(0, 1) for one in (parts.book, parts.tape, parts.context))),
        torch.from_numpy(parts.moves),
        *(torch.from_numpy(one).float() for one in (parts.path, parts.units, parts.other)),
    )


def _parts(one: Examples, rows: I64) -> Parts:
    """The examples of rows (b, L)."""
    other = np.stack([one.toxic[rows], one.filled_bid[rows], one.filled_ask[rows], one.volatility[rows]], axis=2)
    path = paths(one, rows.ravel()).reshape(*rows.shape, PATH)
    return Parts(one.book[rows], one.tape[rows], one.context[rows], one.moves[rows], path, one.units[rows], other)


def paths(one: Examples, rows: I64) -> NDArray[np.float64]:
    """(N, 5) of examples: the middle's move over the next step and the spread in ticks, lots traded in it, depths in lots."""
    now, then = one.states[one.at[rows]], one.states[one.at[rows] + STEP_EVENTS]
    columns = [0.5 * (then[:, MIDDLE] - now[:, MIDDLE]), now[:, SPREAD], then[:, VOLUME] - now[:, VOLUME]]
    return np.stack([*columns, now[:, DEPTH_BID], now[:, DEPTH_ASK]], axis=1).astype(np.float64)


def fit_normalisation(norm: Normalisation, files: Sequence[Examples], places: Sequence[I64]) -> None:
    """Means and scales over what is there, of the examples to learn from, tapes weighed as they are drawn."""
    chance = np.random.default_rng(0)
    drawn = draw(chance, places, 20_000)
    book = np.concatenate([files[n].book[rows] for n, rows in drawn]).astype(np.float64)
    tape = np.concatenate([files[n].tape[rows] for n, rows in drawn]).astype(np.float64)
    context = np.concatenate([files[n].context[rows] for n, rows in drawn]).astype(np.float64)
    level = np.repeat(book[:, 1::2] > 0, 2, axis=1)
    trade = np.broadcast_to(tape[:, 1:2] > 0, tape.shape)
    known = np.ones_like(context, dtype=bool)
    known[:, :FEATURES] = context[:, FEATURES : 2 * FEATURES] > 0
    for name, values, there in (("book", book, level), ("tape", tape, trade), ("context", context, known)):
        axes = (0, 2) if name == "tape" else (0,)
        count = np.maximum(1, there.sum(axis=axes))
        mean = np.where(there, values, 0.0).sum(axis=axes) / count
        centred = np.where(there, values - (mean[:, None] if name == "tape" else mean), 0.0)
        scale = np.sqrt((centred**2).sum(axis=axes) / count)
        getattr(norm, f"{name}_mean").copy_(torch.from_numpy(mean).float())
        getattr(norm, f"{name}_scale").copy_(torch.from_numpy(np.where(scale > 1e-3, scale, 1.0)).float())
