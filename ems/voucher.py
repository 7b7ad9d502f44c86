"""The api's word for a person who has signed in with it: a keyed digest over the whole command.

Only processes that can read the key can make one, and a voucher is of one command, its people and its id: it cannot be put on
another. Repeating a command with its voucher is what `command_id` is for.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import secrets
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from domain.errors import ConfigError

_BYTES: Final = 32


def make_key(path: Path) -> bytes:
    """The key in a file of its owner's alone; a new one where there is none. Raises ConfigError for one that others can read."""
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(_BYTES))
        try:
            os.link(fresh, path)  # whoever was first: everybody reads the same
        except FileExistsError:
            return read_key(path)
        finally:
            fresh.unlink()
    return read_key(path)


def read_key(path: Path) -> bytes:
    """Raises ConfigError where there is none, or where others can read it."""
    try:
        if stat.S_IMODE(path.stat().st_mode) & 0o077:
            raise ConfigError(f"{path} can be read by others: it must have the rights 0600")
        key = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError) as cause:
        raise ConfigError(f"{path} holds no key") from cause
    if len(key) != _BYTES:
        raise ConfigError(f"{path} holds no key")
    return key


def vouch(key: bytes, command: Mapping[str, Any]) -> str:
    """The voucher of a command, which has none in it."""
    text = json.dumps(command, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return hmac.new(key, text.encode(), hashlib.sha256).hexdigest()


def is_vouched(key: bytes, command: Mapping[str, Any], voucher: object) -> bool:
    """Is this the voucher of that command?"""
    return isinstance(voucher, str) and hmac.compare_digest(vouch(key, command).encode(), voucher.encode())
