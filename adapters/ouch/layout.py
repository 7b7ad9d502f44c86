"""OUCH 5.0 messages as one table: where each field lies, how wide it is and what it holds.

Source: Nasdaq OUCH 5.0 specification. Integers are big-endian; prices have four implied decimals; text is left-justified and
filled with spaces; times are nanoseconds since midnight New York. A message may end in an appendage: its length (2 bytes), then
options, each as length (1 byte, of tag and value), tag (1) and value. Revisions of the specification differ in which messages
carry that length where there are no options; both forms are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import IntEnum
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]
I64 = NDArray[np.int64]
Way = Literal["in", "out"]  # to the venue, from the venue


class Field(NamedTuple):
    """A field of a message: kind "u" is an unsigned number, "a" text. The type's letter at 0 is not among them."""

    name: str
    at: int
    width: int
    kind: Literal["u", "a"]


class Layout(NamedTuple):
    """A message. size: without its appendage. closed: an appendage's length is written also where there are no options."""

    letter: str
    name: str
    fields: tuple[Field, ...]
    size: int
    closed: bool


def _layout(letter: str, name: str, text: str, *, closed: bool = False) -> Layout:
    """Fields as "name:width" for numbers and "name:widtha" for text, in their order."""
    fields, at = [], 1
    for part in text.split():
        field, _, width = part.partition(":")
        fields.append(Field(field, at, int(width.rstrip("a")), "a" if width.endswith("a") else "u"))
        at += fields[-1].width
    return Layout(letter, name, tuple(fields), at, closed)


_ORDER: Final = "side:1a quantity:4 symbol:8a price:8 time_in_force:1a display:1a"
_TERMS: Final = "capacity:1a sweep:1a cross_type:1a"
_IN: Final = (
    _layout("O", "enter", f"user_ref_num:4 {_ORDER} {_TERMS} cl_ord_id:14a", closed=True),
    _layout("U", "replace", "orig_user_ref_num:4 user_ref_num:4 quantity:4 price:8 time_in_force:1a display:1a sweep:1a"
            " cl_ord_id:14a", closed=True),
    _layout("X", "cancel", "user_ref_num:4 quantity:4"),
    _layout("M", "modify", "user_ref_num:4 side:1a quantity:4"),
    _layout("C", "mass_cancel", "user_ref_num:4 firm:4a symbol:8a"),
    _layout("D", "disable_order_entry", "user_ref_num:4 firm:4a"),
    _layout("E", "enable_order_entry", "user_ref_num:4 firm:4a"),
    _layout("Q", "account_query", ""),
)  # fmt: skip
_OUT: Final = (
    _layout("S", "system_event", "time_ns:8 event:1a"),
    _layout("A", "accepted", f"time_ns:8 user_ref_num:4 {_ORDER} order_ref_num:8 {_TERMS} state:1a cl_ord_id:14a", closed=True),
    _layout("U", "replaced", f"time_ns:8 orig_user_ref_num:4 user_ref_num:4 {_ORDER} order_ref_num:8 {_TERMS} state:1a"
            " cl_ord_id:14a", closed=True),
    _layout("C", "canceled", "time_ns:8 user_ref_num:4 quantity:4 reason:1a"),
    _layout("D", "aiq_canceled", "time_ns:8 user_ref_num:4 quantity:4 reason:1a prevented:4 price:8 liquidity:1a strategy:1a"),
    _layout("E", "executed", "time_ns:8 user_ref_num:4 quantity:4 price:8 liquidity:1a match_number:8", closed=True),
    _layout("B", "broken", "time_ns:8 user_ref_num:4 match_number:8 reason:1a cl_ord_id:14a"),
    _layout("J", "rejected", "time_ns:8 user_ref_num:4 reason:2 cl_ord_id:14a"),
    _layout("P", "cancel_pending", "time_ns:8 user_ref_num:4"),
    _layout("I", "cancel_reject", "time_ns:8 user_ref_num:4"),
    _layout("T", "priority", "time_ns:8 user_ref_num:4 price:8 display:1a order_ref_num:8"),
    _layout("M", "modified", "time_ns:8 user_ref_num:4 side:1a quantity:4"),
    _layout("R", "restated", "time_ns:8 user_ref_num:4 reason:1a", closed=True),
    _layout("X", "mass_cancel_response", "time_ns:8 user_ref_num:4 firm:4a symbol:8a"),
    _layout("G", "disable_response", "time_ns:8 user_ref_num:4 firm:4a"),
    _layout("K", "enable_response", "time_ns:8 user_ref_num:4 firm:4a"),
    _layout("Q", "account_query_response", "time_ns:8 next_user_ref_num:4"),
)  # fmt: skip
LAYOUTS: Final[Mapping[Way, Mapping[str, Layout]]] = {
    "in": {layout.letter: layout for layout in _IN},
    "out": {layout.letter: layout for layout in _OUT},
}
NAMES: Final[Mapping[Way, Mapping[str, Layout]]] = {
    way: {layout.name: layout for layout in layouts.values()} for way, layouts in LAYOUTS.items()
}


