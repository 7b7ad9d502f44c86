"""The one way to compile hot code: never fastmath, the GIL released, and a disk cache that notices every edit.

numba's cache does not notice an edit in a callee or of a constant, so the cache directory's name carries a digest of all
source that declares hot functions, of the arrays and the tape that they read, of numba's version and of the processor.

Two of numba's habits cost more than the work in functions that take a dozen arrays: it counts references to every array it
touches, with locked instructions, and it hands arrays to a callee word by word on the stack. Hot functions are therefore
compiled without numba's runtime, which also means that one which would allocate does not compile, and those that every event
passes through are inlined. Together that is a factor of seven for the order book.
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
from numba.extending import overload

F = TypeVar("F", bound=Callable[..., Any])

_CONSTANTS = (
    "compiled.py",
    "feature_arrays.py",
    "inference_layout.py",
    "net_contract.py",
    "tape.py",
    "words.py",
)  # read by compiled code, which they do not declare


def cache_directory() -> Path:
    """Where compiled code of exactly this source, numba and processor is kept."""
    digest = hashlib.sha256()
    here = Path(__file__).parent
    for source in [*sorted(here.rglob("*.py")), here.parent / "domain" / "tape.py"]:
        text = source.read_bytes()
        if b"models.compiled" in text or source.name in _CONSTANTS:
            digest.update(text)
    digest.update(f"{numba.__version__} {llvm.get_host_cpu_name()}".encode())
    base = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache" / "ems-compiled")
    return Path(base) / digest.hexdigest()[:16]


_CACHE = str(cache_directory())


def i64(value: int) -> int:
    """A 64-bit integer, in hot code and for its constants: numba compiles a function anew for every literal int and every
    width of integer that it is called with."""
    return cast(int, np.int64(value))


@overload(i64)
def _i64(value: Any) -> Any:  # noqa: ARG001
    def compiled(value: Any) -> Any:
        return np.int64(value)

    return compiled


def hot(function: F) -> F:
    """Compile a function of arrays and numbers that allocates nothing, at its first call; its compiled form is kept on disk."""
    return _compile(function, inline=False)


def inlined(function: F) -> F:
    """As `hot`, and built into every function that calls it: for what every event passes through. Compiling takes longer."""
    return _compile(function, inline=True)


def _compile(function: F, *, inline: bool) -> F:
    previous = config.CACHE_DIR
    config.CACHE_DIR = _CACHE  # numba reads it when caching is enabled for the function, which is here
    try:
        return cast(F, numba.njit(nogil=True, cache=True, forceinline=inline, _nrt=False)(function))
    finally:
        config.CACHE_DIR = previous
