"""How this wing compiles its decoders, and how they read big-endian numbers that lie at any offset.

Like the models' own rule: never fastmath, the GIL released, a disk cache whose name carries a digest of every source that
the compiled code depends on, of numba's version and of the processor.
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
from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

F = TypeVar("F", bound=Callable[..., Any])

_CONSTANTS = ("compiled.py", "itch_layout.py", "tape.py")  # what compiled code reads and does not compile itself


def _cache_directory() -> str:
    here = Path(__file__).parent
    digest = hashlib.sha256(f"{numba.__version__} {llvm.get_host_cpu_name()}".encode())
    for source in [*sorted(here.glob("*.py")), here.parents[1] / "domain" / "tape.py"]:
        text = source.read_bytes()
        if b"marketdata.compiled" in text or source.name in _CONSTANTS:
            digest.update(text)
    base = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache" / "ems-compiled")
    return str(Path(base) / f"marketdata-{digest.hexdigest()[:16]}")


_CACHE = _cache_directory()


def i64(value: int) -> int:
    """A constant for hot code: numba compiles a function anew for every literal int that it is called with, but once for
    all numpy integers."""
    return cast(int, np.int64(value))


def hot(function: F) -> F:
    """Compile a function of arrays and numbers that allocates nothing, at its first call; its compiled form is kept on disk.

    It is compiled without numba's runtime and melted into its callers: counting references to arrays, and handing them over
    on the stack, would cost ten times what decoding does.
    """
    previous = config.CACHE_DIR
    config.CACHE_DIR = _CACHE  # numba reads it when caching is enabled for the function, which is here
    try:
        return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=True, _nrt=False)(function))
    finally:
        config.CACHE_DIR = previous


def _loader(bits: int) -> Callable[[Any, Any], int]:
    """A compiled function (bytes, offset) -> the big-endian unsigned number of that many bits there, as int64.

    The caller has checked that the bytes are there: this is the one load and byte swap that numba would not make of shifts.
    """

    @intrinsic
    def load(_: Any, data: Any, at: Any) -> Any:  # noqa: ARG001
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.gep(array.data, [arguments[1]])
            word = ir.IntType(bits)
            value = builder.load(builder.bitcast(place, word.as_pointer()))
            value.align = 1
            swapped = builder.bswap(value)
            return swapped if bits == 64 else builder.zext(swapped, ir.IntType(64))

        return types.int64(data, types.intp), build

    return cast(Callable[[Any, Any], int], load)


be16 = _loader(16)
be32 = _loader(32)
be64 = _loader(64)


def _storer(bits: int) -> Callable[[Any, Any, Any], None]:
    """A compiled function (bytes, offset, number) that writes the number's low bits there, big-endian."""

    @intrinsic
    def store(_: Any, data: Any, at: Any, value: Any) -> Any:  # noqa: ARG001 (numba types, fixed)
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            place = builder.gep(array.data, [arguments[1]])
            word = ir.IntType(bits)
            low = arguments[2] if bits == 64 else builder.trunc(arguments[2], word)
            builder.store(builder.bswap(low), builder.bitcast(place, word.as_pointer()), align=1)
            return context.get_dummy_value()

        return types.void(data, types.intp, types.int64), build

    return cast(Callable[[Any, Any, Any], None], store)


put16 = _storer(16)
put32 = _storer(32)
put64 = _storer(64)
