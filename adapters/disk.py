"""Volumes of the host: how much is free, and a file that holds room for the hour when nothing is.

A reserve is a file of real blocks (posix_fallocate; a hole would reserve nothing). On a full volume it is removed, and whoever
has to write goes on; when there is plenty again it is made anew. It cannot hold out against somebody who fills the volume
without end: it bridges the time until what fills it is stopped.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from domain.disk import MB, Room

_log = logging.getLogger("disk")
_NAME: Final = "disk.reserve"
EVERY_S: Final = 0.25
_GIVE_BELOW: Final = 0.25  # of the reserve: with less than that free, the next write may be the one that fails
_PLENTY: Final = 3  # times the reserve must be free before it is made again


def rooms(directories: Iterable[Path]) -> list[Room]:
    """The volumes that these lie on, each once. One that cannot be asked has no number. Blocks as long as the volume does."""
    found: dict[int | str, Room] = {}
    for directory in directories:
        try:
            device, told = directory.stat().st_dev, os.statvfs(directory)
        except OSError:
            found.setdefault(str(directory), Room(str(directory), None))
        else:
            free, total = told.f_bavail * told.f_frsize, told.f_blocks * told.f_frsize
            found.setdefault(device, Room(str(directory), free, total))
    return list(found.values())


class DiskReserve:
    """`domain.disk.Reserve` in a directory of one process.

    Args:
        size_bytes: 0 holds nothing.
    """

    def __init__(self, directory: Path, size_bytes: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory, self._size = directory, size_bytes
        self._path = directory / _NAME
        self._lock = threading.Lock()
        self._ended = threading.Event()

    @property
    def held(self) -> bool:
        """Is it there?"""
        return self._path.exists()

    def tick(self) -> None:
        """Give it away where the volume is nearly full, hold it again where there is plenty."""
        told = os.statvfs(self._directory)
        free = told.f_bavail * told.f_frsize
        if self.held:
            if free < self._size * _GIVE_BELOW:
                self.give()
        elif self._size and free > self._size * _PLENTY:
            self._hold()

    def give(self) -> bool:
        """As the port says."""
        with self._lock:
            if not self.held:
                return False
            self._path.unlink()
        _log.critical("the volume of %s is full: the reserve of %d MB is given away", self._directory, self._size // MB)
        return True

    def _hold(self) -> None:
        fresh = self._path.with_suffix(".new")
        with self._lock:
            file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600)
            try:
                os.posix_fallocate(file, 0, self._size)
                fresh.replace(self._path)
            except OSError as error:  # somebody was faster: there is no plenty any more
                fresh.unlink(missing_ok=True)
                _log.warning("no reserve can be held in %s: %s", self._directory, error)
            finally:
                os.close(file)

    def watch(self) -> None:
        """Look from now on, on a thread of its own, at first right now."""
        self.tick()
        threading.Thread(target=self._watch, name="disk-reserve", daemon=True).start()

    def close(self) -> None:
        """Look no more. What is held stays held."""
        self._ended.set()

    def _watch(self) -> None:
        while not self._ended.wait(EVERY_S):
            try:
                self.tick()
            except OSError as error:
                _log.error("the volume of %s does not answer: %s", self._directory, error)
