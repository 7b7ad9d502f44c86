"""`ems evaluate execution`: a world by name, the strategies in it, and where the figures go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from importlib import import_module
from pathlib import Path
from typing import Any, Final, NamedTuple

from domain.errors import ConfigError, WeightsError
from domain.ports_spread import Mapper
from models.execution import harness, report
from models.execution.baskets import judge as judge_baskets
from models.execution.baskets import table as basket_table
from models.execution.choice import choose
from models.execution.learned import ablations, read_nets
from models.execution.pictures import draw
from models.execution.tables import table
from models.spread import IN_PROCESS
from models.worlds.lq_basket import BasketConfig, BasketWorld
from models.worlds.world import Policy, World

Told = Callable[[str, int, int, float], None]
LEARNED: Final = "adaptive"
__all__ = ["WORLDS", "basket_table", "evaluate_baskets", "evaluate_execution", "table"]


class Judged(NamedTuple):
    """How a world is judged in."""

    made_by: str  # module:callable
    orders: int  # of the main regime
    elsewhere: int  # of every other
    chosen_in: str  # the world on whose training seeds strategies' numbers are chosen
    choosing: int  # orders of a regime for that
    tells: bool  # it can tell the truth that bounds need


WORLDS: Final = {
    "lq": Judged("models.worlds.lq:LqWorld", 20_000, 2_000, "lq", 400, tells=True),
    "chapter": Judged("models.worlds.chapter:chapter_world", 20_000, 2_000, "chapter", 400, tells=True),
    # Books are slow: fewer orders choose.
    "event-book": Judged("models.worlds.event_book:EventBook", 1_000, 400, "event-book", 60, tells=True),
    # In the world that is somebody else's nothing is chosen at all.
    "cleo": Judged("models.worlds.cleo:CleoWorld", 200, 200, "event-book", 60, tells=False),
}


def evaluate_execution(
    name: str,
    told: Told,
    *,
    judged: str = LEARNED,
    orders: int | None = None,
    regimes: Sequence[str] = (),
    out: Path | None = None,
    mapper: Mapper = IN_PROCESS,
) -> dict[str, Any]:
    """Judge every strategy in a world.

    Args:
        judged: whose ratios stand at the top.
        orders: of the main regime; None for what the world usually takes. Other regimes never have more than usual.
        regimes: none: all that the world shows.
        out: a directory for execution.json, execution.txt and execution.png.
        mapper: who works the orders; the figures are the same by whichever.

    Raises:
        ConfigError: no such world, regime or strategy.
        WeightsError: the learned strategies' weights are missing or damaged.
        ProcessFailed: workers were lost again and again.
    """
    world, how = world_named(name), WORLDS[name]
    for regime in regimes:
        if regime not in world.regimes:
            raise ConfigError(f"no regime {regime!r} in world {name}; there are {', '.join(world.regimes)}")
    found, left_out = learned(judged)

    def quiet(what: str, done: int, of: int) -> None:
        told(what, done, of, 0.0)

    plan = harness.Plan(
        world=world, choice=choose(world_named(how.chosen_in), how.choosing, quiet, mapper), learned=found, judged=judged,
        orders=orders or how.orders, orders_elsewhere=min(orders or how.orders, how.elsewhere),
        regimes=tuple(regimes) or world.regimes, tells=how.tells,
    )  # fmt: skip
    figures = report.judge(plan, quiet, mapper)
    figures["left_out"] = left_out
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "execution.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        (out / "execution.txt").write_text("\n".join(table(figures)) + "\n", "utf-8")
        draw(figures, out / "execution.png")
    return figures


def evaluate_baskets(told: Told, *, baskets: int, urgency: float, out: Path | None = None) -> dict[str, Any]:
    """Joint and independent planning of baskets in their exact world.

    Args:
        baskets: worked by the program, beside what is known exactly. out: a directory for basket.json and basket.txt.
    """
    world = BasketWorld(BasketConfig(urgency=urgency))
    figures = judge_baskets(world, lambda what, done, of: told(what, done, of, 0.0), baskets)
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "basket.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        (out / "basket.txt").write_text("\n".join(basket_table(figures)) + "\n", "utf-8")
    return figures


def world_named(name: str) -> World[Any]:
    """One of WORLDS. Raises ConfigError where there is none."""
    if name not in WORLDS:
        raise ConfigError(f"no world {name!r}; there are {', '.join(WORLDS)}")
    module, _, made_by = WORLDS[name].made_by.partition(":")
    world: World[Any] = getattr(import_module(module), made_by)()
    return world


def learned(judged: str) -> tuple[list[Policy], str]:
    """The learned strategy and its ablations, or none and why they are left out.

    Raises:
        WeightsError: there are none, and one of them is what is to be judged.
    """
    try:
        return list(ablations(read_nets())), ""
    except WeightsError as error:
        if judged == LEARNED:
            raise
        return [], str(error)
