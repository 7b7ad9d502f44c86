"""Linear probes: what a straight line can read off z on tapes that neither it nor the nets have seen.

A ridge regression from z to each quantity is fitted on the tapes learnt from; R^2 is on the tape left out. Constant quantities
there (a market that never changes its regime) cannot be judged and are said to be absent.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from models import feature_arrays as fa
from models.baselines import observation
from models.dataset import Examples
from models.net_contract import FEATURES
from models.sequences import I64, STRIDE, draw
from models.world_model import WorldModel

F64 = NDArray[np.float64]
DRAWN: Final = 20_000
_RIDGE: Final = 1e-3
_LEAST: Final = 1e-4  # variance of what can be judged
LEVELS: Final = 5


class Probe(NamedTuple):
    """R^2 on the tape left out; there: whether the quantity varies on it."""

    r2: float
    there: bool


def wanted(one: Examples, rows: I64) -> dict[str, tuple[F64, NDArray[np.bool_]]]:
    """What z should carry, by name: values (N,) and where they are known."""
    book, context = one.book[rows].astype(np.float64), one.context[rows].astype(np.float64)
    always = np.ones(len(rows), dtype=bool)
    told = {}
    for level in range(LEVELS):
        for side, name in ((1, "bid"), (3, "ask")):
            depth = book[:, 4 * level + side]
            told[f"depth_{name}_{level + 1}"] = depth, depth > 0
    told["trade_direction"] = one.tape[rows, 2, -10:].mean(axis=1).astype(np.float64), one.tape[rows, 1, -10] > 0
    told["vpin"] = context[:, fa.VPIN], context[:, FEATURES + fa.VPIN] > 0
    for number, name in ((fa.CONTINUOUS, "regime_continuous"), (fa.PRE_CLOSE, "regime_pre_close")):
        told[name] = context[:, 2 * FEATURES + number], always
    return told


def probe(model: WorldModel, learnt: Sequence[Examples], places: Sequence[I64]) -> Callable[[Examples], dict[str, Probe]]:
    """Fit on tapes learnt from; what it returns judges a tape left out."""
    drawn = draw(np.random.default_rng(5), places, DRAWN)
    z = np.concatenate([_latent(model, learnt[n], rows) for n, rows in drawn])
    parts = [wanted(learnt[n], rows) for n, rows in drawn]
    fitted = {}
    for name in parts[0]:
        y, known = (np.concatenate([part[name][i] for part in parts]) for i in (0, 1))
        x = z[known]
        fitted[name] = np.linalg.solve(x.T @ x + _RIDGE * max(1, len(x)) * np.eye(x.shape[1]), x.T @ y[known])

    def judge(one: Examples) -> dict[str, Probe]:
        rows = np.arange(0, len(one), STRIDE)
        x, found = _latent(model, one, rows), {}
        for name, (y, known) in wanted(one, rows).items():
            rest = y[known] - x[known] @ fitted[name]
            spread = float(y[known].var()) if known.any() else 0.0
            found[name] = Probe(1 - float((rest**2).mean()) / spread if spread > _LEAST else 0.0, spread > _LEAST)
        return found

    return judge


def _latent(model: WorldModel, one: Examples, rows: I64) -> F64:
    """(N, 129): z and a constant."""
    with torch.no_grad():
        parts = [model.encode(observation(one, rows[i : i + 4096])).double().numpy() for i in range(0, len(rows), 4096)]
    return np.concatenate([np.concatenate(parts), np.ones((len(rows), 1))], axis=1)
