"""`ems evaluate market-making`: worlds by name, the maker and the rules in them, and where the figures go."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final

from domain.errors import ConfigError, TapeError
from domain.ports_spread import Mapper
from ems.bootstrap.forecasts import levels_of, recorded_tapes, session_of
from ems.bootstrap.makers import SHIPPED
from models.inference import Core, make_core, put_weights
from models.making import judging
from models.making.pictures import draw
from models.making.tables import table
from models.spread import IN_PROCESS
from models.tape_store import open_tape
from models.weights_store import read_weights
from models.worlds.making_book import MakerBook
from models.worlds.making_events import MakingWorld
from models.worlds.making_grid import GridConfig
from models.worlds.making_tape import Recorded, recorded
from models.worlds.world import HELD_OUT_REGIMES

__all__ = ["WORLDS", "evaluate_making", "table"]

Told = Callable[[str, int, int, float], None]
WORLDS: Final = ("exact", "grid", "event-book", "tapes")
_RECORDS_MAX: Final = 1 << 20
_TAPE_SECONDS: Final = 1_800


def evaluate_making(
    told: Told, *, chosen: Sequence[str] = (), paths: int = 1_000, sessions: int = 400, regimes: Sequence[str] = (),
    tapes: Sequence[Path] = (), weights: Path = SHIPPED, out: Path | None = None,
    mapper: Mapper = IN_PROCESS,
) -> dict[str, Any]:  # fmt: skip
    """Judge the maker beside the rules.

    Args:
        chosen: some of WORLDS; none: all.
        paths: of the exact world and its grid. sessions: of each regime of the event book.
        regimes: of the event book; none: all.
        tapes: stored ones; none: all recorded ones that are here.
        out: a directory for making.json, making.txt and making.png.
        mapper: who runs paths and sessions; the figures are the same by whichever.

    Raises:
        ConfigError: no such world or regime. WeightsError: the maker's weights are missing or damaged.
    """
    for names, known in ((chosen, WORLDS), (regimes, judging.REGIMES)):
        for name in names:
            if name not in known:
                raise ConfigError(f"no {name!r}; there are {', '.join(known)}")
    found = read_weights(weights)
    core = make_core()
    put_weights(core, found.tensors, found.digest)

    def quiet(what: str, done: int, of: int) -> None:
        told(what, done, of, 0.0)

    worlds: dict[str, Any] = {}
    names = chosen or WORLDS
    for world in (MakingWorld(), MakingWorld(GridConfig(), "grid")):
        if world.name in names:
            worlds[world.name] = judging.judge_world(world, core, paths, quiet, mapper)
    if "event-book" in names:
        where = tuple(regimes) or judging.REGIMES
        worlds["event-book"] = judging.judge_book(MakerBook(), core, sessions, where, quiet, mapper)
        worlds["event-book"]["held_out"] = [name for name in HELD_OUT_REGIMES if name in worlds["event-book"]["regimes"]]
    if "tapes" in names:
        worlds["tapes"] = _tapes(core, tapes, told)
    figures = {"weights": found.digest, "frozen": found.metadata.get("frozen", ""), **_top(worlds), "worlds": worlds}
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "making.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")
        (out / "making.txt").write_text("\n".join(table(figures)) + "\n", "utf-8")
        draw(figures, out / "making.png")
    return figures


def _top(worlds: dict[str, Any]) -> dict[str, Any]:
    """rho of the exact world, what the main regime of the event book says, and whether every limit was kept everywhere."""
    top: dict[str, Any] = {key: worlds.get("exact", {}).get(key) for key in ("rho", "rho_low", "rho_high")}
    main = next(iter(worlds.get("event-book", {}).get("regimes", {}).values()), None)
    for rule in ("glft", "fixed"):
        for key in ("objective", "pnl"):
            for end in ("", "_low", "_high"):
                top[f"better_{rule}_{key}{end}"] = main["better_by"][rule][f"{key}{end}"] if main else None
    kept = [row["within_limit"] for rows in _rows(worlds) for row in rows.values()]
    return top | {"within_limit": min(kept) if kept else None}


def _rows(worlds: dict[str, Any]) -> list[dict[str, Any]]:
    """The rows of every world, regime and tape."""
    found = []
    for told in worlds.values():
        parts = [told] if "rows" in told else [*told.get("regimes", {}).values(), *told.get("tapes", {}).values()]
        found += [one["rows"] for one in parts if "rows" in one]
    return found


def _tapes(core: Core, tapes: Sequence[Path], told: Told) -> dict[str, Any]:
    """Recorded tapes with at least ten levels, or order by order; or why there are none."""
    try:
        stored = [open_tape(path) for path in (tapes or recorded_tapes(told))]
    except ConfigError as error:
        return {"left_out": str(error), "tapes": {}}
    ready: list[Recorded] = []
    left_out: dict[str, str] = {}
    for one in stored:
        if levels_of(one) < 2:
            left_out[one.path.name] = "its feed tells one level a side, which has no queue behind it"
            continue
        try:
            tape = one.records(0, _RECORDS_MAX)
            ready.append(recorded(one.path.name, tape, levels_of(one), _TAPE_SECONDS, session_of(one)))
        except TapeError as error:
            left_out[one.path.name] = str(error)
    return judging.judge_tapes(ready, core, lambda what, done, of: told(what, done, of, 0.0)) | {"left_out": left_out}
