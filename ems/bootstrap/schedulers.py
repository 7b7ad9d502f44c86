"""`ems train scheduler`: the nets that plan orders, from orders worked by chance in the training worlds."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from models import controller, world_model
from models.execution.learned import SHIPPED, SHIPPED_IMPACT, STEP, Market, markets_text
from models.impact import write_impact
from models.interval_examples import run_schedules
from models.scheduler_card import card
from models.scheduler_skill import report
from models.train_scheduler import SchedulerTraining, practice, settings, train
from models.weights_store import write_weights
from models.worlds.lq import LqWorld
from models.worlds.world import TRAINING_SEEDS

Told = Callable[[str, int, int, float], None]
_JUDGED_BY: Final = 500_000  # of the training seeds, one that nothing was learnt from
_SEEN: Final = 8


class Made(NamedTuple):
    """Where the weights lie, their digest, and what they foretell by world."""

    weights: Path
    digest: str
    figures: dict[str, Any]


def train_scheduler(out: Path, told: Told, how: SchedulerTraining, *, judged: int = 3_000) -> Made:
    """Train and write `scheduler.safetensors`, `scheduler-impact.safetensors`, `scheduler.md` and `scheduler.json`.

    Raises:
        WeightsError: nothing can be written.
    """
    out.mkdir(parents=True, exist_ok=True)
    worlds = [LqWorld(), practice()]
    trained = train(worlds, how, lambda *done: told("training", *done))
    markets = {name: Market(propagator, 1.0) for name, propagator in trained.propagators.items()}
    markets[""] = markets[worlds[0].name]
    tensors = world_model.tensors_of(trained.model, controller.initialised(how.seed))
    data = json.dumps({world.name: world.config_sha256 for world in worlds})
    said = {"step": STEP, "seed": str(how.seed), "worlds": data, "markets": markets_text(markets)}
    weights = out / SHIPPED.name
    digest = write_weights(weights, tensors, said)
    slips = write_impact(out / SHIPPED_IMPACT.name, trained.impact, {"seed": str(how.seed), "world_model": digest})
    figures = {}
    for world in worlds:
        told(f"judging in {world.name}", 0, 1, 0.0)
        runs = run_schedules(world, TRAINING_SEEDS[_JUDGED_BY], judged, "mixed")
        figures[world.name] = report(trained.model, world, runs, trained.propagators[world.name], _SEEN)
    (out / "scheduler.json").write_text(json.dumps({"learnt": trained.learnt} | figures, indent=1) + "\n", "utf-8")
    of_world = {world.name: (world.config_sha256, trained.propagators[world.name]) for world in worlds}
    (out / "scheduler.md").write_text(card(digest, slips, settings(how), TRAINING_SEEDS[0], of_world, figures), "utf-8")
    return Made(weights, digest, figures)
