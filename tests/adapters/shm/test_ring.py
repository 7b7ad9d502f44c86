"""The ring: what was written outlives its writer, nothing is overwritten, and a disk without room is said at the start."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adapters.shm import ring as rings
from adapters.shm.ring import Ring
from domain.errors import JournalError

WRITER = """
import os, signal, sys
from pathlib import Path
from adapters.shm.ring import Ring
ring = Ring.make(Path(sys.argv[1]), record_bytes=64, slots=8, session=77)
for number in range(1, 6):
    ring.slot(number).view("i8")[0] = number
ring.publish(3)
os.kill(os.getpid(), signal.SIGKILL)
"""


def make(path: Path, slots: int = 4) -> Ring:
    return Ring.make(path, record_bytes=64, slots=slots, session=5)


def test_a_killed_writer_loses_nothing_that_it_had_written(tmp_path: Path) -> None:
    path = tmp_path / "a.ring"
    ended = subprocess.run([sys.executable, "-c", WRITER, str(path)], check=False)
    assert ended.returncode == -signal.SIGKILL
    ring = Ring.open(path)
    assert ring.alone()
    assert (ring.session, ring.slots, ring.words[rings.PUBLISHED]) == (77, 8, 3)
    assert [int(ring.slot(number).view("i8")[0]) for number in range(1, 7)] == [1, 2, 3, 4, 5, 0]


def test_the_reader_sees_that_the_writer_lives(tmp_path: Path) -> None:
    writer = make(tmp_path / "a.ring")
    reader = Ring.open(tmp_path / "a.ring")
    assert not reader.alone()
    writer.close()
    assert reader.alone()


def test_there_is_no_room_until_the_reader_has_kept_what_is_there(tmp_path: Path) -> None:
    writer, reader = make(tmp_path / "a.ring"), Ring.open(tmp_path / "a.ring")
    for number in range(1, 5):
        writer.slot(number)[:] = number
        writer.publish(number)
    assert writer.room() == 0
    reader.drained(3)
    assert writer.room() == 3
    writer.slot(5)[:] = 5
    writer.publish(5)
    assert reader.rows(4, 5)[:, 0].tolist() == [4, 5]


def test_a_copy_of_rows_is_not_changed_by_the_next_lap(tmp_path: Path) -> None:
    ring = make(tmp_path / "a.ring")
    ring.slot(1)[:] = 1
    rows = ring.rows(1, 1)
    ring.slot(5)[:] = 9
    assert rows[0].tolist() == [1] * 64


def test_a_ring_is_never_made_over_another(tmp_path: Path) -> None:
    make(tmp_path / "a.ring").slot(1)[:] = 1
    with pytest.raises(JournalError, match="already"):
        make(tmp_path / "a.ring")
    assert Ring.open(tmp_path / "a.ring").slot(1)[0] == 1


def test_a_disk_without_room_is_said_at_the_start_and_nothing_is_left(tmp_path: Path) -> None:
    room = os.statvfs(tmp_path)
    slots = 1 << (room.f_bavail * room.f_frsize // 4096).bit_length()
    with pytest.raises(JournalError, match="the disk is full"):
        Ring.make(tmp_path / "a.ring", record_bytes=4096, slots=slots, session=1)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("at", "value"), [(0, 1), (1, 128), (2, 8), (3, 6), (4, 0)])
def test_a_damaged_head_is_no_ring(tmp_path: Path, at: int, value: int) -> None:
    make(tmp_path / "a.ring").words[at] = value
    with pytest.raises(JournalError, match="no journal's ring"):
        Ring.open(tmp_path / "a.ring")


def test_a_file_cut_short_is_no_ring(tmp_path: Path) -> None:
    make(tmp_path / "a.ring")
    os.truncate(tmp_path / "a.ring", 5000)
    with pytest.raises(JournalError, match="no journal's ring"):
        Ring.open(tmp_path / "a.ring")
    (tmp_path / "b.ring").write_bytes(np.arange(3).tobytes())
    with pytest.raises(JournalError, match="no journal's ring"):
        Ring.open(tmp_path / "b.ring")
