"""The desk's loop: one batch is on its way to the log while the next one is decided."""

from __future__ import annotations

import asyncio
from asyncio import Task
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from domain.commands import Answer, Commanded
from domain.messages import Input, Timer
from ems.inbox import Inbox
from ems.turn import Turn


@dataclass(frozen=True, slots=True)
class Decided:
    """A batch and what came of it. error: it could not be decided, and the state is half changed."""

    inputs: Sequence[Input]
    turn: Turn
    error: Exception | None = None

    @property
    def frame(self) -> int:
        """The last frame of the gateway's that is in it, 0 for none."""
        return max((getattr(item, "frame", 0) for item in self.inputs), default=0)

    def drop(self) -> None:
        """Nothing comes of it: its messages are delivered again, but who gave a command must be told."""
        for item in self.inputs:
            if isinstance(item, Commanded):
                item.reply(Answer(False, "the desk had to start again; nothing was done"))


class Desk(Protocol):
    """What a pipeline does with `ems.desk.Desk`."""

    inbox: Inbox
    settled: bool

    def now_ns(self) -> int:
        """The time."""

    def next_wake_ns(self) -> int | None:
        """When there will be something to do without an input."""

    def decide(self, inputs: Sequence[Input]) -> Decided:
        """Decide a batch on top of all that has been decided."""

    async def commit(self, decided: Decided) -> None:
        """Append it, then react."""


class Pipeline:
    """At most one batch is decided ahead: what follows can only be as far behind as one commit."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._commit: Task[None] | None = None
        self._ahead: Decided | None = None

    async def run(self, poll_s: float) -> None:
        """Until cancelled. Raises what the desk's commits raise."""
        try:
            while True:
                await self._desk.inbox.wait(poll_s, wanted=self._may_decide)
                self._decide()
                if self._go_on():
                    for _ in range(2):  # the append leaves before anything else is decided
                        await asyncio.sleep(0)
        finally:
            if self._commit is not None:
                self._commit.cancel()
                await asyncio.wait([self._commit])

    @property
    def _may_decide(self) -> bool:
        return self._ahead is None and self._desk.settled

    def _decide(self) -> None:
        if not self._may_decide:
            return
        inputs, wake_ns = self._desk.inbox.take(), self._desk.next_wake_ns()
        if wake_ns is not None and wake_ns <= self._desk.now_ns():
            inputs.append(Timer())
        if inputs:
            self._ahead = self._desk.decide(inputs)

    def _go_on(self) -> bool:
        """Begin to commit what has been decided, once the batch before it is in the log and has been reacted to."""
        if self._commit is not None and self._commit.done():
            self._commit.result()
            self._commit = None
        if self._commit is not None or self._ahead is None:
            return False
        self._commit = asyncio.get_running_loop().create_task(self._desk.commit(self._ahead))
        self._commit.add_done_callback(lambda _: self._desk.inbox.wake())
        self._ahead = None
        return True
