"""OUCH 5.0 in compiled code: what the quoter sends, each framed by SoupBinTCP, and what it reads of the venue's answers.

Encoders write at `at` and return the offset behind the frame, or `at` itself where the frame would not fit: nothing is written
then. They never fail and never allocate. Prices are in 1/10,000, sizes in shares, symbols are eight ASCII characters as one
big-endian number (`symbol_number`).

Compiled as the house's other hot code is: never fastmath, the GIL released, without numba's runtime, melted into its callers,
under a disk cache whose name carries a digest of this wing's source, of numba's version and of the processor.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar, cast

import llvmlite.binding as llvm
import numba
import numpy as np
from llvmlite import ir
from numba.core import config, types
from numba.extending import intrinsic

from adapters.ouch.layout import I64, LAYOUTS, PLANS, SIDE, SIZE_OF, STATE, Bytes, Option, place

F = TypeVar("F", bound=Callable[..., Any])


def _cache_directory() -> str:
    digest = hashlib.sha256(f"{numba.__version__} {llvm.get_host_cpu_name()}".encode())
    for source in sorted(Path(__file__).parent.glob("*.py")):
        digest.update(source.read_bytes() if source.name in ("compiled.py", "layout.py") else b"")
    base = os.environ.get("NUMBA_CACHE_DIR") or str(Path.home() / ".cache" / "ems-compiled")
    return str(Path(base) / f"ouch-{digest.hexdigest()[:16]}")


_CACHE: Final = _cache_directory()


def hot(function: F) -> F:
    """Compile a function of arrays and numbers that allocates nothing, at its first call; its compiled form is kept on disk."""
    previous = config.CACHE_DIR
    config.CACHE_DIR = _CACHE  # numba reads it when caching is enabled for the function, which is here
    try:
        return cast(F, numba.njit(nogil=True, cache=True, error_model="numpy", forceinline=True, _nrt=False)(function))
    finally:
        config.CACHE_DIR = previous


def _loader(bits: int) -> Callable[[Any, Any], int]:
    """A compiled function (bytes, offset) -> the big-endian unsigned number of that many bits there, as int64."""

    @intrinsic
    def load(_: Any, data: Any, at: Any) -> Any:  # noqa: ARG001 (numba's types, given here, generate the call below)
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            word = ir.IntType(bits)
            value = builder.load(builder.bitcast(builder.gep(array.data, [arguments[1]]), word.as_pointer()))
            value.align = 1
            swapped = builder.bswap(value)
            return swapped if bits == 64 else builder.zext(swapped, ir.IntType(64))

        return types.int64(data, types.intp), build

    return cast(Callable[[Any, Any], int], load)


def _storer(bits: int) -> Callable[[Any, Any, Any], None]:
    """A compiled function (bytes, offset, number) that writes the number's low bits there, big-endian."""

    @intrinsic
    def store(_: Any, data: Any, at: Any, value: Any) -> Any:  # noqa: ARG001 (numba's types, as above)
        def build(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            array = context.make_array(signature.args[0])(context, builder, arguments[0])
            word = ir.IntType(bits)
            low = arguments[2] if bits == 64 else builder.trunc(arguments[2], word)
            place_ = builder.bitcast(builder.gep(array.data, [arguments[1]]), word.as_pointer())
            builder.store(builder.bswap(low), place_, align=1)
            return context.get_dummy_value()

        return types.void(data, types.intp, types.int64), build

    return cast(Callable[[Any, Any, Any], None], store)


_be16, _be32, _be64 = _loader(16), _loader(32), _loader(64)
_put16, _put32, _put64 = _storer(16), _storer(32), _storer(64)


def i64(value: int) -> int:
    """A constant for hot code: numba compiles a function anew for every literal int that it is called with."""
    return cast(int, np.int64(value))


def symbol_number(symbol: str) -> int:
    """A symbol as the encoders take it and `read_report` gives it. Raises ValueError for what is no symbol."""
    data = symbol.encode("ascii")
    if not 0 < len(data) <= 8:
        raise ValueError(f"{symbol!r} is no symbol: one to eight characters")
    return int.from_bytes(data.ljust(8), "big", signed=True)


# What a frame takes at most: the length, the packet's letter, and the message with the one option that is ever written.
ENTER_MAX, REPLACE_MAX, CANCEL_MAX, MASS_CANCEL_MAX, BEAT = 53, 46, 12, 25, 3
DAY, IOC = i64(ord("0")), i64(ord("3"))  # TimeInForce
SHOWN, HIDDEN = i64(ord("Y")), i64(ord("N"))  # Display
_HEAD: Final = 3
_NONE: Final = i64(0)
_L: Final = {letter: i64(ord(letter)) for letter in "OUXCQRBSTPNLY"}
_U, _BUY, _SELL, _SHORT, _LIVE = (_L[letter] for letter in "UBSTL")
_L_O, _L_P, _L_N, _L_X, _L_C, _L_Q, _L_R = (_L[letter] for letter in "OPNXCQR")
_BLANK2, _BLANK4, _BLANK8 = i64(0x2020), i64(0x20202020), i64(0x2020202020202020)
_SIZE: Final = {letter: i64(layout.size) for letter, layout in LAYOUTS["in"].items()}
_ENTER, _REPLACE, _CANCEL, _MASS = _SIZE["O"], _SIZE["U"], _SIZE["X"], _SIZE["C"]
_POST_ONLY, _SIDE_TAG = i64(Option.POST_ONLY), i64(Option.SIDE)
_E: Final = {field.name: i64(field.at + _HEAD) for field in LAYOUTS["in"]["O"].fields}
_E_REF, _E_SIDE, _E_SHARES, _E_SYMBOL, _E_PRICE = (_E[n] for n in ("user_ref_num", "side", "quantity", "symbol", "price"))
_E_TIF, _E_DISPLAY, _E_CAPACITY = _E["time_in_force"], _E["display"], _E["capacity"]
_E_SWEEP, _E_CROSS, _E_TEXT = _E["sweep"], _E["cross_type"], _E["cl_ord_id"]
_R: Final = {field.name: i64(field.at + _HEAD) for field in LAYOUTS["in"]["U"].fields}
_R_OLD, _R_NEW, _R_SHARES, _R_PRICE = (_R[n] for n in ("orig_user_ref_num", "user_ref_num", "quantity", "price"))
_R_TIF, _R_DISPLAY, _R_SWEEP, _R_TEXT = (_R[n] for n in ("time_in_force", "display", "sweep", "cl_ord_id"))
_X_REF, _X_SHARES = (i64(place("in", "X", name) + _HEAD) for name in ("user_ref_num", "quantity"))
_C_REF, _C_FIRM, _C_SYMBOL = (i64(place("in", "C", name) + _HEAD) for name in ("user_ref_num", "firm", "symbol"))


@hot
def _frame(out: Bytes, at: int, letter: int, size: int) -> None:
    """SoupBinTCP's length and packet letter, and the message's own letter."""
    _put16(out, at, size + 1)
    out[at + 2], out[at + 3] = _U, letter


@hot
def _text(out: Bytes, at: int) -> None:
    """No ClOrdID: fourteen spaces."""
    _put64(out, at, _BLANK8)
    _put32(out, at + 8, _BLANK4)
    _put16(out, at + 12, _BLANK2)


@hot
def _options(out: Bytes, at: int, tag: int, letter: int) -> int:
    """An appendage of one option of one letter; letter 0: of none."""
    if letter == 0:
        _put16(out, at, _NONE)
        return at + 2
    _put16(out, at, _NONE + 3)
    out[at + 2], out[at + 3], out[at + 4] = 2, tag, letter
    return at + 5


@hot
def put_enter(out: Bytes, at: int, ref: int, side: int, shares: int, symbol: int, price_e4: int, tif: int, display: int,
              post_only: bool) -> int:  # fmt: skip
    """Enter Order. side: +1 buys, -1 sells, -2 sells short. As principal, no sweep, continuous trading, no ClOrdID."""
    if at < 0 or at + ENTER_MAX > out.size:
        return at
    size = _ENTER + (5 if post_only else 2)
    _frame(out, at, _L_O, size)
    _put32(out, at + _E_REF, ref)
    out[at + _E_SIDE] = _BUY if side > 0 else _SELL if side == -1 else _SHORT
    _put32(out, at + _E_SHARES, shares)
    _put64(out, at + _E_SYMBOL, symbol)
    _put64(out, at + _E_PRICE, price_e4)
    out[at + _E_TIF], out[at + _E_DISPLAY], out[at + _E_CAPACITY] = tif, display, _L_P
    out[at + _E_SWEEP] = out[at + _E_CROSS] = _L_N
    _text(out, at + _E_TEXT)
    return _options(out, at + _HEAD + _ENTER, _POST_ONLY, _L_P if post_only else _NONE)


@hot
def put_replace(out: Bytes, at: int, ref_old: int, ref_new: int, shares: int, price_e4: int, tif: int, display: int,
                post_only: bool) -> int:  # fmt: skip
    """Replace Order: shares is the new total, what has executed of the old one included."""
    if at < 0 or at + REPLACE_MAX > out.size:
        return at
    size = _REPLACE + (5 if post_only else 2)
    _frame(out, at, _U, size)
    _put32(out, at + _R_OLD, ref_old)
    _put32(out, at + _R_NEW, ref_new)
    _put32(out, at + _R_SHARES, shares)
    _put64(out, at + _R_PRICE, price_e4)
    out[at + _R_TIF], out[at + _R_DISPLAY], out[at + _R_SWEEP] = tif, display, _L_N
    _text(out, at + _R_TEXT)
    return _options(out, at + _HEAD + _REPLACE, _POST_ONLY, _L_P if post_only else _NONE)


@hot
def put_cancel(out: Bytes, at: int, ref: int, shares: int) -> int:
    """Cancel Order: shares is what the order may come to in total from now on; 0 takes all of it out."""
    if at < 0 or at + CANCEL_MAX > out.size:
        return at
    _frame(out, at, _L_X, _CANCEL)
    _put32(out, at + _X_REF, ref)
    _put32(out, at + _X_SHARES, shares)
    return at + _HEAD + _CANCEL


@hot
def put_mass_cancel(out: Bytes, at: int, ref: int, firm: int, symbol: int, side: int) -> int:
    """Mass Cancel. firm, symbol: as numbers of four and eight characters, 0 for all; side 0: both. ref is a new one."""
    if at < 0 or at + MASS_CANCEL_MAX > out.size:
        return at
    _frame(out, at, _L_C, _MASS + (0 if side == 0 else 5))
    _put32(out, at + _C_REF, ref)
    _put32(out, at + _C_FIRM, firm if firm != 0 else _BLANK4)
    _put64(out, at + _C_SYMBOL, symbol if symbol != 0 else _BLANK8)
    if side == 0:
        return at + _HEAD + _MASS
    return _options(out, at + _HEAD + _MASS, _SIDE_TAG, _BUY if side > 0 else _SELL)


@hot
def put_account_query(out: Bytes, at: int) -> int:
    """Account Query: the venue answers with the next UserRefNum."""
    if at < 0 or at + _HEAD + 1 > out.size:
        return at
    _frame(out, at, _L_Q, _NONE + 1)
    return at + _HEAD + 1


@hot
def put_beat(out: Bytes, at: int) -> int:
    """A client's SoupBinTCP heartbeat."""
    if at < 0 or at + BEAT > out.size:
        return at
    _put16(out, at, _NONE + 1)
    out[at + 2] = _L_R
    return at + BEAT


UNKNOWN_TYPE, WRONG_LENGTH = i64(0), i64(-1)


@hot
def read_report(data: Bytes, length: int, fields: I64) -> int:
    """One message of the venue's, data[:length] without its frame, into fields (`adapters.ouch.layout.FIELDS` places, 0 where
    the message has none). Returns the code of its letter; UNKNOWN_TYPE or WRONG_LENGTH where it is none: fields are 0 then.

    Numbers of eight bytes are given as int64, bit by bit.
    """
    return read_report_at(data, _NONE, length, fields)


@hot
def read_report_at(data: Bytes, at: int, length: int, fields: I64) -> int:
    """As `read_report`, of data[at:at + length]."""
    for i in range(fields.size):
        fields[i] = 0
    if length <= 0 or at < 0 or at + length > data.size:
        return WRONG_LENGTH
    letter = data[at]
    size = SIZE_OF[letter]
    if size == 0:
        return UNKNOWN_TYPE
    if length != size and (length < size + 2 or length != size + 2 + _be16(data, at + size)):
        return WRONG_LENGTH
    row = 0
    while PLANS[letter, row, 2] != 0:
        where, width = at + PLANS[letter, row, 1], PLANS[letter, row, 2]
        if width == 4:
            value = _be32(data, where)
        elif width == 8:
            value = _be64(data, where)
        elif width == 2:
            value = _be16(data, where)
        else:
            value = data[where] + _NONE
        fields[PLANS[letter, row, 0]] = value
        row += 1
    side = fields[SIDE]
    fields[SIDE] = 0 if side == 0 else 1 if side == _BUY else -1
    fields[STATE] = 1 if fields[STATE] == _LIVE else 0
    return letter + _NONE


PARTIAL, BROKEN = i64(0), i64(-1)


@hot
def next_frame(buffer: Bytes, start: int, end: int) -> tuple[int, int, int, int]:
    """The SoupBinTCP packet at buffer[start:end]: (its letter's code, where its payload begins, the payload's length, where the
    next packet begins).

    PARTIAL: it is not whole yet. BROKEN: it is no packet, or one that this buffer could never hold; the connection is to be cut.
    """
    if start < 0 or end > buffer.size or start + 2 > end:
        return PARTIAL, start, _NONE, start
    length = _be16(buffer, start)
    if length == 0 or length + 2 > buffer.size:
        return BROKEN, start, _NONE, start
    if start + 2 + length > end:
        return PARTIAL, start, _NONE, start
    return buffer[start + 2] + _NONE, start + _HEAD, length - 1, start + 2 + length
