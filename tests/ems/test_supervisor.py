"""The supervisor on real processes: order, restarts, hung children, refusals, stops, and what happens when it dies itself."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import psutil
import pytest

from domain.errors import ConfigError, ProcessFailed
from ems import supervisor as module
from ems.children import Child, bury_orphans, run_once
from ems.supervisor import Supervisor
from tests.waiting import until

ROOT = Path(__file__).resolve().parents[2]

# A child that says that it is up by a file, writes down its end, and may be told to misbehave.
CHILD = """
import os, pathlib, signal, sys, threading
from ems import lifeline
place, name = pathlib.Path(sys.argv[1]), sys.argv[2]
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
lifeline.watch()
with open(place / "order", "a") as file:
    file.write(f"{name} starts\\n")
(place / f"{name}.up").write_text(str(os.getpid()))
stop.wait()
with open(place / "order", "a") as file:
    file.write(f"{name} stops\\n")
"""


def child(place: Path, name: str, *, after: tuple[str, ...] = (), ask: Callable[[], bool] | None = None) -> Child:
    async def up() -> bool:
        return ask() if ask is not None else (place / f"{name}.up").exists()

    return Child(name=name, command=(sys.executable, "-c", CHILD, str(place), name), ask=up, after=after, ready_timeout_s=30)


def order(place: Path) -> list[str]:
    return (place / "order").read_text().splitlines()


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Supervisor]:
    """A first child, and a second that comes after it."""
    made = Supervisor([child(tmp_path, "first"), child(tmp_path, "second", after=("first",))], log_directory=tmp_path / "logs")
    await made.start()
    yield made
    await made.stop()


async def test_children_start_in_order_and_stop_in_the_reverse(tmp_path: Path) -> None:
    made = Supervisor([child(tmp_path, "first"), child(tmp_path, "second", after=("first",))], log_directory=tmp_path / "logs")
    await made.start()
    pids = list(made.pids().values())
    await made.stop()
    assert order(tmp_path) == ["first starts", "second starts", "second stops", "first stops"]
    assert [pid for pid in pids if psutil.pid_exists(pid)] == []


async def test_a_child_is_halted_and_started_by_hand_and_the_other_runs_on(two: Supervisor, tmp_path: Path) -> None:
    before = two.pids()
    await two.halt("second")
    assert (two.halted(), two.pids()) == (["second"], {"first": before["first"]})
    (tmp_path / "second.up").unlink()
    await two.go("second")
    assert two.halted() == []
    assert two.pids()["first"] == before["first"]
    assert order(tmp_path) == ["first starts", "second starts", "second stops", "second starts"]
    assert two.restarts() == {"first": 0, "second": 0}


async def test_children_come_and_go_while_others_run(two: Supervisor, tmp_path: Path) -> None:
    before = two.pids()
    await two.add(child(tmp_path, "third"), before="second")
    assert two.names() == ["first", "third", "second"]
    refusing = Child(name="bad", command=(sys.executable, "-c", "raise SystemExit(2)"), ask=_never)
    with pytest.raises(ConfigError, match="bad refused to start"):
        await two.add(refusing, before="second")
    assert two.names() == ["first", "third", "second"]
    await two.remove("third")
    assert two.pids() == before
    assert order(tmp_path)[2:] == ["third starts", "third stops"]


async def test_a_child_that_refuses_after_it_was_halted_stays_halted(tmp_path: Path) -> None:
    may = tmp_path / "may"
    may.touch()
    code = f"import pathlib, sys, time\npathlib.Path({str(may)!r}).exists() or sys.exit(2)\ntime.sleep(60)"

    async def up() -> bool:
        return may.exists()

    made = Supervisor([Child(name="only", command=(sys.executable, "-c", code), ask=up)], log_directory=tmp_path / "logs")
    await made.start()
    try:
        await made.halt("only")
        may.unlink()
        with pytest.raises(ConfigError, match="only refused to start"):
            await made.go("only")
        assert (made.halted(), made.pids()) == (["only"], {})
    finally:
        await made.stop()


async def _never() -> bool:
    return False


async def test_a_killed_child_is_started_again(two: Supervisor, tmp_path: Path) -> None:
    before = two.pids()["first"]
    (tmp_path / "first.up").unlink()
    os.kill(before, signal.SIGKILL)
    await until((tmp_path / "first.up").exists)
    assert two.pids()["first"] != before
    assert two.restarts() == {"first": 1, "second": 0}


async def test_a_child_that_runs_but_does_not_answer_is_killed_and_started_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ASK_EVERY_S", 0.02)
    monkeypatch.setattr(module, "HUNG_AFTER_S", 0.1)
    well = [True]
    made = Supervisor([child(tmp_path, "deaf", ask=lambda: well[0])], log_directory=tmp_path / "logs")
    await made.start()
    before = made.pids()["deaf"]
    well[0] = False
    await until(lambda: made.restarts()["deaf"] >= 1)
    well[0] = True
    await until(lambda: made.pids().get("deaf", before) != before)
    await made.stop()


async def test_a_child_that_refuses_to_start_says_why_and_everything_can_be_stopped(tmp_path: Path) -> None:
    say = 'import sys; print(\'{"event": "port 9 is taken"}\', file=sys.stderr); sys.exit(2)'

    async def never() -> bool:
        return False

    refusing = Child(name="refusing", command=(sys.executable, "-c", say), ask=never, after=("first",))
    made = Supervisor([child(tmp_path, "first"), refusing], log_directory=tmp_path / "logs")
    with pytest.raises(ConfigError, match=r"^port 9 is taken$"):
        await made.start()
    await made.stop()
    assert order(tmp_path) == ["first starts", "first stops"]


async def test_a_child_that_never_answers_is_a_failure(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    mute = Child(name="mute", command=(sys.executable, "-c", "import time; time.sleep(60)"), ask=never, ready_timeout_s=0.2)
    made = Supervisor([mute], log_directory=tmp_path / "logs")
    with pytest.raises(ProcessFailed, match="mute did not answer within"):
        await made.start()
    await made.stop()


async def test_a_child_that_ignores_sigterm_is_killed(tmp_path: Path) -> None:
    stubborn_code = f"import signal, pathlib, time; signal.signal(15, signal.SIG_IGN); pathlib.Path({str(tmp_path / 'up')!r}).touch(); time.sleep(60)"  # noqa: E501

    async def up() -> bool:
        return (tmp_path / "up").exists()

    stubborn = Child(name="stubborn", command=(sys.executable, "-c", stubborn_code), ask=up, stop_timeout_s=0.2)
    made = Supervisor([stubborn], log_directory=tmp_path / "logs")
    await made.start()
    pid = made.pids()["stubborn"]
    await made.stop()
    assert not psutil.pid_exists(pid)


SUPERVISING = """
import asyncio, pathlib, sys
from ems.bootstrap.logs import log_plain
from ems.supervisor import Supervisor
from tests.ems.test_supervisor import child
async def main():
    place = pathlib.Path(sys.argv[1])
    made = Supervisor([child(place, "a"), child(place, "b")], log_directory=place / "logs")
    await made.start()
    print(*made.pids().values(), flush=True)
    await made.watch()
