"""Stored tapes: what was appended is what is read, wherever the recorder died; seeking is exact; damage is told."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import TapeError
from domain.tape import TAPE, Kind, Tape, empty_tape
from models.tape_store import BLOCK, Source, TapeInstrument, TapeWriter, open_tape

ACME = TapeInstrument(3, "ACME", 10_000_000, 1_000_000_000)
MADE = Source("made", "", "none", {"gap": [2, 17]})


def tape(records: int, seed: int = 1) -> Tape:
    """Records whose receive times mostly rise."""
    chance, made = np.random.default_rng(seed), empty_tape(records)
    for name in TAPE.names or ():
        if name not in ("kind", "flags", "side"):
            made[name] = chance.integers(0, 1 << 30, records)
    made["kind"] = chance.integers(1, 10, records)
    made["side"] = chance.integers(-1, 2, records)
    made["ts_recv_ns"] = np.cumsum(chance.integers(-3, 20, records)) + 1_000
    return made


def stored(path: Path, records: Tape, *, pieces: int = 3, seal: bool = True) -> Path:
    writer = TapeWriter.create(path, [ACME], MADE)
    for part in np.array_split(records, pieces):
        writer.append(part)
    if seal:
        writer.close()
    else:
        writer.leave()
    return path


@pytest.mark.parametrize("records", [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7])
def test_what_was_appended_is_what_is_read(tmp_path: Path, records: int) -> None:
    made = tape(records)
    found = open_tape(stored(tmp_path / "a", made))
    assert found.header.sealed and len(found) == records and found.verify() == []
    assert np.array_equal(found.records(0, records), made)
    assert np.array_equal(np.concatenate([empty_tape(), *found.parts(1_000)]), made)
    assert found.header.instruments == (ACME,) and found.header.source == MADE
    assert found.header.kinds == {
        Kind(k).name.lower(): n for k, n in zip(*np.unique(made["kind"], return_counts=True), strict=True)
    }
    if records:
        assert (found.header.first_ns, found.header.last_ns) == (made["ts_recv_ns"].min(), made["ts_recv_ns"].max())


@settings(max_examples=30)
@given(st.integers(0, 2 * BLOCK + 50), st.integers(0, 5), st.lists(st.integers(900, 120_000), min_size=1, max_size=20))
def test_seeking_finds_the_first_record_received_then_or_later(records: int, seed: int, times: list[int]) -> None:
    from tempfile import TemporaryDirectory

    with TemporaryDirectory() as directory:
        made = tape(records, seed)
        for sealed in (True, False):
            found = open_tape(stored(Path(directory) / str(sealed), made, seal=sealed))
            for time_ns in times:
                later = np.flatnonzero(made["ts_recv_ns"] >= time_ns)
                assert found.seek(time_ns) == (later[0] if len(later) else records)


def test_seeking_is_exact_behind_a_clock_that_jumped_and_came_back(tmp_path: Path) -> None:
    made = tape(3 * BLOCK)
    made["ts_recv_ns"] = np.arange(len(made))
    made["ts_recv_ns"][10] = 2 * BLOCK + 5
    for sealed in (True, False):
        found = open_tape(stored(tmp_path / str(sealed), made, seal=sealed))
        assert [found.seek(t) for t in (10, 11, BLOCK, 2 * BLOCK + 5, 2 * BLOCK + 6)] == [10, 10, 10, 10, 2 * BLOCK + 6]


def test_going_on_forgets_what_the_index_knew_of_records_that_are_not_whole(tmp_path: Path) -> None:
    path = stored(tmp_path / "a", tape(2 * BLOCK + 1), seal=False)
    column = path / "kind.bin"
    column.write_bytes(column.read_bytes()[: BLOCK + 5])
    writer = TapeWriter.resume(path)
    assert writer.records == BLOCK + 5
    writer.close()
    assert len(open_tape(path).latest) == 1 and open_tape(path).verify() == []


@pytest.mark.parametrize("cut", ["side", "ts_event_ns", "kind"])
def test_a_recorder_that_died_leaves_the_records_that_are_whole(tmp_path: Path, cut: str) -> None:
    made = tape(BLOCK + 100)
    path = stored(tmp_path / "a", made, seal=False)
    column = path / f"{cut}.bin"
    column.write_bytes(column.read_bytes()[: -TAPE[cut].itemsize * 3 - (TAPE[cut].itemsize > 1)])
    whole = BLOCK + 97 - (TAPE[cut].itemsize > 1)
    found = open_tape(path)
    assert not found.header.sealed and len(found) == whole
    assert np.array_equal(found.records(0, whole), made[:whole])
    more = tape(2 * BLOCK, 9)
    writer = TapeWriter.resume(path)
    writer.append(more)
    assert writer.close().records == whole + len(more)
    again = open_tape(path)
    assert again.verify() == [] and np.array_equal(again.records(0, len(again)), np.concatenate([made[:whole], more]))
    direct = open_tape(stored(tmp_path / "b", np.concatenate([made[:whole], more])))
    assert again.header == direct.header and np.array_equal(again.latest, direct.latest)


def test_room_that_was_never_filled_is_no_record(tmp_path: Path) -> None:
    path = stored(tmp_path / "a", tape(10), seal=False)
    for name in TAPE.names or ():
        with (path / f"{name}.bin").open("ab") as file:
            file.write(bytes(TAPE[name].itemsize * 5))
    assert len(open_tape(path)) == 10


def test_a_sealed_tape_does_not_change_and_its_damage_is_found(tmp_path: Path) -> None:
    path = stored(tmp_path / "a", tape(100))
    with pytest.raises(TapeError, match="is sealed"):
        TapeWriter.resume(path)
    with pytest.raises(TapeError, match="cannot be made"):
        TapeWriter.create(path, [ACME], MADE)
    column = path / "size_lots.bin"
    data = bytearray(column.read_bytes())
    data[5] ^= 1
    column.write_bytes(data)
    assert open_tape(path).verify() == ["size_lots"]
    column.write_bytes(data[:-1])
    with pytest.raises(TapeError, match="cut short: 99 records of 100"):
        open_tape(path)


@pytest.mark.parametrize(
    "change",
    [
        {"format": "x"},
        {"version": 2},
        {"records": "ten"},
        {"records": -1},
        {"instruments": [5]},
        {"source": None},
        {"dtypes": {}},
    ],
)
def test_what_is_no_stored_tape_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    header = stored(tmp_path / "a", tape(10)) / "header.json"
    header.write_text(json.dumps(json.loads(header.read_text()) | change))
    with pytest.raises(TapeError):
        open_tape(tmp_path / "a")


@pytest.mark.parametrize("text", ["", "[]", "{", '"x"', "\x00" * 50])
def test_a_header_that_is_none_is_refused(tmp_path: Path, text: str) -> None:
    stored(tmp_path / "a", tape(10))
    (tmp_path / "a" / "header.json").write_text(text)
    with pytest.raises(TapeError, match="is no stored tape"):
        open_tape(tmp_path / "a")
    with pytest.raises(TapeError, match="is no stored tape"):
        open_tape(tmp_path / "none")
