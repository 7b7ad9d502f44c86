"""Which prices of a ladder are occupied: a bit a price under two levels of summary, so that the next one is three looks away.

A row of bits covers at most 2^18 prices: word 0 says which of the 64 words after it are not empty, those say the same of the
leaves behind them, and a leaf has a bit for each of 64 prices. Words are int64; an index is a price's place in its ladder.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from models.compiled import inlined

I64 = NDArray[np.int64]
PRICES_MAX: Final = 1 << 18
LEAVES: Final = 65  # words before the first leaf
_ALL: Final = np.int64(-1)
_ONE: Final = np.int64(1)


def words(prices: int) -> int:
    """Length of a row of bits for a ladder of so many prices."""
    assert 0 < prices <= PRICES_MAX
    return LEAVES + (prices + 63) // 64


@intrinsic
def lowest(_typing: Any, word: Any) -> Any:  # noqa: ARG001
    """Index of the lowest set bit of an int64 that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return builder.cttz(arguments[0], cgutils.true_bit)

    return types.int64(types.int64), generate


@intrinsic
def highest(_typing: Any, word: Any) -> Any:  # noqa: ARG001
    """Index of the highest set bit of an int64 that is not 0."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        zeros = builder.ctlz(arguments[0], cgutils.true_bit)
        return builder.sub(ir.Constant(ir.IntType(64), 63), zeros)

    return types.int64(types.int64), generate


@inlined
def occupy(bits: I64, k: int, side: int, i: int) -> None:
    """Set the bit of price i. bits: (instruments, 2, words)."""
    leaf = i >> 6
    bits[k, side, LEAVES + leaf] |= _ONE << (i & 63)
    bits[k, side, 1 + (leaf >> 6)] |= _ONE << (leaf & 63)
    bits[k, side, 0] |= _ONE << (leaf >> 6)


@inlined
def vacate(bits: I64, k: int, side: int, i: int) -> None:
    """Clear the bit of price i."""
    leaf = i >> 6
    bits[k, side, LEAVES + leaf] &= ~(_ONE << (i & 63))
    if bits[k, side, LEAVES + leaf] == 0:
        bits[k, side, 1 + (leaf >> 6)] &= ~(_ONE << (leaf & 63))
        if bits[k, side, 1 + (leaf >> 6)] == 0:
            bits[k, side, 0] &= ~(_ONE << (leaf >> 6))


@inlined
def below(bits: I64, k: int, side: int, i: int) -> int:
    """The highest occupied price at or below i, -1 if there is none. i may be -1."""
    if i < 0:
        return -1
    leaf = i >> 6
    word = bits[k, side, LEAVES + leaf] & ~((_ALL << 1) << (i & 63))
    if word == 0:
        word = bits[k, side, 1 + (leaf >> 6)] & ~(_ALL << (leaf & 63))
        if word == 0:
            word = bits[k, side, 0] & ~(_ALL << (leaf >> 6))
            if word == 0:
                return -1
            middle = highest(word)
            leaf = (middle << 6) + highest(bits[k, side, 1 + middle])
        else:
            leaf = (leaf & ~63) + highest(word)
        word = bits[k, side, LEAVES + leaf]
    return (leaf << 6) + highest(word)


@inlined
def above(bits: I64, k: int, side: int, i: int) -> int:
    """The lowest occupied price at or above i, -1 if there is none. i may be one past the ladder."""
    leaf = i >> 6
    if LEAVES + leaf >= bits.shape[2]:
        return -1
    word = bits[k, side, LEAVES + leaf] & (_ALL << (i & 63))
    if word == 0:
        word = bits[k, side, 1 + (leaf >> 6)] & ((_ALL << 1) << (leaf & 63))
        if word == 0:
            word = bits[k, side, 0] & ((_ALL << 1) << (leaf >> 6))
            if word == 0:
                return -1
            middle = lowest(word)
            leaf = (middle << 6) + lowest(bits[k, side, 1 + middle])
        else:
            leaf = (leaf & ~63) + lowest(word)
        word = bits[k, side, LEAVES + leaf]
    return (leaf << 6) + lowest(word)
