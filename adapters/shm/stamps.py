"""When the desk's commits began and ended, in a small ring of a mapped file: written once a commit, read by who makes traces.

Record n lies in slot n % SLOTS, 48 bytes: first and last sequence, began and ended (ns UTC), CRC-32 of these, padding. One that
is being written has a wrong checksum and is left out. What is older than SLOTS commits is gone.
"""

from __future__ import annotations

import mmap
import os
import struct
import zlib
from pathlib import Path
from typing import Final

SLOTS: Final = 32_768
_BODY: Final = struct.Struct("<QQQQ")
_RECORD: Final = 48
FILE_BYTES: Final = SLOTS * _RECORD


class CommitStamps:
    """The desk's end. Raises OSError where the file cannot be had."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if os.fstat(file).st_size != FILE_BYTES:
                os.ftruncate(file, 0)
                os.pwrite(file, bytes(FILE_BYTES), 0)
            self._map = mmap.mmap(file, FILE_BYTES)
        finally:
            os.close(file)
        self._next = 0

    def put(self, first_seq: int, last_seq: int, began_ns: int, ended_ns: int) -> None:
        """One commit."""
        body = _BODY.pack(first_seq, last_seq, began_ns, ended_ns)
        start = self._next % SLOTS * _RECORD
        self._map[start : start + 36] = body + zlib.crc32(body).to_bytes(4, "little")
        self._next += 1


def stamps(path: Path) -> list[tuple[int, int, int, int]]:
    """All that are there, in the order of the log; [] where there is no file."""
    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        return []
    found = []
    for start in range(0, len(raw) - _RECORD + 1, _RECORD):
        body = raw[start : start + 32]
        if int.from_bytes(raw[start + 32 : start + 36], "little") == zlib.crc32(body) and any(body):
            found.append(_BODY.unpack(body))
    return sorted(found)