def place(way: Way, letter: str, field: str) -> int:
    """Where a field of a message begins. Raises KeyError where the message has no such field."""
    return {each.name: each.at for each in LAYOUTS[way][letter].fields}[field]


class Option(IntEnum):
    """Tags of an appendage's options."""

    SECONDARY_ORDER_REF_NUM = 1
    FIRM = 2
    MIN_QUANTITY = 3
    CUSTOMER_TYPE = 4
    MAX_FLOOR = 5
    PRICE_TYPE = 6
    PEG_OFFSET = 7
    DISCRETION_PRICE = 9
    DISCRETION_PRICE_TYPE = 10
    DISCRETION_PEG_OFFSET = 11
    POST_ONLY = 12
    RANDOM_RESERVES = 13
    ROUTE = 14
    EXPIRE_TIME = 15
    TRADE_NOW = 16
    HANDLE_INST = 17
    BBO_WEIGHT = 18
    DISPLAY_QUANTITY = 22
    DISPLAY_PRICE = 23
    GROUP_ID = 24
    SHARES_LOCATED = 25
    LOCATE_BROKER = 26
    SIDE = 27
    USER_REF_INDEX = 28


class Reject(IntEnum):
    """Reason of a Rejected, as far as the simulated venue gives them."""

    INVALID_DISPLAY = 0x0003
    HALTED = 0x0007
    ISO_NOT_ALLOWED = 0x0008
    INVALID_SIDE = 0x0009
    FIRM_NOT_AUTHORIZED = 0x000C
    OTHER = 0x000F
    PEGGING_NOT_ALLOWED = 0x0011
    INVALID_QUANTITY = 0x0013
    INVALID_CROSS_ORDER = 0x0014
    REPLACE_NOT_ALLOWED = 0x0015
    ROUTING_NOT_ALLOWED = 0x0016
    INVALID_SYMBOL = 0x0017
    INVALID_PRICE = 0x001D


# Places of what `adapters.ouch.compiled.read_report` reads, in an int64 array of FIELDS. What a message does not have is 0.
# SIDE is +1 or -1, STATE 1 for a live order; of EVENT, TIF, DISPLAY, LIQUIDITY and of a REASON of one letter the letter's code.
TIME_NS, REF, REF_OLD, SIDE, SHARES, SYMBOL, PRICE_E4, TIF, DISPLAY, ORDER_ID = range(10)
STATE, MATCH, LIQUIDITY, REASON, EVENT, PREVENTED, NEXT_REF, FIRM, FIELDS = range(10, 19)
_READ: Final[Mapping[str, int]] = {
    "time_ns": TIME_NS, "user_ref_num": REF, "orig_user_ref_num": REF_OLD, "side": SIDE, "quantity": SHARES, "symbol": SYMBOL,
    "price": PRICE_E4, "time_in_force": TIF, "display": DISPLAY, "order_ref_num": ORDER_ID, "state": STATE,
    "match_number": MATCH, "liquidity": LIQUIDITY, "reason": REASON, "event": EVENT, "prevented": PREVENTED,
    "next_user_ref_num": NEXT_REF, "firm": FIRM,
}  # fmt: skip
SIZE_OF: Final = np.zeros(256, np.int64)  # of a venue's message by its letter, without its appendage
PLANS: Final = np.zeros((256, FIELDS + 1, 3), np.int64)  # by letter: rows of place, offset and width; a width of 0 ends them
for _letter, _each in LAYOUTS["out"].items():
    SIZE_OF[ord(_letter)] = _each.size
    for _row, _field in enumerate(field for field in _each.fields if field.name in _READ):
        PLANS[ord(_letter), _row] = (_READ[_field.name], _field.at, _field.width)
