"""The flight recorder outlives its process, keeps what is newest, and leaves out what was being written when it ended."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.shm.flight import FILE_BYTES, SLOT_BYTES, SLOTS, TEXT_BYTES, FlightRing, read


def test_notes_come_back_in_order_and_the_file_never_grows(tmp_path: Path) -> None:
    path = tmp_path / "flight" / "desk.ring"
    ring = FlightRing(path)
    for number in range(SLOTS + 10):
        ring.note("commit", f"note {number}")
    found = read(path)
    assert [note.text for note in found] == [f"note {number}" for number in range(10, SLOTS + 10)]
    assert path.stat().st_size == FILE_BYTES
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_long_text_is_cut_and_a_later_run_goes_on_behind(tmp_path: Path) -> None:
    path = tmp_path / "desk.ring"
    FlightRing(path).note("a very long kind", "ä" * 1000)
    FlightRing(path).note("log", "again")
    first, second = read(path)
    assert first.kind == "a very lon" and len(first.text.encode("utf-8", "replace")) <= TEXT_BYTES + 2
    assert (first.number, second.number, second.text) == (1, 2, "again")


def test_only_the_time_asked_for_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ring = FlightRing(tmp_path / "r")
    for second in (0, 50, 100, 110):
        monkeypatch.setattr("adapters.shm.flight.time.time_ns", lambda second=second: second * 10**9)
        ring.note("log", str(second))
    assert [note.text for note in read(tmp_path / "r")] == ["50", "100", "110"]


def test_a_torn_note_and_a_foreign_file_are_left_out(tmp_path: Path) -> None:
    path = tmp_path / "r"
    ring = FlightRing(path)
    ring.note("log", "whole")
    ring.note("log", "torn")
    raw = bytearray(path.read_bytes())
    raw[2 * SLOT_BYTES + 33] ^= 1
    path.write_bytes(raw)
    assert [note.text for note in read(path)] == ["whole"]
    path.write_bytes(b"something else")
    assert read(path) == []
    FlightRing(path).note("log", "made anew")
    assert [note.text for note in read(path)] == ["made anew"]


def test_what_was_noted_survives_a_sigkill(tmp_path: Path) -> None:
    path = tmp_path / "r"
    code = (
        "import sys, os, signal, pathlib; from adapters.shm.flight import FlightRing\n"
        "ring = FlightRing(pathlib.Path(sys.argv[1]))\n"
        "[ring.note('log', f'line {n}') for n in range(100)]\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run([sys.executable, "-c", code, str(path)], check=False, env={**os.environ, "PYTHONPATH": str(root)})
    assert done.returncode == -signal.SIGKILL
    assert [note.text for note in read(path)] == [f"line {number}" for number in range(100)]
