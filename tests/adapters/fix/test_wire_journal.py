"""The wire journal's files: days, retention, torn tails, changed bytes, a full disk; and what is masked."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import quickfix as fix
from hypothesis import given
from hypothesis import strategies as st

from adapters.fix import wire_journal, wire_segments
from adapters.fix.sessions import SessionConfig
from adapters.fix.slots import Slot
from adapters.fix.state import GatewayState
from adapters.fix.wire_journal import WireJournal, masked
from adapters.fix.wire_reader import Fault, Told, read
from adapters.fix.wire_record import OVERHEAD_BYTES, Kind, WireRecord
from adapters.fix.wire_segments import Segments, day_of, segments
from tests.adapters.fix.raw import frame

DAY_NS = 86_400_000_000_000
NOW_NS = 1_795_377_600_000_000_000  # 2026-11-22T20:00 UTC


def message(number: int, time_ns: int = NOW_NS, size: int = 10) -> WireRecord:
    return WireRecord(Kind.IN, time_ns, 0, number, 0, b"8=FIX.4.4\x01" + b"x" * size)


def messages(path: Path, **between: int) -> list[int]:
    """Numbers of the messages in a folder; it must be whole."""
    found = list(read(path, **between))
    assert [item for item in found if isinstance(item, Fault)] == []
    return [item.record.msg_seq_num for item in found if isinstance(item, Told) and item.record.kind != Kind.MARK]


def marks(path: Path) -> list[dict[str, Any]]:
    return [item.record.mark() for item in read(path) if isinstance(item, Told) and item.record.kind == Kind.MARK]


def write(path: Path, *records: WireRecord, keep_days: int = 0, now_ns: int = NOW_NS) -> None:
    files = Segments(path, "OMS", keep_days, now_ns)
    for record in records:
        files.add(record)
    files.close()


def test_a_day_has_a_segment_of_its_own_and_the_chain_goes_on(tmp_path: Path) -> None:
    write(tmp_path, message(1), message(2, NOW_NS + DAY_NS), message(3, NOW_NS + DAY_NS))
    write(tmp_path, message(4, NOW_NS + DAY_NS), now_ns=NOW_NS + DAY_NS)
    days = [day_of(NOW_NS), day_of(NOW_NS + DAY_NS)]
    assert [(segment.number, segment.day) for segment in segments(tmp_path)] == [(1, days[0]), (2, days[1])]
    assert messages(tmp_path) == [1, 2, 3, 4]
    assert messages(tmp_path, since_ns=NOW_NS + 1) == [2, 3, 4]
    assert messages(tmp_path, until_ns=NOW_NS + 1) == [1]
    segments(tmp_path)[0].path.write_bytes(segments(tmp_path)[0].path.read_bytes()[: -OVERHEAD_BYTES - 20])
    (fault,) = [item for item in read(tmp_path) if isinstance(item, Fault)]
    assert (fault.path, fault.offset) == (segments(tmp_path)[1].path, 0), "a record taken off the end of a day is missed"


def test_a_clock_that_goes_back_a_day_leaves_one_chain(tmp_path: Path) -> None:
    write(tmp_path, message(1), message(2, NOW_NS - DAY_NS), message(3))
    assert messages(tmp_path) == [1, 2, 3]
    assert len(segments(tmp_path)) == 3


def test_a_full_segment_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_segments, "SEGMENT_BYTES_MAX", 2000)
    write(tmp_path, *(message(number, size=300) for number in range(1, 21)))
    assert messages(tmp_path) == list(range(1, 21))
    assert max(segment.path.stat().st_size for segment in segments(tmp_path)) < 2600


def test_days_that_are_too_old_go_and_the_others_stay(tmp_path: Path) -> None:
    for day in range(6):
        write(tmp_path, message(day, NOW_NS + day * DAY_NS), now_ns=NOW_NS + day * DAY_NS)
    write(tmp_path, keep_days=2, now_ns=NOW_NS + 5 * DAY_NS)
    assert messages(tmp_path) == [3, 4, 5]


@pytest.mark.parametrize("cut", [1, OVERHEAD_BYTES, OVERHEAD_BYTES + 19])
def test_a_torn_tail_is_cut_at_the_start_and_put_aside(tmp_path: Path, cut: int) -> None:
    write(tmp_path, message(1), message(2))
    path = segments(tmp_path)[0].path
    whole = path.read_bytes()
    path.write_bytes(whole[:-cut])
    (torn,) = [item for item in read(tmp_path) if isinstance(item, Fault)]
    assert torn.torn and torn.offset == len(whole) - OVERHEAD_BYTES - 20
    write(tmp_path, message(3))
    assert messages(tmp_path) == [1, 3]
    assert marks(tmp_path)[-1] == {"mark": "start", "cut": OVERHEAD_BYTES + 20 - cut}
    assert path.with_suffix(".cut").read_bytes() == whole[torn.offset : -cut]


def test_a_segment_without_a_whole_record_is_no_obstacle(tmp_path: Path) -> None:
    write(tmp_path, message(1))
    path = tmp_path / f"00000002-{day_of(NOW_NS)}.wire"
    path.write_bytes(b"WIRE half")
    write(tmp_path, message(2))
    assert messages(tmp_path) == [1, 2]


def test_a_flipped_byte_is_located_and_kept_as_it_is(tmp_path: Path) -> None:
    write(tmp_path, *(message(number) for number in range(1, 6)))
    path = segments(tmp_path)[0].path
    data = bytearray(path.read_bytes())
    at = len(data) - 3 * (OVERHEAD_BYTES + 20) + 50
    data[at] ^= 4
    path.write_bytes(data)
    write(tmp_path, message(6))
    found = list(read(tmp_path))
    assert [item.record.msg_seq_num for item in found if isinstance(item, Told) and item.record.kind] == [1, 2, 4, 5, 6]
    (fault,) = [item for item in found if isinstance(item, Fault)]
    assert (fault.path, fault.torn) == (path, False)
    assert 0 <= at - fault.offset < OVERHEAD_BYTES + 20


def test_a_full_disk_costs_records_that_a_mark_counts(tmp_path: Path) -> None:
    files = Segments(tmp_path, "OMS", 0, NOW_NS)
    files.add(message(1))
    files.write()
    kept = os.dup(files._file)
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, files._file)
    for number in (2, 3):
        files.add(message(number))
        files.add(message(number))
        files.write()
    assert files.lost_count == 4
    os.dup2(kept, files._file)
    files.add(message(4))
    files.close()
    os.close(full)
    os.close(kept)
    assert messages(tmp_path) == [1, 4]
    assert marks(tmp_path)[-1] == {"mark": "lost", "records": 4}


# ------------------------------------------------------------------------------------------ the journal


@pytest.fixture
def slot(tmp_path: Path) -> Slot:
    config = SessionConfig(name="OMS", role="client", kind="acceptor", sender_comp_id="EMS", target_comp_id="OMS", port=1)
    session_id = fix.SessionID("FIX.4.4", "EMS", "OMS")
    state = GatewayState(tmp_path / "state").session("OMS")
    return Slot(0, config, session_id, session_id.toString(), state, tmp_path)


@pytest.fixture
def journal(tmp_path: Path, slot: Slot) -> Iterator[WireJournal]:
    made = WireJournal(tmp_path / "wire", [slot], 0)
    yield made
    made.close()


def test_memory_is_bounded_and_what_was_not_kept_is_counted(
    journal: WireJournal, slot: Slot, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_journal, "WAITING_CHARS_MAX", 500)
    text = frame("35=0|34=1|").decode()
    for _ in range(100):
        journal.of(slot.key).incoming(text)
    lost = journal.health()["wire_lost"]
    assert journal.health() == {"wire_waiting": 100 - lost, "wire_lost": lost}
    assert 80 < lost < 95
    journal.flush()
    assert len(messages(tmp_path / "wire" / "OMS")) == 100 - lost
    assert marks(tmp_path / "wire" / "OMS")[-1] == {"mark": "lost", "records": lost}


def test_messages_of_many_threads_are_all_there(journal: WireJournal, slot: Slot, tmp_path: Path) -> None:
    journal.start()

    def say(first: int) -> None:
        for number in range(first, first + 2000):
            journal.lend(number)
            journal.of(slot.key).outgoing(frame(f"35=8|34={number}|").decode())

    threads = [threading.Thread(target=say, args=(first,)) for first in (1, 10_001, 20_001)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    journal.close()
    found = [item.record for item in read(tmp_path / "wire" / "OMS") if isinstance(item, Told) and item.record.kind]
    assert {(record.msg_seq_num, record.event_seq) for record in found} == {
        (number, number) for first in (1, 10_001, 20_001) for number in range(first, first + 2000)
    }
    assert [record.time_ns for record in found] == sorted(record.time_ns for record in found)


SECRET = st.binary(min_size=1, max_size=12).filter(lambda data: b"10=" not in data)


@given(st.lists(st.tuples(st.sampled_from([(554, 0), (925, 0), (96, 95), (1402, 1401), (1404, 1403)]), SECRET), max_size=4))
def test_every_secret_is_masked_and_all_else_stays(fields: list[tuple[tuple[int, int], bytes]]) -> None:
    raw = expected = b"8=FIX.4.4\x019=1\x0135=A\x01553=joe\x01"
    for (tag, length_tag), secret in fields:
        value = secret if length_tag else secret.replace(b"\x01", b"_")
        length = b"%d=%d\x01" % (length_tag, len(value)) if length_tag else b""
        raw += length + b"%d=%s\x01" % (tag, value)
        expected += length + b"%d=***\x01" % tag
    assert masked(raw + b"108=30\x0110=000\x01", raw_data=True) == expected + b"108=30\x0110=000\x01"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("35=A|95=99|96=secret|98=0|", "35=A|95=99|96=***|98=0|"),  # a length that is not true
        ("35=A|96=secret", "35=A|96=***"),
        ("35=A|554=secret|95=3|96=a|b|10=1|", "35=A|554=***|95=3|96=***|10=1|"),
    ],
)
def test_a_secret_is_masked_however_it_is_written(given: str, kept: str) -> None:
    assert masked(f"8=F|{given}".replace("|", "\x01").encode(), raw_data=True) == f"8=F|{kept}".replace("|", "\x01").encode()


def test_raw_data_of_other_messages_stays() -> None:
    raw = b"8=F\x0135=B\x0195=3\x0196=a\x01b\x01554=x\x01"
    assert masked(raw, raw_data=False) == raw.replace(b"554=x", b"554=***")
