"""Readings in a small file that every process of the host maps into its memory: `domain.ports.Metrics`.

Layout, little-endian, every number on a boundary of its size, so that numpy and a compiled loop can write it too::

    0    8  b"EMSMETR1"
    128 ...  slots of 128 bytes; one whose name is empty is free
      +0   8  sequence lock: odd while the slot is being written
      +8   8  at, ns of CLOCK_MONOTONIC      +16  8  value, a double      +24  8  size
      +32  4  CRC-32 of at, value, size and name
      +40 88  name, padded with zeros

A slot is claimed under an flock on the file and belongs to its one writer from then on: to write it takes no lock. A reader
copies a slot and takes it where the sequence is even and the checksum is right, and looks again where it is not; one that
stays wrong is damaged, and missing to whoever asks. The checksum makes that hold on machines whose stores do not arrive in
order.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import struct
import threading
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from domain.readings import NAME_BYTES_MAX, Reading

SLOTS_MAX: Final = 128
_MAGIC: Final = b"EMSMETR1"
_SLOT_BYTES: Final = 128
FILE_BYTES: Final = _SLOT_BYTES * (SLOTS_MAX + 1)
_BODY: Final = struct.Struct("<qdQ")
_BODY_AT, _CRC_AT, _NAME_AT = 8, 32, 40
_TORN_RETRIES: Final = 20  # a writer is in the middle: less than a microsecond


class SharedMetrics:
    """One process's view. Each name has one writer; any thread may read.

    Args:
        path: made where it is missing. One that is no such file is made anew: what was in it is missing then.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None
        self._file = (0, 0)  # device and inode of what is mapped
        self._places: dict[str, int] = {}  # of the names that this process writes
        self._lock = threading.Lock()

    # ------------------------------------------------------------------------------------------- writer

    def publish(self, name: str, reading: Reading) -> None:
        """See `domain.ports.Metrics.publish`."""
        text = name.encode()
        if not 0 < len(text) <= NAME_BYTES_MAX or b"\0" in text:
            raise OSError(f"a reading's name has 1 to {NAME_BYTES_MAX} bytes, not {name!r}")
        with self._lock:
            memory = self._mapped(make=True)
            assert memory is not None
            start = self._places.get(name)
            if start is None:
                start = self._places[name] = _claim(memory, self._path, text)
            body = _BODY.pack(reading.at_ns, reading.value, reading.size)
            sequence = int.from_bytes(memory[start : start + 8], "little") | 1
            memory[start : start + 8] = sequence.to_bytes(8, "little")
            memory[start + _BODY_AT : start + _BODY_AT + len(body)] = body
            memory[start + _CRC_AT : start + _CRC_AT + 4] = zlib.crc32(body + text).to_bytes(4, "little")
            memory[start : start + 8] = ((sequence + 1) & (1 << 64) - 1).to_bytes(8, "little")

    # ------------------------------------------------------------------------------------------- reader

    def read(self) -> Mapping[str, Reading]:
        """See `domain.ports.Metrics.read`."""
        with self._lock:
            try:
                memory = self._mapped(make=False)
            except (OSError, ValueError):
                return {}
        if memory is None:
            return {}
        found = {}
        for start in range(_SLOT_BYTES, FILE_BYTES, _SLOT_BYTES):
            if memory[start + _NAME_AT] == 0:
                break  # slots are claimed in order and never given back
            for _ in range(_TORN_RETRIES):
                if (one := _read(memory[start : start + _SLOT_BYTES])) is not None:
                    found[one[0]] = one[1]
                    break
        return found

    # -------------------------------------------------------------------------------------------- file

    def _mapped(self, *, make: bool) -> mmap.mmap | None:
        """The file that is there now. Raises OSError."""
        try:
            there = self._path.stat()
            known = (there.st_dev, there.st_ino) == self._file and there.st_size == FILE_BYTES
        except FileNotFoundError:
            known = False
            if not make:
                self._map = None
                return None
        if known and self._map is not None:
            return self._map
        self._map, self._places = None, {}
        if make:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._path, os.O_RDWR | (os.O_CREAT if make else 0), 0o600)
        try:
            if make:
                _fill(file)
            elif os.fstat(file).st_size != FILE_BYTES or os.pread(file, 8, 0) != _MAGIC:
                return None
            found = os.fstat(file)
            self._map = mmap.mmap(file, FILE_BYTES, prot=mmap.PROT_READ | mmap.PROT_WRITE)
            self._file = (found.st_dev, found.st_ino)
        finally:
            os.close(file)
        return self._map


def _fill(file: int) -> None:
    """Its full size and its head; every byte has a place on the disk, for a map over a hole can end its process."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        if os.fstat(file).st_size != FILE_BYTES or os.pread(file, 8, 0) != _MAGIC:
            os.pwrite(file, bytes(FILE_BYTES), 0)
            os.ftruncate(file, FILE_BYTES)
            os.pwrite(file, _MAGIC, 0)
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)  # by hand: a map of the file holds it open, and the lock with it


def _claim(memory: mmap.mmap, path: Path, name: bytes) -> int:
    """Where a name's slot begins: the one that it has, or the first that is free. Raises OSError where none is."""
    with path.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        for start in range(_SLOT_BYTES, FILE_BYTES, _SLOT_BYTES):
            there = memory[start + _NAME_AT : start + _SLOT_BYTES].rstrip(b"\0")
            if there == name:
                return start
            if not there:
                memory[start : start + 8] = (1).to_bytes(8, "little")  # being written: it has a name and no reading yet
                memory[start + _NAME_AT : start + _NAME_AT + len(name)] = name
                return start
    raise OSError(f"no room for another reading, {SLOTS_MAX} there are")


def _read(slot: bytes) -> tuple[str, Reading] | None:
    """What a slot says, None while it is being written or damaged."""
    name, body = slot[_NAME_AT:].rstrip(b"\0"), slot[_BODY_AT : _BODY_AT + _BODY.size]
    if slot[0] & 1 or int.from_bytes(slot[_CRC_AT : _CRC_AT + 4], "little") != zlib.crc32(body + name):
        return None
    at_ns, value, size = _BODY.unpack(body)
    return name.decode("utf-8", "replace"), Reading(value, at_ns, size)
