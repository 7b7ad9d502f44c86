"""The monotonic clock in compiled code: what a reading costs is measured beside everything that is timed with it."""

from __future__ import annotations

import sys
from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.compiled import hot

_MONOTONIC: Final = 6 if sys.platform == "darwin" else 1
READINGS: Final = 20_000


@intrinsic
def now_ns(_typing: Any) -> Any:
    """Nanoseconds of the system's monotonic clock, by clock_gettime."""

    def generate(_context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        i32, i64 = ir.IntType(32), ir.IntType(64)
        place = cgutils.alloca_once(builder, ir.ArrayType(i64, 2))
        kind = ir.FunctionType(i32, [i32, i64.as_pointer()])
        function = cgutils.get_or_insert_function(builder.module, kind, "clock_gettime")
        seconds = builder.bitcast(place, i64.as_pointer())
        builder.call(function, [ir.Constant(i32, _MONOTONIC), seconds])
        rest = builder.gep(seconds, [ir.Constant(i32, 1)])
        return builder.add(builder.mul(builder.load(seconds), ir.Constant(i64, 10**9)), builder.load(rest))

    return types.int64(), generate


@hot
def _readings(out: NDArray[np.int64]) -> None:
    for i in range(out.size):
        began = now_ns()
        out[i] = now_ns() - began


def clock_cost_ns() -> float:
    """What stands between two readings with nothing between them: the median, which is what is taken off."""
    out = np.zeros(READINGS, np.int64)
    _readings(out)
    _readings(out)
    return float(np.median(out))
