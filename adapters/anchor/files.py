"""Heads in files outside of the database: one that is only appended to, and one file for each head, written once (WORM)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from domain.errors import SealError
from domain.sealing import Anchored, SignedHead

_NAME: Final = "{:020d}.head"


class FileAnchor:
    """One line a head, appended and synced. It needs no more than the right to append: `chattr +a` may be set on the file.

    A write that a crash cut short is a line that the next one begins with: it is passed over, and nothing else is.
    """

    complete = True
    every_s = 0.0

    def __init__(self, path: Path, name: str = "file") -> None:
        self.name = name
        self._path = path
        self._last: SignedHead | None = None

    def last(self) -> SignedHead | None:
        """The last head of the file."""
        if self._last is None:
            for anchored in self.kept():
                self._last = anchored.head
        return self._last

    def keep(self, anchored: Anchored) -> None:
        """Append a head."""
        if not _is_next(anchored.head, self.last()):
            return
        try:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            file = os.open(self._path, os.O_RDWR | os.O_APPEND | os.O_CREAT, 0o600)
            try:
                size = os.fstat(file).st_size
                torn = size > 0 and os.pread(file, 1, size - 1) != b"\n"
                _write(file, (b"\n" if torn else b"") + anchored.line())
                os.fsync(file)
                if size == 0:
                    _sync_directory(self._path.parent)
            finally:
                os.close(file)
        except OSError as cause:
            self._last = None  # how much of it was written is looked up again
            raise SealError(f"the anchor {self._path} cannot be appended to: {cause}") from cause
        self._last = anchored.head

    def kept(self) -> Iterator[Anchored]:
        """The lines as heads."""
        try:
            file = self._path.open("rb")
        except FileNotFoundError:
            return
        except OSError as cause:
            raise SealError(f"the anchor {self._path} cannot be read: {cause}") from cause
        with file:
            torn = b""
            for number, line in enumerate(file, 1):
                if torn and not line.startswith(torn) and not torn.startswith(line.rstrip(b"\n")):
                    raise SealError(f"line {number - 1} of the anchor {self._path} is no head")
                try:
                    yield Anchored.from_line(line)
                    torn = b""
                except SealError as error:
                    torn = line.rstrip(b"\n")
                    if torn.endswith(b"}"):  # it is whole, as a line that was cut short never is
                        raise SealError(f"line {number} of the anchor {self._path}: {error}") from error


class WormAnchor:
    """One file for each head, made once and never opened for writing again: for a directory that is mounted from storage which
    lets nothing be changed or deleted (write once, read many). It takes a head now and then: each vouches for all before.
    """

    complete = False

    def __init__(self, directory: Path, name: str = "worm", every_s: float = 60.0) -> None:
        self.name = name
        self.every_s = every_s
        self._directory = directory

    def last(self) -> SignedHead | None:
        """The head of the highest number."""
        names = self._names()
        return self._read(names[-1]).head if names else None

    def keep(self, anchored: Anchored) -> None:
        """Make a head's file."""
        if not _is_next(anchored.head, self.last()):
            return
        write_once(self._directory / _NAME.format(anchored.head.number), Anchored(anchored.head).line())

    def kept(self) -> Iterator[Anchored]:
        """The files as heads."""
        return map(self._read, self._names())

    def _names(self) -> list[Path]:
        try:
            return sorted(self._directory.glob("*.head"))
        except OSError as cause:
            raise SealError(f"the anchor {self._directory} cannot be read: {cause}") from cause

    def _read(self, path: Path) -> Anchored:
        try:
            anchored = Anchored.from_line(path.read_bytes())
        except (OSError, SealError) as cause:
            raise SealError(f"{path} of the anchor cannot be read: {cause}") from cause
        if path.name != _NAME.format(anchored.head.number):
            raise SealError(f"{path} of the anchor is head {anchored.head.number}")
        return anchored


def write_once(path: Path, data: bytes, *, again: bool = False) -> None:
    """Make a file, whole or not at all, never over another; durable when it returns.

    Args:
        again: a file that is there already, of an attempt that a crash ended before its head was kept, may be replaced.

    Raises:
        SealError: it cannot be made.
    """
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o400)
        try:
            _write(file, data)
            os.fsync(file)
        finally:
            os.close(file)
        if again:
            path.unlink(missing_ok=True)
        os.link(fresh, path)
        fresh.unlink()
        _sync_directory(path.parent)
    except OSError as cause:
        raise SealError(f"the anchor {path} cannot be made: {cause}") from cause


def _is_next(head: SignedHead, last: SignedHead | None) -> bool:
    """Whether a head comes behind the last; False where it is the last. Raises SealError where it is neither."""
    if last is None or head.number > last.number:
        return True
    if head == last:
        return False
    raise SealError(f"the anchor has head {last.number} already, and it is not this head {head.number}")


def _write(file: int, data: bytes) -> None:
    while data:
        data = data[os.write(file, data) :]


def _sync_directory(directory: Path) -> None:
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
