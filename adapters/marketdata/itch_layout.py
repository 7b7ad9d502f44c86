"""NASDAQ TotalView-ITCH 5.0: its message types with their lengths, and what a decoder remembers between messages.

Source: Nasdaq TotalView-ITCH 5.0 specification. Every message begins with type (1 byte), stock locate (2), tracking number
(2) and nanoseconds since midnight New York (6), all big-endian; prices have four implied decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from domain.errors import ReferenceDataError

Bytes = NDArray[np.uint8]
I64 = NDArray[np.int64]

# Length of each message with its type byte.
LENGTHS: Final[Mapping[str, int]] = {
    "S": 12, "R": 39, "H": 25, "Y": 20, "L": 26, "V": 35, "W": 12, "K": 28, "J": 35, "h": 21, "A": 36, "F": 40, "E": 31,
    "C": 36, "X": 23, "D": 19, "U": 35, "P": 44, "Q": 40, "B": 19, "I": 50, "N": 20, "O": 48,
}  # fmt: skip
LENGTH_OF: Final = np.zeros(256, np.int64)
for _letter, _length in LENGTHS.items():
    LENGTH_OF[ord(_letter)] = _length

CENT: Final = 100  # a tick of one cent in ITCH's price unit, 1/10,000 USD
PRICE_MAX: Final = 2_000_000_000  # 200,000.0000: above it a price is the specification's "no price", or a negative number
ORDER_ID_MAX: Final = (1 << 62) - 1  # ids above belong to our own orders
DAY_NS: Final = 86_400_000_000_000
MESSAGE_MAX: Final = 50  # the longest message; with its length 52 bytes
RECORDS_MAX: Final = 2  # tape records of one message


class Fault(IntEnum):
    """What can be wrong with a message. Told by kind: how often, and the first one's offset."""

    EMPTY = 0  # a frame of length 0, which files end with; passed over
    UNKNOWN_TYPE = 1  # passed over by its frame's length, like all below that are not kept
    WRONG_LENGTH = 2
    TRUNCATED = 3  # the bytes end within a frame
    UNKNOWN_LOCATE = 4  # no directory message and no setting named the instrument
    BACKWARD_TIME = 5  # earlier than the message before; kept as told
    BAD_TIME = 6  # a day has no such nanosecond
    BAD_SIDE = 7
    BAD_PRICE = 8  # zero where a price must be, or above 200,000 USD (a negative number)
    BAD_SIZE = 9  # zero
    BAD_ID = 10  # zero, or above 2^62
    OFF_TICK = 11  # a displayed price off the instrument's tick; kept at the tick that it does not improve upon
    CONTRADICTION = 12  # a directory message that gives a locate another symbol; the first one stands


FAULTS: Final = len(Fault)
LOCATE: Final = np.dtype([("instrument", "i4"), ("unit", "i4")])  # unit: 1/10,000 USD a tick, 0 while not known
# Places in meta.
MIDNIGHT_NS, LAST_NS, OFFSET, SIDE_TOLD, SKIPPED, CHOSEN, METAS = 0, 1, 2, 3, 4, 5, 6
NOT_FOLLOWED: Final = -1


class Itch(NamedTuple):
    """What a decoder keeps, as arrays: compiled code changes it in place.

    locates: (65536,) of LOCATE, by stock locate. symbols: (65536,) eight ASCII bytes as one big-endian number, 0 without.
    halts: (65536,) bit 0-1 the trading state of H as a Status, bit 2 an operational halt (h). counts: (256,) messages by
    type. faults: (FAULTS, 2) count and first offset. meta: see the places above. wanted: (N, 2) symbol and unit of those that
    the user named; others are followed too, in cents, unless meta[CHOSEN] is 1.
    """

    locates: NDArray[np.void]
    symbols: I64
    halts: Bytes
    counts: I64
    faults: I64
    meta: I64
    wanted: I64


def make_state(
    midnight_ns: int,
    *,
    symbols: Iterable[str] | None = None,
    units: Mapping[str, int] | None = None,
    instruments: Mapping[int, int] | None = None,
    side_told: bool = False,
) -> Itch:
    """A decoder at the start of a day.

    Args:
        midnight_ns: New York's midnight, nanoseconds UTC.
        symbols: those to follow, None for every one; messages of others are counted and give no records.
        units: 1/10,000 USD per tick of symbols that do not tick in cents.
        instruments: stock locate -> instrument number of what is known before any directory message, ticking in cents.
            Otherwise an instrument's number is its locate.
        side_told: whether message P tells the side of the hidden order. Since 2014-07-14 Nasdaq writes B for both.
    """
    unit_of = {symbol_number(symbol): CENT for symbol in symbols or ()}
    unit_of |= {symbol_number(symbol): unit for symbol, unit in (units or {}).items()}
    wanted = np.array(list(unit_of.items()), np.int64).reshape(-1, 2)
    locates = np.zeros(1 << 16, LOCATE)
    for locate, instrument in (instruments or {}).items():
        locates[locate] = (instrument, CENT)
    meta = np.zeros(METAS, np.int64)
    meta[MIDNIGHT_NS], meta[SIDE_TOLD], meta[CHOSEN] = midnight_ns, side_told, symbols is not None
    faults = np.zeros((FAULTS, 2), np.int64)
    faults[:, 1] = -1
    symbols_of, halts, counts = np.zeros(1 << 16, np.int64), np.zeros(1 << 16, np.uint8), np.zeros(256, np.int64)
    return Itch(locates, symbols_of, halts, counts, faults, meta, wanted)


def symbol_number(symbol: str) -> int:
    """A symbol as ITCH writes it, eight ASCII bytes padded with blanks, as one big-endian number.

    Raises:
        ReferenceDataError: it is empty, longer than eight characters or not printable ASCII.
    """
    text = symbol.encode("ascii", "replace")
    if not 0 < len(text) <= 8 or not symbol.isascii() or not symbol.isprintable():
        raise ReferenceDataError(f"{symbol!r} is no ITCH symbol")
    return int.from_bytes(text.ljust(8), "big")


def directory(state: Itch) -> dict[int, str]:
    """Stock locate -> symbol of every directory message so far; bytes that are not ASCII show as backslash escapes."""
    told = np.flatnonzero(state.symbols)
    return {int(i): _text(int(state.symbols[i])) for i in told}


def fault_report(state: Itch) -> dict[str, tuple[int, int]]:
    """Kind in lower case -> (count, offset of the first) of every fault that occurred."""
    return {fault.name.lower(): (int(n), int(at)) for fault, (n, at) in zip(Fault, state.faults, strict=True) if n}


def _text(number: int) -> str:
    return (number & (1 << 64) - 1).to_bytes(8, "big").decode("ascii", "backslashreplace").rstrip(" ")
