"""The firm's exposure in shared memory: what one process tells another reads, and silence is noticed."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from adapters.shm.exposure import LOCK, Firm, SharedExposure

WRITER = """
import sys
from pathlib import Path
from adapters.shm.exposure import Firm, SharedExposure
shared = SharedExposure(Path(sys.argv[1]), 3, write=True)
shared.tell(2, Firm(5_853_300, 5_853_400, -300, 100, 200))
shared.told()
"""


def test_another_process_reads_what_was_told(tmp_path: Path) -> None:
    reader = SharedExposure(tmp_path / "exposure", 3)
    assert not reader.fresh(10**12)
    subprocess.run([sys.executable, "-c", WRITER, str(tmp_path / "exposure")], check=True)
    assert reader.fresh(10**12)
    assert reader.firm(2) == Firm(5_853_300, 5_853_400, -300, 100, 200)
    assert reader.rows[2].tolist() == [5_853_300, 5_853_400, -300, 100, 200, 2]
    assert reader.firm(1) == Firm()


def test_what_was_told_too_long_ago_is_not_fresh(tmp_path: Path) -> None:
    shared = SharedExposure(tmp_path / "exposure", 1, write=True)
    shared.told()
    assert shared.fresh(10**12)
    assert not shared.fresh(0)


def test_a_row_whose_writer_was_lost_in_the_middle_is_not_told(tmp_path: Path) -> None:
    shared = SharedExposure(tmp_path / "exposure", 1, write=True)
    shared.rows[0, LOCK] += 1
    assert shared.firm(0) is None


def test_a_reader_cannot_write_and_more_rows_keep_what_is_there(tmp_path: Path) -> None:
    SharedExposure(tmp_path / "exposure", 2, write=True).tell(1, Firm(net_lots=7))
    reader = SharedExposure(tmp_path / "exposure", 9)
    assert reader.firm(1) == Firm(net_lots=7)
    assert len(reader.rows) == 9
    with pytest.raises(ValueError, match="read-only"):
        reader.tell(1, Firm())
