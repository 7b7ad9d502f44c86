"""How the quoter's loop is compiled: as the wings compile theirs, under a cache that notices an edit in any of them."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import numba
from numba.core import config

from models.compiled import cache_directory

F = TypeVar("F", bound=Callable[..., Any])
_HERE: Final = Path(__file__).resolve().parent
_WINGS: Final = (_HERE.parents[1] / "adapters" / "marketdata", _HERE.parents[1] / "adapters" / "ouch", _HERE)


def _cache_directory() -> str:
    """The models' own directory has a digest of their source in its name; this one has that name and the other wings' source."""
    digest = hashlib.sha256(cache_directory().name.encode())
    for source in [each for wing in _WINGS for each in sorted(wing.glob("*.py"))]:
        text = source.read_bytes()
        if b"numba" in text or b"compiled" in text or source.name in ("itch_layout.py", "layout.py", "journal.py", "state.py"):
            digest.update(text)
    base = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache" / "ems-compiled")
    return str(Path(base) / f"quoting-{digest.hexdigest()[:16]}")


_CACHE: Final = _cache_directory()


def hot(function: F) -> F:
    """Compile a function of arrays and numbers that allocates nothing, at its first call; its compiled form is kept on disk."""
    return _compile(function, inline=False)


def inlined(function: F) -> F:
    """As `hot`, and built into every function that calls it."""
    return _compile(function, inline=True)


def _compile(function: F, *, inline: bool) -> F:
    previous = config.CACHE_DIR
    config.CACHE_DIR = _CACHE  # numba reads it when caching is enabled for the function, which is here
    try:
        return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=inline, _nrt=False)(function))
    finally:
        config.CACHE_DIR = previous