log_plain()
asyncio.run(main())
"""


def test_children_stop_in_order_when_the_supervisor_is_killed(tmp_path: Path) -> None:
    script = tmp_path / "supervising.py"
    script.write_text(SUPERVISING)
    command = [sys.executable, str(script), str(tmp_path)]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    with subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True) as supervising:
        assert supervising.stdout is not None
        left = [psutil.Process(int(pid)) for pid in supervising.stdout.readline().split()]
        supervising.kill()
    assert len(left) == 2
    _, alive = psutil.wait_procs(left, timeout=20)
    assert [process for process in alive if process.status() != psutil.STATUS_ZOMBIE] == []
    assert sorted(order(tmp_path)) == ["a starts", "a stops", "b starts", "b stops"], "each ended by itself"


async def test_a_process_that_runs_once_passes_or_says_why(tmp_path: Path) -> None:
    async def never() -> bool:
        return False

    def once(code: str) -> Child:
        return Child(name="once", command=(sys.executable, "-c", code), ask=never)

    await run_once(once("print('fine')"), log_directory=tmp_path)
    with pytest.raises(ConfigError, match="no tape"):
        await run_once(once("import sys; print('no tape'); sys.exit(2)"), log_directory=tmp_path)
    with pytest.raises(ProcessFailed, match="status 3"):
        await run_once(
            Child(name="quiet", command=(sys.executable, "-c", "raise SystemExit(3)"), ask=never), log_directory=tmp_path
        )


def test_orphans_are_buried(monkeypatch: pytest.MonkeyPatch) -> None:
    with subprocess.Popen([sys.executable, "-c", ""]) as ended:
        os.waitid(os.P_PID, ended.pid, os.WEXITED | os.WNOWAIT)  # a zombie from here on
        bury_orphans([ended.pid])
        assert psutil.Process(ended.pid).status() == psutil.STATUS_ZOMBIE, "one of ours is left to who started it"
        bury_orphans([])
        assert not psutil.pid_exists(ended.pid)
