"""`ems evaluate execution`: a world by name, the strategies in it, and where the figures go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from domain.errors import ConfigError
from models.execution import harness, report
from models.execution.choice import choose
from models.execution.pictures import draw
from models.execution.tables import table
from models.worlds.chapter import chapter_world
from models.worlds.lq import LqWorld
from models.worlds.world import Policy, World

Told = Callable[[str, int, int, float], None]
WORLDS: Final[dict[str, Callable[[], World[Any]]]] = {"lq": LqWorld, "chapter": chapter_world}
ORDERS: Final = {"lq": (20_000, 2_000), "chapter": (20_000, 2_000)}  # of the main regime, of every other
LEARNED: Final = "adaptive"
__all__ = ["evaluate_execution", "table"]


def evaluate_execution(
    name: str,
    told: Told,
    *,
    judged: str = LEARNED,
    orders: int | None = None,
    regimes: Sequence[str] = (),
    out: Path | None = None,
) -> dict[str, Any]:
    """Judge every strategy in a world.

    Args:
        judged: whose ratios stand at the top.
        orders: of the main regime; None for what the world usually takes. Other regimes never have more than usual.
        regimes: none: all that the world shows.
        out: a directory for execution.json, execution.txt and execution.png.

    Raises:
        ConfigError: no such world, regime or strategy.
    """
    world = world_named(name)
    usual, elsewhere = ORDERS[name]
    for regime in regimes:
        if regime not in world.regimes:
            raise ConfigError(f"no regime {regime!r} in world {name}; there are {', '.join(world.regimes)}")
    told("choosing on training seeds", 0, 1, 0.0)
    plan = harness.Plan(
        world=world, choice=choose(world), learned=learned(), judged=judged, orders=orders or usual,
        orders_elsewhere=min(orders or usual, elsewhere), regimes=tuple(regimes) or world.regimes,
    )  # fmt: skip
    figures = report.judge(plan, lambda what, done, of: told(what, done, of, 0.0))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "execution.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        (out / "execution.txt").write_text("\n".join(table(figures)) + "\n", "utf-8")
        draw(figures, out / "execution.png")
    return figures


def world_named(name: str) -> World[Any]:
    """One of WORLDS. Raises ConfigError where there is none."""
    if name not in WORLDS:
        raise ConfigError(f"no world {name!r}; there are {', '.join(WORLDS)}")
    return WORLDS[name]()


def learned() -> list[Policy]:
    """The learned strategies; none of this version's are shipped yet."""
    return []
