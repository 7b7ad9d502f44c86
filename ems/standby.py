"""What a desk does while another leads: it folds the log as that grows, so that little is left to fold when it leads itself."""

from __future__ import annotations

import asyncio
from typing import Final

import structlog

from domain.errors import LogUnavailable
from domain.ports import EventLog
from ems import recovery
from ems.desk_state import DeskState

_log = structlog.get_logger("desk")
FIRST_S: Final = 0.5  # a lead that is free is taken by then, and nothing was folded twice
EVERY_S: Final = 0.25


async def second(log: EventLog, name: str) -> tuple[int, DeskState | None]:
    """As `following`, once a desk has led: a standby that is there first does not open the log."""
    while not (await log.head()).epoch:  # noqa: ASYNC110 (another process, and most often it has)
        await asyncio.sleep(EVERY_S)
    return await following(log, name)


async def following(log: EventLog, name: str) -> tuple[int, DeskState | None]:
    """Take the lead, however long that waits for another desk: `ems.desk_ports.TakeLead`.

    Returns:
        The epoch, and the state as far as it was folded while waiting, None where there was no wait. Another desk may have
        appended since: the rest is to be folded now that nobody can any more.

    Raises:
        LogUnavailable: the log was lost while waiting.
    """
    leading = asyncio.ensure_future(log.take_lead(name))
    state: DeskState | None = None
    try:
        await asyncio.wait([leading], timeout=FIRST_S)
        while not leading.done():
            try:
                state = await recovery.fold(log, onto=state)
            except LogUnavailable as error:
                _log.warning("a desk that stands by cannot read the log", error=str(error))
            await asyncio.wait([leading], timeout=EVERY_S)
        return leading.result(), state
    finally:
        leading.cancel()
