"""A process's heartbeat from its own loop, with the count of its internal errors, for the watchdog to look at."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import Final

import structlog

from domain.internal_errors import InternalErrors
from domain.ports import Metrics

_log = structlog.get_logger("pulse")
EVERY_S: Final = 0.1


class Pulse:
    """Of a process whose work is on one loop: where that hangs, so does this."""

    def __init__(self, metrics: Metrics, process: str) -> None:
        self._errors = InternalErrors(metrics, process)

    async def run(self) -> None:
        """Beat until cancelled."""
        while True:
            self._publish(self._errors.publish)
            await asyncio.sleep(EVERY_S)

    def count_error(self) -> None:
        """One more fault of our own."""
        self._errors.add()

    def close(self) -> None:
        """The process ends in order, after run has ended."""
        self._publish(self._errors.close)

    def _publish(self, how: Callable[[int], None]) -> None:
        try:
            how(time.monotonic_ns())
        except OSError as error:  # the watchdog misses it, and that suspends
            _log.warning("internal errors cannot be published", error=str(error))
