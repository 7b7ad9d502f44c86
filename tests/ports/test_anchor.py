"""The contract of `domain.ports_sealing.Anchor`: files, write-once files, time-stamped heads and the twin in memory keep it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from adapters.anchor.files import FileAnchor, WormAnchor
from adapters.anchor.stamps import StampAnchor, TimeStamps
from adapters.memory.anchor import MemoryAnchor
from domain.errors import SealError
from domain.ports_sealing import Anchor
from domain.sealing import Anchored, SignedHead, signed
from tests.adapters.anchor.authority import Authority
from tests.ems.sealing_room import SIGNER

KINDS = ["file", "worm", "stamps", "memory"]


def heads(number: int) -> list[SignedHead]:
    made: list[SignedHead] = []
    for size in range(1, number + 1):
        made.append(
            signed(made[-1] if made else None, size * 7, bytes([size]) * 32, bytes([size, 1]) * 16, 10**18 + size, SIGNER)
        )
    return made


class Place:
    """Where one kind keeps its heads; opened as often as a process starts."""

    def __init__(self, kind: str, directory: Path, authority: Authority) -> None:
        self.kind, self.directory, self.authority = kind, directory, authority
        self._memory = MemoryAnchor()

    def open(self) -> Anchor:
        if self.kind == "file":
            return FileAnchor(self.directory / "heads")
        if self.kind == "worm":
            return WormAnchor(self.directory / "worm")
        if self.kind == "stamps":
            return StampAnchor(self.directory / "stamps", TimeStamps(self.authority.url, self.authority.pem))
        return self._memory


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Authority]:
    with Authority(tmp_path_factory.mktemp("authority")) as authority:
        yield authority


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path, authority: Authority) -> Place:
    return Place(request.param, tmp_path, authority)


def test_an_empty_one_keeps_nothing(place: Place) -> None:
    assert place.open().last() is None
    assert list(place.open().kept()) == []


def test_what_is_kept_is_there_in_order_for_whoever_opens_it(place: Place) -> None:
    made = heads(12)
    for head in made[:6]:
        place.open().keep(Anchored(head, b"\1" * 56))
    anchor = place.open()
    for head in made[6:]:
        anchor.keep(Anchored(head))
    assert [one.head for one in place.open().kept()] == made
    assert place.open().last() == made[-1]
    if place.open().complete:
        assert [one.shorts for one in place.open().kept()] == [b"\1" * 56] * 6 + [b""] * 6


def test_the_same_again_is_nothing_and_another_in_its_place_is_refused(place: Place) -> None:
    first, second = heads(2)
    anchor = place.open()
    anchor.keep(Anchored(first))
    anchor.keep(Anchored(second))
    for again in (anchor, place.open()):
        again.keep(Anchored(second))
        for other in (first, second._replace(time_ns=1)):
            with pytest.raises(SealError, match="already"):
                again.keep(Anchored(other))
    assert [one.head for one in place.open().kept()] == [first, second]


@pytest.mark.parametrize("cut", [1, 40, 500])
def test_a_line_that_a_crash_cut_short_is_passed_over_and_written_again(tmp_path: Path, cut: int) -> None:
    path, made = tmp_path / "heads", heads(3)
    FileAnchor(path).keep(Anchored(made[0]))
    FileAnchor(path).keep(Anchored(made[1]))
    os.truncate(path, path.stat().st_size - cut)
    assert [one.head for one in FileAnchor(path).kept()] == made[: 1 if cut > 1 else 2], "without its line's end a head is whole"
    anchor = FileAnchor(path)
    anchor.keep(Anchored(made[1]))
    anchor.keep(Anchored(made[2]))
    assert [one.head for one in FileAnchor(path).kept()] == made


def test_a_line_that_was_changed_is_told(tmp_path: Path) -> None:
    path = tmp_path / "heads"
    for head in heads(3):
        FileAnchor(path).keep(Anchored(head))
    lines = path.read_bytes().splitlines(keepends=True)
    for at in range(3):
        for change in (lines[at].replace(b'"root"', b'"rOot"'), lines[at].replace(b'"signature":"', b'"signature":"zz')):
            path.write_bytes(b"".join([*lines[:at], change, *lines[at + 1 :]]))
            with pytest.raises(SealError):
                list(FileAnchor(path).kept())


def test_a_write_once_file_under_another_name_is_told(tmp_path: Path) -> None:
    for head in heads(2):
        WormAnchor(tmp_path).keep(Anchored(head))
    first, _ = sorted(tmp_path.iterdir())
    assert first.stat().st_mode & 0o777 == 0o400
    first.rename(first.with_name("00000000000000000009.head"))
    with pytest.raises(SealError, match="is head 1"):
        list(WormAnchor(tmp_path).kept())


def test_a_stamp_of_another_head_does_not_count(tmp_path: Path, authority: Authority) -> None:
    """The trap: each stamp is valid, but it lies beside a head that it is not of."""
    stamps = TimeStamps(authority.url, authority.pem)
    for head in heads(2):
        StampAnchor(tmp_path, stamps).keep(Anchored(head))
    assert len(list(StampAnchor(tmp_path, stamps).kept())) == 2
    first, second = sorted(tmp_path.glob("*.tsr"))
    first_bytes = first.read_bytes()
    first.unlink()
    first.write_bytes(second.read_bytes())
    with pytest.raises(SealError, match="another digest"):
        list(StampAnchor(tmp_path, stamps).kept())
    first.write_bytes(first_bytes)
    assert len(list(StampAnchor(tmp_path, stamps).kept())) == 2


@pytest.mark.parametrize(
    "how", ["refused", "other digest", "other nonce", "bad signature", "other key", "nonsense", "not an authority"]
)
def test_an_answer_that_is_not_the_authoritys_word_on_this_digest_is_refused(authority: Authority, how: str) -> None:
    authority.how = how
    try:
        with pytest.raises(SealError):
            TimeStamps(authority.url, authority.pem).ask(b"\7" * 32)
    finally:
        authority.how = ""
    response = TimeStamps(authority.url, authority.pem).ask(b"\7" * 32)
    assert TimeStamps(authority.url, authority.pem).check(response, b"\7" * 32).serial == authority.serial
