"""The venue's side of `ems bench quote`, compiled: it takes the frames that the quoter sends and answers each as a venue would.

Every order is accepted as it is, every replacement and cancel granted; one order in FILL_EVERY is executed in part. What comes
back are whole OUCH messages, one behind the other, each after its length. Tests prove lifecycle and checks against venues that
are less kind.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.compiled import be16, be32, be64, hot, put16, put32, put64
from adapters.ouch.layout import LAYOUTS, place
from models.compiled import i64

Bytes = NDArray[np.uint8]
I64 = NDArray[np.int64]
FILL_EVERY: Final = 40
ORDERS: Final = 1 << 16
REPORT_ROOM: Final = 1 << 14
ENTERED, REPLACED, CANCELED, FILLED, MATCHES, FRAMES, LEFT_OUT, COUNTS = 0, 1, 2, 3, 4, 5, 6, 8


class Venue(NamedTuple):
    """lots (ORDERS,) and side (ORDERS,) of what lives, by UserRefNum modulo ORDERS; counts (COUNTS,)."""

    lots: I64
    side: I64
    counts: I64


def make_venue() -> Venue:
    """A venue without orders."""
    return Venue(np.zeros(ORDERS, np.int64), np.zeros(ORDERS, np.int64), np.zeros(COUNTS, np.int64))


def _at(way: str, letter: str, name: str) -> int:
    return i64(place(way, letter, name))  # type: ignore[arg-type]


_HEAD: Final = i64(3)  # of a SoupBinTCP packet
_O, _U, _X, _A, _C, _E = (i64(ord(letter)) for letter in "OUXACE")
_O_REF, _O_SIDE, _O_LOTS, _O_PRICE = (_at("in", "O", name) for name in ("user_ref_num", "side", "quantity", "price"))
_U_OLD, _U_NEW, _U_LOTS, _U_PRICE = (_at("in", "U", name) for name in ("orig_user_ref_num", "user_ref_num", "quantity", "price"))
_X_REF: Final = _at("in", "X", "user_ref_num")
_A_REF, _A_SIDE, _A_LOTS, _A_PRICE, _A_STATE = (
    _at("out", "A", name) for name in ("user_ref_num", "side", "quantity", "price", "state")
)
_R_OLD, _R_NEW, _R_SIDE, _R_LOTS, _R_PRICE, _R_STATE = (
    _at("out", "U", name) for name in ("orig_user_ref_num", "user_ref_num", "side", "quantity", "price", "state")
)
_C_REF, _C_LOTS = _at("out", "C", "user_ref_num"), _at("out", "C", "quantity")
_E_REF, _E_LOTS, _E_MATCH = (_at("out", "E", name) for name in ("user_ref_num", "quantity", "match_number"))
_SIZE: Final = {letter: i64(LAYOUTS["out"][letter].size) for letter in "AUCE"}
_SIZE_A, _SIZE_U, _SIZE_C, _SIZE_E = (_SIZE[letter] for letter in "AUCE")
_LIVE, _NONE = i64(ord("L")), i64(0)


@hot
def _begin(reports: Bytes, to: int, letter: int, size: int) -> int:
    """A report's length and letter, and nothing behind it. Where its bytes begin."""
    put16(reports, to, size)
    for i in range(size):
        reports[to + 2 + i] = 0
    reports[to + 2] = letter
    return to + 2


@hot
def _terms(
    reports: Bytes, at: int, side_at: int, side: int, lots_at: int, lots: int, price_at: int, price: int, state: int
) -> None:
    reports[at + side_at], reports[at + state] = side, _LIVE
    put32(reports, at + lots_at, lots)
    put64(reports, at + price_at, price)


@hot
def _canceled(reports: Bytes, to: int, ref: int, lots: int) -> int:
    at = _begin(reports, to, _C, _SIZE_C)
    put32(reports, at + _C_REF, ref)
    put32(reports, at + _C_LOTS, lots)
    return at + _SIZE_C


@hot
def _executed(v: Venue, reports: Bytes, to: int, ref: int) -> int:
    """Half of an order, now and then."""
    v.counts[MATCHES] += 1
    lots = v.lots[ref % ORDERS] // 2
    if v.counts[MATCHES] % FILL_EVERY != 0 or lots == 0:
        return to
    at = _begin(reports, to, _E, _SIZE_E)
    put32(reports, at + _E_REF, ref)
    put32(reports, at + _E_LOTS, lots)
    put64(reports, at + _E_MATCH, v.counts[MATCHES])
    v.lots[ref % ORDERS] -= lots
    v.counts[FILLED] += 1
    return at + _SIZE_E


@hot
def answer(v: Venue, data: Bytes, n: int, reports: Bytes) -> int:
    """The answers to data[:n], whole SoupBinTCP packets, into reports. Returns their bytes."""
    at, to = _NONE, _NONE
    while at + _HEAD < n:
        size, m = be16(data, at), at + _HEAD
        letter = data[m]
        v.counts[FRAMES] += 1
        if letter == _O:
            ref = be32(data, m + _O_REF)
            v.lots[ref % ORDERS], v.side[ref % ORDERS] = be32(data, m + _O_LOTS), data[m + _O_SIDE]
            v.counts[ENTERED] += 1
            a = _begin(reports, to, _A, _SIZE_A)
            put32(reports, a + _A_REF, ref)
            _terms(
                reports,
                a,
                _A_SIDE,
                data[m + _O_SIDE],
                _A_LOTS,
                v.lots[ref % ORDERS],
                _A_PRICE,
                be64(data, m + _O_PRICE),
                _A_STATE,
            )
            to = _executed(v, reports, a + _SIZE_A, ref)
        elif letter == _U and v.lots[be32(data, m + _U_OLD) % ORDERS] > 0:
            old, ref = be32(data, m + _U_OLD), be32(data, m + _U_NEW)
            v.lots[ref % ORDERS], v.side[ref % ORDERS] = be32(data, m + _U_LOTS), v.side[old % ORDERS]
            v.lots[old % ORDERS] = 0
            v.counts[REPLACED] += 1
            a = _begin(reports, to, _U, _SIZE_U)
            put32(reports, a + _R_OLD, old)
            put32(reports, a + _R_NEW, ref)
            _terms(
                reports,
                a,
                _R_SIDE,
                v.side[ref % ORDERS],
                _R_LOTS,
                v.lots[ref % ORDERS],
                _R_PRICE,
                be64(data, m + _U_PRICE),
                _R_STATE,
            )
            to = _executed(v, reports, a + _SIZE_U, ref)
        elif letter == _X and v.lots[be32(data, m + _X_REF) % ORDERS] > 0:
            ref = be32(data, m + _X_REF)
            v.counts[CANCELED] += 1
            to = _canceled(reports, to, ref, v.lots[ref % ORDERS])
            v.lots[ref % ORDERS] = 0
        else:
            v.counts[LEFT_OUT] += 1
        at += 2 + size
    return to
