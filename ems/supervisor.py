"""The supervisor: starts the processes in order, asks whether they are well, restarts what died, stops all in order.

A process counts as up when it answers, never because its number exists. What cannot start says why in one sentence.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import structlog

from domain.errors import ConfigError, ProcessFailed
from ems.child_log import last_line, open_log
from ems.children import REFUSED, Child, Process, bury_orphans, start
from ems.lifeline import Lifeline
from ems.nursery import Nursery

_log = structlog.get_logger("supervisor")

BACKOFF_S: Final = (0.1, 0.2, 0.5, 1.0, 2.0, 5.0)
SETTLED_S: Final = 20.0  # a process that ran this long begins at the first wait again
ASK_EVERY_S: Final = 1.0
HUNG_AFTER_S: Final = 30.0  # without an answer, a process that runs is killed and started again


@dataclass(slots=True, eq=False)
class _Kept:
    child: Child
    ready: asyncio.Event = field(default_factory=asyncio.Event)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    answer: asyncio.Future[None] | None = None  # of whoever starts it by hand
    process: Process | None = None
    restarts: int = 0
    answered_s: float = 0.0  # monotonic
    task: asyncio.Task[None] | None = None


class Supervisor:
    """Keeps children running between `start` and `stop`.

    Args:
        log_directory: one file of JSON lines for each child, appended to; environment: of every child.
        ended: told of each child that ended unasked, before it is started again: its name, and why.
        nursery: forks those that may be forked.
    """

    def __init__(
        self,
        children: Sequence[Child],
        *,
        log_directory: Path,
        environment: dict[str, str] | None = None,
        ended: Callable[[str, str], None] = lambda _, __: None,
        nursery: Nursery | None = None,
    ) -> None:
        self._kept = {child.name: _Kept(child) for child in children}
        self._logs = log_directory
        self._ended = ended
        self._nursery = nursery
        self._environment = dict(os.environ if environment is None else environment)
        self._lifeline = Lifeline()
        self._stopping = False
        self._failed: asyncio.Future[None] | None = None
        self._tender: asyncio.Task[None] | None = None

    # ------------------------------------------------------------------------------------------- life

    async def start(self) -> None:
        """Start all, each as soon as those it comes after answer; returns when all answer.

        Raises:
            ConfigError: one refused to start.
            ProcessFailed: one did not come up in its time.
        """
        self._failed = asyncio.get_running_loop().create_future()
        for kept in self._kept.values():
            self._begin(kept)
        self._tender = asyncio.create_task(self._tend(), name="tend")
        self._tender.add_done_callback(self._keeping_ended)
        all_ready = asyncio.gather(*(self._in_time(kept) for kept in self._kept.values()))
        waiting: set[asyncio.Future[Any]] = {all_ready, self._failed}
        await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        if self._failed.done():
            all_ready.cancel()
            await asyncio.gather(all_ready, return_exceptions=True)
            self._failed.result()
        await all_ready

    async def watch(self) -> None:
        """Wait until cancelled. Raises ConfigError when a process refuses to run any more."""
        assert self._failed is not None
        await asyncio.shield(self._failed)

    async def stop(self) -> None:
        """Stop all in the reverse order, each in its time. Returns when every process has ended."""
        self._stopping = True
        if self._tender is not None:
            self._tender.cancel()
        for kept in reversed(self._kept.values()):
            if kept.task is None:
                continue
            await self._end(kept)
            kept.task.cancel()
            await asyncio.gather(kept.task, return_exceptions=True)
        self._lifeline.close()

    # ----------------------------------------------------------------------------------------- by hand

    async def halt(self, name: str) -> None:
        """Stop one in its time and keep it down. Raises KeyError."""
        kept = self._kept[name]
        kept.wanted.clear()
        kept.ready.clear()
        await self._end(kept)

    async def go(self, name: str) -> None:
        """Start one that was halted; returns when it answers. One that refuses stays halted, and the others run on.

        Raises:
            KeyError: there is none of this name.
            ConfigError: it refused to start.
            ProcessFailed: it did not come up in its time.
        """
        kept = self._kept[name]
        if kept.ready.is_set():
            return
        kept.answer = asyncio.get_running_loop().create_future()
        kept.wanted.set()
        try:
            await asyncio.wait_for(kept.answer, kept.child.ready_timeout_s)
        except TimeoutError:
            await self.halt(name)
            raise ProcessFailed(f"{name} did not answer in time: {last_line(self._log_path(kept.child))}") from None
        finally:
            kept.answer = None

    async def add(self, child: Child, *, before: str) -> None:
        """Start one more; at the end it is stopped as if it had been there from the start, before another in the order.
        Raises as go."""
        names = list(self._kept)
        made = _Kept(child)
        self._kept[child.name] = made
        for name in names[names.index(before) :]:
            self._kept[name] = self._kept.pop(name)
        self._begin(made, wanted=False)
        try:
            await self.go(child.name)
        except BaseException:
            await self.remove(child.name)
            raise

    async def remove(self, name: str) -> None:
        """Stop one for good. Raises KeyError."""
        await self.halt(name)
        kept = self._kept.pop(name)
        if kept.task is not None:
            kept.task.cancel()
            await asyncio.gather(kept.task, return_exceptions=True)

    def names(self) -> list[str]:
        """All of them, in the order in which they started."""
        return list(self._kept)

    def halted(self) -> list[str]:
        """Those that are kept down."""
        return [name for name, kept in self._kept.items() if not kept.wanted.is_set()]

    def pids(self) -> dict[str, int]:
        """Process numbers of the children that run, by name."""
        return {name: k.process.pid for name, k in self._kept.items() if k.process is not None and k.process.returncode is None}

    def restarts(self) -> dict[str, int]:
        """How often each had to be started again."""
        return {name: kept.restarts for name, kept in self._kept.items()}

    # -------------------------------------------------------------------------------------- one child

    def _begin(self, kept: _Kept, *, wanted: bool = True) -> None:
        if wanted:
            kept.wanted.set()
        kept.task = asyncio.create_task(self._keep(kept), name=f"keep-{kept.child.name}")
        kept.task.add_done_callback(self._keeping_ended)

    async def _in_time(self, kept: _Kept) -> None:
        for name in kept.child.after:
            await self._kept[name].ready.wait()
        try:
            await asyncio.wait_for(kept.ready.wait(), kept.child.ready_timeout_s)
        except TimeoutError:
            why = last_line(self._log_path(kept.child))
            raise ProcessFailed(f"{kept.child.name} did not answer within {kept.child.ready_timeout_s:.0f} s: {why}") from None

    async def _keep(self, kept: _Kept) -> None:
        """Start a child, wait for its end, start it again: until the supervisor stops."""
        for name in kept.child.after:
            await self._kept[name].ready.wait()
        attempt = 0
        while not self._is_stopping():
            await kept.wanted.wait()
            began_s = time.monotonic()
            with open_log(self._log_path(kept.child)) as log:
                kept.process = await start(
                    kept.child, log, environment=self._environment | self._lifeline.environment,
                    passed=(self._lifeline.fd,), nursery=self._nursery,
                )  # fmt: skip
            kept.answered_s = began_s
            _log.info("started", child=kept.child.name, pid=kept.process.pid)
            asking = asyncio.create_task(self._until_ready(kept))
            status = await kept.process.wait()
            asking.cancel()
            if self._is_stopping():
                return
            was_ready = kept.ready.is_set()
            if not kept.wanted.is_set():
                attempt = 0
                continue
            why = last_line(self._log_path(kept.child))
            _log.warning("ended", child=kept.child.name, status=status, last_line=why)
            self._ended(kept.child.name, f"ended with status {status}: {why}")
            if status == REFUSED and not was_ready:
                if kept.answer is not None:
                    kept.wanted.clear()
                    kept.answer.set_exception(ConfigError(why or f"{kept.child.name} refused to start"))
                    continue
                self._fail(ConfigError(why or f"{kept.child.name} refused to start"))
                return
            attempt = 0 if time.monotonic() - began_s > SETTLED_S else attempt
            await asyncio.sleep(BACKOFF_S[min(attempt, len(BACKOFF_S) - 1)])
            attempt += 1
            kept.restarts += 1

    async def _until_ready(self, kept: _Kept) -> None:
        while not await kept.child.ask():  # noqa: ASYNC110 (another process: there is nothing here to wait on)
            await asyncio.sleep(0.05)
        kept.answered_s = time.monotonic()
        if not kept.ready.is_set():
            _log.info("up", child=kept.child.name)
        kept.ready.set()
        if kept.answer is not None and not kept.answer.done():
            kept.answer.set_result(None)

    async def _end(self, kept: _Kept) -> None:
        process = kept.process
        if process is None or process.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError):
            process.terminate()
        try:
            await asyncio.wait_for(process.wait(), kept.child.stop_timeout_s)
        except TimeoutError:
            _log.warning("did not stop in time and was killed", child=kept.child.name)
            process.kill()
            await process.wait()
        _log.info("stopped", child=kept.child.name, status=process.returncode)

    def _keeping_ended(self, task: asyncio.Task[None]) -> None:
        """Children that nobody keeps any more must not go unnoticed."""
        if not task.cancelled() and (error := task.exception()) is not None:
            self._fail(error)

    def _is_stopping(self) -> bool:
        return self._stopping

    def _fail(self, error: BaseException) -> None:
        if self._failed is not None and not self._failed.done():
            self._failed.set_exception(error)

    # ------------------------------------------------------------------------------------------ tending

    async def _tend(self) -> None:
        """Kill what runs but has stopped answering; bury processes that were left to us by their parents."""
        while True:
            await asyncio.sleep(ASK_EVERY_S)
            bury_orphans(self.pids().values())
            await asyncio.gather(*(self._ask(kept) for kept in self._kept.values() if kept.ready.is_set()))

    async def _ask(self, kept: _Kept) -> None:
        if kept.process is None or kept.process.returncode is not None:
            return
        if await kept.child.ask():
            kept.answered_s = time.monotonic()
        elif time.monotonic() - kept.answered_s > HUNG_AFTER_S:
            _log.warning("does not answer and is killed", child=kept.child.name)
            kept.answered_s = time.monotonic()
            with contextlib.suppress(ProcessLookupError):
                kept.process.kill()

    def _log_path(self, child: Child) -> Path:
        return self._logs / f"{child.name}.jsonl"
