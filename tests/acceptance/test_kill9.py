"""kill -9 of desk, gateway, venue and Postgres while orders flow over real FIX: nothing lost, nothing doubled, nothing stuck.

EMS_KILL9_CYCLES kills (6 by default), EMS_KILL9_SEED chooses whom, when, and the orders; with EMS_KILL9_KEEP ledgers, logs
and database stay even when the test passes. The verdict is the judge's (`kill9/judge.py`), from the ledger of the OMS
and the ledger of the venue.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from tests.acceptance.kill9 import judge
from tests.acceptance.kill9.fix_session import Ledger
from tests.acceptance.kill9.oms import Oms
from tests.acceptance.kill9.system import KINDS, SYMBOL, SystemUnderTest
from tests.waiting import until

CYCLES = int(os.environ.get("EMS_KILL9_CYCLES", "6"))
SEED = int(os.environ.get("EMS_KILL9_SEED", "1"))
UP_S, BACK_S, QUIET_S = 60.0, 40.0, 60.0  # the longest that a start, a recovery, the last orders may take
SECOND_STRIKES = 0.3  # how often another part is killed while the first is coming back
PACE = 8, 61.0  # so many kills in so many seconds, then it waits: more than 10 deaths a minute trip HARD, as they should
MOMENTS_S = (0, 0.001, 0.002, 0.004, 0.008)  # a kill finds the orders of a burst on different stages of their way


@pytest.fixture
def system() -> Iterator[SystemUnderTest]:
    """Started, and ended whatever happens. Its directory stays when the test fails."""
    home = Path(tempfile.mkdtemp(prefix="ems-kill9-"))
    home.chmod(0o711)  # the embedded server's account must be able to pass
    under_test = SystemUnderTest(home, seed=SEED)
    under_test.start()
    yield under_test
    under_test.abandon()
    if under_test.passed and "EMS_KILL9_KEEP" not in os.environ:
        shutil.rmtree(home)
    else:
        print(f"ledgers, logs and database are kept in {home}")


@pytest.mark.slow
async def test_nothing_is_lost_doubled_or_stuck(system: SystemUnderTest) -> None:
    began_s = time.monotonic()
    ledger = Ledger(system.oms_ledger)
    oms = Oms(system.oms_port, ledger, Random(SEED), symbol=SYMBOL, every_s=0.12, seconds=(0.5, 8.0))
    async with asyncio.TaskGroup() as group:
        session = group.create_task(oms.session.run())
        flow = group.create_task(oms.flow())
        watch = group.create_task(_watch(system))
        back_s = await _kill_and_come_back(system, oms, ledger)
        await _let_everything_end(oms)
        oms.session.log_out()
        flow.cancel()
        async with PostgresEventLog(system.app_dsn, TOPICS, WallClock()) as log:
            head = await log.verify_chain()
        watch.cancel()
        status = await asyncio.to_thread(system.stop)
        session.cancel()
    ledger.close()
    verdict = _judge(system.oms_ledger, system.venue_ledger)
    verdict |= {"back_s": back_s, "wall_s": round(time.monotonic() - began_s, 1), "seed": SEED, "events": head.seq}
    (system.home / "verdict.json").write_text(json.dumps(verdict, indent=1))
    print(json.dumps(verdict))
    assert verdict["faults"] == []
    assert verdict["rejected"] == 0
    assert verdict["fills"] > CYCLES
    first = [kill for kill in verdict["kills"] if not kill["second"]]
    assert len(first) == CYCLES
    assert len({kill["kind"] for kill in first}) == min(CYCLES, len(KINDS))
    assert sum(kill["in_flight"] > 0 for kill in first) * 6 >= CYCLES * 5
    assert status == 0
    assert system.left_over() == []
    system.passed = True


def _victims(rng: Random, cycles: int) -> list[str]:
    """Random order in which every kind has its turn."""
    rounds = [rng.sample(KINDS, len(KINDS)) for _ in range(-(-cycles // len(KINDS)))]
    return [kind for turn in rounds for kind in turn][:cycles]


async def _kill_and_come_back(system: SystemUnderTest, oms: Oms, ledger: Ledger) -> list[dict[str, Any]]:
    """The cycles. Returns how long each part took until orders were answered and filled again."""
    rng = Random(SEED + 1)
    await asyncio.wait_for(oms.session.up.wait(), UP_S)
    oms.flowing.set()
    await _works(oms, UP_S, "the first answers and fills")
    back: list[dict[str, Any]] = []
    struck: list[float] = []  # when, each of them
    for kind in _victims(rng, CYCLES):
        await until(lambda: sum(at_s > time.monotonic() - PACE[1] for at_s in struck) <= PACE[0], timeout_s=2 * PACE[1])
        await asyncio.sleep(rng.uniform(0.1, 1.5))  # orders of every age are there when it strikes
        pid = await asyncio.to_thread(system.find, kind)
        assert pid, f"no process of {kind} was found"
        await _strike(system, oms, ledger, rng, kind, pid)
        struck_s = time.monotonic()
        struck.append(struck_s)
        if rng.random() < SECOND_STRIKES:
            await _strike_again(system, oms, ledger, rng, kind)
            struck.append(time.monotonic())
        await asyncio.to_thread(system.wait_for, kind, instead_of=pid, timeout_s=BACK_S)
        await _works(oms, BACK_S, f"answers and fills after the death of {kind}")
        back.append({kind: round(time.monotonic() - struck_s, 2)})
    return back


async def _watch(system: SystemUnderTest) -> None:
    """Without a supervisor there is nothing to wait for."""
    while system.running:  # noqa: ASYNC110 - a process sets no event
        await asyncio.sleep(0.2)
    raise AssertionError(f"the supervisor ended: {system.last_words()}")


async def _works(oms: Oms, timeout_s: float, what: str) -> None:
    """Until new orders are answered and executed."""
    answered, fills = oms.answered + 5, oms.fills + 5
    await oms.until(lambda: oms.answered >= answered and oms.fills >= fills, timeout_s, what)


async def _strike(system: SystemUnderTest, oms: Oms, ledger: Ledger, rng: Random, kind: str, pid: int) -> None:
    """kill -9 in the middle of a burst, when at least one order has left and nothing has been heard of it."""
    await oms.session.up.wait()
    for _ in range(rng.randint(1, 6)):
        await asyncio.sleep(rng.choice(MOMENTS_S))
        oms.new_order()
    if rng.random() < 0.5:  # else the last order has only just left
        await asyncio.sleep(rng.choice(MOMENTS_S))
    if not oms.unanswered:
        oms.new_order()
    system.kill(pid)
    ledger.write(kill=kind, pid=pid)


async def _strike_again(system: SystemUnderTest, oms: Oms, ledger: Ledger, rng: Random, kind: str) -> None:
    """kill -9 of another part while the first one is coming back."""
    other = rng.choice([other for other in KINDS if other != kind])
    await asyncio.sleep(rng.uniform(0, 3))
    pid = await asyncio.to_thread(system.find, other)
    if pid:  # else it is down as a consequence of the first
        system.kill(pid)
        ledger.write(kill=other, pid=pid, second=True)
        await asyncio.to_thread(system.wait_for, other, instead_of=pid, timeout_s=BACK_S)


async def _let_everything_end(oms: Oms) -> None:
    """No new orders; the last ones end."""
    oms.flowing.clear()
    try:
        await oms.until(lambda: not oms.open, QUIET_S, "the end of the last orders")
    except TimeoutError:
        print(f"still open: {oms.open[:5]} and {max(0, len(oms.open) - 5)} more")  # the judge will name them


def _judge(oms_ledger: Path, venue_ledger: Path) -> dict[str, Any]:
    """The stand-alone judge, isolated from our packages."""
    command = [sys.executable, "-I", str(Path(judge.__file__)), str(oms_ledger), str(venue_ledger)]
    done = subprocess.run(command, cwd=oms_ledger.parent, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    assert done.returncode == (1 if verdict["faults"] else 0)
    return verdict
