"""Events as they are stored, many at a time and column by column: what a chain is checked over fastest."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

from domain.event import link_hash

_PLACE: Final = struct.Struct(">Q16sQQH")  # as domain.event hashes it

# seq, the stream's 16 bytes, version, the topic's UTF-8, recorded_time_ns, state, prev_hash, hash
PackedRow = tuple[int, bytes, int, bytes, int, bytes, bytes, bytes]


class StoredPage(NamedTuple):
    """Rows of the log in the order of their sequence numbers, a list for each column."""

    seqs: list[int]
    streams: list[bytes]  # 16 bytes each
    versions: list[int]
    topics: list[bytes]
    times_ns: list[int]
    states: list[bytes]
    prev_hashes: list[bytes]
    hashes: list[bytes]

    def rows(self) -> Iterator[PackedRow]:
        """One by one."""
        return zip(*self, strict=True)

    def then(self, more: StoredPage) -> StoredPage:
        """These rows and more behind them."""
        both: Iterable[tuple[list[Any], list[Any]]] = zip(self, more, strict=True)
        return StoredPage._make([kept + following for kept, following in both])

    def cut(self, first: int, last: int) -> StoredPage:
        """Some of the rows, by their place in the page."""
        return StoredPage._make([column[first:last] for column in self])

    def continues(self, seq: int, hash_: bytes) -> bool:
        """Do these rows follow the event seq with that hash, none missing, each as it was recorded?"""
        place = _PLACE.pack
        try:
            return (
                self.seqs == list(range(seq + 1, seq + 1 + len(self.seqs)))
                and self.prev_hashes == [hash_, *self.hashes[:-1]]
                and self.hashes
                == [
                    sha256(prev_hash + place(seq, stream, version, time_ns, len(topic)) + topic + state).digest()
                    for seq, stream, version, topic, time_ns, state, prev_hash, _ in zip(*self, strict=True)
                ]
            )
        except (struct.error, TypeError):  # a number that no event has, or nothing at all in a column
            return False


NO_ROWS: Final = StoredPage([], [], [], [], [], [], [], [])


def row_hash(row: PackedRow, prev_hash: bytes) -> bytes | None:
    """What a row's hash must be behind another; None where it has a value that no event has."""
    seq, stream, version, topic, time_ns, state, _, _ = row
    try:
        return link_hash(prev_hash, seq, stream, version, time_ns, topic, state)
    except (struct.error, TypeError):
        return None
