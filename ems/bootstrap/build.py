"""The build digest that every event carries: which code decided."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def build_digest() -> str:
    """The beginning of `code_sha256`."""
    return code_sha256()[:16]


def code_sha256() -> str:
    """SHA-256 over the source of the four packages as it lies on the disk."""
    sha = hashlib.sha256()
    for package in ("domain", "adapters", "models", "ems"):
        for path in sorted((ROOT / package).rglob("*.py")):
            sha.update(path.relative_to(ROOT).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return sha.hexdigest()
