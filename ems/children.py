"""A process of ours: how it is started and asked, run once to its end, and buried."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

import psutil
import structlog

from domain.errors import ConfigError, ProcessFailed
from ems.child_log import last_line, open_log
from ems.nursery import Born, Nursery

_log = structlog.get_logger("children")

REFUSED: Final = 2  # exit status of a process that may not start; its last line says why

Ask = Callable[[], Awaitable[bool]]
Process = asyncio.subprocess.Process | Born


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running.

    Attributes:
        ask: whether it answers now; must not raise and must return within seconds.
        after: names of those that must answer before this one is started.
        forked: a nursery may fork it; its command is then `python … -m module words…`.
    """

    name: str
    command: tuple[str, ...]
    ask: Ask
    after: tuple[str, ...] = ()
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0
    forked: bool = False


async def start(
    child: Child, log: IO[bytes], *, environment: dict[str, str], passed: tuple[int, ...] = (), nursery: Nursery | None = None
) -> Process:
    """Start a child: forked where there is a nursery and it may be, by its command otherwise.

    It has a session of its own: a Ctrl-C in the terminal is for who started it, and who stops all in order.
    """
    if nursery is not None and child.forked:
        module, *words = child.command[child.command.index("-m") + 1 :]
        try:
            return await nursery.start(module, words, environment=environment, output=log.fileno(), passed=passed)
        except OSError as error:
            _log.warning("the nursery does not answer, a process is started by its command", child=child.name, error=str(error))
    return await asyncio.create_subprocess_exec(
        *child.command,
        stdin=asyncio.subprocess.DEVNULL,
        stdout=log,
        stderr=log,
        env=environment,
        pass_fds=passed,
        start_new_session=True,
    )


async def run_once(child: Child, *, log_directory: Path, nursery: Nursery | None = None) -> None:
    """Run a process to its end before the others start.

    Raises:
        ConfigError: it refused.
        ProcessFailed: it failed.
    """
    path = log_directory / f"{child.name}.jsonl"
    with open_log(path) as log:
        process = await start(child, log, environment=dict(os.environ), nursery=nursery)
        try:
            status = await process.wait()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if status:
        raise (ConfigError if status == REFUSED else ProcessFailed)(last_line(path) or f"{child.name} ended with status {status}")


def bury_orphans(known: Iterable[int]) -> None:
    """Take the exit status of ended children that nobody here started: grandchildren whose parent has died."""
    ours = set(known)
    for process in psutil.Process().children():
        with contextlib.suppress(psutil.NoSuchProcess, ChildProcessError):
            if process.pid not in ours and process.status() == psutil.STATUS_ZOMBIE:
                os.waitpid(process.pid, os.WNOHANG)
