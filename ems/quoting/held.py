"""The kernel's three calls from Python by an address, in place of fifty arrays.

Python hands a compiled function its arrays one by one, which takes longer than most ticks. So a quoter's arrays are written
down once as compiled code holds them, and each call begins by reading that: one load.

    held = Held(q)                      keeps q's arrays alive; of the one form that `make_quoter` gives a live quoter
    n = held.datagram(data, length, now_ns, out)
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from llvmlite import ir
from numba import typeof, types
from numba.extending import intrinsic

from ems.quoting.compiled import hot
from ems.quoting.journal import INPUT_BYTES, OUTPUT_BYTES, U8
from ems.quoting.kernel import on_datagram, on_report, on_timer
from ems.quoting.state import Quoter, Terms, make_quoter


def _form() -> Any:
    """Of a live quoter: what the others write is mapped to be read."""
    return typeof(make_quoter({0: Terms("A")}, 0, window=64, capacity=64))


FORM: Final = _form()


@intrinsic
def _size(_: Any, form: Any) -> Any:
    """Bytes of a quoter of this form."""

    def codegen(target: Any, _: Any, signature: Any, __: Any) -> Any:
        return target.get_constant(types.int64, target.get_abi_sizeof(target.get_value_type(signature.args[0])))

    return types.int64(form), codegen


@intrinsic
def _put(_: Any, _address: Any, quoter: Any) -> Any:
    """Write a quoter's arrays at an address."""

    def codegen(target: Any, builder: Any, _: Any, arguments: Any) -> Any:
        where, value = arguments
        builder.store(value, builder.inttoptr(where, ir.PointerType(value.type)), align=8)
        return target.get_dummy_value()

    return types.void(types.int64, quoter), codegen


@intrinsic
def _get(_: Any, _address: Any) -> Any:
    """The quoter that is written at an address."""

    def codegen(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        kind = target.get_value_type(signature.return_type)
        return builder.load(builder.inttoptr(arguments[0], ir.PointerType(kind)), align=8)

    return FORM(types.int64), codegen


@hot
def _size_of(q: Quoter) -> int:
    return _size(q)


@hot
def _write(address: int, q: Quoter) -> None:
    _put(address, q)


@hot
def _datagram(address: int, data: U8, length: int, now_ns: int, out: U8) -> int:
    return on_datagram(_get(address), data, length, now_ns, out)


@hot
def _report(address: int, data: U8, length: int, now_ns: int, out: U8) -> int:
    return on_report(_get(address), data, length, now_ns, out)


@hot
def _timer(address: int, now_ns: int, out: U8) -> int:
    return on_timer(_get(address), now_ns, out)


class Held:
    """A quoter at an address, as long as this lives; see `ems.quoting.kernel` for what the three calls do."""

    def __init__(self, q: Quoter) -> None:
        """Raises TypeError for arrays of another form than a live quoter's."""
        if typeof(q) != FORM:
            raise TypeError("the quoter's arrays are of another form than those of a live one")
        self._q = q
        self._bytes = np.zeros(-(-_size_of(q) // 8), np.int64)
        self._address = self._bytes.ctypes.data
        _write(self._address, q)

    def datagram(self, data: U8, length: int, now_ns: int, out: U8) -> int:
        """`on_datagram`."""
        return _datagram(self._address, data, length, now_ns, out)

    def report(self, data: U8, length: int, now_ns: int, out: U8) -> int:
        """`on_report`."""
        return _report(self._address, data, length, now_ns, out)

    def timer(self, now_ns: int, out: U8) -> int:
        """`on_timer`."""
        return _timer(self._address, now_ns, out)

    def warm(self) -> None:
        """Compile all three, or load them from disk. What the quoter held is worth nothing afterwards."""
        data, out = np.zeros(INPUT_BYTES, np.uint8), np.zeros(OUTPUT_BYTES, np.uint8)
        self.datagram(data, 0, 0, out)
        self.report(data, 0, 0, out)
        self.timer(0, out)
