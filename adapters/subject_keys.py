"""Keys of subjects, a file each, and what is encrypted under them (AES-256-GCM).

The files lie outside of the database on purpose: a backup of the database holds ciphertext alone, so that destroying a key makes
a person's data unreadable there too. Whoever copies this directory must erase in the copies as well.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from domain.erasure import SUBJECT
from domain.errors import SubjectError

NONCE_BYTES: Final = 12
KEY_BYTES: Final = 32


class SubjectKeys:
    """A directory that its owner alone can enter."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def make(self, subject: str) -> None:
        """A new subject's key, on the disk when this returns. Raises SubjectError: it has one, or it cannot be written."""
        path = self._path(subject)
        try:
            self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(AESGCM.generate_key(KEY_BYTES * 8))
                file.flush()
                os.fsync(file.fileno())
            self._sync()
        except OSError as cause:
            raise SubjectError(f"no key can be made for {subject}: {cause}") from cause

    def has(self, subject: str) -> bool:
        """Is there a key?"""
        return self._path(subject).exists()

    def seal(self, subject: str, data: bytes) -> bytes:
        """Nonce and ciphertext; it can be opened as this subject's alone. Raises SubjectError."""
        nonce = os.urandom(NONCE_BYTES)
        return nonce + AESGCM(self._key(subject)).encrypt(nonce, data, subject.encode())

    def open(self, subject: str, sealed: bytes) -> bytes:
        """What was sealed. Raises SubjectError: its key is destroyed, or it was altered or is another's."""
        try:
            return AESGCM(self._key(subject)).decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], subject.encode())
        except InvalidTag as cause:
            raise SubjectError(f"what is kept of {subject} is not what was put there") from cause

    def destroy(self, subject: str) -> None:
        """Overwrite the key, remove it, and see that both are on the disk. Nothing where there is none. Raises SubjectError."""
        path = self._path(subject)
        try:
            with path.open("r+b") as file:
                file.write(bytes(KEY_BYTES))
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            self._sync()
        except FileNotFoundError:
            return
        except OSError as cause:
            raise SubjectError(f"the key of {subject} cannot be destroyed: {cause}") from cause

    def _key(self, subject: str) -> bytes:
        try:
            return self._path(subject).read_bytes()
        except OSError as cause:
            raise SubjectError(f"{subject} has no key: it was erased, or was never enrolled here") from cause

    def _path(self, subject: str) -> Path:
        if not SUBJECT.fullmatch(subject):
            raise SubjectError(f"{subject!r} is no subject: S- and 24 hexadecimal digits")
        return self._directory / f"{subject}.key"

    def _sync(self) -> None:
        descriptor = os.open(self._directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
