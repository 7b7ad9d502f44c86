"""What the log has yet to be told of the kill switch: lines in a small file beside the latch, on the disk before anything else.

A trip works with the database dead. Whoever finds the log again appends what stands here, in order, and empties the file.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import structlog

_log = structlog.get_logger("kill")


class Pending(NamedTuple):
    """One event that waits: its topic and content, and who caused it."""

    topic: str
    data: dict[str, Any]
    actor: str


class PendingFile:
    """One file for all processes of a host; each call holds its lock."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def add(self, pending: Pending) -> None:
        """On the disk when it returns. Raises OSError."""
        with self._locked() as file:
            line = json.dumps({"topic": pending.topic, "data": pending.data, "actor": pending.actor}).encode() + b"\n"
            if size := os.fstat(file).st_size:
                os.lseek(file, 0, os.SEEK_END)
                if os.pread(file, 1, size - 1) != b"\n":  # torn by a power cut: what follows stays readable
                    line = b"\n" + line
            os.write(file, line)
            os.fsync(file)

    def read(self) -> tuple[list[Pending], int]:
        """What waits in order, and the length of the file that holds it. A line that is none is told of and left out."""
        if not self._path.is_file():
            return [], 0
        with self._locked() as file:
            size = os.fstat(file).st_size
            data = os.pread(file, size, 0)
        return [found for line in data.split(b"\n") if line and (found := _pending(line)) is not None], size

    def done(self, size: int) -> None:
        """The first so many bytes are in the log."""
        if not size:
            return
        with self._locked() as file:
            rest = os.pread(file, os.fstat(file).st_size, size)
            os.ftruncate(file, 0)
            os.pwrite(file, rest, 0)
            os.fsync(file)

    @contextlib.contextmanager
    def _locked(self) -> Iterator[int]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield file
        finally:
            os.close(file)


def _pending(line: bytes) -> Pending | None:
    try:
        found = json.loads(line)
        return Pending(str(found["topic"]), dict(found["data"]), str(found["actor"]))
    except (ValueError, KeyError, TypeError) as error:  # torn by a power cut: the latch has it, the log will not
        _log.critical("a line that waits for the log cannot be read", line=repr(line), error=str(error))
        return None
