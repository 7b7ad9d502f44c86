"""The kill latch: `domain.ports.KillLatch` in a small file that every process of the host maps into its memory.

Layout, little-endian, every number on a boundary of its size, so that numpy and a compiled loop read it as it is::

    0    8  b"EMSKILL1"
    8    4  slots in use
    16   8  generation: raised by every change
    24   8  worst: the highest effective level of any scope; 0 means that nothing anywhere is stopped
    32   4  CRC-32 of bytes 0 to 31
    64 ...  slots of 128 bytes; the first is the firm's
      +0   8  scope digest          +8   8  trip id, 0 to 2^63 - 1       +16  8  since, ns
      +24  8  paused before, ns     +32  1  level     +33  1  suspended (bits)     +36  4  CRC-32 of the rest of the slot
      +40 88  scope as text, padded with zeros
    131008 8  the watchdog's last beat, ns of CLOCK_MONOTONIC; after the last slot, so that a beat changes no slot's bytes

A compiled loop keeps the address of `worst` and reads it once at entry and again before it encodes: where it is not 0 it
scans the slots for its own digests; a beat that is too old for it counts as 1 there. Readers take no lock: they compare the
bytes in use with those that they verified last, and verify again when one differs. A writer holds an flock on the file,
writes the slots, then the head. A torn or damaged slot has a wrong checksum; a file that is gone, too short or another one
than was mapped is noticed within REOPEN_NS. All of that counts as HARD for everybody.
"""

from __future__ import annotations

import contextlib
import fcntl
import mmap
import os
import struct
import time
import zlib
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from domain.errors import LatchUnreadable
from domain.kill_latch import FIRM_DIGEST, Slot, Source, at_least_suspended, judge, kept
from domain.kill_scope import FIRM, Scope, parse
from domain.kill_table import CLEAR, UNREADABLE, Level, Verdict

SLOTS_MAX: Final = 1023
REOPEN_NS: Final = 50_000_000  # how often a reader looks whether the file is still the one that it has mapped
_MAGIC: Final = b"EMSKILL1"
_HEAD: Final = struct.Struct("<8sI4xQQI")  # magic, slots, generation, worst, checksum
_SLOT: Final = struct.Struct("<QQQQBB2xI88s")
_HEAD_BYTES, _SLOT_BYTES = 64, _SLOT.size
_CRC_AT: Final = 36
BEAT_AT: Final = _HEAD_BYTES + SLOTS_MAX * _SLOT_BYTES
FILE_BYTES: Final = BEAT_AT + _SLOT_BYTES
_TORN_RETRIES: Final = 20  # a writer is in the middle: microseconds


class _Seen(NamedTuple):
    """Bytes that were verified, and what they say."""

    data: bytes
    size: int
    slots: dict[int, Slot]
    clear: bool  # nothing of it matters


_NOTHING: Final = _Seen(b"-", 0, {}, clear=False)


