"""Signed heads, and what is found wrong with rows that do not continue one another."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import SealError
from domain.event import GENESIS_HASH, link_hash
from domain.log_faults import ChainExam, placed
from domain.merkle import root
from domain.sealed_tree import SealedTree
from domain.sealing import STATEMENT, TILE, Anchored, SignedHead, leaves, signed, unlinked, unsigned
from domain.stored_page import NO_ROWS, PackedRow, StoredPage
from tests.ems.sealing_room import SIGNER, VERIFIER


def rows(number: int) -> list[PackedRow]:
    made: list[PackedRow] = []
    prev = GENESIS_HASH
    for seq in range(1, number + 1):
        hash_ = link_hash(prev, seq, bytes(16), seq, seq, b"test.done.v1", b'{"n":%d}' % seq)
        made.append((seq, bytes(16), seq, b"test.done.v1", seq, b'{"n":%d}' % seq, prev, hash_))
        prev = hash_
    return made


def page(of: list[PackedRow]) -> StoredPage:
    return StoredPage._make([list(column) for column in zip(*of, strict=True)]) if of else NO_ROWS


def head(before: SignedHead | None, size: int) -> SignedHead:
    return signed(before, size, bytes([1]) * 32, bytes([2]) * 32, 10**18, SIGNER)


def test_a_head_is_a_statement_of_168_bytes_that_each_next_one_names() -> None:
    first = head(None, 5)
    second = head(first, 9)
    assert STATEMENT.size == len(first.statement) == 168
    assert (first.number, first.previous, second.number, second.previous) == (1, bytes(32), 2, first.digest)
    assert unsigned(second, VERIFIER) == unlinked(second, first) == unlinked(first, None) == ""
    assert "after head 0 comes head 2" in unlinked(second, None)
    assert "does not follow" in unlinked(second, head(None, 6))
    with pytest.raises(SealError, match="does not come after"):
        head(second, 9)


@pytest.mark.parametrize("name", ["number", "size", "root", "chain_hash", "previous", "time_ns", "signature"])
def test_a_head_with_anything_changed_is_not_signed(name: str) -> None:
    whole = head(None, 5)
    value = getattr(whole, name)
    other: Any = value + 1 if isinstance(value, int) else bytes([value[0] ^ 1]) + value[1:]
    changed: dict[str, Any] = {name: other}
    assert "no valid signature" in unsigned(whole._replace(**changed), VERIFIER)
    assert "another key" in unsigned(whole._replace(key_id=bytes(32)), VERIFIER)


def test_heads_and_lines_are_read_back_equal_and_nothing_else_is() -> None:
    whole = Anchored(head(head(None, 1), 3), b"\1" * 16)
    assert Anchored.from_line(whole.line()) == whole
    told = whole.head.to_json()
    wrong: Any
    for wrong in (
        [], None, {}, told | {"more": 1}, told | {"size": -1}, told | {"size": True}, told | {"root": "00"},
        told | {"root": told["root"].upper() + "0"}, told | {"signature": 5}, told | {"number": 1.0},
    ):  # fmt: skip
        with pytest.raises(SealError):
            SignedHead.from_json(wrong)
    for line in (b"", b"{", b"[]", b'{"shorts": 5}', json.dumps(told | {"shorts": "0"}).encode()):
        with pytest.raises(SealError):
            Anchored.from_line(line)


@given(st.lists(st.integers(0, 2 * TILE + 5), max_size=4))
def test_the_sealed_tree_is_the_tree_of_its_leaves_and_goes_on_from_its_tiles(batches: list[int]) -> None:
    whole = leaves([bytes([1]) * 32] * sum(batches), 1)
    tree, tiles, size = SealedTree(), list[bytes](), 0
    for batch in batches:
        tiles += tree.extend(whole[size : size + batch])
        size += batch
        assert (tree.size, tree.root()) == (size, root(whole[:size]))
    assert len(tiles) == size // TILE
    again = SealedTree(tiles, whole[len(tiles) * TILE :])
    assert (again.size, again.root(), again.subtrees) == (size, tree.root(), tree.subtrees)


@pytest.mark.parametrize("cut", [1, 3, 20])
def test_rows_that_continue_one_another_have_no_fault_however_they_come(cut: int) -> None:
    of, exam = rows(20), ChainExam()
    for at in range(0, 20, cut):
        exam.take(page(of[at : at + cut]))
    exam.finish(20, of[-1][7])
    assert exam.faults == []


@given(st.integers(0, 19), st.integers(1, 7), st.integers(0, 500), st.sampled_from([1, 3, 20]))
def test_one_changed_bit_is_one_fault_with_its_column(at: int, column: int, bit: int, cut: int) -> None:
    of = rows(20)
    value = of[at][column]
    changed: int | bytes
    if isinstance(value, int):
        changed = value ^ 1 << bit % 63
    else:
        assert isinstance(value, bytes)
        place = bit % (8 * len(value))
        changed = value[: place // 8] + bytes([value[place // 8] ^ 1 << place % 8]) + value[place // 8 + 1 :]
    tampered = list(of)
    tampered[at] = (*of[at][:column], changed, *of[at][column + 1 :])  # type: ignore[assignment]
    exam = ChainExam()
    for first in range(0, 20, cut):
        exam.take(page(tampered[first : first + cut]))
    exam.finish(20, of[-1][7])
    name = "seq stream version topic recorded_time_ns state prev_hash hash".split()[column]
    (fault,) = exam.faults
    assert (fault.kind, fault.seq, fault.version) == ("altered", at + 1, at + 1)
    assert name in fault.text


def test_what_is_missing_is_told_once_and_a_row_that_was_moved_away_is_found() -> None:
    of, exam = rows(20), ChainExam()
    exam.take(page([*of[:4], *of[5:9], *of[12:18]]))
    exam.finish(20, of[-1][7])
    assert [(fault.kind, fault.seq, fault.text) for fault in exam.faults] == [
        ("missing", 5, "event 5 is missing"),
        ("missing", 10, "events 10 to 12 are missing"),
        ("missing", 19, "events 19 to 20 are missing"),
    ]
    found = placed((1 << 40, *of[4][1:]), exam.missing)
    assert found is not None
    assert (found.seq, found.version, "seq was changed" in found.text) == (5, 5, True)
    assert placed((1 << 40, *of[0][1:]), exam.missing) is None
