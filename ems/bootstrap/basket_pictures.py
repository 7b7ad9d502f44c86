"""A picture of a basket's front and of the plan that was chosen, as a PNG file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from numpy.typing import NDArray

from models.planners.basket_front import Point
from models.planners.basket_terms import Basket

F64 = NDArray[np.float64]


def draw(points: Sequence[Point], choice: Point, basket: Basket, slices: F64, alone: tuple[float, float], path: Path) -> None:
    """Cost over risk, coloured by completion; and what is left of each order over time.

    Args:
        slices: (m, n) shares. alone: cost and risk of planning each order by itself, basis points.
    """
    figure = Figure(figsize=(12, 5), layout="constrained")
    left, right = figure.subplots(1, 2)
    _front(figure, left, points, choice, alone)
    n = slices.shape[1]
    for name, sign, total, row in zip(basket.names, basket.signs, basket.totals, slices, strict=True):
        share = sign * (1 - np.concatenate([[0.0], row.cumsum()]) / max(total, 1e-9))
        right.step(range(n + 1), share, where="post", label=name)
    right.axhline(0.0, color="black", linewidth=0.6)
    right.set_title("left of each order: purchases above, sales below")
    right.set_xlabel("interval")
    if len(basket.names) <= 12:
        right.legend(fontsize="small")
    FigureCanvasAgg(figure)
    figure.savefig(path, format="png")


def _front(figure: Figure, place: Any, points: Sequence[Point], choice: Point, alone: tuple[float, float]) -> None:
    shown = place.scatter(
        [each.risk_bps for each in points], [each.cost_bps for each in points], c=[100 * each.completion for each in points],
        vmin=0, vmax=100,
    )  # fmt: skip
    figure.colorbar(shown, ax=place, label="traded, per cent")
    place.scatter([choice.risk_bps], [choice.cost_bps], marker="*", s=160, color="tab:red", label="chosen")
    place.scatter([alone[1]], [alone[0]], marker="x", color="black", label="each order by itself")
    place.set_xlabel("risk, basis points")
    place.set_ylabel("expected cost, basis points")
    place.set_title("no other schedule is better in all")
    place.legend()
