"""A ring of fixed-size records in a file that two processes map: one writes, one reads, and the bytes outlive both.

Layout, little-endian, every number on a boundary of its size::

    0    8  b"EMSRING1"       8  8  record bytes       16  8  slots, a power of two      24  8  session
    32   8  CRC-32 of bytes 0 to 31
    64   8  published: the number of the last record that the reader may take; written by the producer alone
    128  8  drained: the last record that the reader has kept elsewhere; written by the reader alone
    192  8  why the reader asks the producer to stop writing, 0: it does not       200  8  the reader's last beat, ns monotonic
    4096 ...  slots; record n, counted from 1, lies in slot (n - 1) % slots

A record is a store into the page cache, so a killed producer loses none. It holds an flock as long as it lives, which is how
the reader knows that no more will come. Every byte of the file has a place on the disk before the first record is written:
a map over a hole would end the process on a full one. Nothing is overwritten before the reader has moved `drained` beyond it.
"""

from __future__ import annotations

import errno
import fcntl
import mmap
import os
import time
import zlib
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from domain.errors import JournalError

_MAGIC: Final = int.from_bytes(b"EMSRING1", "little")
HEAD_BYTES: Final = 4096
# Places in `words`.
PUBLISHED, DRAINED, ASKED_TO_STOP, READER_BEAT = 8, 16, 24, 25
_MAGIC_AT, _RECORD_AT, _SLOTS_AT, _SESSION_AT, _CRC_AT = 0, 1, 2, 3, 4
_POPULATE: Final = getattr(mmap, "MAP_POPULATE", 0)  # page faults now rather than at the first tick


