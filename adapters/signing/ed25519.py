"""The sealing key: made at the first start, its file its owner's alone; and signatures checked by a public key."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from domain.errors import SealError

KEY_BYTES: Final = 32


class KeySigner:
    """Holds a private key."""

    def __init__(self, private_key: bytes) -> None:
        self._key = Ed25519PrivateKey.from_private_bytes(private_key)
        self.public_key = self._key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Read a key. Raises SealError: it is missing, no key, or others may read it."""
        try:
            mode, text = path.stat().st_mode, path.read_text("ascii")
            if mode & 0o077:
                raise SealError(f"others than its owner may read the sealing key {path}: chmod 600 it, or make a new one")
            return cls(_key_bytes(text))
        except (OSError, ValueError) as cause:
            raise SealError(f"the sealing key {path} cannot be read: {cause}") from cause

    @classmethod
    def made(cls, path: Path) -> Self:
        """Make a key in a file that only its owner can read. Raises SealError: there is one already, or it cannot be written."""
        key = Ed25519PrivateKey.generate().private_bytes(Encoding.Raw, PrivateFormat.Raw, NoEncryption())
        fresh = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
                file.write(key.hex() + "\n")
                file.flush()
                os.fsync(file.fileno())
            os.link(fresh, path)  # a whole file or none, and never over another key
        except OSError as cause:
            raise SealError(f"a sealing key cannot be made in {path}: {cause}") from cause
        finally:
            fresh.unlink(missing_ok=True)
        return cls(key)

    def sign(self, statement: bytes) -> bytes:
        """An Ed25519 signature, 64 bytes."""
        return self._key.sign(statement)


class KeyVerifier:
    """Checks signatures of one public key."""

    def __init__(self, public_key: bytes) -> None:
        self.public_key = public_key
        try:
            self._key = Ed25519PublicKey.from_public_bytes(public_key)
        except ValueError as cause:
            raise SealError(f"this is no public key: {cause}") from cause

    @classmethod
    def of_file(cls, path: Path) -> Self:
        """Read a public key: 64 hexadecimal digits. Raises SealError."""
        try:
            return cls(_key_bytes(path.read_text("ascii")))
        except (OSError, ValueError) as cause:
            raise SealError(f"the public key {path} cannot be read: {cause}") from cause

    def verifies(self, statement: bytes, signature: bytes) -> bool:
        """Is this the key's signature of that?"""
        try:
            self._key.verify(signature, statement)
        except InvalidSignature:
            return False
        return True


def write_public(path: Path, public_key: bytes) -> None:
    """Put a public key where anybody can read it. Raises SealError: another is there, or it cannot be written."""
    text = public_key.hex() + "\n"
    try:
        if not path.exists():
            path.write_text(text, "ascii")
            path.chmod(0o644)
        elif path.read_text("ascii") != text:
            raise SealError(f"{path} is the public key of another sealing key")
    except OSError as cause:
        raise SealError(f"the public key cannot be put into {path}: {cause}") from cause


def _key_bytes(text: str) -> bytes:
    key = bytes.fromhex(text.strip())
    if len(key) != KEY_BYTES:
        raise ValueError(f"a key is {KEY_BYTES} bytes, this is {len(key)}")
    return key
