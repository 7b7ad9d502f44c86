"""What the acceptance tests share: the program as a user starts it, and a look at which processes it leaves behind."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
import pytest

from tests import warm

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """`ems` in a directory of its own, in which every process that it starts is found again. Those of the database, which go
    elsewhere, carry a mark."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.mark = f"{os.getpid()}-{home.name}"
        self.environment = {key: value for key, value in os.environ.items() if not key.startswith("EMS_")}
        self.environment |= {"EMS_TEST_MARK": self.mark, "TMPDIR": str(home), "PYTHONPATH": str(ROOT)}

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "ems", *words]

    def run(self, *words: str, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command to its end."""
        return warm.run(
            self.command(*words), cwd=self.home, env=self.environment, capture_output=True,
            text=True, timeout=timeout_s, check=False,
        )  # fmt: skip

    def start(self, *words: str) -> subprocess.Popen[str]:
        """Start a command; whoever calls stops it."""
        return warm.Popen(
            self.command(*words), cwd=self.home, env=self.environment, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, start_new_session=True,
        )  # fmt: skip

    def left_over(self) -> list[str]:
        """Processes of this program that still run, the database's included."""
        found = []
        for process in psutil.process_iter():
            try:
                if process.status() != psutil.STATUS_ZOMBIE and self._is_ours(process):
                    found.append(f"{process.pid} {' '.join(process.cmdline())[:120]}")
            except (psutil.NoSuchProcess, psutil.AccessDenied):  # it has ended, or is somebody else's
                found += []
        return found

    def _is_ours(self, process: psutil.Process) -> bool:
        return Path(process.cwd()).is_relative_to(self.home) or process.environ().get("EMS_TEST_MARK") == self.mark


P = TypeVar("P", bound=Program)


@contextmanager
def watched(made: P) -> Iterator[P]:
    """The program for a while; whoever leaves something running fails, and what is left is ended."""
    try:
        yield made
    finally:
        left = made.left_over()
        for line in left:
            psutil.Process(int(line.split()[0])).kill()
    assert left == []


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program, of one test's own."""
    with watched(Program(tmp_path)) as made:
        yield made


def command(process: psutil.Process) -> list[str]:
    """What a process was started with; nothing of one that has just ended."""
    try:
        return process.cmdline()
    except (psutil.NoSuchProcess, psutil.ZombieProcess):
        return []
