"""The planner pool on real processes: answers, coalescing, crashes, hangs, the end of the desk."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from domain.messages import PlanReady
from domain.schedule import PlanRequest
from domain.values import Algo, Side
from ems.planner_pool import NICENESS, ProcessPlannerPool
from tests.ems.plans import plan

ROOT = Path(__file__).resolve().parents[2]


def request(parent: str, **changes: Any) -> PlanRequest:
    asked = PlanRequest(
        parent=parent, parent_version=1, plan_number=1, reason="accepted", instrument="DEMO", side=Side.BUY, algo=Algo.TWAP,
        remaining_e9=100, filled_e9=0, lot_e9=1, now_ns=0, start_ns=0, end_ns=10, participation_e9=None, market=None,
        started_volume_e9=0,
    )  # fmt: skip
    return asked.model_copy(update=changes)


class Pool:
    """A pool whose answers can be awaited in order."""

    def __init__(self, **options: Any) -> None:
        self.answers: asyncio.Queue[PlanReady] = asyncio.Queue()
        self.pool = ProcessPlannerPool(plan, self.answers.put_nowait, **options)

    async def next(self) -> PlanReady:
        return await asyncio.wait_for(self.answers.get(), 30)


async def test_every_plan_that_fails_or_is_lost_is_an_error_of_our_own_and_no_other() -> None:
    errors: list[int] = []
    made = Pool(count_error=lambda: errors.append(1), limit_s=20)
    try:
        for reason, counted in (("accepted", 0), ("raise", 1), ("crash", 2), ("accepted", 2)):
            made.pool.request(request("a", reason=reason))
            assert bool((await made.next()).error) is (reason in ("raise", "crash"))
            assert len(errors) == counted
    finally:
        made.pool.close()


@pytest.fixture
async def pool() -> AsyncIterator[Pool]:
    made = Pool()
    yield made
    made.pool.close()


async def test_a_plan_comes_back_from_another_process_that_is_niced(pool: Pool) -> None:
    asked = request("a")
    pool.pool.request(asked)
    ready = await pool.next()
    assert ready.request == asked and ready.schedule is not None and ready.error == ""
    (pid,) = pool.pool.pids()
    assert ready.schedule.planner == f"test/{pid}" and pid != os.getpid()
    assert psutil.Process(pid).nice() == psutil.Process().nice() + NICENESS


async def test_of_several_requests_for_one_parent_the_newest_is_answered(pool: Pool, tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    os.mkfifo(gate)
    pool.pool.request(request("a", reason=f"wait:{gate}"))  # in the worker's hands until the gate opens
    pool.pool.request(request("a", plan_number=2))
    pool.pool.request(request("b"))
    pool.pool.request(request("a", plan_number=3))
    await asyncio.to_thread(gate.write_bytes, b"")
    answers = [await pool.next(), await pool.next()]
    assert [(a.request.parent, a.request.plan_number) for a in answers] == [("a", 3), ("b", 1)]
    assert pool.answers.empty()


async def test_a_planner_that_raises_answers_with_the_error_and_lives_on(pool: Pool) -> None:
    pool.pool.request(request("a", reason="raise"))
    ready = await pool.next()
    assert ready.schedule is None and ready.error == "ValueError: no such luck"
    assert pool.pool.crashes == 0


async def test_a_crashed_worker_is_an_error_and_a_new_worker(pool: Pool) -> None:
    (before,) = pool.pool.pids()
    pool.pool.request(request("a", reason="crash"))
    pool.pool.request(request("b"))
    first, second = await pool.next(), await pool.next()
    assert first.schedule is None and "ended" in first.error
    assert second.schedule is not None and second.request.parent == "b"
    assert pool.pool.crashes == 1 and pool.pool.pids() != [before]


async def test_an_idle_worker_that_is_killed_is_replaced(pool: Pool) -> None:
    (before,) = pool.pool.pids()
    os.kill(before, signal.SIGKILL)
    pool.pool.request(request("a"))
    ready = await pool.next()
    if ready.schedule is None:  # the request was on its way into the dead process's pipe
        pool.pool.request(request("a"))
        ready = await pool.next()
    assert ready.schedule is not None
    assert before not in pool.pool.pids()


async def test_a_plan_that_takes_too_long_is_an_error() -> None:
    pool = Pool(limit_s=0.2)
    try:
        pool.pool.request(request("a", reason="hang"))
        ready = await pool.next()
        assert ready.schedule is None and "0.2 s" in ready.error
    finally:
        pool.pool.close()


async def test_workers_end_with_the_pool() -> None:
    pool = Pool(workers=2)
    pids = pool.pool.pids()
    pool.pool.close()
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


DESK = """
import asyncio, sys
from ems.planner_pool import ProcessPlannerPool
from tests.ems.plans import plan
from tests.ems.test_planner_pool import request
async def main():
    answered = asyncio.Event()
    pool = ProcessPlannerPool(plan, lambda ready: answered.set())
    pool.request(request("a"))
    await answered.wait()
    print(*pool.pids(), flush=True)
    await asyncio.sleep(60)
if __name__ == "__main__":
    asyncio.run(main())
"""


def test_workers_do_not_outlive_a_killed_desk(tmp_path: Path) -> None:
    script = tmp_path / "desk.py"
    script.write_text(DESK)
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen([sys.executable, script], cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as desk:
        assert desk.stdout is not None
        workers = [psutil.Process(int(pid)) for pid in desk.stdout.readline().split()]
        desk.kill()
    assert workers
    _, alive = psutil.wait_procs(workers, timeout=20)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
