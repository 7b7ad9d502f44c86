"""A bundle as an export lays it out, of a log that was never in a database; and the same with something done to it."""

from __future__ import annotations

import base64
import gzip
import io
import json
import tarfile
from hashlib import sha256
from pathlib import Path
from typing import Any
from uuid import UUID

from adapters.postgres.packed_rows import PackedRow
from domain.event import GENESIS_HASH, link_hash
from domain.merkle import Frontier, root
from domain.sealing import SignedHead, leaves, signed
from tests.ems.sealing_room import SIGNER

STREAM = UUID("0b8e7a3c-5f6d-5e1a-9c2b-7d4f3a2b1c0d")


def log_of(sizes: list[int]) -> tuple[list[PackedRow], list[SignedHead]]:
    """Events, and a head at each of these sizes."""
    rows: list[PackedRow] = []
    prev = GENESIS_HASH
    for seq in range(1, sizes[-1] + 1):
        state = b'{"meta":{"event_time_ns":%d},"data":{"n":%d}}' % (seq, seq)
        hash_ = link_hash(prev, seq, STREAM.bytes, seq, 10**18 + seq, b"child_order.filled.v1", state)
        rows.append((seq, STREAM.bytes, seq, b"child_order.filled.v1", 10**18 + seq, state, prev, hash_))
        prev = hash_
    heads: list[SignedHead] = []
    for size in sizes:
        top = root(leaves([row[7] for row in rows[:size]], 1))
        heads.append(signed(heads[-1] if heads else None, size, top, rows[size - 1][7], 10**18 + size, SIGNER))
    return rows, heads


def event_line(row: PackedRow) -> bytes:
    seq, stream, version, topic, time_ns, state, prev_hash, hash_ = row
    told = {
        "seq": seq, "stream": str(UUID(bytes=stream)), "version": version, "topic": topic.decode(), "recorded_time_ns": time_ns,
        "state": base64.b64encode(state).decode(), "prev_hash": prev_hash.hex(), "hash": hash_.hex(),
    }  # fmt: skip
    return json.dumps(told, separators=(",", ":")).encode() + b"\n"


def files_of(rows: list[PackedRow], heads: list[SignedHead], first: int, last: int) -> dict[str, bytes]:
    """The files of a bundle of the events first to last, its manifest not among them; two files of events."""
    half = (first + last) // 2
    parts = (rows[first - 1 : half], rows[half:last])
    reach = next((one.size for one in heads if one.size >= last), last)
    named = [one for one in heads if first <= one.size <= reach]
    files = {f"events/{n:06d}.jsonl.gz": gzip.compress(b"".join(map(event_line, p)), mtime=0) for n, p in enumerate(parts, 1)}
    files["heads.jsonl"] = b"".join(json.dumps(head.to_json()).encode() + b"\n" for head in named)
    return {**files, "records/orders.csv": b"seq,order\n1,A\n", "README.txt": b"Examiner's bundle.\n"}


def manifest_of(rows: list[PackedRow], heads: list[SignedHead], first: int, last: int, files: dict[str, bytes]) -> dict[str, Any]:
    before, whole = Frontier(), Frontier()
    before.extend(leaves([row[7] for row in rows[: first - 1]], 1))
    whole.extend(leaves([row[7] for row in rows[:last]], 1))
    reach = next((one.size for one in heads if one.size >= last), last)
    after = leaves([row[7] for row in rows[last:reach]], last + 1)
    return {
        "format": 1, "day": "2026-11-20",
        "events": {
            "first_seq": first, "last_seq": last, "count": last - first + 1, "prev_hash": rows[first - 1][6].hex(),
            "hash": rows[last - 1][7].hex(),
        },
        "proofs": {
            "before": {"size": before.size, "subtrees": [one.hex() for one in before.subtrees]},
            "after": [one.hex() for one in after], "root": whole.root().hex(),
        },
        "key": {"id": sha256(SIGNER.public_key).hexdigest(), "ed25519": SIGNER.public_key.hex()},
        "files": [{"path": name, "bytes": len(data), "sha256": sha256(data).hexdigest()} for name, data in sorted(files.items())],
    }  # fmt: skip


def write(path: Path, files: dict[str, bytes], manifest: dict[str, Any]) -> None:
    """The archive, its manifest signed."""
    told = json.dumps(manifest, sort_keys=True, indent=1).encode() + b"\n"
    whole = {"manifest.json": told, "manifest.sig": SIGNER.sign(told), **files}
    with tarfile.open(path, "w", format=tarfile.USTAR_FORMAT) as tar:
        for name, data in sorted(whole.items()):
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
