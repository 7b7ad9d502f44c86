"""Words in shared memory that two threads or processes use at once, in compiled code: every access whole and in one order.

A plain read in a compiled loop may be hoisted out of it, and a plain write may be seen later than a read that stands behind it.
These are `seq_cst` instructions, a few nanoseconds each.
"""

from __future__ import annotations

from typing import Any, Final

from numba import types
from numba.extending import intrinsic

_ORDER: Final = "seq_cst"
_BYTES: Final = 8


def _address(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.gep(data, [arguments[1]])


@intrinsic
def read_word(_typing: Any, words: Any, at: Any) -> Any:
    """words[at] of an int64 array."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load_atomic(_address(context, builder, signature, arguments), _ORDER, _BYTES)

    return types.int64(words, types.int64), generate


@intrinsic
def add_to_word(_typing: Any, words: Any, at: Any, value: Any) -> Any:
    """words[at] += value; what it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("add", _address(context, builder, signature, arguments), arguments[2], _ORDER)

    return types.int64(words, types.int64, types.int64), generate


@intrinsic
def swap_word(_typing: Any, words: Any, at: Any, value: Any) -> Any:
    """words[at] = value; what it was."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.atomic_rmw("xchg", _address(context, builder, signature, arguments), arguments[2], _ORDER)

    return types.int64(words, types.int64, types.int64), generate
