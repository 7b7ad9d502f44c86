"""Single messages of a wire journal: found by their numbers, and told apart from what was altered."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.fix.wire_find import find
from adapters.fix.wire_record import HEADER_BYTES, Kind, WireRecord
from adapters.fix.wire_segments import Segments, folder, segments

DAY_NS = 86_400_000_000_000
T0 = 20_000 * DAY_NS
FOREVER = (0, 2**62)
RECORDS = [
    WireRecord(Kind.IN, T0 + 1, 0, 2, 0, b"8=FIX.4.4\x0135=D\x0111=A1\x01"),
    WireRecord(Kind.OUT, T0 + 2, 0, 2, 23, b"8=FIX.4.4\x0135=8\x0117=E1\x01"),
    WireRecord(Kind.OUT, T0 + 3, 1, 3, 31, b"8=FIX.4.4\x0135=8\x0117=E2\x01"),
    WireRecord(Kind.IN, T0 + DAY_NS, 1, 2, 0, b"8=FIX.4.4\x0135=D\x0111=A2\x01"),
    WireRecord(Kind.KEPT, T0 + DAY_NS + 1, 1, 4, 40, b""),
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = folder(tmp_path, "OMS")
    journal = Segments(made, "OMS", 0, T0)
    for record in RECORDS:
        journal.add(record)
    journal.close()
    assert len(segments(made)) == 2, "two days"
    return made


def test_by_number_of_what_came_and_by_event_of_what_left(path: Path) -> None:
    found = list(find(path, [(0, 2)], [31, 40], *FOREVER))
    assert [one.told.record for one in found] == [RECORDS[0], RECORDS[2], RECORDS[4]]
    assert all(one.intact and one.told.session == "OMS" for one in found)
    assert [one.told.record for one in find(path, [(1, 2)], [], *FOREVER)] == [RECORDS[3]], "of another numbering"
    assert [one.told.record for one in find(path, (), (), *FOREVER, b"\x0117=E2\x01")] == [RECORDS[2]]
    assert list(find(path, (), (), *FOREVER)) == []


def test_files_of_other_times_are_left_alone(path: Path) -> None:
    first, second = segments(path)
    second.path.write_bytes(b"nothing of ours")
    assert [one.told.record for one in find(path, [(0, 2)], [], 0, T0 + 10)] == [RECORDS[0]]
    first.path.write_bytes(b"")
    assert list(find(path, [(0, 2)], [], *FOREVER)) == []


def test_a_changed_byte_and_a_record_taken_out_are_told(path: Path) -> None:
    file = segments(path)[0].path
    whole = file.read_bytes()
    place = whole.index(RECORDS[1].raw)
    file.write_bytes(whole[:place] + b"9" + whole[place + 1 :])
    (found,) = find(path, (), [23], *FOREVER)
    assert not found.intact and found.offset == place - HEADER_BYTES
    (after,) = find(path, (), [31], *FOREVER)
    assert after.intact, "its own bytes and the hash before it are as they were"
    begin = whole.index(RECORDS[0].raw) - HEADER_BYTES
    file.write_bytes(whole[:begin] + whole[place - HEADER_BYTES :])
    (orphan,) = find(path, (), [23], *FOREVER)
    assert not orphan.intact


def test_what_is_no_record_is_passed_over(path: Path) -> None:
    file = segments(path)[0].path
    whole = file.read_bytes()
    place = whole.index(RECORDS[2].raw) - HEADER_BYTES
    file.write_bytes(whole[:place] + b"rubbish" + whole[place:])
    (found,) = find(path, (), [31], *FOREVER)
    assert found.told.record == RECORDS[2] and not found.intact
