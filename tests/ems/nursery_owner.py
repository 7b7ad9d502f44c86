"""A process of one thread that owns a nursery, does one of the things below, and prints what came of it as JSON."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import signal
import sys
import threading
from pathlib import Path
from typing import Any

import psutil

from domain.errors import ProcessFailed
from ems.children import Child, run_once, start
from ems.nursery import Born, Nursery

CHILD = "tests.ems.nursery_child"
ENVIRONMENT = {"ONLY": "this", "PATH": os.environ["PATH"]}


def load() -> None:
    """In the nursery."""
    importlib.import_module("ems.bootstrap.runtime")


def opened() -> Nursery:
    nursery = Nursery.open(load)
    assert nursery is not None
    return nursery


async def told(log: Path) -> dict[str, Any]:
    while not log.read_text().endswith("}\n"):  # noqa: ASYNC110, ASYNC240 (another process writes it)
        await asyncio.sleep(0.01)
    return dict(json.loads(log.read_text()))  # noqa: ASYNC240


async def one(log: Path) -> dict[str, Any]:
    """A forked process, to its end."""
    nursery, (reading, writing) = opened(), os.pipe()
    os.write(writing, b"a word")
    with log.open("ab") as output:
        born = await nursery.start(
            CHILD, ["end", str(reading)], environment=ENVIRONMENT, output=output.fileno(), passed=(reading,)
        )
    status = await born.wait()
    nursery.close()
    first, second = log.read_text().splitlines()  # noqa: ASYNC240
    return {"status": status, "pid": born.pid, "me": os.getpid(), "passed": reading, "found": json.loads(first), "last": second}


async def killed(log: Path) -> dict[str, Any]:
    """A forked process that is killed, and one that is asked to end; the nursery gone meanwhile."""
    nursery = opened()
    with log.open("ab") as output:
        first = await nursery.start(CHILD, ["wait"], environment=ENVIRONMENT, output=output.fileno())
        await told(log)
        title = " ".join(psutil.Process(first.pid).cmdline())
    nursery.close()
    first.kill()
    status = await first.wait()
    try:
        first.terminate()
    except ProcessLookupError:
        return {"status": status, "again": await first.wait(), "title": title}
    raise AssertionError("a process that has ended was sent a signal")


async def gone(log: Path) -> dict[str, Any]:
    """The nursery is killed: a process is started by its command."""
    nursery = opened()
    for process in psutil.Process().children():
        process.send_signal(signal.SIGKILL)
    child = Child(name="c", command=(sys.executable, "-m", CHILD, "end"), ask=never, forked=True)
    with log.open("ab") as output:
        process = await start(child, output, environment=dict(os.environ), nursery=nursery)
        status = await process.wait()
    found = json.loads(log.read_text().splitlines()[0])  # noqa: ASYNC240
    return {"status": status, "forked": isinstance(process, Born), "loaded": found["loaded"], "main": found["main"]}


async def failed(log: Path) -> dict[str, Any]:
    """What a process said last is what is told of its failure."""
    nursery = opened()
    child = Child(name="c", command=(sys.executable, "-m", CHILD, "end"), ask=never, forked=True)
    try:
        await run_once(child, log_directory=log.parent, nursery=nursery)
    except ProcessFailed as error:
        return {"error": type(error).__name__, "text": str(error)}
    finally:
        nursery.close()
    raise AssertionError("the failure was not told")


async def canceled(log: Path) -> dict[str, Any]:
    """One is asked for and not wanted any more before the nursery has answered; the next is given its own."""
    nursery = opened()
    with log.open("ab") as output, (log.parent / "unwanted").open("ab") as other:
        asking = asyncio.create_task(nursery.start(CHILD, ["wait"], environment=ENVIRONMENT, output=other.fileno()))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking.cancel()
        await asyncio.gather(asking, return_exceptions=True)
        born = await nursery.start(CHILD, ["end"], environment=ENVIRONMENT, output=output.fileno())
        status = await born.wait()
    nursery.close()
    left = [one for one in psutil.Process().children() if one.status() != psutil.STATUS_ZOMBIE]
    psutil.wait_procs(left, timeout=10)
    return {"canceled": asking.cancelled(), "status": status, "left": [one.pid for one in left if one.is_running()]}


async def threads(_: Path) -> dict[str, Any]:
    """A process of two threads has none."""
    ended = threading.Event()
    thread = threading.Thread(target=ended.wait)
    thread.start()
    nursery = Nursery.open(load)
    ended.set()
    thread.join()
    return {"opened": nursery is not None}


async def never() -> bool:
    return False


if __name__ == "__main__":
    print(json.dumps(asyncio.run(globals()[sys.argv[1]](Path(sys.argv[2])))))
