"""Where the desk's inputs gather while it is busy."""

from __future__ import annotations

import asyncio
from asyncio import Future
from collections.abc import Callable

from domain.messages import Input

BATCH_MAX = 512  # inputs decided before a commit: what bounds the time to the first answer of a burst


class Inbox:
    """In order of arrival; taken as one batch."""

    def __init__(self) -> None:
        self._inputs: list[Input] = []
        self._changes: list[Callable[[], None]] = []
        self._waiter: Future[None] | None = None
        self._wanted = True  # is an input a reason to wake?
        self._woken = False

    def put(self, item: Input) -> None:
        """Add an input; never blocks."""
        self._inputs.append(item)
        if self._wanted:
            self.wake()

    def clear(self) -> None:
        """Drop everything: the link has been reset and delivers again, in order, what was not acknowledged."""
        self._inputs.clear()

    def between(self, change: Callable[[], None]) -> None:
        """Have something done before the next batch is taken: none is decided by two configurations."""
        self._changes.append(change)
        self.wake()

    def take(self) -> list[Input]:
        """Everything that has arrived, at most BATCH_MAX."""
        while self._changes:
            self._changes.pop(0)()
        taken, self._inputs = self._inputs[:BATCH_MAX], self._inputs[BATCH_MAX:]
        return taken

    def wake(self) -> None:
        """End the wait under way, or the next one."""
        self._woken = True
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    async def wait(self, timeout_s: float, *, wanted: bool) -> None:
        """Return when woken, after timeout_s, or when there are inputs and they are wanted."""
        self._wanted = wanted
        if not (self._woken or (wanted and self._inputs)):
            loop = asyncio.get_running_loop()
            self._waiter = loop.create_future()
            timer = loop.call_later(timeout_s, self.wake)
            try:
                await self._waiter
            finally:
                timer.cancel()
        self._woken = False
