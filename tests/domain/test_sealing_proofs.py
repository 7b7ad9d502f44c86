"""Inclusion and consistency proofs of RFC 9162: from spans of a tree that nobody holds whole; nothing else passes."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain import merkle
from domain.merkle import consistency_spans, extends, inclusion_spans, leaf, root

LEAVES = [leaf(b"%d" % number) for number in range(300)]
FORGED = leaf(b"forged")
# Of the eight entries that the reference implementation of Certificate Transparency tests itself with: first and second size,
# then what it expects as the proof.
ENTRIES = [bytes.fromhex(text) for text in (
    "", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"
)]  # fmt: skip
PUBLISHED = {
    (1, 1): [],
    (1, 8): [
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ],
    (6, 8): [
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ],
    (2, 5): [
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ],
}
SIZES = st.integers(1, len(LEAVES)).flatmap(lambda size: st.tuples(st.integers(1, size), st.just(size)))


def path(spans: list[merkle.Span], leaves: list[bytes] = LEAVES) -> list[bytes]:
    return [root(leaves[first:last]) for first, last in spans]


@pytest.mark.parametrize(("sizes", "expected"), PUBLISHED.items())
def test_consistency_proofs_are_the_published_ones(sizes: tuple[int, int], expected: list[str]) -> None:
    leaves = [leaf(entry) for entry in ENTRIES]
    assert [hash_.hex() for hash_ in path(consistency_spans(*sizes), leaves)] == expected
    assert extends(
        sizes[0], root(leaves[: sizes[0]]), sizes[1], root(leaves[: sizes[1]]), path(consistency_spans(*sizes), leaves)
    )


@pytest.mark.parametrize("size", range(1, 40))
def test_the_spans_of_every_leaf_are_its_inclusion_proof(size: int) -> None:
    for number in range(size):
        assert path(inclusion_spans(number, size)) == merkle.proof(LEAVES[:size], number)


@pytest.mark.parametrize("size", range(1, 40))
def test_every_tree_is_proved_to_continue_every_smaller_one(size: int) -> None:
    new = root(LEAVES[:size])
    for old in range(1, size + 1):
        proved = path(consistency_spans(old, size))
        assert extends(old, root(LEAVES[:old]), size, new, proved)
        assert not extends(old, FORGED, size, new, proved)
        assert not extends(old, root(LEAVES[:old]), size, FORGED, proved)
        assert not extends(old, root(LEAVES[:old]), size, new, [*proved, FORGED])
        assert old == size or not extends(old, root(LEAVES[:old]), size, new, proved[:-1])


@given(SIZES, st.data())
def test_a_tree_with_a_changed_past_is_proved_by_no_path_of_its_own(sizes: tuple[int, int], data: st.DataObject) -> None:
    old, size = sizes
    changed = data.draw(st.integers(0, old - 1))
    other = [*LEAVES[:changed], FORGED, *LEAVES[changed + 1 :]]
    forged = path(consistency_spans(old, size), other)
    assert not extends(old, root(LEAVES[:old]), size, root(other[:size]), forged)
    assert extends(old, root(LEAVES[:old]), size, root(LEAVES[:size]), path(consistency_spans(old, size)))


@given(SIZES, st.data())
def test_a_proof_with_one_bit_changed_proves_nothing(sizes: tuple[int, int], data: st.DataObject) -> None:
    old, size = sizes
    whole = root(LEAVES[:size])
    checks: list[tuple[list[merkle.Span], Callable[[list[bytes]], bool]]] = [
        (consistency_spans(old, size), lambda p: extends(old, root(LEAVES[:old]), size, whole, p)),
        (inclusion_spans(old - 1, size), lambda p: merkle.holds(LEAVES[old - 1], old - 1, size, p, whole)),
    ]
    for spans, holds in checks:
        proved = path(spans)
        assert holds(proved)
        if proved:
            at, bit = data.draw(st.integers(0, len(proved) - 1)), data.draw(st.integers(0, 255))
            hurt = bytearray(proved[at])
            hurt[bit // 8] ^= 1 << bit % 8
            assert not holds([*proved[:at], bytes(hurt), *proved[at + 1 :]])


@pytest.mark.parametrize("sizes", [(0, 3), (4, 3), (-1, 3)])
def test_there_is_no_proof_of_what_cannot_be_so(sizes: tuple[int, int]) -> None:
    with pytest.raises(IndexError):
        consistency_spans(*sizes)
    with pytest.raises(IndexError):
        inclusion_spans(3 if sizes[0] >= 0 else -1, 3)
    assert not extends(*sizes[:1], FORGED, sizes[1], FORGED, [FORGED])
