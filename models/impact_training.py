"""Training the impact model on seeded orders of the event book, and judging it on others beside what it has to beat.

Rivals forecast the realised impact of an order (average price beyond the untouched middle, price units). Each has its scale and
an offset, which half the spread is, fitted by least squares on the training orders: the kindest that can be done for it.

- constant: the mean.
- square-root law: Y x volatility x sqrt(Q / V).
- Almgren, Thum, Hauptmann and Li 2005: volatility x (0.314 / 2 x Q / V + 0.142 x (Q / V)^(3/5)), one scale for the sum.

Gains are differences of mean squared errors on seeds that nothing was fitted on; intervals draw episodes with replacement.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as fn

from domain.errors import ForecastError
from models.impact import ImpactModel, consistent, initialised
from models.impact_orders import AFTER_S, WINDOW_S, Orders
from models.world_model import WorldModel

F64 = NDArray[np.float64]
DRAWS: Final = 10_000
_LEAST: Final = 30  # orders
_ALMGREN: Final = (0.314 / 2, 0.142, 0.6)
Progress = Callable[[int, int, float], None]


@dataclass(frozen=True)
class ImpactTraining:
    """How to train. Chosen on the training orders alone."""

    seed: int = 7
    episodes: int = 500
    judged: int = 200
    steps: int = 600
    rate: float = 3e-3
    decay: float = 3e-2


class Trained(NamedTuple):
    """The model; its figures on orders of other seeds."""

    model: ImpactModel
    figures: dict[str, Any]


def train(orders: Orders, nets: WorldModel, how: ImpactTraining, progress: Progress = lambda *_: None) -> ImpactModel:
    """Fit both heads and the decay. nets: whose encoder gives z.

    Raises:
        ForecastError: there are fewer than 30 orders.
    """
    if len(orders.size) < _LEAST:
        raise ForecastError(f"{len(orders.size)} orders are too few to learn impact from")
    torch.set_num_threads(1)
    model = initialised(how.seed)
    z, size, share, paid, stays = _tensors(orders, nets)
    _begin_small(model, float(paid.mean()))
    chooser = torch.optim.AdamW(model.parameters(), lr=how.rate, weight_decay=how.decay)
    for n in range(how.steps):
        for group in chooser.param_groups:
            group["lr"] = how.rate * 0.5 * (1 + np.cos(np.pi * n / how.steps))
        told = model(z, size, share)
        loss = fn.huber_loss(told.temporary + told.permanent / 2, paid) + fn.huber_loss(told.permanent, stays)
        chooser.zero_grad()
        loss.backward()
        chooser.step()
        if n % 50 == 0 or n == how.steps - 1:
            progress(n + 1, how.steps, float(loss.detach()))
    model.decay.fill_(_decay(orders))
    return model.eval()


def forecast(model: ImpactModel, nets: WorldModel, orders: Orders) -> F64:
    """Realised impact (N,) in price units: the temporary part, and half of the permanent one, which grows while buying."""
    z, size, share, *_ = _tensors(orders, nets)
    with torch.no_grad():
        told = model(z, size, share)
    return (told.temporary + told.permanent / 2).double().numpy()


def judge(model: ImpactModel, nets: WorldModel, learnt: Orders, judged: Orders, seed: int = 7) -> dict[str, Any]:
    """Errors on `judged` of the model and of what it has to beat, whose scales `learnt` gives."""
    told = {"model": forecast(model, nets, judged)}
    for name, shape in _RIVALS.items():
        fitted = np.linalg.lstsq(_with_offset(shape(learnt)), learnt.paid, rcond=None)[0]
        told[name] = _with_offset(shape(judged)) @ fitted
    error = {name: (one - judged.paid) ** 2 for name, one in told.items()}
    draws = _draws(judged.episode, seed)
    spread = float(np.var(judged.paid))
    figures: dict[str, Any] = {"orders": len(judged.size), "episodes": len(np.unique(judged.episode))}
    figures |= {f"r2_{name}": 1 - float(one.mean()) / spread for name, one in error.items()}
    for name in _RIVALS:
        figures[f"gain_over_{name}"] = _gain(error[name] - error["model"], draws)
        if name != "constant":
            figures[f"{name}_over_constant"] = _gain(error["constant"] - error[name], draws)
    stays = judged.moved[:, -1]
    beta, delta = _exponents(judged)
    return figures | {
        "permanent": float(stays.mean()), "peak": float(judged.moved[:, 0].mean()), "paid": float(judged.paid.mean()),
        "decay_of_a_minute": float(model.decay), "beta": beta, "delta": delta, "no_arbitrage": consistent(beta, delta),
    }  # fmt: skip


def _constant(orders: Orders) -> F64:
    return np.zeros(len(orders.size))


def _with_offset(x: F64) -> F64:
    return np.stack([x, np.ones_like(x)], axis=1)


def _root(orders: Orders) -> F64:
    return orders.volatility * np.sqrt(orders.participation)


def _almgren(orders: Orders) -> F64:
    permanent, temporary, power = _ALMGREN
    return orders.volatility * (permanent * orders.participation + temporary * orders.participation**power)


_RIVALS: Final[dict[str, Callable[[Orders], F64]]] = {"constant": _constant, "square_root": _root, "almgren": _almgren}


def _tensors(orders: Orders, nets: WorldModel) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    rest = (orders.size, orders.participation, orders.paid, orders.moved[:, -1])
    return orders.latents(nets), *(torch.from_numpy(one).float() for one in rest)  # type: ignore[return-value]


def _begin_small(model: ImpactModel, mean: float) -> None:
    """The slopes begin where they explain the mean, so that the first steps are not lost on the scale."""
    with torch.no_grad():
        model.temporary.out.bias.fill_(float(np.log(np.expm1(max(mean * 3.0, 1e-3)))))
        model.permanent.out.bias.fill_(-4.0)


def _decay(orders: Orders) -> float:
    """Share of the displacement left after one window: least squares of later on first displacements, per second, at most 1."""
    first = orders.moved[:, 0]
    left = [float(first @ orders.moved[:, j] / (first @ first)) for j in range(1, len(AFTER_S))]
    per_window = [max(one, 1e-6) ** (WINDOW_S / after) for one, after in zip(left, AFTER_S[1:], strict=True) if one > 0]
    return float(np.clip(np.median(per_window), 0.0, 1.0)) if per_window else 0.0


def _exponents(orders: Orders) -> tuple[float, float]:
    """beta of the decay t^-beta, and delta of impact Q^delta, by least squares on logarithms of means over the orders."""
    later = np.maximum(orders.moved[:, 1:].mean(axis=0), 1e-6)
    beta = -float(np.polyfit(np.log(AFTER_S[1:]), np.log(later), 1)[0])
    there = orders.paid > 0
    delta = float(np.polyfit(np.log(orders.participation[there]), np.log(orders.paid[there]), 1)[0])
    return beta, delta


def _draws(episode: NDArray[np.int64], seed: int) -> F64:
    """(DRAWS, N) how often each order is drawn when episodes are, over the sum."""
    known, of = np.unique(episode, return_inverse=True)
    chance = np.random.default_rng(seed)
    times = chance.multinomial(len(known), np.full(len(known), 1 / len(known)), size=DRAWS)  # (DRAWS, E)
    weights = times[:, of].astype(np.float64)
    return weights / weights.sum(axis=1, keepdims=True)


def _gain(difference: F64, draws: F64) -> dict[str, float]:
    low, high = np.quantile(draws @ difference, [0.025, 0.975])
    return {"mean": float(difference.mean()), "low": float(low), "high": float(high)}
