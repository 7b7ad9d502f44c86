"""The gateway's table of live orders: for each, the cancel that ends it, ready to send.

A memory-mapped file of fixed slots. It survives the process, needs no desk and no database, and cancel-all
reads it without parsing a message. The state byte is written last, so a slot is either whole or free.
"""

from __future__ import annotations

import mmap
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from adapters.fix.frames import NO_SCOPE, Scope

SLOT_COUNT: Final = 65_536
SLOT_BYTES: Final = 512

_FREE: Final = 0
_USED: Final = 2  # 1 in an earlier layout, which counts as free: the desk says anew what is live
_HEADER: Final = struct.Struct(f">BxHHH{len(NO_SCOPE)}Q")  # state, session slot, key length, text length, scopes
TEXT_BYTES_MAX: Final = SLOT_BYTES - _HEADER.size  # key and cancel text together


class LiveOrder(NamedTuple):
    """One live order: its key (ClOrdID), the session it is on, its kill scopes, and the cancel's text."""

    key: bytes
    slot: int
    scope: Scope
    cancel_text: bytes


class LiveOrders:
    """Which orders of ours may be working at a venue. Not thread-safe: the caller holds one lock."""

    def __init__(self, path: Path, slot_count: int = SLOT_COUNT) -> None:
        size = slot_count * SLOT_BYTES
        file = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            os.posix_fallocate(file, 0, size)  # a map over a hole ends its process on a full disk
            self._map = mmap.mmap(file, size)
        finally:
            os.close(file)
        self._index: dict[bytes, int] = {}
        self._free: list[int] = []
        for number in range(slot_count - 1, -1, -1):
            if self._map[number * SLOT_BYTES] == _USED:
                self._index[self._read(number).key] = number
            else:
                self._free.append(number)

    def __len__(self) -> int:
        return len(self._index)

    def __contains__(self, key: bytes) -> bool:
        return key in self._index

    def __iter__(self) -> Iterator[LiveOrder]:
        return (self._read(number) for number in list(self._index.values()))

    def add(self, order: LiveOrder) -> str:
        """Keep an order; one that is there already is left as it is. Returns "" or why it cannot be kept."""
        if order.key in self._index:
            return ""
        if len(order.key) + len(order.cancel_text) > TEXT_BYTES_MAX:
            return f"its cancel is longer than {TEXT_BYTES_MAX} bytes"
        if not self._free:
            return "the live-order table is full"
        number = self._free.pop()
        start = number * SLOT_BYTES
        header = _HEADER.pack(_FREE, order.slot, len(order.key), len(order.cancel_text), *order.scope)
        data = header + order.key + order.cancel_text
        self._map[start : start + len(data)] = data
        self._map[start] = _USED
        self._index[order.key] = number
        return ""

    def forget(self, key: bytes) -> None:
        """The order is terminal. An unknown key is nothing to forget."""
        number = self._index.pop(key, None)
        if number is not None:
            self._map[number * SLOT_BYTES] = _FREE
            self._free.append(number)

    def keep_only(self, keys: frozenset[bytes]) -> int:
        """Forget every order that is not among keys; returns how many went."""
        gone = [key for key in self._index if key not in keys]
        for key in gone:
            self.forget(key)
        return len(gone)

    def close(self) -> None:
        """Flush to the file and unmap."""
        self._map.flush()
        self._map.close()

    def _read(self, number: int) -> LiveOrder:
        start = number * SLOT_BYTES
        _, slot, key_length, text_length, *scope = _HEADER.unpack_from(self._map, start)
        key_start = start + _HEADER.size
        text_start = key_start + key_length
        key = self._map[key_start:text_start]
        return LiveOrder(key, slot, tuple(scope), self._map[text_start : text_start + text_length])
