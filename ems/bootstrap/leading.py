"""How a desk's process comes to lead its log, and learns that it no longer does."""

from __future__ import annotations

import asyncio
from itertools import count

import structlog

from adapters.postgres.event_log import PostgresEventLog
from domain.errors import Fenced, LogUnavailable
from ems.desk import RETRY_S, Desk

_log = structlog.get_logger("desk")


async def lead(desk: Desk, log: PostgresEventLog, lease_s: float) -> None:
    """Lead and recover, however long the database takes to be there.

    Args:
        lease_s: once the database is back, whoever led when it went has so long to lead on; 0: this desk alone may lead.
    """
    for attempt in count():
        try:
            await asyncio.create_task(desk.start())  # what its log lines bear ends with it
            return
        except LogUnavailable as error:
            _log.warning("the log is not there", error=str(error))
            wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
            while lease_s and not await _answers(log):  # noqa: ASYNC110 (another process)
                await asyncio.sleep(wait_s)
            await asyncio.sleep(lease_s or wait_s)


async def until_another_leads(log: PostgresEventLog) -> None:
    """Raises Fenced then: a desk that has nothing to append would not learn it from the log."""
    await log.lead_lost.wait()
    raise Fenced("another desk leads")


async def _answers(log: PostgresEventLog) -> bool:
    try:
        await log.head()
    except LogUnavailable:
        return False
    return True
