"""The planner pool: planners run in processes of their own, niced, and never hold up the desk.

For each parent only the newest request counts: one that waits is replaced, and the answer to one that was overtaken
is dropped. A worker that crashes or takes too long gives an answer too, an error, and a new worker takes its place.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import os
from collections import OrderedDict
from collections.abc import Callable
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import Final

import structlog

from domain.basket import BasketRequest, BasketSchedule
from domain.messages import PlanReady
from domain.schedule import PlanRequest, Schedule

_log = structlog.get_logger("planners")

Request = PlanRequest | BasketRequest
Plan = Callable[[Request], Schedule | BasketSchedule]
NICENESS: Final = 15  # a desk on the same two cores comes first: a plan has seconds, an acknowledgement milliseconds
_SPAWN: Final = multiprocessing.get_context("spawn")


class _Worker:
    """One process and the pipe to it. Exists as long as its process is trusted to answer."""

    def __init__(self, plan: Plan, begins: Callable[[], None] | None, niceness: int) -> None:
        self.pipe, theirs = _SPAWN.Pipe()
        given = plan, begins, theirs, niceness
        self.process: BaseProcess = _SPAWN.Process(target=_serve, args=given, name="planner", daemon=True)
        self.process.start()
        theirs.close()  # so that the end of the process is the end of the pipe
        self.busy_with: Request | None = None
        self.limit: asyncio.TimerHandle | None = None

    def end(self) -> None:
        """Kill and bury."""
        if self.limit is not None:
            self.limit.cancel()
        self.process.kill()
        self.process.join()
        self.pipe.close()


class ProcessPlannerPool:
    """Port `PlannerPool`. Lives on the desk's loop; `deliver` is called there.

    Args:
        plan: importable by a fresh process.
        deliver: takes each answer, usually the desk's inbox.
        workers: how many processes.
        limit_s: after this long a plan counts as lost and its worker is replaced.
        niceness: of the workers' processes.
        begins: called in each worker's process before its first plan; it must not take long.
        count_error: called for each plan that failed or was lost: a fault of our own, whatever the request was.
    """

    def __init__(
        self, plan: Plan, deliver: Callable[[PlanReady], None], *, workers: int = 1, limit_s: float = 10.0,
        count_error: Callable[[], None] = lambda: None, begins: Callable[[], None] | None = None, niceness: int = NICENESS,
    ) -> None:  # fmt: skip
        self._niceness = niceness
        self._begins = begins
        self._plan = plan
        self._deliver = deliver
        self._limit_s = limit_s
        self._count_error = count_error
        self._waiting: OrderedDict[str, Request] = OrderedDict()
        self._loop = asyncio.get_running_loop()
        self._workers: list[_Worker] = []
        self.crashes = 0
        self.also: Callable[[PlanReady], None] = lambda _: None  # told of each answer when it is on its way
        for _ in range(workers):
            self._add_worker()

    def request(self, request: Request) -> None:
        """Queue a request, in place of an older one for the same parent; never blocks."""
        self._waiting[request.parent] = request
        self._feed()

    def close(self) -> None:
        """End all workers; what was asked for is not answered."""
        self._waiting.clear()
        for worker in self._workers:
            self._loop.remove_reader(worker.pipe.fileno())
            worker.end()
        self._workers.clear()

    @property
    def waiting(self) -> int:
        """How many requests no worker has begun."""
        return len(self._waiting)

    def pids(self) -> list[int]:
        """The workers' process numbers."""
        return [worker.process.pid for worker in self._workers if worker.process.pid is not None]

    # ---------------------------------------------------------------------------------------- workers

    def _add_worker(self) -> None:
        worker = _Worker(self._plan, self._begins, self._niceness)
        self._workers.append(worker)
        self._loop.add_reader(worker.pipe.fileno(), self._answered, worker)

    def _feed(self) -> None:
        for worker in self._workers:
            if not self._waiting:
                return
            if worker.busy_with is None:
                _, request = self._waiting.popitem(last=False)
                worker.busy_with = request
                worker.limit = self._loop.call_later(self._limit_s, self._too_long, worker)
                try:
                    worker.pipe.send(request)
                except (BrokenPipeError, ConnectionResetError):
                    self._loop.call_soon(self._lost, worker, "the planner's process ended")

    def _answered(self, worker: _Worker) -> None:
        try:
            schedule, error = worker.pipe.recv()
        except (EOFError, OSError):
            self._lost(worker, "the planner's process ended")
            return
        request = worker.busy_with
        worker.busy_with = None
        if worker.limit is not None:
            worker.limit.cancel()
        if request is not None:
            if error:
                self._count_error()
            self._answer(PlanReady(request, schedule, error))
        self._feed()

    def _answer(self, ready: PlanReady) -> None:
        if ready.request.parent not in self._waiting:  # else a newer question is already on its way
            self._deliver(ready)
            self.also(ready)

    def _too_long(self, worker: _Worker) -> None:
        self._lost(worker, f"no plan within {self._limit_s:g} s")

    def _lost(self, worker: _Worker, why: str) -> None:
        """Replace a worker; its request is answered with an error. Nothing if it was replaced already."""
        if worker not in self._workers:
            return
        self.crashes += 1
        self._count_error()
        _log.warning("a planner's worker is replaced", reason=why)
        self._loop.remove_reader(worker.pipe.fileno())
        self._workers.remove(worker)
        worker.end()
        self._add_worker()
        if worker.busy_with is not None:
            self._answer(PlanReady(worker.busy_with, None, why))
        self._feed()


def _serve(plan: Plan, begins: Callable[[], None] | None, pipe: Connection, niceness: int) -> None:
    """A worker: answer requests until the pipe ends, which it does when the desk dies."""
    os.nice(niceness)
    if begins is not None:
        begins()
    try:
        while True:
            pipe.send(_answer_to(plan, pipe.recv()))
    except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
        return


def _answer_to(plan: Plan, request: Request) -> tuple[Schedule | BasketSchedule | None, str]:
    try:
        return plan(request), ""
    except Exception as error:  # noqa: BLE001 (told to the desk, which records it)
        return None, f"{type(error).__name__}: {error}"
