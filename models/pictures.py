"""Pictures of training and of forecasts, as PNG files."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

from models.losses import Losses
from models.net_contract import MOVE_EVENTS
from models.train import Judgement

_HORIZONS = (1, 2, 3, 5, 10, 20)


def draw_curves(history: Sequence[Judgement], path: Path) -> None:
    """Each part of the loss over the batches, on what is learnt from and on the tapes' ends."""
    figure = Figure(figsize=(12, 6), layout="constrained")
    batches = [one.batch for one in history]
    for place, name in zip(figure.subplots(2, 4).flat, (*Losses._fields, "total"), strict=False):
        place.plot(batches, [one.learnt[name] for one in history], label="learnt from")
        place.plot(batches, [one.judged[name] for one in history], label="tapes' ends")
        place.set_title(name)
    figure.axes[0].legend()
    FigureCanvasAgg(figure).print_png(str(path))


def draw_forecasts(figures: dict[str, Any], path: Path) -> None:
    """MCC and log loss beside the baselines by horizon, CRPS skill of rollouts, coverage."""
    figure = Figure(figsize=(12, 8), layout="constrained")
    (mcc, loss), (skill, cover) = figure.subplots(2, 2)
    names = {"": "world model", "_logistic": "logistic", "_mlp": "MLP", "_last_move": "last move", "_prior": "prior"}
    for tail, label in names.items():
        mcc.plot(MOVE_EVENTS, [figures[f"k{k}"][f"mcc{tail}"] for k in MOVE_EVENTS], "o-", label=label)
        loss.plot(MOVE_EVENTS, [figures[f"k{k}"][f"log_loss{tail}"] for k in MOVE_EVENTS], "o-", label=label)
    mcc.set_title("MCC on days left out, by events ahead")
    loss.set_title("Log loss, nats")
    mcc.legend()
    for name, at in figures.get("crps_skill", {}).get("random_walk", {}).items():
        skill.plot(_HORIZONS, [at[f"h{h}"] for h in _HORIZONS], "o-", label=name)
    skill.axhline(0, color="grey", linewidth=0.8)
    skill.set_title("CRPS skill against the random walk, by steps ahead")
    skill.legend()
    levels = (50, 80, 95)
    for name, at in figures.get("coverage", {}).items():
        cover.plot(levels, [100 * at[f"{level}"] for level in levels], "o-", label=name)
    cover.plot(levels, levels, color="grey", linewidth=0.8)
    cover.set_title("Coverage of central intervals, %")
    cover.legend()
    FigureCanvasAgg(figure).print_png(str(path))
