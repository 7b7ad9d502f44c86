"""The gateway's spool: frames for the desk, kept on disk until the desk has made their consequences durable.

Append-only segment files, written before the engine's callback returns (so before FIX counts the message as
received) and without fsync: they survive a killed process, and after a power cut FIX itself repeats what is
missing. A segment goes when all its frames are acknowledged, so the spool stays as small as what is owed.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

from adapters.fix import frames
from domain.errors import LinkError

SEGMENT_BYTES_MAX: Final = 8 * 1024 * 1024
TRUNCATE_BYTES_MIN: Final = 1024 * 1024  # a file this small is not worth the call


class Spool:
    """Numbered frames in order. Not thread-safe: the caller holds one lock around append and acknowledge."""

    def __init__(self, directory: Path, acknowledged: int, relief: Callable[[], bool] = lambda: False) -> None:
        """Open or create, and cut off a tail that a killed process left half written.

        Args:
            acknowledged: the number up to which frames were acknowledged before; numbering goes on above it.
            relief: makes room on a full disk, once; says whether it has.
        """
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self.acknowledged = acknowledged
        self.last = acknowledged
        self._relief = relief
        self._segments: list[tuple[Path, int]] = []  # closed segments with the number of their last frame
        for path in sorted(directory.glob("*.spool")):
            self._adopt(path)
        self._file = -1
        self._bytes = 0
        self._open_segment()
        self._drop_acknowledged()

    def append(self, kind: int, payload: bytes, *, slot: int = 0, reset_epoch: int = 0) -> bytes:
        """Store one frame; returns its bytes. It has left the process when this returns. Raises OSError."""
        number = self.last + 1
        data = frames.pack(kind, payload, slot=slot, reset_epoch=reset_epoch, number=number)
        try:
            self._write(data)
        except OSError:
            if not self._relief():
                raise
            self._write(data)
        self.last = number
        self._bytes += len(data)
        if self._bytes >= SEGMENT_BYTES_MAX:
            self._close_segment()
        return data

    def _write(self, data: bytes) -> None:
        """All of it, or nothing and an OSError."""
        written = os.write(self._file, data)
        if written != len(data):
            os.ftruncate(self._file, self._bytes)
            raise OSError(f"the spool took {written} of {len(data)} bytes: is the disk full?")

    def acknowledge(self, number: int) -> None:
        """Frames up to this number are owed no longer."""
        self.acknowledged = max(self.acknowledged, min(number, self.last))
        self._drop_acknowledged()

    def unacknowledged(self) -> bytes:
        """The owed frames in order, as they go on the wire."""
        return b"".join(data for frame, data in self._read_all() if frame.number > self.acknowledged)

    def owed(self) -> Iterator[frames.Frame]:
        """The owed frames in order."""
        return (frame for frame, _ in self._read_all() if frame.number > self.acknowledged)

    @property
    def bytes_held(self) -> int:
        """Size of all segment files."""
        return self._bytes + sum(path.stat().st_size for path, _ in self._segments)

    def close(self) -> None:
        """Close the file; nothing is removed."""
        os.close(self._file)

    def _read_all(self) -> Iterator[tuple[frames.Frame, bytes]]:
        paths = [path for path, _ in self._segments] + [self._path]
        for path in paths:
            data = path.read_bytes()
            offset = 0
            while (found := frames.unpack(data, offset)) is not None:
                frame, end = found
                yield frame, data[offset:end]
                offset = end

    def _adopt(self, path: Path) -> None:
        data = path.read_bytes()
        offset = last = 0
        try:
            while (found := frames.unpack(data, offset)) is not None:
                frame, offset = found
                last = frame.number
        except LinkError:
            last = max(last, self.last)  # a torn tail after a power cut: FIX repeats what it held
        if offset < len(data):
            os.truncate(path, offset)
        self.last = max(self.last, last)
        self._segments.append((path, last))

    def _open_segment(self) -> None:
        self._path = self._directory / f"{self.last + 1:020d}.spool"
        self._file = os.open(self._path, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
        self._bytes = os.fstat(self._file).st_size
        self._segments = [(path, last) for path, last in self._segments if path != self._path]

    def _close_segment(self) -> None:
        os.close(self._file)
        self._segments.append((self._path, self.last))
        self._open_segment()

    def _drop_acknowledged(self) -> None:
        while self._segments and self._segments[0][1] <= self.acknowledged:
            self._segments.pop(0)[0].unlink(missing_ok=True)
        if self._bytes >= TRUNCATE_BYTES_MIN and self.acknowledged == self.last:
            os.ftruncate(self._file, 0)
            self._bytes = 0
