"""Who may arm the kill switch again: names and hashed secrets in one file that only its owner can read.

The smallest honest thing while the project has no accounts: two people need two secrets. It does not keep the owner of the
file, who can enroll anybody, from playing both: for that, the file belongs to a user that neither of them is.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import stat
from pathlib import Path
from typing import Final

from domain.errors import ConfigError
from domain.kill_refusal import KillReason, KillRefusal

SECRET_LENGTH_MIN: Final = 10
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,31}")
_N, _R, _P, _BYTES_MAX = 2**15, 8, 1, 64 * 1024 * 1024  # scrypt: 32 MiB and about a tenth of a second an attempt


class Persons:
    """The file. Every call reads it anew."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def enroll(self, person: str, secret: str) -> KillRefusal | None:
        """Add a person, or give one another secret. Raises ConfigError for a file that others can read."""
        if not _NAME.fullmatch(person):
            return KillRefusal(KillReason.NOT_AUTHENTICATED, "a name is up to 32 letters, digits, dots, hyphens and underscores")
        if len(secret) < SECRET_LENGTH_MIN:
            return KillRefusal(KillReason.NOT_AUTHENTICATED, f"a secret has at least {SECRET_LENGTH_MIN} characters")
        known, salt = self._read(), secrets.token_bytes(16)
        if any(hmac.compare_digest(_hash(secret, bytes.fromhex(s)), bytes.fromhex(h)) for s, h in known.values()):
            return KillRefusal(KillReason.NOT_AUTHENTICATED, "somebody has this secret already: two people have two")
        known[person] = (salt.hex(), _hash(secret, salt).hex())
        self._path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self._path.with_suffix(".new")
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            json.dump(known, file, indent=1)
        fresh.replace(self._path)
        return None

    def authenticate(self, person: str, secret: str) -> KillRefusal | None:
        """None where this is the person's secret. A wrong name takes as long as a wrong secret."""
        salt, stored = self._read().get(person, ("00" * 16, "00" * 64))
        if hmac.compare_digest(_hash(secret, bytes.fromhex(salt)), bytes.fromhex(stored)):
            return None
        return KillRefusal(KillReason.NOT_AUTHENTICATED, f"that is not {person}'s secret, or nobody of that name is enrolled")

    def names(self) -> list[str]:
        """Who is enrolled."""
        return sorted(self._read())

    def _read(self) -> dict[str, tuple[str, str]]:
        if not self._path.exists():
            return {}
        if stat.S_IMODE(self._path.stat().st_mode) & 0o077:
            raise ConfigError(f"{self._path} can be read by others: it must have the rights 0600")
        try:
            return {str(name): (str(salt), str(hashed)) for name, (salt, hashed) in json.loads(self._path.read_text()).items()}
        except (ValueError, AttributeError, TypeError) as cause:
            raise ConfigError(f"{self._path} is not a file of persons: `ems kill enroll` makes one") from cause


def _hash(secret: str, salt: bytes) -> bytes:
    return hashlib.scrypt(secret.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_BYTES_MAX)
