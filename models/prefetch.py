"""Asking the processor for memory before it is needed, from compiled code."""

from __future__ import annotations

from typing import Any

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.extending import intrinsic


@intrinsic
def fetch(_typing: Any, array: Any, place: Any) -> Any:
    """Ask for the cache line of array[place] and go on. place: a tuple of int64, each within the array; none is checked."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind, at = signature.args
        parts = context.make_array(kind)(context, builder, arguments[0])
        indices = [builder.extract_value(arguments[1], n) for n in range(len(at))]
        pointer = cgutils.get_item_pointer(context, builder, kind, parts, indices, wraparound=False)
        i32, byte = ir.IntType(32), ir.IntType(8).as_pointer()
        signature_of = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
        function = cgutils.get_or_insert_function(builder.module, signature_of, "llvm.prefetch.p0")
        read, keep, data = (ir.Constant(i32, value) for value in (0, 3, 1))
        builder.call(function, [builder.bitcast(pointer, byte), read, keep, data])
        return context.get_dummy_value()

    return types.void(array, place), generate
