"""Files kept under the SHA-256 of their bytes: written once, never changed, checked whenever they are read."""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from domain.errors import ReferenceDataError

_READ_ONLY: Final = 0o444


class ContentStore:
    """The files below one directory."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def put(self, content: bytes) -> str:
        """Keep a file; durable when it returns. The same bytes are kept once.

        Returns:
            Their SHA-256.

        Raises:
            ReferenceDataError: they cannot be written.
        """
        sha256 = hashlib.sha256(content).hexdigest()
        path = self._directory / sha256
        try:
            if not path.exists() or hashlib.sha256(path.read_bytes()).hexdigest() != sha256:
                self._directory.mkdir(parents=True, exist_ok=True)
                _write(path, content)
        except OSError as cause:
            raise ReferenceDataError(f"{path} cannot be written: {cause.strerror}") from cause
        return sha256

    def get(self, sha256: str) -> bytes:
        """The bytes with this SHA-256. Raises ReferenceDataError where they are not here, or not what they were."""
        path = self._directory / sha256
        try:
            content = path.read_bytes()
        except OSError as cause:
            raise ReferenceDataError(f"{path} cannot be read: {cause.strerror}; load the day's files again") from cause
        if hashlib.sha256(content).hexdigest() != sha256:
            raise ReferenceDataError(f"{path} has changed since it was kept; load the day's files again")
        return content

    def lay_out(self, files: Mapping[str, str], folder: Path, texts: Mapping[str, str]) -> None:
        """Make a folder of files by name, whole or not at all, in place of what was there.

        Args:
            files: SHA-256 by file name.
            texts: further files.

        Raises:
            ReferenceDataError: one is not here, or the folder cannot be written.
        """
        contents = {name: self.get(sha256) for name, sha256 in files.items()}
        contents |= {name: text.encode() for name, text in texts.items()}
        fresh = folder.with_name(folder.name + ".new")
        try:
            for old in (fresh, folder):
                if old.exists():
                    shutil.rmtree(old)
            fresh.mkdir(parents=True)
            for name, content in contents.items():
                _write(fresh / name, content)
            fresh.rename(folder)
        except OSError as cause:
            raise ReferenceDataError(f"{folder} cannot be written: {cause.strerror}") from cause


def _write(path: Path, content: bytes) -> None:
    """Write a file beside its place and move it there."""
    fresh = path.with_name(path.name + ".new")
    fresh.unlink(missing_ok=True)
    with fresh.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
        os.fchmod(file.fileno(), _READ_ONLY)
    fresh.replace(path)
    directory = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)
