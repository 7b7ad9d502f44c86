"""Reading a file that somebody else made: a plain file of a bounded size, read once, unchanged meanwhile.

What was read is checked, used and kept: nobody opens the file a second time.
"""

from __future__ import annotations

import io
import os
import stat
from pathlib import Path
from typing import Final

from domain.errors import ReferenceDataError

FILE_BYTES_MAX: Final = 64 << 20
LINE_BYTES_MAX: Final = 64 << 10
LINES_MAX: Final = 2_000_000
_CHUNK_BYTES: Final = 1 << 20


def read_bytes(path: Path, *, bytes_max: int = FILE_BYTES_MAX) -> bytes:
    """The content of a file.

    Raises:
        ReferenceDataError: it is no plain file (a link, a pipe, a directory), larger than bytes_max, unreadable, or it
            was written to while it was read.
    """
    try:
        # a pipe without a writer would keep an ordinary open waiting for ever
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as cause:
        why = "is a symbolic link; put the file itself there" if path.is_symlink() else f"cannot be read: {cause.strerror}"
        raise ReferenceDataError(f"{path.name} {why}") from cause
    try:
        return _read(descriptor, path.name, bytes_max)
    except OSError as cause:
        raise ReferenceDataError(f"{path.name} cannot be read: {cause.strerror}") from cause
    finally:
        os.close(descriptor)


def _read(descriptor: int, name: str, bytes_max: int) -> bytes:
    before = os.fstat(descriptor)
    if not stat.S_ISREG(before.st_mode):
        raise ReferenceDataError(f"{name} is not a plain file")
    if before.st_size > bytes_max:
        raise ReferenceDataError(f"{name} has {before.st_size} bytes, {bytes_max} are allowed")
    found = bytearray()
    while len(found) <= bytes_max and (chunk := os.read(descriptor, _CHUNK_BYTES)):
        found += chunk
    after = os.fstat(descriptor)
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns) or len(found) != before.st_size:
        raise ReferenceDataError(f"{name} was written to while it was read; try again when its maker has finished")
    return bytes(found)


def check_text(name: str, content: bytes) -> None:
    """Whether bytes can be lines of text at all. Raises ReferenceDataError that names the line."""
    at = 0
    for number, line in enumerate(io.BytesIO(content), start=1):
        if number > LINES_MAX:
            raise ReferenceDataError(f"{name} has more than {LINES_MAX} lines")
        if len(line) > LINE_BYTES_MAX:
            raise ReferenceDataError(f"{name} line {number} has {len(line)} bytes, {LINE_BYTES_MAX} are allowed")
        if (nul := line.find(b"\0")) >= 0:
            raise ReferenceDataError(f"{name} line {number}: byte {at + nul} is NUL")
        at += len(line)
