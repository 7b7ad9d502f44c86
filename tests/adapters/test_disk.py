"""The reserve on a volume: held while there is plenty, given away once, and held again."""

from __future__ import annotations

import os
from pathlib import Path
from types import SimpleNamespace

import pytest

from adapters import disk
from adapters.disk import DiskReserve, rooms
from domain.disk import MB


def free(monkeypatch: pytest.MonkeyPatch, mb: float) -> None:
    monkeypatch.setattr(disk.os, "statvfs", lambda _: SimpleNamespace(f_bavail=int(mb * 1024), f_frsize=1024, f_blocks=1 << 30))


def test_it_holds_real_blocks_gives_them_and_takes_them_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    reserve = DiskReserve(tmp_path / "here", 4 * MB)
    free(monkeypatch, 13)
    reserve.tick()
    (held,) = (tmp_path / "here").iterdir()
    assert held.stat().st_blocks * 512 >= 4 * MB
    free(monkeypatch, 1)
    reserve.tick()
    assert reserve.held
    free(monkeypatch, 0.9)
    reserve.tick()
    assert not list((tmp_path / "here").iterdir())
    free(monkeypatch, 12)
    reserve.tick()
    assert not reserve.held
    free(monkeypatch, 13)
    reserve.tick()
    assert reserve.held


def test_it_gives_once(tmp_path: Path) -> None:
    reserve = DiskReserve(tmp_path, MB)
    assert not reserve.give()
    reserve.tick()
    assert (reserve.give(), reserve.give()) == (True, False)


def test_none_is_held_where_it_cannot_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(disk.os, "posix_fallocate", full)
    reserve = DiskReserve(tmp_path, MB)
    reserve.tick()
    assert not list(tmp_path.iterdir())


def test_two_directories_of_one_volume_are_one_room_and_what_is_gone_has_no_number(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    found = rooms([tmp_path, tmp_path / "a", tmp_path / "gone"])
    assert [room.path for room in found] == [str(tmp_path), str(tmp_path / "gone")]
    assert found[0].free_bytes is not None
    assert 0 < found[0].free_bytes <= os.statvfs(tmp_path).f_blocks * os.statvfs(tmp_path).f_frsize
    assert found[1].free_bytes is None
