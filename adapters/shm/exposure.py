"""What the rest of the firm has in a market, as numbers that the quoter's compiled loop reads: never orders, never whose.

Layout, little-endian::

    0    8  b"EMSEXPO1"      8  8  rows      16  8  told, ns of CLOCK_MONOTONIC: when the desk last said that all of it holds
   24    8  how many times as far from the middle as its net asks quotes are to be, at 1e-9; less than 1 counts as 1
    4096 ...  rows of six words, by the feed's number of the instrument
      0  best price at which the firm buys, in 1/10,000; 0: it does not      1  best price at which it sells
      2  what the firm holds, lots, signed                                   3  open to buy, lots      4  open to sell, lots
      5  sequence lock: odd while the row is being written

The desk writes, the quoter reads. Each word is one store or load; who needs a row's words to belong together looks at its lock
before and after. What was told too long ago counts as not told, and the quoter stands still.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import time
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.values import E9

WORDS: Final = 6
BID_E4, ASK_E4, NET_LOTS, BUYING_LOTS, SELLING_LOTS, LOCK = range(WORDS)
_MAGIC: Final = int.from_bytes(b"EMSEXPO1", "little")
_HEAD_BYTES: Final = 4096
_MAGIC_AT, _ROWS_AT, _TOLD_AT, _SPREAD_AT = 0, 1, 2, 3
_TORN_RETRIES: Final = 100


class Firm(NamedTuple):
    """One instrument. Prices in 1/10,000, 0 without; lots."""

    bid_e4: int = 0
    ask_e4: int = 0
    net_lots: int = 0
    buying_lots: int = 0
    selling_lots: int = 0


class SharedExposure:
    """One process's view of the file, which is made where it is missing or too short.

    Attributes:
        rows: (rows, WORDS) int64, for compiled code; not to be written.
    """

    def __init__(self, path: Path, rows: int, *, write: bool = False) -> None:
        """Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            size = _sized(file, rows)
            protection = mmap.PROT_READ | (mmap.PROT_WRITE if write else 0)
            words: NDArray[np.int64] = np.frombuffer(mmap.mmap(file, size, prot=protection), np.int64)
        finally:
            os.close(file)
        self._head = words[: _HEAD_BYTES // 8]
        self.rows = words[_HEAD_BYTES // 8 :].reshape(-1, WORDS)

    def tell(self, number: int, firm: Firm) -> None:
        """Write an instrument's row, where it says something else."""
        row = self.rows[number]
        if row[:LOCK].tolist() != list(firm):
            row[LOCK] += 1
            row[:LOCK] = firm
            row[LOCK] += 1

    def widen(self, spread_e9: int) -> None:
        """Quotes are to keep so many times the distance from now on."""
        self._head[_SPREAD_AT] = spread_e9

    def spread_e9(self) -> int:
        """How many times, at 1e-9: 1 or more; 1 where nobody has said."""
        return max(E9, int(self._head[_SPREAD_AT]))

    def told(self) -> None:
        """All rows hold now."""
        self._head[_TOLD_AT] = time.monotonic_ns()

    def fresh(self, max_ns: int) -> bool:
        """Was that said, and not longer ago?"""
        told_ns = int(self._head[_TOLD_AT])
        return told_ns != 0 and 0 <= time.monotonic_ns() - told_ns <= max_ns

    def firm(self, number: int) -> Firm | None:
        """An instrument's row, all of one moment; None where its writer was lost in the middle of it."""
        row = self.rows[number]
        for _ in range(_TORN_RETRIES):
            before = int(row[LOCK])
            found = Firm(*row[:LOCK].tolist())
            if before % 2 == 0 and row[LOCK] == before:
                return found
        return None


def _sized(file: int, rows: int) -> int:
    """The file with room for so many rows; its size. One that is there keeps what it says."""
    fcntl.flock(file, fcntl.LOCK_EX)
    try:
        head = np.frombuffer(os.pread(file, 24, 0).ljust(24, b"\0"), np.int64)
        rows = max(rows, int(head[_ROWS_AT]) if head[_MAGIC_AT] == _MAGIC else 0)
        size = _HEAD_BYTES + rows * WORDS * 8
        if (there := os.fstat(file).st_size) < size:
            os.pwrite(file, bytes(size - there), there)
        os.pwrite(file, np.array([_MAGIC, rows], np.int64).tobytes(), 0)
        return size
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)
