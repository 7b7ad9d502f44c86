"""The flight recorder: a ring of notes in a mapped file. What is in it outlives its process, however that ends.

Layout, little-endian::

    0     8  b"EMSFLY_1"    8  8  slots
    256 ...  slots of 256 bytes; note n, counted from 1, lies in slot (n - 1) % slots
      +0   8  number, written last; 0: being written
      +8   8  time, ns since 1970 UTC       +16  4  CRC-32 of time, kind and text      +20  2  bytes of text     +22  10  kind
      +32 224  text

A note is a store into the page cache: it costs microseconds, and a process that is killed loses none. A slot that was being
written at that moment has a wrong checksum and is left out. A process that starts again goes on behind what is there.
"""

from __future__ import annotations

import mmap
import os
import struct
import threading
import time
import zlib
from pathlib import Path
from typing import Final

from domain.flight import Note

SLOTS: Final = 4096
SLOT_BYTES: Final = 256
TEXT_BYTES: Final = SLOT_BYTES - 32
FILE_BYTES: Final = SLOT_BYTES * (SLOTS + 1)
_MAGIC: Final = b"EMSFLY_1"
_HEAD: Final = struct.Struct("<QQIH10s")


class FlightRing:
    """One process's recorder, `domain.flight.Recorder`. Any thread may note. Raises OSError where the file cannot be had."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size != FILE_BYTES or os.pread(file, 8, 0) != _MAGIC:
                os.ftruncate(file, 0)
                os.pwrite(file, bytes(FILE_BYTES), 0)  # a place on the disk for each byte: a map over a hole can end its process
                os.pwrite(file, _MAGIC + SLOTS.to_bytes(8, "little"), 0)
            self._map = mmap.mmap(file, FILE_BYTES)
        finally:
            os.close(file)
        self._lock = threading.Lock()
        self._number = max((note.number for note in _notes(self._map)), default=0)

    def note(self, kind: str, text: str) -> None:
        """See `domain.flight.Recorder`."""
        raw, name = text.encode("utf-8", "replace")[:TEXT_BYTES], kind.encode()[:10].ljust(10, b"\0")
        time_ns = time.time_ns()
        crc = zlib.crc32(time_ns.to_bytes(8, "little") + name + raw)
        with self._lock:
            self._number += 1
            start = SLOT_BYTES * (1 + (self._number - 1) % SLOTS)
            self._map[start : start + 8] = bytes(8)
            self._map[start + 8 : start + 32 + len(raw)] = _HEAD.pack(0, time_ns, crc, len(raw), name)[8:] + raw
            self._map[start : start + 8] = self._number.to_bytes(8, "little")


def read(path: Path, *, last_ns: int = 60 * 10**9) -> list[Note]:
    """A ring's whole notes in order, those of so long before its last one. Raises OSError where there is none."""
    with path.open("rb") as file:
        found = sorted(_notes(file.read()))
    return [note for note in found if note.time_ns >= found[-1].time_ns - last_ns]


def _notes(memory: bytes | mmap.mmap) -> list[Note]:
    found: list[Note] = []
    if memory[:8] != _MAGIC or len(memory) != FILE_BYTES:
        return found
    for start in range(SLOT_BYTES, FILE_BYTES, SLOT_BYTES):
        number, time_ns, crc, length, name = _HEAD.unpack_from(memory, start)
        raw = memory[start + 32 : start + 32 + min(length, TEXT_BYTES)]
        if number and crc == zlib.crc32(time_ns.to_bytes(8, "little") + name + raw):
            found.append(Note(number, time_ns, name.rstrip(b"\0").decode("utf-8", "replace"), raw.decode("utf-8", "replace")))
    return found
