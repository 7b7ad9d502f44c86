"""Segments: nothing is lost by packing, damage is found, and every call comes out the same when it is made again."""

from __future__ import annotations

import zlib

import numpy as np
import pytest

from domain import merkle
from domain.errors import JournalError
from ems.quoting import journal as j
from ems.quoting.rerun import difference, rerun
from ems.quoting.segments import Record, Segment, gigabytes_a_day, pack, record_of, unpack
from tests.ems.quoting.standin import StandIn, made


def records(count: int = 300) -> list[Record]:
    return [record_of(row) for row in made(count)]


def test_what_is_packed_comes_out_as_it_was() -> None:
    before = records()
    segment = unpack(pack(before, number=3))
    assert segment.header == {"first": 1, "number": 3, "records": 300, "session": 77}
    assert plain(segment.records) == plain(before)
    assert segment.root() == merkle.root([record.leaf() for record in before])
    assert {len(r.digests) for r in before} == {0, 64}


def plain(found: list[Record]) -> list[object]:
    return [(r.head.tolist(), *r[1:]) for r in found]


def unpacked(data: bytes) -> Segment | None:
    try:
        return unpack(data)
    except JournalError:
        return None


def test_what_was_changed_in_a_file_changes_its_root() -> None:
    before = records(40)
    data = pack(before)
    root = merkle.root([record.leaf() for record in before])
    for at in range(0, len(data), 7):
        damaged = bytearray(data)
        damaged[at] ^= 4
        if (segment := unpacked(bytes(damaged))) is not None:
            assert (segment.root() == root) == (plain(segment.records) == plain(before))


@pytest.mark.parametrize("cut", [0, 5, 11, 60, -1])
def test_a_file_cut_short_or_made_up_is_no_segment(cut: int) -> None:
    with pytest.raises(JournalError, match="no segment"):
        unpack(pack(records(9))[:cut])
    with pytest.raises(JournalError, match="no segment"):
        unpack(b"EMSSEG01" + (2).to_bytes(4, "little") + b"{}" + zlib.compress(bytes(100)))


def test_a_record_whose_lengths_lie_is_no_segment() -> None:
    before = records(5)
    before[2].head[j.OUTPUT_LENGTH] = 10**6
    with pytest.raises(JournalError, match="no segment"):
        unpack(pack(before))


def test_every_call_comes_out_the_same_again() -> None:
    assert list(rerun(StandIn(), records())) == []


@pytest.mark.parametrize(
    ("spoil", "where"),
    [
        (lambda r: r.head.__setitem__(j.WANTED + 2, 5), "wanted"),
        (lambda r: r.head.__setitem__(j.F_ACTION // 2, 9), "action"),
        (lambda r: None, ""),
        (lambda r: r.head.__setitem__(j.SENT, 9), ""),  # of that run alone
    ],
)
def test_a_record_that_comes_out_otherwise_is_named(spoil: object, where: str) -> None:
    found = records(20)
    spoil(found[12])  # type: ignore[operator]
    assert [(each.number, each.where) for each in rerun(StandIn(), found)] == ([(13, where)] if where else [])


def test_output_and_digests_are_compared_too() -> None:
    one = next(r for r in records() if r.output and r.digests)
    for name in ("output", "digests"):
        other = one._replace(**{name: b"x" + getattr(one, name)[1:]})
        found = difference(one, other)
        assert found is not None and found.where == name


def test_a_kernel_in_another_state_comes_out_otherwise_from_the_first_record_on() -> None:
    kernel = StandIn()
    kernel.restore(np.array([1, 0, 0, 0]).tobytes())
    assert next(rerun(kernel, records(20))).number == 1


def test_a_day_is_reckoned_in_gigabytes() -> None:
    assert gigabytes_a_day(100) == pytest.approx(46.8)