class Ring:
    """One process's view of a ring's file.

    Attributes:
        words: (512,) int64, the head: each word is one aligned store or load of 8 bytes, whole on every machine; compiled code
            reads and writes them by atomic instructions.
        memory: (slots x record bytes,) uint8.
    """

    def __init__(self, path: Path, file: int, mapped: mmap.mmap) -> None:
        self.path = path
        self._file = file
        self._map = mapped
        everything: NDArray[np.uint8] = np.frombuffer(mapped, np.uint8)
        self.words: NDArray[np.int64] = everything[:HEAD_BYTES].view(np.int64)
        self.memory: NDArray[np.uint8] = everything[HEAD_BYTES:]
        self.record_bytes, self.slots, self.session = (int(self.words[at]) for at in (_RECORD_AT, _SLOTS_AT, _SESSION_AT))

    @classmethod
    def make(cls, path: Path, *, record_bytes: int, slots: int, session: int) -> Self:
        """The producer's: a new file, held while this object is open.

        Raises:
            JournalError: there is a file of this name, or the disk has no room for all of it.
        """
        assert slots > 0 and slots & (slots - 1) == 0 and record_bytes % 64 == 0
        size, fresh = HEAD_BYTES + slots * record_bytes, path.with_suffix(".new")  # readers find it when it is whole
        if path.exists():
            raise JournalError(f"there is a ring {path.name} already")
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            fresh.unlink(missing_ok=True)
            file = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as cause:
            raise JournalError(f"the journal's ring {path.name} cannot be made: {cause.strerror}") from cause
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            _take_room(file, size)
            head = np.zeros(HEAD_BYTES // 8, np.int64)
            head[: _CRC_AT + 1] = (_MAGIC, record_bytes, slots, session, 0)
            head[_CRC_AT] = zlib.crc32(head[:_CRC_AT].tobytes())
            os.pwrite(file, head.tobytes(), 0)
            made = cls(path, file, mmap.mmap(file, size, flags=mmap.MAP_SHARED | _POPULATE))
            fresh.rename(path)
            return made
        except OSError as cause:
            os.close(file)
            fresh.unlink(missing_ok=True)
            what = "the disk is full" if cause.errno == errno.ENOSPC else cause.strerror
            raise JournalError(f"the journal's ring of {size / 1e6:,.0f} MB cannot be made: {what}") from cause

    @classmethod
    def open(cls, path: Path) -> Self:
        """The reader's. Raises JournalError where the file is none, or damaged."""
        try:
            file = os.open(path, os.O_RDWR)
        except OSError as cause:
            raise JournalError(f"the journal's ring {path.name} cannot be opened: {cause.strerror}") from cause
        head = np.frombuffer(os.pread(file, HEAD_BYTES, 0).ljust(HEAD_BYTES, b"\0"), np.int64)
        size = HEAD_BYTES + int(head[_RECORD_AT]) * int(head[_SLOTS_AT])
        if head[_MAGIC_AT] != _MAGIC or head[_CRC_AT] != zlib.crc32(head[:_CRC_AT].tobytes()) or os.fstat(file).st_size != size:
            os.close(file)
            raise JournalError(f"{path.name} is no journal's ring, or a damaged one")
        return cls(path, file, mmap.mmap(file, size, flags=mmap.MAP_SHARED))

    # ------------------------------------------------------------------------------------------ producer

    def room(self) -> int:
        """How many records may be written beyond the last published one."""
        return self.slots - int(self.words[PUBLISHED] - self.words[DRAINED])

    def publish(self, number: int) -> None:
        """Let the reader take all records up to this one."""
        self.words[PUBLISHED] = number

    def asked_to_stop(self) -> int:
        """Why the reader wants nothing more, 0 where it takes more."""
        return int(self.words[ASKED_TO_STOP])

    def reader_beat_ns(self) -> int:
        """When the reader last beat, ns of CLOCK_MONOTONIC; 0: never."""
        return int(self.words[READER_BEAT])

    # -------------------------------------------------------------------------------------------- reader

    def published(self) -> int:
        """The last record that the producer has let go."""
        return int(self.words[PUBLISHED])

    def alone(self) -> bool:
        """Has the producer ended? Then nothing more will be written."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        fcntl.flock(self._file, fcntl.LOCK_UN)
        return True

    def slot(self, number: int) -> NDArray[np.uint8]:
        """(record bytes,) the slot in which that record lies or will lie."""
        at = (number - 1) % self.slots * self.record_bytes
        return self.memory[at : at + self.record_bytes]

    def rows(self, first: int, last: int) -> NDArray[np.uint8]:
        """A copy of records first .. last, (n, record bytes), which may go round the end of the ring."""
        table = self.memory.reshape(self.slots, self.record_bytes)
        return table[np.arange(first - 1, last) % self.slots]

    def drained(self, number: int) -> None:
        """All records up to this one are kept elsewhere: their slots may be written again."""
        self.words[DRAINED] = number

    def ask_to_stop(self, why: int) -> None:
        """Tell the producer why nothing more can be kept; 0: it can."""
        self.words[ASKED_TO_STOP] = why

    def beat(self) -> None:
        """The reader lives."""
        self.words[READER_BEAT] = time.monotonic_ns()

    def rename(self, path: Path) -> None:
        """Let readers find it by another name. Raises JournalError."""
        try:
            self.path.rename(path)
        except OSError as cause:
            raise JournalError(f"the journal's ring cannot be named {path.name}: {cause.strerror}") from cause
        self.path = path

    def close(self) -> None:
        """Give up the hold. The memory stays mapped as long as anybody has a view of it."""
        if self._file >= 0:
            fcntl.flock(self._file, fcntl.LOCK_UN)
            os.close(self._file)
            self._file = -1


def _take_room(file: int, size: int) -> None:
    """Every byte with a place on the disk. Raises OSError; a disk that has no room for all of it is left as it is."""
    there = os.fstatvfs(file)
    if there.f_bavail * there.f_frsize < size:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    if hasattr(os, "posix_fallocate"):
        os.posix_fallocate(file, 0, size)
        return
    step = bytes(1 << 20)
    for at in range(0, size, len(step)):  # a system without it: zeros, written out
        os.pwrite(file, step[: size - at], at)
