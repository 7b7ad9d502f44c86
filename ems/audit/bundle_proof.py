"""The inclusion of an event in a signed head, from a bundle alone: its rows, the tree before them, the leaves behind them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from domain.errors import ChainBroken, SealError
from domain.merkle import Frontier, Span, holds, inclusion_spans
from domain.sealing import SignedHead, Verifier, leaves, unsigned
from domain.stored import StoredRow

Hashes = Callable[[int, int], Awaitable[Sequence[bytes]]]  # chain hashes of the events from one number to another, both included


class PartialTree:
    """The log's tree as a bundle knows it: subtrees before its first event, its own leaves, single leaves behind its last.

    Args:
        before, after: the manifest's `proofs`.
        last_seq: of the bundle's own events.
    """

    def __init__(self, proofs: Mapping[str, Any], last_seq: int, hashes: Hashes) -> None:
        before = proofs["before"]
        self._size, self._subtrees = int(before["size"]), [bytes.fromhex(text) for text in before["subtrees"]]
        self._after = [bytes.fromhex(text) for text in proofs["after"]]
        self._last_seq, self._hashes = last_seq, hashes

    async def root(self, span: Span) -> bytes:
        """The root of a subtree. Raises SealError where the bundle does not reach so far."""
        first, last = span
        if last > self._last_seq + len(self._after):
            raise SealError(f"the bundle holds no leaf of event {last}")
        tree = Frontier(max(0, self._size - first), self._within(first))
        begin, end = max(first, self._size), min(last, self._last_seq)
        if end > begin:
            tree.extend(leaves(list(await self._hashes(begin + 1, end)), begin + 1))
        if last > self._last_seq:
            tree.extend(self._after[max(0, begin - self._last_seq) : last - self._last_seq])
        if first < self._size and last <= self._size:
            return self._whole(span)
        return tree.root()

    def _within(self, first: int) -> list[bytes]:
        """The subtrees before the bundle that lie behind a leaf."""
        return [root for begin, root in self._placed() if begin >= first] if first < self._size else []

    def _whole(self, span: Span) -> bytes:
        """A span that lies before the bundle: on the way up from one of its events such a span is one of the subtrees."""
        for begin, root in self._placed():
            if begin == span[0]:
                return root
        raise SealError(f"the bundle does not hold the tree of events {span[0] + 1} to {span[1]}")

    def _placed(self) -> list[tuple[int, bytes]]:
        placed, at = [], 0
        for root in self._subtrees:
            placed.append((at, root))
            at += 1 << (self._size - at).bit_length() - 1
        return placed


async def prove(row: StoredRow, heads: Sequence[SignedHead], tree: PartialTree, verifier: Verifier) -> dict[str, Any]:
    """The first head of the bundle that vouches for an event, and the path to its root.

    Raises:
        SealError: no head of the bundle does.
        ChainBroken: a head is not signed by the key, or the event is not in it.
    """
    head = next((head for head in heads if head.size >= row.seq), None)
    if head is None:
        raise SealError(f"no signed head of the bundle covers event {row.seq}")
    if why := unsigned(head, verifier):
        raise ChainBroken(why)
    path = [await tree.root(span) for span in inclusion_spans(row.seq - 1, head.size)]
    (leaf,) = leaves([row.hash], row.seq)
    if not holds(leaf, row.seq - 1, head.size, path, head.root):
        raise ChainBroken(f"event {row.seq} is not in what head {head.number} sealed")
    return {"head": head.to_json(), "inclusion": [one.hex() for one in path], "public_key": verifier.public_key.hex()}
