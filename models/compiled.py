"""The one way to compile hot code: never fastmath, the GIL released, and a disk cache that notices every edit.

numba's cache does not notice an edit in a callee, so the cache directory's name carries a digest of all source
that declares hot functions, of numba's version and of the processor.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
import numba
import numpy as np
from numba.core import config

F = TypeVar("F", bound=Callable[..., Any])


def cache_directory() -> Path:
    """Where compiled code of exactly this source, numba and processor is kept."""
    digest = hashlib.sha256()
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        text = source.read_bytes()
        if b"models.compiled" in text:
            digest.update(text)
    digest.update(f"{numba.__version__} {llvm.get_host_cpu_name()}".encode())
    base = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache" / "ems-compiled")
    return Path(base) / digest.hexdigest()[:16]


_CACHE = str(cache_directory())


def i64(value: int) -> int:
    """A constant for hot code: numba compiles a function anew for every literal int that it is called with, but once
    for all numpy integers."""
    return cast(int, np.int64(value))


def hot(function: F) -> F:
    """Compile a function of arrays and numbers at its first call; its compiled form is kept on disk."""
    previous = config.CACHE_DIR
    config.CACHE_DIR = _CACHE  # numba reads it when caching is enabled for the function, which is here
    try:
        return cast(F, numba.njit(nogil=True, cache=True)(function))
    finally:
        config.CACHE_DIR = previous
