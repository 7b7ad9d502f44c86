"""Sealed segments of a quoter's journal: about a thousand records in a file, column by column, with a hash of every record.

A file is b"EMSSEG01", the length of a header in JSON (4 bytes, little-endian), the header, and one zlib stream of, one after
the other: the heads of all records, each number as the difference from the record before, the lowest bytes of a column first,
then the second ones and so on; outputs; inputs; SHA-256 of observation and of z where there was an inference. Observation and z
themselves come out when the calls are made again (`ems.quoting.rerun`), and by their digests are known to be the same.

A record's leaf in the Merkle tree (`domain.merkle`) is its head, output, input and the two digests. Digest of the file and root
of the tree are events.
"""

from __future__ import annotations

import hashlib
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain import merkle
from domain.errors import JournalError
from ems.quoting import journal as j

RECORDS: Final = 1000  # of a full segment
LEVEL: Final = 1  # of zlib: 2 is a twentieth smaller and takes half as long again
_MAGIC: Final = b"EMSSEG01"
_LENGTH: Final = struct.Struct("<I")
_HEAD_BYTES: Final = 8 * j.HEAD_WORDS
_DIGESTS: Final = 64
_PACKED_MAX: Final = 1 << 28  # what a hostile file may unpack to


class Record(NamedTuple):
    """A record as a segment keeps it. head: (HEAD_WORDS,) int64; digests: 64 bytes, or none where there was no inference."""

    head: NDArray[np.int64]
    output: bytes
    input: bytes
    digests: bytes

    @property
    def number(self) -> int:
        """Its sequence number."""
        return int(self.head[j.SEQUENCE])

    def leaf(self) -> bytes:
        """Its leaf in the segment's tree."""
        return merkle.leaf(self.head.tobytes() + self.output + self.input + self.digests)


class Segment(NamedTuple):
    """Records in their order, and what the header says beside them."""

    header: dict[str, Any]
    records: list[Record]

    def root(self) -> bytes:
        """Of the Merkle tree."""
        return merkle.root([record.leaf() for record in self.records])


def record_of(row: NDArray[np.uint8]) -> Record:
    """A slot's bytes (RECORD_BYTES,) as a segment keeps them."""
    head = row[:_HEAD_BYTES].view(np.int64).copy()
    raw = row.tobytes()
    sent, came = int(head[j.OUTPUT_LENGTH]), int(head[j.INPUT_LENGTH])
    digests = b""
    if head[j.INFERRED] == 0:
        seen, z = raw[4 * j.F_OBSERVATION : 4 * j.F_Z], raw[4 * j.F_Z :]
        digests = hashlib.sha256(seen).digest() + hashlib.sha256(z).digest()
    return Record(head, raw[j.B_OUTPUT : j.B_OUTPUT + sent], raw[j.B_INPUT : j.B_INPUT + came], digests)


def pack(records: list[Record], **header: Any) -> bytes:
    """The bytes of a segment's file. header: what else it is to say, JSON values."""
    heads = np.stack([record.head for record in records])  # (n, HEAD_WORDS)
    steps = np.diff(heads, axis=0, prepend=np.zeros((1, j.HEAD_WORDS), np.int64))
    columns = steps.view(np.uint8).reshape(len(records), -1).T  # (8 HEAD_WORDS, n): lowest bytes of word 0, and so on
    lasting = {"session": int(heads[0, j.SESSION]), "first": records[0].number, "records": len(records), **header}
    text = json.dumps(lasting, sort_keys=True).encode()
    parts = [np.ascontiguousarray(columns).tobytes(), *(r.output for r in records), *(r.input for r in records)]
    body = zlib.compress(b"".join([*parts, *(r.digests for r in records)]), LEVEL)
    return _MAGIC + _LENGTH.pack(len(text)) + text + body


def unpack(data: bytes) -> Segment:
    """The records of a file's bytes.

    Raises:
        JournalError: they are no segment, or a damaged one.
    """
    try:
        if data[:8] != _MAGIC:
            raise ValueError("it begins otherwise")
        (length,) = _LENGTH.unpack_from(data, 8)
        header = json.loads(data[12 : 12 + length])
        stream = zlib.decompressobj()
        body = stream.decompress(data[12 + length :], _PACKED_MAX)
        if not stream.eof or stream.unused_data:
            raise ValueError("it is cut short or has too much")
        return Segment(header, list(_records(body, int(header["records"]))))
    except (ValueError, KeyError, TypeError, struct.error, zlib.error) as cause:
        raise JournalError(f"this is no segment of a journal: {cause}") from cause


def _records(body: bytes, count: int) -> Iterator[Record]:
    columns = np.frombuffer(body, np.uint8, count * _HEAD_BYTES).reshape(_HEAD_BYTES, count)
    heads = np.cumsum(np.ascontiguousarray(columns.T).view(np.int64), axis=0, dtype=np.int64)  # (n, HEAD_WORDS)
    sizes = np.stack([heads[:, j.OUTPUT_LENGTH], heads[:, j.INPUT_LENGTH], _DIGESTS * (heads[:, j.INFERRED] == 0)])  # (3, n)
    if (sizes < 0).any() or (sizes[0] > j.OUTPUT_BYTES).any() or (sizes[1] > j.INPUT_BYTES).any():
        raise ValueError("a record is longer than one can be")
    ends = count * _HEAD_BYTES + np.cumsum(sizes.ravel()).reshape(3, count)
    if int(ends[-1, -1]) != len(body):
        raise ValueError("its parts do not come to its whole")
    begins = ends - sizes
    for i in range(count):
        yield Record(heads[i], *(body[begins[part, i] : ends[part, i]] for part in range(3)))


def gigabytes_a_day(bytes_per_record: float, *, per_s: float = 20_000, hours: float = 6.5) -> float:
    """What a trading day's segments take on the disk, in 10^9 bytes."""
    return bytes_per_record * per_s * hours * 3600 / 1e9
