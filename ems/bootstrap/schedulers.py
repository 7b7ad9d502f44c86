"""`ems train scheduler`: the nets that plan orders, from orders worked by chance in the training worlds."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from models import controller, world_model
from models.execution.learned import SHIPPED, SHIPPED_IMPACT, Market, Nets, markets_text
from models.impact import write_impact
from models.interval_examples import run_schedules
from models.market_measures import measured_market
from models.scheduler_card import card
from models.scheduler_skill import report
from models.train_scheduler import SchedulerTraining, Trained, practice, settings, train
from models.weights_store import INTERVAL, write_weights
from models.worlds.chapter import chapter_world
from models.worlds.event_book import EventBook
from models.worlds.lq import LqWorld
from models.worlds.world import TRAINING_SEEDS, World

__all__ = ["Made", "SchedulerTraining", "train_scheduler", "write_scheduler"]

Told = Callable[[str, int, int, float], None]
_JUDGED_BY: Final = 500_000  # of the training seeds, one that nothing was learnt from
_SEEN: Final = 8
_SLOW: Final = 12  # times as many orders of a formula's world as of a book's


def learnt_worlds() -> list[World[Any]]:
    """Where the shipped nets learn. Of the chapter's world, and of somebody else's, they learn nothing."""
    return [LqWorld(), practice(), EventBook()]


class Made(NamedTuple):
    """Where the weights lie, their digest, and what they foretell by world."""

    weights: Path
    digest: str
    figures: dict[str, Any]


def train_scheduler(
    out: Path, told: Told, how: SchedulerTraining, *, judged: int = 3_000, learnt: Sequence[World[Any]] = ()
) -> Made:
    """Train and write `scheduler.safetensors`, `scheduler-impact.safetensors`, `scheduler.md` and `scheduler.json`.

    Args:
        learnt: worlds to learn in; none for those of the shipped nets.

    Raises:
        WeightsError: nothing can be written.
    """
    worlds = list(learnt) or learnt_worlds()
    trained = train(worlds, how, lambda *done: told("training", *done))
    return write_scheduler(trained, worlds, out, told, how, judged=judged)


def write_scheduler(
    trained: Trained, learnt: Sequence[World[Any]], out: Path, told: Told, how: SchedulerTraining, *, judged: int
) -> Made:
    """Measure the markets, judge the forecasts, write the files. Raises WeightsError where that cannot be."""
    out.mkdir(parents=True, exist_ok=True)
    worlds: list[World[Any]] = [*(world for world in learnt if world.name != "practice"), chapter_world()]
    nets = Nets(trained.model, trained.impact, {}, "")
    many = {world.name: max(20, judged // (_SLOW if isinstance(world, EventBook) else 1)) for world in worlds}
    for n, world in enumerate(worlds):
        told("measuring markets", n, len(worlds), 0.0)
        nets.markets[world.name] = measured_market(nets, world, orders=max(20, many[world.name] // 2))
    nets.markets[""] = Market(nets.markets[worlds[0].name].propagator)
    configurations = {world.name: world.config_sha256 for world in (*worlds, *learnt)}
    said = {"step": INTERVAL, "seed": str(how.seed), "worlds": json.dumps(configurations), "markets": markets_text(nets.markets)}
    weights = out / SHIPPED.name
    digest = write_weights(weights, world_model.tensors_of(trained.model, controller.initialised(how.seed)), said)
    slips = write_impact(out / SHIPPED_IMPACT.name, trained.impact, {"seed": str(how.seed), "world_model": digest})
    figures = {}
    for n, world in enumerate(worlds):
        told("judging forecasts", n, len(worlds), 0.0)
        runs = run_schedules(world, TRAINING_SEEDS[_JUDGED_BY], 2 * many[world.name], "mixed")
        figures[world.name] = report(nets, world, runs, _SEEN)
    (out / "scheduler.json").write_text(json.dumps({"learnt": trained.learnt} | figures, indent=1) + "\n", "utf-8")
    told_worlds = {world.name: (world.config_sha256, nets.markets[world.name]) for world in worlds}
    there = {world.name: configurations[world.name] for world in learnt}
    (out / "scheduler.md").write_text(card(digest, slips, settings(how), there, told_worlds, figures), "utf-8")
    return Made(weights, digest, figures)
