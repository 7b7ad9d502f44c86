"""The spool: nothing that was stored is lost by a kill, nothing acknowledged comes back, and it does not grow."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.fix import frames, spool
from adapters.fix.spool import Spool


def texts(kept: Spool) -> list[bytes]:
    return [frame.payload for frame in kept.owed()]


def fill(kept: Spool, *payloads: bytes) -> None:
    for payload in payloads:
        kept.append(frames.MESSAGE, payload, slot=1, reset_epoch=2)


def test_what_was_stored_is_there_after_a_restart(tmp_path: Path) -> None:
    first = Spool(tmp_path, 0)
    fill(first, b"a", b"b", b"c")
    first.acknowledge(1)
    again = Spool(tmp_path, first.acknowledged)
    assert texts(again) == [b"b", b"c"]
    fill(again, b"d")
    assert [(frame.number, frame.payload, frame.slot, frame.reset_epoch) for frame in again.owed()] == [
        (2, b"b", 1, 2),
        (3, b"c", 1, 2),
        (4, b"d", 1, 2),
    ]


def test_the_wire_form_is_the_stored_form(tmp_path: Path) -> None:
    kept = Spool(tmp_path, 0)
    sent = [kept.append(frames.MESSAGE, payload) for payload in (b"a", b"bb")]
    assert kept.unacknowledged() == b"".join(sent)


@pytest.mark.parametrize("cut", range(1, frames.HEADER_BYTES + 3))
def test_a_tail_that_a_kill_cut_short_is_dropped(tmp_path: Path, cut: int) -> None:
    first = Spool(tmp_path, 0)
    fill(first, b"whole", b"cut")
    first.close()
    (path,) = tmp_path.glob("*.spool")
    data = path.read_bytes()
    path.write_bytes(data[:-cut])
    again = Spool(tmp_path, 0)
    assert texts(again) == [b"whole"]
    fill(again, b"next")
    assert texts(Spool(tmp_path, 0)) == [b"whole", b"next"]


def test_a_tail_of_zeros_after_a_power_cut_is_dropped(tmp_path: Path) -> None:
    first = Spool(tmp_path, 0)
    fill(first, b"whole")
    first.close()
    (path,) = tmp_path.glob("*.spool")
    path.write_bytes(path.read_bytes() + bytes(200))
    assert texts(Spool(tmp_path, 0)) == [b"whole"]


def test_segments_go_when_all_of_them_is_acknowledged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "SEGMENT_BYTES_MAX", 500)
    kept = Spool(tmp_path, 0)
    payloads = [b"%04d" % number for number in range(100)]
    fill(kept, *payloads)
    assert len(list(tmp_path.glob("*.spool"))) > 5
    kept.acknowledge(50)
    assert texts(kept) == payloads[50:]
    assert texts(Spool(tmp_path, 50)) == payloads[50:]
    kept.acknowledge(100)
    assert texts(kept) == []
    assert kept.bytes_held <= 600


def test_a_file_that_owes_nothing_is_emptied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spool, "TRUNCATE_BYTES_MIN", 100)
    kept = Spool(tmp_path, 0)
    for round_ in range(1, 20):
        fill(kept, b"x" * 100)
        kept.acknowledge(round_)
        assert kept.bytes_held == 0
    fill(kept, b"after")
    assert texts(Spool(tmp_path, 19)) == [b"after"]


def test_an_acknowledgement_from_another_life_acknowledges_nothing_unknown(tmp_path: Path) -> None:
    kept = Spool(tmp_path, 0)
    fill(kept, b"a")
    kept.acknowledge(1_000)
    fill(kept, b"b")
    assert texts(kept) == [b"b"]


def test_on_a_full_disk_it_asks_for_relief_once_and_stores_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def relief() -> bool:
        asked.append(True)
        monkeypatch.undo()
        return True

    kept = Spool(tmp_path, 0, relief)

    def full(_file: int, _data: bytes) -> int:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(spool.os, "write", full)
    fill(kept, b"a", b"b")
    assert texts(kept) == [b"a", b"b"]
    assert asked == [True]


def test_on_a_full_disk_without_relief_nothing_is_half_stored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = Spool(tmp_path, 0)
    real = spool.os.write
    monkeypatch.setattr(spool.os, "write", lambda file, data: real(file, data[:5]))
    with pytest.raises(OSError, match="disk full"):
        fill(kept, b"lost")
    monkeypatch.undo()
    fill(kept, b"kept")
    assert texts(Spool(tmp_path, 0)) == [b"kept"]