class SharedLatch:
    """One process's view of the latch. Any thread may ask it.

    Args:
        beat_max_ns: how old the watchdog's last beat may be for this reader; 0: it requires none.
        monotonic_ns: the clock of beats, one for all processes of a host.
    """

    def __init__(self, path: Path, *, beat_max_ns: int = 0, monotonic_ns: Callable[[], int] = time.monotonic_ns) -> None:
        self._path = path
        self._beat_max_ns = beat_max_ns
        self._monotonic_ns = monotonic_ns
        self._map: mmap.mmap | None = None
        self._beat: Sequence[int] = (0,)  # the mapped one
        self._file: tuple[int, int, int] = (0, 0, 0)  # device, inode and size of what is mapped
        self._look_again_ns = 0
        self._seen = _NOTHING

    # ------------------------------------------------------------------------------------------ readers

    def verdict(self, digests: Sequence[int]) -> Verdict:
        """See `domain.ports.KillLatch.verdict`."""
        try:
            now_ns = self._monotonic_ns()
            if now_ns >= self._look_again_ns:
                self._look()
            memory, seen = self._map, self._seen
            if memory is None:
                return UNREADABLE
            if memory[: seen.size] != seen.data:
                seen = self._seen = _verified(memory)
            verdict = CLEAR if seen.clear else judge(seen.slots, digests)
            if (max_ns := self._beat_max_ns) and not -max_ns <= now_ns - self._beat[0] <= max_ns:
                return at_least_suspended(verdict)  # a beat from before the host was started again lies far ahead
            return verdict
        except (LatchUnreadable, OSError, ValueError):
            return UNREADABLE

    def watched(self) -> bool:
        """See `domain.ports.KillLatch.watched`."""
        self._look()
        return not self._beat_max_ns or (self._map is not None and abs(self._monotonic_ns() - self._beat[0]) <= self._beat_max_ns)

    def beaten_ns(self) -> int | None:
        """How long ago the watchdog last beat; None where it never has since the host was started, or there is no latch."""
        self._look()
        age_ns = self._monotonic_ns() - self._beat[0]
        return age_ns if self._map is not None and self._beat[0] and age_ns >= 0 else None

    def slots(self) -> tuple[Slot, ...]:
        """See `domain.ports.KillLatch.slots`."""
        self._look()
        if self._map is None:
            raise LatchUnreadable(f"there is no latch at {self._path}")
        return tuple(slot for slot in _verified(self._map).slots.values() if slot.matters)

    def _look(self) -> None:
        """Map the file that is there now. A file that is none leaves nothing mapped."""
        self._look_again_ns = self._monotonic_ns() + REOPEN_NS
        try:
            found = self._path.stat()
        except OSError:
            self._map = None
            self._file = (0, 0, 0)
            return
        if (found.st_dev, found.st_ino, found.st_size) == self._file:
            return
        self._map, self._seen, self._file = None, _NOTHING, (found.st_dev, found.st_ino, found.st_size)
        if found.st_size != FILE_BYTES:
            return
        file = os.open(self._path, os.O_RDONLY)
        try:
            self._map = mmap.mmap(file, FILE_BYTES, prot=mmap.PROT_READ)
            self._beat = memoryview(self._map)[BEAT_AT : BEAT_AT + 8].cast("q")
        finally:
            os.close(file)

    # ------------------------------------------------------------------------------------------ writers

    def change(self, scope: Scope, how: Callable[[Slot], Slot]) -> tuple[Slot, Slot]:
        """See `domain.ports.KillLatch.change`. Raises OSError where the file cannot be written."""
        with self._writing() as file:
            slots, generation = self._current(file)
            before = next((slot for slot in slots if slot.scope == scope), Slot(scope))
            after = how(before)
            self._write(file, [after, *(slot for slot in slots if slot.scope != scope)], generation + 1)
        return before, after

    def build(self, slots: Sequence[Slot]) -> None:
        """See `domain.ports.KillLatch.build`."""
        with self._writing() as file:
            generation = 0
            with contextlib.suppress(LatchUnreadable):
                generation = _generation(os.pread(file, _HEAD_BYTES, 0))
            self._write(file, list(slots), generation + 1)

    def beat(self) -> None:
        """See `domain.ports.KillLatch.beat`. It waits for no other writer: eight bytes on their boundary are whole or not."""
        try:
            with self._path.open("r+b") as file, mmap.mmap(file.fileno(), FILE_BYTES) as memory:
                memory[BEAT_AT : BEAT_AT + 8] = self._monotonic_ns().to_bytes(8, "little")
        except (OSError, ValueError) as error:
            raise LatchUnreadable(f"the watchdog cannot beat: {error}") from error

    @contextlib.contextmanager
    def _writing(self) -> Iterator[int]:
        """The file under its lock; made where it is missing, and that alone arms nothing: it has no head yet."""
        self._path.parent.mkdir(parents=True, exist_ok=True)
        while True:
            file = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
                with contextlib.suppress(FileNotFoundError):
                    if self._path.stat().st_ino == os.fstat(file).st_ino:  # nobody has put another in its place
                        _fill(file)
                        yield file
                        return
            finally:
                os.close(file)

    def _current(self, file: int) -> tuple[list[Slot], int]:
        """What the file says, for a writer; where it says nothing, the firm is at HARD."""
        data = os.pread(file, FILE_BYTES, 0)
        try:
            return list(_parse(data).values()), _generation(data)
        except LatchUnreadable:
            return [Slot(FIRM, Level.HARD, trip=1, since_ns=1)], 0

    def _write(self, file: int, slots: list[Slot], generation: int) -> None:
        found = kept(slots)
        if len(found) > SLOTS_MAX:  # what cannot be told apart any more is stopped together
            worst = max(slot.effective for slot in found)
            found = [found[0].tripped(max(worst, Level.HARD), 1, 1), *found[1:SLOTS_MAX]]
        worst = max(slot.effective for slot in found)
        head = _HEAD.pack(_MAGIC, len(found), generation, worst, 0)[:32]
        body = b"".join(_packed(slot) for slot in found)
        with mmap.mmap(file, FILE_BYTES) as memory:  # plain stores: readers' maps see them at once
            memory[_HEAD_BYTES : _HEAD_BYTES + len(body)] = body
            memory[:36] = head + struct.pack("<I", zlib.crc32(head))
        self._look_again_ns = 0


