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


class Frontier:
    """A tree that only grows, as the roots of its full subtrees: at most one for each bit of its size, however large it is.

    (The literature's compact range from the first leaf on.) Leaves are added in batches, level by level: what the batch does not
    fill stays at its level until the next.
    """

    def __init__(self, size: int = 0, subtrees: Sequence[bytes] = ()) -> None:
        """Args:
            size: how many leaves are in it.
            subtrees: as `subtrees` gave them, the largest first.

        Raises:
            ValueError: a tree of this size has another number of full subtrees.
        """
        if size < 0 or size.bit_count() != len(subtrees):
            raise ValueError(f"a tree of {size} leaves is {max(size, 0).bit_count()} full subtrees, not {len(subtrees)}")
        self.size = size
        self._held: list[bytes | None] = [None] * size.bit_length()
        largest_first = iter(subtrees)
        for level in reversed(range(size.bit_length())):
            if size >> level & 1:
                self._held[level] = next(largest_first)

    def extend(self, hashes: Sequence[bytes], level: int = 0) -> None:
        """Add leaves behind the last.

        Args:
            hashes: of leaves, 32 bytes each (see `leaf`); or, with a level, of full subtrees of 2**level leaves.

        Raises:
            ValueError: the tree's size is no multiple of 2**level, so that no such subtree comes next.
        """
        if self.size & (1 << level) - 1:
            raise ValueError(f"a tree of {self.size} leaves does not go on with a subtree of {1 << level}")
        self.size += len(hashes) << level
        held, carried = self._held, hashes
        while carried:
            while len(held) <= level:
                held.append(None)
            if (waiting := held[level]) is not None:
                carried = [waiting, *carried]
            held[level] = carried[-1] if len(carried) & 1 else None
            carried = [sha256(b"\1" + left + right).digest() for left, right in zip(carried[::2], carried[1::2], strict=False)]
            level += 1

    @property
    def subtrees(self) -> list[bytes]:
        """The roots of the full subtrees, the largest first: what a tree of this size is continued from."""
        return [hash_ for hash_ in reversed(self._held) if hash_ is not None]

    def root(self) -> bytes:
        """The tree's hash as it is now: the same as `root` of all its leaves."""
        found: bytes | None = None
        for hash_ in self._held:
            if hash_ is not None:
                found = hash_ if found is None else node(hash_, found)
        return sha256().digest() if found is None else found

    def copy(self) -> Frontier:
        """One that grows on its own."""
        return Frontier(self.size, self.subtrees)


# -------------------------------------------------------------------- proofs in a tree that is too large to be held

Span = tuple[int, int]  # the leaves from one up to, not including, another: a subtree of the tree


def _split(size: int) -> int:
    return 1 << (size - 1).bit_length() - 1


def inclusion_spans(number: int, size: int) -> list[Span]:
    """The subtrees whose roots are the inclusion proof of a leaf (section 2.1.3.1), in its order.

    Raises:
        IndexError: there is no such leaf.
    """
    if not 0 <= number < size:
        raise IndexError(f"of {size} leaves there is no leaf {number}")
    first, last, spans = 0, size, []
    while last - first > 1:
        middle = first + _split(last - first)
        if number < middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first = middle
    return spans[::-1]


def consistency_spans(old: int, size: int) -> list[Span]:
    """The subtrees whose roots prove that the first `old` leaves are the same in a tree of `size` (section 2.1.4.1).

    Raises:
        IndexError: there is no proof: old is 0 or above size.
    """
    if not 0 < old <= size:
        raise IndexError(f"a tree of {size} leaves is not proved to continue one of {old}")
    first, last, spans, whole = 0, size, [], True
    while old != last:
        middle = first + _split(last - first)
        if old <= middle:
            spans.append((middle, last))
            last = middle
        else:
            spans.append((first, middle))
            first, whole = middle, False
    return [*([] if whole else [(first, last)]), *reversed(spans)]


def extends(old: int, old_root: bytes, size: int, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Is a tree of `size` leaves with new_root the continuation of the one of `old` with old_root (section 2.1.4.2)?"""
    if old == size:
        return not path and old_root == new_root
    if not 0 < old < size:
        return False
    hashes = [*([old_root] if old & old - 1 == 0 else []), *path]
    if not hashes:
        return False
    at, last = old - 1, size - 1
    while at & 1:
        at, last = at >> 1, last >> 1
    found_old = found_new = hashes[0]
    for beside in hashes[1:]:
        if last == 0:
            return False
        if at & 1 or at == last:
            found_old, found_new = node(beside, found_old), node(beside, found_new)
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            found_new = node(found_new, beside)
        at, last = at >> 1, last >> 1
    return last == 0 and (found_old, found_new) == (old_root, new_root)
