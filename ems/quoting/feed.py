"""The feed's side of a tick: datagrams into books, features and watches, and whether a book may be trusted. Compiled."""

from __future__ import annotations

from typing import Final

from adapters.marketdata.compiled import be16, be64
from adapters.marketdata.itch_layout import Fault, Itch
from adapters.marketdata.mold import ENDED, HEADER, NEXT, SESSION, Mold, Verdict
from domain.tape import EVERY_INSTRUMENT, Kind, Status
from ems.quoting.compiled import hot, inlined
from ems.quoting.journal import U8
from ems.quoting.state import (
    CALLS,
    FAULTS,
    FEED_FAULTS,
    FEED_NEXT,
    FEED_OVER,
    FEED_TOP,
    GARBAGE,
    HEARD_NS,
    I64,
    QUOTED,
    RESUME_NS,
    SILENT,
    SYMBOL,
    TOUCHED,
    Market,
    Quoter,
)
from ems.quoting.verdicts import CLOSED, CROSSED, DOUBTFUL, OTHER, PAUSED
from models import feature_arrays as fa
from models.compiled import i64
from models.features import update
from models.market.ahead import coming, soon
from models.market.follow import apply_one
from models.market.layout import N_INVALID, N_OVERFLOW, N_SHORT, N_UNKNOWN, SUSPECT
from models.observation import mark, note

_ZERO: Final = i64(0)
_GAP, _SHORT, _FOREIGN, _NO_ROOM = (i64(v) for v in (Verdict.GAP, Verdict.SHORT, Verdict.FOREIGN, Verdict.NO_ROOM))
_CLEAR, _STATUS, _RESYNCED, _EVERY = i64(Kind.CLEAR), i64(Kind.STATUS), i64(Status.RESYNCED), i64(EVERY_INSTRUMENT)
_AHEAD, _NEAR = i64(6), i64(3)
_END_OF_SESSION: Final = 0xFFFF
# Messages that had no meaning: what they meant is in no book. The other faults lose nothing.
_UNKNOWN_TYPE, _WRONG_LENGTH, _BAD, _BAD_LAST, _CONTRADICTION = (
    int(fault) for fault in (Fault.UNKNOWN_TYPE, Fault.WRONG_LENGTH, Fault.BAD_TIME, Fault.BAD_ID, Fault.CONTRADICTION)
)


@inlined
def heard(w: I64, mold: Mold, verdict: int, data: U8, length: int, now_ns: int) -> None:
    """What a datagram says of the feed itself."""
    bad = verdict in (_SHORT, _FOREIGN, _NO_ROOM)
    w[GARBAGE] = 1 if bad else 0
    if not bad:
        w[HEARD_NS], w[SILENT] = now_ns, 0
    if verdict == _GAP and length >= HEADER:
        count = be16(data, _ZERO + SESSION + 8)
        w[FEED_TOP] = max(w[FEED_TOP], be64(data, _ZERO + SESSION) + (count if count != _END_OF_SESSION else 0))
    w[FEED_NEXT], w[FEED_OVER] = mold.meta[NEXT], mold.meta[ENDED]


@inlined
def _touch(w: I64, table: I64, touched: I64, k: int, count: int) -> int:
    """Instrument k was told of: where it is quoted it is looked at in this call, once."""
    if table[k, QUOTED] == 0 or table[k, TOUCHED] == w[CALLS]:
        return count
    table[k, TOUCHED] = w[CALLS]
    touched[count] = k
    return count + 1


@inlined
def _faults(m: Market, k: int) -> int:
    """How often the book of k was told what cannot be."""
    meta = m.book.meta[k]
    return meta[N_UNKNOWN] + meta[N_SHORT] + meta[N_INVALID] + meta[N_OVERFLOW]


@hot
def follow(m: Market, w: I64, table: I64, touched: I64, n: int) -> int:
    """Records 0 .. n - 1 of the market's tape into books, features and watches. How many quoted instruments they told of, which
    are then in touched."""
    b, f, watch, tape, count = m.book, m.features, m.watch, m.tape, _ZERO
    for i in range(min(_AHEAD, n)):
        soon(b, tape, i)
    for i in range(min(_NEAR, n)):
        coming(b, tape, i)
    for i in range(n):
        if i + _AHEAD < n:
            soon(b, tape, i + _AHEAD)
        if i + _NEAR < n:
            coming(b, tape, i + _NEAR)
        k, kind = i64(tape[i].instrument), i64(tape[i].kind)
        apply_one(b, tape, i)
        whole = kind == _CLEAR or (kind == _STATUS and tape[i].size_lots == _RESYNCED)
        if k < 0 or k >= table.shape[0]:
            for every in range(table.shape[0] if k == _EVERY else 0):
                count = _touch(w, table, touched, every, count)
                if whole:
                    table[every, FAULTS] = _faults(m, every)
            continue
        if whole:
            table[k, FAULTS] = _faults(m, k)
        update(f, b, tape, i)
        note(watch, f, b, k)
        if i + 1 == n or i64(tape[i + 1].instrument) != k or tape[i + 1].ts_event_ns != tape[i].ts_event_ns:
            mark(watch, b, k)
        count = _touch(w, table, touched, k, count)
    return count


@inlined
def _meaningless(itch: Itch) -> int:
    """How many of the feed's messages had no meaning."""
    f = itch.faults
    count = f[_UNKNOWN_TYPE, 0] + f[_WRONG_LENGTH, 0] + f[_CONTRADICTION, 0]
    for fault in range(_BAD, _BAD_LAST + 1):
        count += f[fault, 0]
    return count


@inlined
def trusted(m: Market, w: I64, table: I64, k: int, now_ns: int) -> int:
    """0, or the bits of what is wrong with instrument k before the core is asked."""
    meta, top, said = m.book.meta[k], m.book.ten[k, 0], _ZERO
    if meta[SUSPECT] != 0 or _faults(m, k) != table[k, FAULTS] or _meaningless(m.itch) != w[FEED_FAULTS]:
        said |= DOUBTFUL
    if top[1] <= 0 or top[3] <= 0 or top[0] > top[2]:
        said |= CROSSED
    regime = m.features.values[k, fa.REGIME]
    if regime != fa.CONTINUOUS and regime != fa.PRE_CLOSE:
        said |= CLOSED
    if m.itch.symbols[k] != table[k, SYMBOL]:
        said |= OTHER
    if now_ns < table[k, RESUME_NS]:
        said |= PAUSED
    return said


@hot
def _renew(m: Market, w: I64, table: I64) -> None:
    for k in range(table.shape[0]):
        table[k, FAULTS] = _faults(m, k)
        m.book.meta[k, SUSPECT] = 0
    w[FEED_FAULTS], w[FEED_TOP], w[GARBAGE] = _meaningless(m.itch), 0, 0


def renewed(q: Quoter) -> None:
    """The process vouches for the books as they are: what was missing has been told again."""
    _renew(q.market, q.own.words, q.own.table)
