"""What a host knows of the lead, in a file of 16 bytes that its processes map: one writer, any reader.

Layout, little-endian: 0 8 b"EMSLEAD1"; 8 8 twice the epoch, plus one where the leader is of this host. One aligned number
is stored and read whole, so that there is nothing to lock and nothing to tear.
"""

from __future__ import annotations

import mmap
import os
from pathlib import Path
from typing import Final

from domain.lead import Lead

_MAGIC: Final = b"EMSLEAD1"
_BYTES: Final = 16
NOTHING: Final = Lead()


class SharedLead:
    """One process's view of the file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._map: mmap.mmap | None = None
        self._word: memoryview | None = None

    def read(self) -> Lead:
        """Now; nothing is known while nobody has written."""
        if self._word is None and not self._open(make=False):
            return NOTHING
        assert self._word is not None
        word = self._word[0]
        return Lead(word >> 1, bool(word & 1))

    def write(self, lead: Lead) -> None:
        """For the one process that follows the log's head. Raises OSError."""
        if self._word is None:
            self._open(make=True)
        assert self._word is not None
        self._word[0] = lead.epoch << 1 | lead.ours

    def _open(self, *, make: bool) -> bool:
        if make:
            self._path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(self._path, os.O_RDWR | (os.O_CREAT if make else 0), 0o600)
        except FileNotFoundError:
            return False
        try:
            if os.fstat(file).st_size < _BYTES:
                if not make:
                    return False
                os.truncate(file, _BYTES)
            self._map = mmap.mmap(file, _BYTES)
        finally:
            os.close(file)
        self._map[:8] = _MAGIC
        self._word = memoryview(self._map)[8:].cast("Q")
        return True
