"""Merkle trees as RFC 9162 (Certificate Transparency 2.0, section 2.1) has them, over SHA-256.

A leaf is hashed behind a 0 byte and an inner node behind a 1, so that neither can pass for the other. A tree of n leaves is
split at the largest power of two below n; the root of no leaves is the hash of nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import sha256


def leaf(data: bytes) -> bytes:
    """The hash of one entry, 32 bytes."""
    return sha256(b"\0" + data).digest()


def node(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees."""
    return sha256(b"\1" + left + right).digest()


def root(leaves: Sequence[bytes]) -> bytes:
    """The tree's hash over the hashes of its leaves (section 2.1.1).

    Pairs are joined level by level, and a last one without a partner goes up as it is: the same tree as the split.
    """
    if not leaves:
        return sha256().digest()
    level = list(leaves)
    while len(level) > 1:
        joined = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = joined if len(level) % 2 == 0 else [*joined, level[-1]]
    return level[0]


def proof(leaves: Sequence[bytes], number: int) -> list[bytes]:
    """The inclusion proof of leaf `number`, counted from 0 (section 2.1.3.1): what its hash is joined with on the way up.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= number < len(leaves):
        raise IndexError(f"of {len(leaves)} leaves there is no leaf {number}")
    level, path = list(leaves), []
    while len(level) > 1:
        if (beside := number ^ 1) < len(level):
            path.append(level[beside])
        joined = [node(level[i], level[i + 1]) for i in range(0, len(level) - 1, 2)]
        level = joined if len(level) % 2 == 0 else [*joined, level[-1]]
        number //= 2
    return path


def holds(leaf_hash: bytes, number: int, size: int, path: Sequence[bytes], root_hash: bytes) -> bool:
    """Is this the hash of leaf `number` of a tree of `size` leaves with that root (section 2.1.3.2)?"""
    if not 0 <= number < size:
        return False
    at, last, found = number, size - 1, leaf_hash
    for beside in path:
        if last == 0:
            return False
        if at & 1 or at == last:
            found = node(beside, found)
            while not at & 1 and at:
                at, last = at >> 1, last >> 1
        else:
            found = node(found, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and found == root_hash
