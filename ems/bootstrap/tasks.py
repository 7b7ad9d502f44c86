"""Jobs of one process that end together, and the lead that a desk waits for."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence
from itertools import count
from typing import Any

import structlog

from domain.errors import LogUnavailable
from ems.desk import RETRY_S, Desk

_log = structlog.get_logger("desk")


async def until_first(*jobs: Any) -> None:
    """Run until the first of these ends; the others are cancelled. What it raised is raised."""
    tasks: Sequence[asyncio.Task[Any]] = [asyncio.ensure_future(job) for job in jobs]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await asyncio.gather(*tasks, return_exceptions=True)
    for task in done:
        task.result()


async def lead(desk: Desk) -> None:
    """Lead and recover, however long the database takes to be there."""
    for attempt in count():
        try:
            await desk.start()
            return
        except LogUnavailable as error:
            _log.warning("the log is not there", error=str(error))
            await asyncio.sleep(RETRY_S[min(attempt, len(RETRY_S) - 1)])
