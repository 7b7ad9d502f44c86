"""The latch as a file: damage anywhere stops everybody, readers never see half a change, and numpy reads it as it is."""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from adapters.shm.latch import FILE_BYTES, REOPEN_NS, SharedLatch
from domain.errors import LatchUnreadable
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.kill_table import CLEAR, UNREADABLE, Level
from domain.values import ScopeKind

CLIENT = Scope(ScopeKind.CLIENT, "OMS1")
IN_USE = 64 + 2 * 128


@pytest.fixture
def path(tmp_path: Path) -> Path:
    SharedLatch(tmp_path / "latch").build([Slot(CLIENT, paused_before_ns=5)])
    return tmp_path / "latch"


IN_SLOTS = (64, 71, 72, 80, 88, 96, 97, 100, 103, 104, 191, 192, 200, 224, 230, 240, IN_USE - 1)


@pytest.mark.parametrize("byte", [*range(36), *IN_SLOTS])
def test_one_flipped_byte_that_is_in_use_stops_everybody(path: Path, byte: int) -> None:
    reader = SharedLatch(path)
    assert reader.verdict([]) == CLEAR
    with path.open("r+b") as file:
        file.seek(byte)
        before = file.read(1)[0]
        file.seek(byte)
        file.write(bytes([before ^ 0x40]))
    assert reader.verdict([]) == UNREADABLE
    with pytest.raises(LatchUnreadable):
        reader.slots()
    reader.build([])
    assert reader.verdict([]) == CLEAR


@pytest.mark.parametrize(
    "harm",
    [
        lambda path: path.unlink(),
        lambda path: path.write_bytes(b""),
        lambda path: path.write_bytes(bytes(FILE_BYTES)),
        lambda path: _empty(path).replace(path),
    ],
)
def test_a_file_that_is_gone_or_another_one_is_noticed(path: Path, harm: Callable[[Path], None]) -> None:
    reader = SharedLatch(path)
    assert reader.verdict([]) == CLEAR
    fresh = path.with_suffix(".fresh")
    fresh.write_bytes(path.read_bytes())
    path.rename(path.with_suffix(".away"))  # a file that is mapped is not cut short under its reader: that would end it
    fresh.rename(path)
    harm(path)
    time.sleep(REOPEN_NS / 1e9 * 1.5)
    assert reader.verdict([]) == UNREADABLE


def _empty(path: Path) -> Path:
    other = path.with_suffix(".other")
    other.write_bytes(bytes(FILE_BYTES))
    return other


def test_it_is_seen_at_once_by_who_has_it_mapped(path: Path) -> None:
    reader, writer = SharedLatch(path), SharedLatch(path)
    for number in range(1, 200):
        level = Level(1 + number % 4) if number % 5 else Level.ARMED
        writer.change(CLIENT, lambda slot, level=level, n=number: slot._replace(level=level, trip=n))
        assert reader.verdict([CLIENT.digest]).level is level


def test_more_scopes_than_it_has_room_for_stop_the_firm(path: Path) -> None:
    latch = SharedLatch(path)
    latch.build([Slot(Scope(ScopeKind.INSTRUMENT, str(n)), Level.SOFT, trip=1) for n in range(1100)])
    assert latch.verdict([]).level is Level.HARD


def test_numpy_reads_it_by_the_layout_that_is_written_down(path: Path) -> None:
    SharedLatch(path).change(CLIENT, lambda slot: slot.tripped(Level.PANIC, 77, 99).suspend(Source.DISK, 99))
    data = path.read_bytes()
    head_type = np.dtype([("magic", "S8"), ("count", "<u4"), ("pad", "<u4"), ("generation", "<u8"), ("worst", "<u8")])
    head = np.frombuffer(data, head_type, 1)
    slot = np.dtype(
        {
            "names": ["digest", "trip", "since_ns", "paused_before_ns", "level", "suspended"],
            "formats": ["<u8", "<u8", "<u8", "<u8", "u1", "u1"],
            "offsets": [0, 8, 16, 24, 32, 33],
            "itemsize": 128,
        }
    )
    assert (head["magic"][0], head["count"][0], head["worst"][0]) == (b"EMSKILL1", 2, Level.PANIC)
    slots = np.frombuffer(data, slot, int(head["count"][0]), 64)
    assert slots["digest"][0] == FIRM.digest
    row = slots[slots["digest"] == np.uint64(CLIENT.digest)][0]
    assert (row["trip"], row["since_ns"], row["level"], row["suspended"]) == (77, 99, Level.PANIC, Source.DISK)


def _write(path: Path, name: str, count: int) -> None:
    latch = SharedLatch(path)
    scope = Scope(ScopeKind.DESK, name)
    for number in range(count):
        latch.change(scope, lambda slot, n=number: slot._replace(level=Level.SOFT, trip=n + 1))


def test_writers_in_several_processes_lose_nothing_and_readers_see_no_half(path: Path) -> None:
    latch = SharedLatch(path)
    fork = multiprocessing.get_context("spawn")
    writers = [fork.Process(target=_write, args=(path, f"W{n}", 150)) for n in range(2)]
    for writer in writers:
        writer.start()
    unreadable = reads = 0
    while any(writer.is_alive() for writer in writers):
        unreadable += not latch.verdict([]).readable
        reads += 1
    for writer in writers:
        writer.join()
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert reads > 100
    assert unreadable == 0
    assert {slot.scope.id: slot.trip for slot in latch.slots()} == {"W0": 150, "W1": 150, "OMS1": 0}
