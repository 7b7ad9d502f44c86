"""Merkle trees: the published example hashes, and proofs for every leaf of every small tree."""

from __future__ import annotations

import pytest

from domain.merkle import Frontier, holds, leaf, node, proof, root

# The entries and roots that the reference implementation of Certificate Transparency tests itself with.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
)]  # fmt: skip
ROOTS = {
    0: "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    2: "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    3: "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}


@pytest.mark.parametrize(("size", "expected"), ROOTS.items())
def test_roots_are_the_published_ones(size: int, expected: str) -> None:
    assert root([leaf(entry) for entry in ENTRIES[:size]]).hex() == expected


def by_split(leaves: list[bytes]) -> bytes:
    """The definition, word for word."""
    if len(leaves) == 1:
        return leaves[0]
    k = 1 << (len(leaves) - 1).bit_length() - 1
    return node(by_split(leaves[:k]), by_split(leaves[k:]))


@pytest.mark.parametrize("size", range(1, 34))
def test_every_leaf_of_every_tree_is_proved_and_no_other(size: int) -> None:
    leaves = [leaf(b"%d" % i) for i in range(size)]
    top = root(leaves)
    assert top == by_split(leaves)
    for number in range(size):
        path = proof(leaves, number)
        assert holds(leaves[number], number, size, path, top)
        assert not holds(leaf(b"other"), number, size, path, top)
        assert not holds(leaves[number], number, size, [*path, top], top)
        assert number == size - 1 or not holds(leaves[number], number + 1, size, path, top)
        assert not path or not holds(leaves[number], number, size, path[:-1], top)


def test_a_leaf_that_is_not_there_has_no_proof() -> None:
    with pytest.raises(IndexError):
        proof([leaf(b"a")], 1)
    assert not holds(leaf(b"a"), 1, 1, [], leaf(b"a"))


@pytest.mark.parametrize("batch", [1, 2, 3, 7, 64])
def test_a_frontier_that_grows_in_batches_has_the_root_of_every_size(batch: int) -> None:
    leaves = [leaf(b"%d" % i) for i in range(200)]
    frontier = Frontier()
    assert frontier.root() == root([])
    for start in range(0, len(leaves), batch):
        frontier.extend(leaves[start : start + batch])
        assert frontier.root() == root(leaves[: frontier.size])
        assert frontier.copy().subtrees == Frontier(frontier.size, frontier.subtrees).subtrees == frontier.subtrees
    assert frontier.size == len(leaves)


def test_a_frontier_takes_full_subtrees_where_one_comes_next() -> None:
    leaves = [leaf(b"%d" % i) for i in range(45)]
    frontier = Frontier()
    frontier.extend([root(leaves[i : i + 8]) for i in range(0, 40, 8)], level=3)
    frontier.extend(leaves[40:])
    assert frontier.root() == root(leaves)
    with pytest.raises(ValueError, match="does not go on"):
        frontier.extend([root(leaves[:8])], level=3)
    with pytest.raises(ValueError, match="full subtrees"):
        Frontier(3, [root(leaves[:2])])
