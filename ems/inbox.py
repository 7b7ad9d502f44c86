"""Where the desk's inputs gather while a commit is in flight."""

from __future__ import annotations

import asyncio

from domain.messages import Input

BATCH_MAX = 512  # inputs decided before a commit: what bounds the time to the first answer of a burst


class Inbox:
    """In order of arrival; taken as one batch."""

    def __init__(self) -> None:
        self._inputs: list[Input] = []
        self._some = asyncio.Event()

    def put(self, item: Input) -> None:
        """Add an input; never blocks."""
        self._inputs.append(item)
        self._some.set()

    def clear(self) -> None:
        """Drop everything: the link has been reset and delivers again, in order, what was not acknowledged."""
        self._inputs.clear()

    async def take(self, timeout_s: float) -> list[Input]:
        """Everything that has arrived, at most BATCH_MAX; empty after timeout_s without any."""
        if not self._inputs:
            self._some.clear()
            try:
                async with asyncio.timeout(timeout_s):  # wait_for can lose a cancellation that meets its timeout
                    await self._some.wait()
            except TimeoutError:
                return []
        taken, self._inputs = self._inputs[:BATCH_MAX], self._inputs[BATCH_MAX:]
        return taken