def _fill(file: int) -> None:
    """Its full size, every byte with a place on the disk: a map over a hole would end the process on a full one."""
    size = os.fstat(file).st_size
    if size < FILE_BYTES:
        os.pwrite(file, bytes(FILE_BYTES - size), size)
    elif size > FILE_BYTES:
        os.ftruncate(file, FILE_BYTES)


def _packed(slot: Slot) -> bytes:
    text = slot.scope.text.encode()
    fields = (slot.scope.digest, slot.trip, slot.since_ns, slot.paused_before_ns, slot.level, slot.suspended)
    data = _SLOT.pack(*fields, 0, text)
    return _SLOT.pack(*fields, _crc(data), text)


def _crc(slot: bytes) -> int:
    return zlib.crc32(slot[:_CRC_AT] + slot[_CRC_AT + 4 :])


def _generation(data: bytes) -> int:
    """Of a head. Raises LatchUnreadable."""
    magic, _, generation, _, crc = _HEAD.unpack_from(data)
    if magic != _MAGIC or crc != zlib.crc32(data[:32]):
        raise LatchUnreadable("the latch's head is damaged")
    return int(generation)


def _verified(memory: mmap.mmap) -> _Seen:
    """Read everything in use and check it. Raises LatchUnreadable when it stays damaged."""
    for attempt in range(_TORN_RETRIES):
        count = int.from_bytes(memory[8:12], "little")
        size = _HEAD_BYTES + min(count, SLOTS_MAX) * _SLOT_BYTES
        data = memory[:size]
        try:
            slots = {digest: slot for digest, slot in _parse(data).items() if slot.matters}
        except LatchUnreadable:
            if attempt == _TORN_RETRIES - 1:
                raise
            time.sleep(0.0001)
            continue
        return _Seen(data, size, slots, clear=not slots)
    raise AssertionError("unreachable")


def _parse(data: bytes) -> dict[int, Slot]:
    """The slots in use by digest. Raises LatchUnreadable."""
    if len(data) < _HEAD_BYTES:
        raise LatchUnreadable("the latch is too short")
    _generation(data)
    count = int.from_bytes(data[8:12], "little")
    if not 1 <= count <= SLOTS_MAX or len(data) < _HEAD_BYTES + count * _SLOT_BYTES:
        raise LatchUnreadable(f"the latch cannot have {count} slots")
    found = {}
    for number in range(count):
        start = _HEAD_BYTES + number * _SLOT_BYTES
        slot = _read(data[start : start + _SLOT_BYTES])
        found[slot.scope.digest] = slot
    if FIRM_DIGEST not in found:
        raise LatchUnreadable("the latch has no slot of the firm")
    return found


def _read(data: bytes) -> Slot:
    digest, trip, since_ns, paused_before_ns, level, suspended, crc, text = _SLOT.unpack(data)
    scope = parse(text.rstrip(b"\0").decode("utf-8", "replace"))
    if crc != _crc(data) or not isinstance(scope, Scope) or scope.digest != digest or level not in set(Level):
        raise LatchUnreadable("a slot of the latch is damaged")
    return Slot(scope, Level(level), Source(suspended), trip, since_ns, paused_before_ns)
