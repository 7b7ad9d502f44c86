"""`ems train market-maker`: the controller that quotes, on the champion's frozen nets."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from models.making.card import card
from models.making.judging import judge_book, judge_world
from models.making.training import MakerTraining, Trained, core_of, settings, train, worlds
from models.weights_store import CHAMPION, read_weights, write_weights
from models.world_model import tensors_of

__all__ = ["SHIPPED", "Made", "MakerTraining", "train_maker", "write_maker"]

Told = Callable[[str, int, int, float], None]
SHIPPED = CHAMPION.with_name("maker.safetensors")


class Made(NamedTuple):
    """Where the weights lie, their digest, and what was measured on judging seeds."""

    weights: Path
    digest: str
    figures: dict[str, Any]


def train_maker(out: Path, told: Told, how: MakerTraining, *, judged: int = 200, frozen: Path = CHAMPION) -> Made:
    """Train, judge and write `maker.safetensors`, `maker.md` and `maker.json`.

    Args:
        judged: paths of the exact world and its grid, and half as many sessions of the event book; 0: judge nothing.
        frozen: the version whose encoder and dynamics are kept.

    Raises:
        WeightsError: the frozen version is missing or damaged, or nothing can be written.
    """
    return write_maker(train(read_weights(frozen).tensors, how, worlds(), told), out, told, how, judged=judged, frozen=frozen)


def write_maker(trained: Trained, out: Path, told: Told, how: MakerTraining, *, judged: int, frozen: Path) -> Made:
    """The files of a trained controller. Raises WeightsError where that cannot be."""
    out.mkdir(parents=True, exist_ok=True)
    base = read_weights(frozen)
    tensors = base.tensors | tensors_of(trained.module)
    said = {"seed": str(how.seed), "frozen": base.digest, "settings": settings(how)}
    digest = write_weights(out / SHIPPED.name, tensors, said)
    places, figures = worlds(), {}
    if judged:
        core, quiet = core_of(base.tensors, trained.module), lambda what, done, of: told(what, done, of, 0.0)
        figures = {one.name: judge_world(one, core, judged, quiet) for one in places.plain}
        figures[places.book.name] = judge_book(places.book, core, max(1, judged // 2), ("mixed",), quiet)
    told_all = {"curve": trained.curve, "worlds": figures}
    (out / "maker.json").write_text(json.dumps(told_all, indent=1) + "\n", "utf-8")
    (out / "maker.md").write_text(card(digest, base.digest, settings(how), figures), "utf-8")
    return Made(out / SHIPPED.name, digest, figures)
