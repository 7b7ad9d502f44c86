"""Sixteen floats at once in compiled code: a value type for kernels whose every sum has its order written down.

numba decides by itself how a loop over float32 becomes vector instructions, and may decide otherwise on another processor.
Here a vector is a value: loaded, multiplied and added, stored. LLVM maps it to one AVX-512 register, two of AVX2 or four of
NEON, and the bits are the same, because each of the sixteen places has its own chain of operations, `fma` rounds once by
definition, and no flag lets anybody reorder anything. Used in functions compiled by `models.compiled` alone.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, Final

from llvmlite import ir
from numba import types
from numba.core import cgutils
from numba.core.datamodel import models as data_models
from numba.extending import intrinsic, lower_builtin, register_model, type_callable

LANES: Final = 16
_F32, _I32, _I64 = ir.FloatType(), ir.IntType(32), ir.IntType(64)
_FLOATS, _INTS = ir.VectorType(_F32, LANES), ir.VectorType(_I32, LANES)
_ANY: Final = 4  # bytes: what the address of a vector in memory is known to be a multiple of
Vector = Any  # what a type checker sees of it


class _VectorType(types.Type):
    """Sixteen float32."""

    def __init__(self) -> None:
        super().__init__(name="float32x16")


_VECTOR: Final = _VectorType()


@register_model(_VectorType)
class _VectorModel(data_models.PrimitiveModel):
    """Kept as the machine's own vector."""

    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, _FLOATS)


def _operator(function: Any, emit: str) -> None:
    @type_callable(function)
    def typed(_context: Any) -> Any:
        return lambda a, b: _VECTOR if a == _VECTOR and b == _VECTOR else None

    @lower_builtin(function, _VectorType, _VectorType)
    def lowered(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return getattr(builder, emit)(*arguments)


for _function, _emit in ((operator.add, "fadd"), (operator.sub, "fsub"), (operator.mul, "fmul"), (operator.truediv, "fdiv")):
    _operator(_function, _emit)


def _place(context: Any, builder: Any, signature: Any, arguments: Any, kind: Any) -> Any:
    """The address of array[at], with arguments (array, at, ...), as a pointer to kind; nothing is checked."""
    data = context.make_array(signature.args[0])(context, builder, arguments[0]).data
    return builder.bitcast(builder.gep(data, [arguments[1]]), kind.as_pointer())


def _spread(builder: Any, value: Any) -> Any:
    empty = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(empty, value, ir.Constant(_I32, 0))
    return builder.shuffle_vector(first, empty, ir.Constant(_INTS, [0] * LANES))


def _call(builder: Any, name: str, *arguments: Any) -> Any:
    kind = ir.FunctionType(_FLOATS, [_FLOATS] * len(arguments))
    return builder.call(cgutils.get_or_insert_function(builder.module, kind, name), arguments)


@intrinsic
def load(_typing: Any, array: Any, at: Any) -> Any:
    """array[at .. at + 15]. Within bounds: the caller's word."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.load(_place(context, builder, signature, arguments, _FLOATS), align=_ANY)

    return _VECTOR(array, types.int64), generate


@intrinsic
def store(_typing: Any, array: Any, at: Any, vector: Any) -> Any:
    """array[at .. at + 15] = vector."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        builder.store(arguments[2], _place(context, builder, signature, arguments, _FLOATS), align=_ANY)
        return context.get_dummy_value()

    return types.void(array, types.int64, _VECTOR), generate


@intrinsic
def spread_at(_typing: Any, array: Any, at: Any) -> Any:
    """array[at] in every place."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return _spread(builder, builder.load(_place(context, builder, signature, arguments, _F32), align=_ANY))

    return _VECTOR(array, types.int64), generate


@intrinsic
def spread(_typing: Any, value: Any) -> Any:
    """The number in every place."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _spread(builder, arguments[0])

    return _VECTOR(types.float32), generate


@intrinsic
def fma(_typing: Any, a: Any, b: Any, c: Any) -> Any:
    """a * b + c, rounded once."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.fma.v16f32", *arguments)

    return _VECTOR(_VECTOR, _VECTOR, _VECTOR), generate


@intrinsic
def root(_typing: Any, a: Any) -> Any:
    """The square root of each place, rounded once: the processor's own instruction."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        return _call(builder, "llvm.sqrt.v16f32", *arguments)

    return _VECTOR(_VECTOR), generate


def _between(order: str) -> Callable[[Any, Any], Any]:
    def emit(builder: Any, arguments: Any) -> Any:
        return builder.select(builder.fcmp_ordered(order, *arguments), *arguments)

    return emit


@intrinsic
def least(_typing: Any, a: Any, b: Any) -> Any:
    """The lesser of each place; b where either is NaN."""
    emit = _between("<")
    return _VECTOR(_VECTOR, _VECTOR), lambda _context, builder, _signature, arguments: emit(builder, arguments)


@intrinsic
def greatest(_typing: Any, a: Any, b: Any) -> Any:
    """The greater of each place; b where either is NaN."""
    emit = _between(">")
    return _VECTOR(_VECTOR, _VECTOR), lambda _context, builder, _signature, arguments: emit(builder, arguments)


@intrinsic
def magnitude(_typing: Any, a: Any) -> Any:
    """|a|, by the sign bit."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits = builder.and_(builder.bitcast(arguments[0], _INTS), ir.Constant(_INTS, [0x7FFFFFFF] * LANES))
        return builder.bitcast(bits, _FLOATS)

    return _VECTOR(_VECTOR), generate


@intrinsic
def add_exponent(_typing: Any, a: Any, shifted: Any) -> Any:
    """a * 2^n, where n stands in the lowest bits of `shifted`; the product must be a normal number."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        bits, power = (builder.bitcast(argument, _INTS) for argument in arguments)
        return builder.bitcast(builder.add(bits, builder.shl(power, ir.Constant(_INTS, [23] * LANES))), _FLOATS)

    return _VECTOR(_VECTOR, _VECTOR), generate


@intrinsic
def sum_of(_typing: Any, a: Any) -> Any:
    """The sum of the sixteen places, as a tree: halves on halves."""

    def generate(_context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        vector, width = arguments[0], LANES
        while width > 1:
            width //= 2
            halves = [ir.Constant(ir.VectorType(_I32, width), list(range(at, at + width))) for at in (0, width)]
            low, high = (builder.shuffle_vector(vector, vector, half) for half in halves)
            vector = builder.fadd(low, high)
        return builder.extract_element(vector, ir.Constant(_I32, 0))

    return types.float32(_VECTOR), generate


@intrinsic
def any_not_finite(_typing: Any, array: Any, start: Any, stop: Any) -> Any:
    """Is there a NaN or an infinity in array[start:stop]? By the bits of the exponents, which no flag can delete."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        found = cgutils.alloca_once_value(builder, ir.Constant(_I32, 0))
        mask = ir.Constant(_I32, 0x7F800000)
        base = _place(context, builder, signature, arguments[:2], _I32)
        with cgutils.for_range(builder, builder.sub(arguments[2], arguments[1])) as loop:
            bits = builder.and_(builder.load(builder.gep(base, [loop.index]), align=_ANY), mask)
            bad = builder.zext(builder.icmp_unsigned("==", bits, mask), _I32)
            builder.store(builder.or_(builder.load(found), bad), found)
        return builder.icmp_unsigned("!=", builder.load(found), ir.Constant(_I32, 0))

    return types.boolean(array, types.int64, types.int64), generate
