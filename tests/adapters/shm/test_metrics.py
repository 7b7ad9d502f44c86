"""The page of readings as a file: a reader never takes half a reading, and damage is a reading that is missing."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest

from adapters.shm.metrics import FILE_BYTES, SLOTS_MAX, SharedMetrics
from domain.readings import Reading


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SharedMetrics(tmp_path / "metrics").publish("errors.desk", Reading(7, 99, 3))
    return tmp_path / "metrics"


@pytest.mark.parametrize("byte", [*range(128 + 8, 128 + 36), 128, 128 + 40, 128 + 50, 128 + 127])
def test_one_flipped_byte_makes_a_reading_missing_and_the_next_one_good(path: Path, byte: int) -> None:
    writer, reader = SharedMetrics(path), SharedMetrics(path)
    writer.publish("errors.desk", Reading(7, 99, 3))
    assert reader.read() == {"errors.desk": Reading(7.0, 99, 3)}
    with path.open("r+b") as file:
        file.seek(byte)
        before = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([before ^ 1]))
    assert "errors.desk" not in reader.read()
    if byte < 128 + 40:  # a name is written once
        writer.publish("errors.desk", Reading(8, 100))
        assert reader.read() == {"errors.desk": Reading(8.0, 100)}


@pytest.mark.parametrize("content", [b"", b"short", bytes(FILE_BYTES), b"x" * (FILE_BYTES * 2)])
def test_a_file_that_is_none_reads_as_nothing_and_is_made_anew_by_a_writer(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "metrics"
    path.write_bytes(content)
    assert SharedMetrics(path).read() == {}
    SharedMetrics(path).publish("a", Reading(1, 2))
    assert SharedMetrics(path).read() == {"a": Reading(1.0, 2)}
    assert path.stat().st_size == FILE_BYTES


def test_a_file_that_was_removed_is_made_anew_and_found_by_a_reader_that_had_the_old_one(path: Path) -> None:
    writer, reader = SharedMetrics(path), SharedMetrics(path)
    writer.publish("errors.desk", Reading(1, 1))
    assert reader.read() != {}
    path.unlink()
    assert reader.read() == {}
    writer.publish("errors.desk", Reading(2, 2))
    assert reader.read() == {"errors.desk": Reading(2.0, 2)}


def test_there_is_room_for_so_many_and_one_more_is_refused(path: Path) -> None:
    metrics = SharedMetrics(path)
    for number in range(SLOTS_MAX - 1):
        metrics.publish(f"n{number}", Reading(number, 1))
    with pytest.raises(OSError, match="no room"):
        metrics.publish("one more", Reading(1, 1))
    metrics.publish("n0", Reading(-1, 2))
    found = SharedMetrics(path).read()
    assert len(found) == SLOTS_MAX
    assert found["n0"] == Reading(-1.0, 2)


def test_numpy_reads_it_by_the_layout_that_is_written_down(path: Path) -> None:
    data = path.read_bytes()
    slot = np.dtype(
        {
            "names": ["sequence", "at_ns", "value", "size", "name"],
            "formats": ["<u8", "<i8", "<f8", "<u8", "S88"],
            "offsets": [0, 8, 16, 24, 40],
            "itemsize": 128,
        }
    )
    row = np.frombuffer(data, slot, 1, 128)[0]
    assert data[:8] == b"EMSMETR1"
    assert row["sequence"] % 2 == 0
    assert (row["at_ns"], row["value"], row["size"], row["name"]) == (99, 7.0, 3, b"errors.desk")


def _write(path: Path, name: str, count: int) -> None:
    metrics = SharedMetrics(path)
    for number in range(1, count + 1):
        metrics.publish(name, Reading(number, number * 1000, number))


def test_writers_in_several_processes_and_a_reader_that_sees_no_half(path: Path) -> None:
    metrics = SharedMetrics(path)
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=_write, args=(path, f"W{n}", 4_000)) for n in range(2)]
    for writer in writers:
        writer.start()
    reads = 0
    while any(writer.is_alive() for writer in writers):
        for name, reading in metrics.read().items():
            reads += name != "errors.desk"
            assert name == "errors.desk" or reading == Reading(reading.size, reading.size * 1000, reading.size)
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert reads > 100
    assert {name: reading.value for name, reading in metrics.read().items()} == {"errors.desk": 7.0, "W0": 4000.0, "W1": 4000.0}
