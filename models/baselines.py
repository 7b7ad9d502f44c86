"""What a forecast of moves has to beat: shares of the classes, the last move, logistic regression, a multi-layer perceptron.

All learn from the same drawn examples, each gives probabilities (N, 4, 3) for the four horizons. The logistic regression sees
queue imbalance and order-flow imbalance; the perceptron sees one observation's book and context, and no trades.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional as fn

from models import feature_arrays as fa
from models.dataset import MIDDLE, Examples
from models.net_contract import BOOK, CONTEXT, MOVE_EVENTS
from models.sequences import I64, draw, fit_normalisation
from models.world_model import Normalisation, Observation, WorldModel

F64 = NDArray[np.float64]
Forecaster = Callable[[Examples, I64], F64]  # a tape's examples and some of them -> (N, 4, 3)
Drawn = Sequence[tuple[int, I64]]
DRAWN: Final = 40_000
BATCHES: Final = 800  # of the perceptron, 512 examples each
_K: Final = len(MOVE_EVENTS)


def drawn_examples(places: Sequence[I64], seed: int) -> Drawn:
    """The examples that every baseline learns from, tapes weighed as for the nets."""
    return draw(np.random.default_rng([seed, 1 << 29]), places, DRAWN)


def class_prior(files: Sequence[Examples], drawn: Drawn) -> Forecaster:
    """The shares of the classes among the examples."""
    counts = np.array([np.bincount(_moves(files, drawn)[:, j], minlength=3) + 1.0 for j in range(_K)])
    shares = counts / counts.sum(axis=1, keepdims=True)
    return lambda _, rows: np.broadcast_to(shares, (len(rows), _K, 3)).copy()


def last_move(files: Sequence[Examples], drawn: Drawn) -> Forecaster:
    """The shares of the classes after each class of move over as many events before."""
    before = np.concatenate([_before(files[n], rows) for n, rows in drawn])
    after, shares = _moves(files, drawn), np.ones((_K, 3, 3))
    for j in range(_K):
        np.add.at(shares[j], (before[:, j], after[:, j]), 1.0)
    shares /= shares.sum(axis=2, keepdims=True)
    return lambda one, rows: shares[np.arange(_K), _before(one, rows)]


def logistic(files: Sequence[Examples], drawn: Drawn) -> Forecaster:
    """Multinomial logistic regression of each horizon on a constant, queue imbalance and order-flow imbalance."""
    x = torch.cat([_imbalances(files[n], rows) for n, rows in drawn])
    y = torch.from_numpy(_moves(files, drawn))
    weight = torch.zeros(_K, 3, 3, dtype=torch.float64, requires_grad=True)
    optimiser = torch.optim.LBFGS([weight], max_iter=200, line_search_fn="strong_wolfe")

    def loss() -> Tensor:
        optimiser.zero_grad()
        told = torch.einsum("nf,jcf->njc", x, weight)  # (N, 4, 3)
        found = fn.cross_entropy(told.reshape(-1, 3), y.reshape(-1)) + 1e-6 * weight.square().sum()
        found.backward()
        return found

    optimiser.step(loss)
    fitted = weight.detach()
    return lambda one, rows: torch.einsum("nf,jcf->njc", _imbalances(one, rows), fitted).softmax(2).numpy()


def perceptron(files: Sequence[Examples], places: Sequence[I64], drawn: Drawn, seed: int) -> Forecaster:
    """Book and context, 58 -> 64 -> 64 -> 12, trained as long as the nets are."""
    norm = Normalisation()
    fit_normalisation(norm, files, places)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net = nn.Sequential(
            nn.Linear(BOOK + CONTEXT, 64), nn.SiLU(), nn.Linear(64, 64), nn.SiLU(), nn.Linear(64, 3 * _K)
        )  # fmt: skip
    x = torch.cat([_flat(norm, files[n], rows) for n, rows in drawn])
    y = torch.from_numpy(_moves(files, drawn))
    chance = np.random.default_rng([seed, 1 << 28])
    optimiser = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=1e-3)
    for _ in range(BATCHES):
        rows = torch.from_numpy(chance.integers(0, len(x), 512))
        loss = fn.cross_entropy(net(x[rows]).reshape(-1, 3), y[rows].reshape(-1))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()

    def told(one: Examples, rows: I64) -> F64:
        with torch.no_grad():
            return net(_flat(norm, one, rows)).view(-1, _K, 3).softmax(2).double().numpy()

    return told


def of_model(model: WorldModel) -> Forecaster:
    """The world model's own moves, seen from one observation."""

    def told(one: Examples, rows: I64) -> F64:
        parts = []
        with torch.no_grad():
            for begin in range(0, len(rows), 4096):
                part = rows[begin : begin + 4096]
                heads = model.forecast(model.encode(observation(one, part)))
                parts.append(heads[:, : 3 * _K].view(-1, _K, 3).softmax(2).double().numpy())
        return np.concatenate(parts)

    return told


def observation(one: Examples, rows: I64) -> Observation:
    """Some examples as the model reads them."""
    return Observation(*(torch.from_numpy(part[rows]) for part in (one.book, one.tape, one.context)))


def _moves(files: Sequence[Examples], drawn: Drawn) -> I64:
    return np.concatenate([files[n].moves[rows] for n, rows in drawn])


def _before(one: Examples, rows: I64) -> I64:
    """(N, 4): the class of the move over as many events before each example."""
    at = one.at[rows]
    moved = np.stack([one.states[at, MIDDLE] - one.states[np.maximum(at - k, 0), MIDDLE] for k in MOVE_EVENTS], axis=1)
    least = 2 * one.half_spread_ticks
    return np.where(moved >= least, 2, np.where(moved <= -least, 0, 1))


def _imbalances(one: Examples, rows: I64) -> Tensor:
    x = one.context[rows]
    return torch.from_numpy(np.stack([np.ones(len(rows)), x[:, fa.QUEUE], x[:, fa.OFI]], axis=1).astype(np.float64))


def _flat(norm: Normalisation, one: Examples, rows: I64) -> Tensor:
    seen: Observation = norm(observation(one, rows))
    return torch.cat([seen.book, seen.context], dim=1)  # (N, 58)
