"""`ems replay`: the state at any place of a log, folded by the code that made it live."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.errors import TimeOutsideLog
from domain.parent_order import ParentOrder
from domain.ports import EventLog
from domain.values import from_e9
from ems import recovery
from ems.desk_state import DeskState
from ems.projections import child_row, parent_row


async def state_at(dsn: str, to: str | None) -> dict[str, Any]:
    """What the desk knew at a place: its parents, children and fills, and the digest over all of it.

    Args:
        to: a sequence number, a time (ISO 8601, UTC unless it says otherwise) when events were recorded, or None: the end.

    Raises:
        TimeOutsideLog: it is neither, or the log does not reach so far.
        LogUnavailable: the database cannot be reached.
    """
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        state = await _fold(log, to)
        return {"seq": state.seq, "digest": state.digest(), **_rows(state)}


async def _fold(log: EventLog, to: str | None) -> DeskState:
    if to is None:
        return await recovery.fold(log)
    if to.isdigit():
        head = await log.head()
        if int(to) > head.seq:
            raise TimeOutsideLog(f"the log ends at event {head.seq}: there is no event {to} yet")
        return await recovery.fold(log, until_seq=int(to))
    try:
        moment = datetime.fromisoformat(to)
    except ValueError as cause:
        raise TimeOutsideLog(f"{to!r} is neither a sequence number nor a time such as 2026-11-27T14:30:00") from cause
    moment = moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)
    return await recovery.fold(log, until_ns=int(moment.timestamp() * 1_000_000) * 1_000)


def _rows(state: DeskState) -> dict[str, Any]:
    parents = [parent_row(parent) for parent in state.parents.values() if isinstance(parent, ParentOrder)]
    fills = [
        {"cl_ord_id": fill.content[0], "quantity": str(from_e9(fill.content[1])), "price": str(from_e9(fill.content[2]))}
        for fill in state.fills.values()
        if fill.content is not None
    ]
    return {
        "parents": parents,
        "rejected": len(state.parents) - len(parents),
        "children": [child_row(child) for child in state.children.values()],
        "fills": fills,
        "decisions": state.decisions,
    }
