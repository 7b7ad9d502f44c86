"""A folder as one tar file that has the same bytes each time: names sorted, no times, no owners, no compression outside.

Nothing is put in place of a file before it is whole and on the disk.
"""

from __future__ import annotations

import os
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Self

from domain.errors import ExportError


def pack(folder: Path, to: Path) -> None:
    """Write every file of a folder into an archive.

    Raises:
        ExportError: it cannot be written; what was there before is as it was.
    """
    fresh = to.with_name(f".{to.name}.part")
    try:
        with fresh.open("wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.USTAR_FORMAT) as tar:
                for path in sorted((p for p in folder.rglob("*") if p.is_file()), key=lambda p: p.relative_to(folder).as_posix()):
                    with path.open("rb") as content:
                        tar.addfile(_entry(path.relative_to(folder).as_posix(), path.stat().st_size), content)
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(to)
    except (OSError, ValueError) as cause:
        raise ExportError(f"{to} cannot be written: {cause}") from cause
    finally:
        fresh.unlink(missing_ok=True)


def _entry(name: str, size: int) -> tarfile.TarInfo:
    entry = tarfile.TarInfo(name)
    entry.size, entry.mtime, entry.mode = size, 0, 0o644
    return entry


class Opened:
    """An archive to read from. Close it."""

    def __init__(self, path: Path) -> None:
        """Raises ExportError: it is missing or no archive."""
        try:
            self._tar = tarfile.open(path, "r:")  # noqa: SIM115 (closed by close)
        except (OSError, tarfile.TarError) as cause:
            raise ExportError(f"{path} is no bundle: {cause}") from cause

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._tar.close()

    def names(self) -> list[str]:
        """Every file, as stored."""
        return [entry.name for entry in self._tar.getmembers() if entry.isfile()]

    def read(self, name: str) -> bytes:
        """A whole file. Raises ExportError: there is none of this name."""
        with self.open(name) as file:
            data: bytes = file.read()
            return data

    def open(self, name: str) -> IO[Any]:
        """A file to be read bit by bit. Raises ExportError."""
        try:
            found = self._tar.extractfile(name)
        except (KeyError, tarfile.TarError, OSError) as cause:
            raise ExportError(f"the bundle has no file {name}") from cause
        if found is None:
            raise ExportError(f"{name} is no file of the bundle")
        return found

    def blocks(self, name: str, size: int = 1 << 20) -> Iterator[bytes]:
        """A file in blocks. Raises ExportError."""
        with self.open(name) as file:
            yield from iter(lambda: file.read(size), b"")
