"""A process of ours: how it is started and asked, run once to its end, and buried."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

from domain.errors import ConfigError, ProcessFailed
from ems.child_log import last_line, open_log

REFUSED: Final = 2  # exit status of a process that may not start; its last line says why

Ask = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Child:
    """A process to keep running.

    Attributes:
        ask: whether it answers now; must not raise and must return within seconds.
        after: names of those that must answer before this one is started.
    """

    name: str
    command: tuple[str, ...]
    ask: Ask
    after: tuple[str, ...] = ()
    ready_timeout_s: float = 60.0
    stop_timeout_s: float = 10.0


async def run_once(child: Child, *, log_directory: Path) -> None:
    """Run a process to its end before the others start.

    Raises:
        ConfigError: it refused.
        ProcessFailed: it failed.
    """
    path = log_directory / f"{child.name}.jsonl"
    with open_log(path) as log:
        process = await asyncio.create_subprocess_exec(
            *child.command, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
        )
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
