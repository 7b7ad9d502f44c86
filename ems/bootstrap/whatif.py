"""`ems audit whatif`: planners and versions of models for the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from domain import market_note
from domain.errors import ConfigError
from domain.risk import Check
from domain.schedule import PlanRequest, Schedule
from domain.values import Algo, to_e9
from ems.audit.locate import hints, locate
from ems.audit.scene import gather
from ems.audit.source import place_of
from ems.audit.whatif import Again, Limit, compared, judged_again, market_of
from ems.bootstrap.audit_source import Place, opened
from ems.bootstrap.model_signing import verified
from ems.bootstrap.models import weights_of

UNPLANNED: Final = (Algo.DIRECT, Algo.MANUAL)


async def what_if(
    place: Place, asked: str, planner: str, model: str, limits: Sequence[str], kept: Path, reader: str
) -> dict[str, Any]:
    """Hold another planner, another version of the model, or other limits against what was done.

    Args:
        planner: an algorithm of ours, "" for none.
        model: a version's digest or a weights file, "" for none.
        limits: "check=value" each.
        kept: where versions are kept.
        reader: who is shown it.

    Raises:
        ConfigError: nothing to compare, or the id is not that of an order that was worked.
        WeightsError: the version is not here.
    """
    if not (planner or model or limits):
        raise ConfigError("say what else: --planner, --model or --limit")
    again = _again(planner, model, kept) if planner or model else None
    wanted = [_limit(text) for text in limits]
    async with opened(place) as there:
        source = there.source
        end = await place_of(source, "", None)
        named = await locate(source, asked, await hints(source, there.sessions))
        scene = await gather(source, named, end)
        told: dict[str, Any] = {"asked": asked, "parent": scene.parent}
        if again is not None:
            dates = [scene.terms.trade_date] if scene.terms is not None else []
            notes = scene.add(await source.streams([market_note.key(date) for date in dates], end)) if dates else []
            told |= compared(scene, market_of(scene, notes), again)
        if wanted:
            judged = judged_again(scene, wanted)
            told |= judged | {"cannot_say": [*told.get("cannot_say", []), *judged["cannot_say"]]}
        await there.note(reader, "explain", f"what if: {asked}")
        return told


def _again(planner: str, model: str, kept: Path) -> Again:
    from models.planners import planner_for
    from models.sight import sights

    try:
        algo = Algo(planner) if planner else Algo.ADAPTIVE
    except ValueError as cause:
        names = ", ".join(algo for algo in Algo if algo not in UNPLANNED)
        raise ConfigError(f"--planner must be one of {names}, not {planner!r}") from cause
    if algo in UNPLANNED or (model and algo is not Algo.ADAPTIVE):
        raise ConfigError(f"{algo} plans nothing" if algo in UNPLANNED else f"{algo} asks no model: --model goes with adaptive")
    if not model:
        return lambda request: planner_for(algo, sights(kept, verified)).plan(request.model_copy(update={"algo": algo}))
    return _by_version(model, kept)


def _by_version(model: str, kept: Path) -> Again:
    from models.planners.adaptive import Adaptive
    from models.sight import of_weights
    from models.weights_store import read_weights

    named = Path(model)
    weights = read_weights(named) if named.exists() else read_weights(weights_of(kept, model), model)
    seen = of_weights(weights)
    adaptive = Adaptive(lambda _: seen)  # whichever has looked

    def again(request: PlanRequest) -> Schedule:
        if request.observation is None:
            raise ConfigError(
                "the recorded requests hold no observation: this order's plans saw nothing that a model foresees by"
            )
        return adaptive.plan(request.model_copy(update={"algo": Algo.ADAPTIVE, "models": None}))

    return again


def _limit(text: str) -> Limit:
    name, _, value = text.partition("=")
    try:
        return Limit(Check(name), to_e9(value))
    except ValueError as cause:
        raise ConfigError(f"--limit {text!r} is no check and value such as max_quantity=500") from cause
