"""The build digest that every event carries: which code decided."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build_digest() -> str:
    """The beginning of `code_sha256`."""
    return code_sha256()[:16]


@cache
def code_sha256() -> str:
    """SHA-256 over the source of the four packages as it lay on the disk when this process was first asked.

    A process that was forked answers with what the one it came from had loaded, whatever lies on the disk by now.
    """
    sha = hashlib.sha256()
    for package in ("domain", "adapters", "models", "ems"):
        for path in sorted((ROOT / package).rglob("*.py")):
            sha.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()
