"""`ems audit prove`: that one event is in the sealed log, and that the log of then is the beginning of the log of now."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any
from uuid import UUID

from domain.errors import ChainBroken, SealError
from domain.merkle import Span, consistency_spans, extends, holds, inclusion_spans
from domain.ports_sealing import SealedLog
from domain.sealed_tree import SealedTree, parts
from domain.sealing import SignedHead, Verifier, leaves, unsigned
from domain.stored_page import PackedRow


async def prove(log: SealedLog, seq: int, verifier: Verifier) -> dict[str, Any]:
    """The proofs of one event, as an outsider takes them: the stored row, two signed heads, two paths of hashes.

    Returns:
        event: every stored column. inclusion: in the first head that vouches for it. consistency: of that head with the last.
        Bytes are in hexadecimal.

    Raises:
        SealError: no head vouches for it yet, or there is no such event.
        ChainBroken: what is stored does not come to what was signed.
    """
    first, last = await log.head_of(seq), await log.last_head()
    if seq < 1 or first is None or last is None:
        end = await log.end()
        raise SealError(f"event {seq} is not sealed yet" if 0 < seq <= end.seq else f"the log has no event {seq}")
    row = await _row(log, seq)
    inclusion = [await _root(log, span) for span in inclusion_spans(seq - 1, first.size)]
    consistency = [await _root(log, span) for span in consistency_spans(first.size, last.size)]
    (leaf,) = leaves([row[7]], seq)
    for head in (first, last):
        if why := unsigned(head, verifier):
            raise ChainBroken(why)
    if not holds(leaf, seq - 1, first.size, inclusion, first.root):
        raise ChainBroken(f"event {seq} is not in what head {first.number} sealed: run `ems audit verify`")
    if not extends(first.size, first.root, last.size, last.root, consistency):
        raise ChainBroken(f"head {last.number} does not continue head {first.number}: run `ems audit verify`")
    return told(row, first, inclusion, last, consistency, verifier.public_key)


def told(
    row: PackedRow, first: SignedHead, inclusion: list[bytes], last: SignedHead, consistency: list[bytes], public_key: bytes
) -> dict[str, Any]:
    """A proof as one JSON object."""
    seq, stream, version, topic, time_ns, state, prev_hash, hash_ = row
    return {
        "event": {
            "seq": seq,
            "stream": str(UUID(bytes=stream)),
            "version": version,
            "topic": topic.decode(),
            "recorded_time_ns": time_ns,
            "state": state.hex(),
            "prev_hash": prev_hash.hex(),
            "hash": hash_.hex(),
        },
        "head": first.to_json(),
        "inclusion": [one.hex() for one in inclusion],
        "last_head": last.to_json(),
        "consistency": [one.hex() for one in consistency],
        "public_key": public_key.hex(),
    }


async def _row(log: SealedLog, seq: int) -> PackedRow:
    async with aclosing(log.pages(seq - 1, seq)) as pages:
        async for page in pages:
            return next(page.rows())
    raise ChainBroken(f"event {seq} is missing")


async def _root(log: SealedLog, span: Span) -> bytes:
    """The root of a subtree."""
    (first_tile, last_tile), (first, last) = parts(span)
    rest = await log.hashes(first, last) if last > first else []
    return SealedTree(await log.tiles(first_tile, last_tile), leaves(rest, first + 1)).root()
