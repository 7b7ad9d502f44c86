"""The opening of a trade date in the log: which files it works with, and the orders that a person must look at first."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Final, Literal, NamedTuple

from domain import day_load
from domain.day_load import DayLoad, Load, Loaded, Problem
from domain.day_rows import CorporateAction
from domain.errors import VersionConflict
from domain.event import Entry, Meta
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from ems import recovery

_ATTEMPTS: Final = 3


class Outcome(NamedTuple):
    """What became of a load."""

    kind: Literal["loaded", "amended", "unchanged"]
    version: int  # of the day's stream
    loaded: Loaded


async def of_day(log: EventLog, trade_date: date) -> DayLoad | None:
    """What a trade date works with, None where nothing was loaded for it. Raises LogUnavailable."""
    stream = day_load.key(trade_date.isoformat())
    state: DayLoad | None = None
    for recorded in await log.read(stream):
        state = day_load.evolve(state, recorded.event, stream=stream)
    return state


async def record(log: EventLog, load: Load, *, now_ns: int, build: str) -> Outcome | Problem:
    """Make the day work with these files; durable when it returns. Or why that may not be.

    Raises:
        LogUnavailable: the log cannot be reached.
    """
    trade_date = load.manifest.trade_date
    stream = day_load.key(trade_date.isoformat())
    meta = Meta(now_ns, f"person:{load.person}", correlation=stream, causation="command:load", build=build)
    for attempt in range(_ATTEMPTS):
        state = await of_day(log, trade_date)
        decided = day_load.decide(state, load)
        if isinstance(decided, Problem):
            return decided
        if decided is None:
            assert state is not None
            return Outcome("unchanged", state.version, state.loaded)
        try:
            await log.append([Entry(stream, decided.amends, (decided,), meta)])
        except VersionConflict:
            if attempt + 1 == _ATTEMPTS:
                raise
        else:
            return Outcome("amended" if decided.amends else "loaded", decided.amends + 1, decided)
    raise AssertionError("every attempt returns or raises")


async def carried_orders(log: EventLog, actions: Collection[CorporateAction]) -> list[ParentOrder]:
    """Live orders carried from earlier days in instruments whose terms change: quantity and limit are of the old terms.

    They are told, and nothing is done to them: what an order becomes is the client's or a person's decision.
    """
    symbols = {name for action in actions for name in (action.symbol, action.old_symbol) if name}
    if not symbols:
        return []
    state = await recovery.fold(log)
    return [
        parent
        for parent in state.parents.values()
        if isinstance(parent, ParentOrder) and parent.live and parent.carried and parent.instrument in symbols
    ]
