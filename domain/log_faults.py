"""What is wrong with a stored log, and where: the slow, careful walk over rows that do not continue one another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from domain.event import GENESIS_HASH
from domain.stored_page import NO_ROWS, PackedRow, StoredPage, row_hash

FLIP_BYTES_MAX: Final = 4096  # a longer state is not searched for a changed bit
FAULTS_MAX: Final = 1000
Kind = Literal["altered", "missing", "inserted", "rewritten", "head", "anchor"]
_COLUMNS: Final = ("seq", "stream", "version", "topic", "recorded_time_ns", "state")


class Fault(NamedTuple):
    """One thing that is wrong."""

    kind: Kind
    seq: int  # 0 where it is of no event
    stream: str  # "" where it is not known
    version: int
    text: str

    def to_json(self) -> dict[str, Any]:
        """As an object of its fields."""
        return self._asdict()


def fault_of(kind: Kind, row: PackedRow, text: str) -> Fault:
    """A fault of a stored row."""
    return Fault(kind, row[0], str(UUID(bytes=row[1])), row[2], text)


class ChainExam:
    """Takes the pages of a log in order and says what does not continue what.

    After a fault it goes on from what the rows around say, so that each fault is told once and those behind it are found too.
    """

    def __init__(self, seq: int = 0, hash_: bytes = GENESIS_HASH) -> None:
        self.seq = seq
        self.hash = hash_
        self.faults: list[Fault] = []
        self.missing: dict[int, bytes] = {}  # a missing event's sequence number -> the hash that it followed
        self._kept = NO_ROWS  # the last row of a page with a fault: judged with the next one beside it

    def take(self, page: StoredPage) -> None:
        """The next rows."""
        if self._kept.seqs:
            page, self._kept = self._kept.then(page), NO_ROWS
        if page.continues(self.seq, self.hash):
            if page.seqs:
                self.seq, self.hash = page.seqs[-1], page.hashes[-1]
            return
        rows = list(page.rows())
        for row, following in pairwise(rows):
            self._judge(row, following[6] if following[0] == row[0] + 1 else None)
        self._kept = page.cut(len(rows) - 1, len(rows))

    def finish(self, seq: int, hash_: bytes) -> None:
        """The log's head says that it ends here."""
        for row in self._kept.rows():
            self._judge(row, hash_ if row[0] == seq else None)
        self._kept = NO_ROWS
        if self.seq < seq:
            self._missing(seq + 1)
        elif self.hash != hash_:
            self._add(Fault("head", self.seq, "", 0, f"the head of the log has another hash than event {self.seq}"))

    def _judge(self, row: PackedRow, following: bytes | None) -> None:
        """One row; following: what the next one names as its hash."""
        seq, prev_hash, hash_ = row[0], row[6], row[7]
        if seq > self.seq + 1:
            self._missing(seq)
            self.hash = prev_hash
        expected, trusted = self.hash, hash_
        proper = row_hash(row, expected)
        if prev_hash != expected or proper != hash_:
            if following is not None and hash_ != following:
                trusted = following
            self._add(self._named(row, expected, proper, following))
        self.seq, self.hash = seq, trusted

    def _named(self, row: PackedRow, expected: bytes, proper: bytes | None, following: bytes | None) -> Fault:
        seq, prev_hash, hash_ = row[0], row[6], row[7]
        if proper is not None and proper == hash_:
            return fault_of("altered", row, f"event {seq}: prev_hash was changed")
        if proper is not None and proper == following:
            return fault_of("altered", row, f"event {seq}: hash was changed{'' if prev_hash == expected else ', and prev_hash'}")
        for target in {hash_, following} - {None}:
            assert target is not None
            if found := flipped(row, expected, target):
                column, was = found
                return fault_of("altered", was, f"event {seq}: one bit of {column} was changed")
        if prev_hash != expected and row_hash(row, prev_hash) == hash_:
            return fault_of("inserted", row, f"event {seq} does not continue event {seq - 1}: one of the two was put there later")
        return fault_of("altered", row, f"event {seq} is not what was recorded, or was moved here from elsewhere")

    def _missing(self, before: int) -> None:
        first = self.seq + 1
        text = f"event {first} is missing" if first == before - 1 else f"events {first} to {before - 1} are missing"
        self.missing[first] = self.hash
        self._add(Fault("missing", first, "", 0, text))
        self.seq = before - 1

    def _add(self, fault: Fault) -> None:
        if len(self.faults) < FAULTS_MAX:
            self.faults.append(fault)


def flipped(row: PackedRow, prev_hash: bytes, hash_: bytes) -> tuple[str, PackedRow] | None:
    """The column in which one bit was changed, and the row as it was; None where more than that was done to it."""
    if len(row[5]) > FLIP_BYTES_MAX:
        return None
    for number, name in enumerate(_COLUMNS):
        for value in _neighbours(row[number]):
            was = (*row[:number], value, *row[number + 1 :])
            if row_hash(was, prev_hash) == hash_:
                return name, was
    return None


def _neighbours(value: int | bytes) -> Iterator[Any]:
    """Every value that differs in one bit."""
    if isinstance(value, int):
        yield from (unsigned - (unsigned >> 63 << 64) for bit in range(64) if (unsigned := value % (1 << 64) ^ 1 << bit) >= 0)
        return
    for at, byte in enumerate(value):
        for bit in range(8):
            yield value[:at] + bytes([byte ^ 1 << bit]) + value[at + 1 :]


def placed(stray: PackedRow, missing: dict[int, bytes]) -> Fault | None:
    """A row outside of the log that belongs where one is missing: its sequence number was changed."""
    for seq, before in missing.items():
        was = (seq, *stray[1:])
        if stray[7] == row_hash(was, before):
            return fault_of("altered", was, f"event {seq}: seq was changed to {stray[0]}")
    return None
