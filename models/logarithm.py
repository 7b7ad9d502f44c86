"""log2(1 + x) without a mathematics library, so that the same input gives the same bits on every machine."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from models.compiled import inlined

_SHIFT, _BIAS = 52, 1023
_MANTISSA = (1 << _SHIFT) - 1
_ONE = _BIAS << _SHIFT
_TWO_OVER_LN2 = 2.8853900817779268


@intrinsic
def _bits_of(_typing: Any, _x: Any) -> Any:
    """The bits of a float64 as int64."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.IntType(64))

    return types.int64(types.float64), generate


@intrinsic
def _of_bits(_typing: Any, _x: Any) -> Any:
    """The float64 that has these bits."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.bitcast(arguments[0], ir.DoubleType())

    return types.float64(types.int64), generate


@intrinsic
def _ratio(_typing: Any, _a: Any, _b: Any) -> Any:
    """a / b without a look whether b is 0: with one, a loop of these would not become vector instructions."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.fdiv(arguments[0], arguments[1])

    return types.float64(types.float64, types.float64), generate


@inlined
def compress(x: float) -> float:
    """sign(x) log2(1 + abs(x)), to 1e-8, for finite x.

    1 + abs(x) = 2^e m with m in 1 .. 2, which are its bits; with t = (m - 1) / (m + 1),
    log2(m) = 2 / ln 2 (t + t^3 / 3 + t^5 / 5 + ...).
    """
    bits = _bits_of(1.0 + abs(x))
    m = _of_bits(bits & _MANTISSA | _ONE)
    t = _ratio(m - 1.0, m + 1.0)
    s = t * t
    series = 1.0 + s * (1 / 3 + s * (1 / 5 + s * (1 / 7 + s * (1 / 9 + s * (1 / 11 + s * (1 / 13 + s * (1 / 15)))))))
    size = float((bits >> _SHIFT) - _BIAS) + _TWO_OVER_LN2 * t * series
    return -size if x < 0.0 else size
