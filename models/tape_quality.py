"""How good a tape is: what is missing, which clocks go back, how often the book is crossed, which trades lie outside of it.

The book is followed as the feed tells it (`models.market.follow`), record by record, all instruments at once, in compiled code.
Nothing is corrected, because what does not fit is what is looked for.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from domain.tape import FLAG_AT_PRICE, FLAG_HALF_TICK, FLAG_NO_PRINT, Kind, Status, Tape
from models.compiled import hot, i64
from models.market.book import find
from models.market.follow import apply_one
from models.market.layout import BASE, N_INVALID, N_SHORT, N_UNKNOWN, Book, make_book

_NAMES: Final = (
    "records gaps lost disconnects backward_event backward_receive crossed locked prints prints_judged prints_outside "
    "negative_price unfitting both".split()
)
(
    _RECORDS, _GAPS, _LOST, _DISCONNECTS, _BACK_EVENT, _BACK_RECEIVE, _CROSSED, _LOCKED, _PRINTS, _JUDGED, _OUTSIDE, _NEGATIVE,
    _UNFITTING, _BOTH,
) = range(len(_NAMES))  # fmt: skip
_TRADE, _EXECUTE, _STATUS = i64(Kind.TRADE), i64(Kind.EXECUTE), i64(Kind.STATUS)
_LOST_STATUS, _DISCONNECTED = i64(Status.LOST), i64(Status.DISCONNECTED)
_CAPACITY: Final = 1 << 21  # orders of all instruments; address space, used as they come
_FEW: Final = 64
_INSTRUMENTS_MAX: Final = (1 << 15) - 1
I64 = NDArray[np.int64]


class Quality:
    """Counts over the records that were told so far; `report` turns them into shares.

    Args:
        instruments: how many there are, if that is known: more may come. Beyond 32,767 they are only counted as unfitting.
    """

    def __init__(self, instruments: int = 1) -> None:
        count = min(max(1, instruments), _INSTRUMENTS_MAX)
        self._book = make_book(None, 1 << 16 if count <= _FEW else 1 << 12, _CAPACITY, count)
        self._counts = np.zeros(len(_NAMES), np.int64)
        self._last = np.zeros(2, np.int64)  # event and receive time
        self._seen: NDArray[np.bool_] = np.zeros(count, np.bool_)

    def tell(self, tape: Tape) -> None:
        """More records of the tape."""
        highest = min(int(tape["instrument"].max(initial=0)), _INSTRUMENTS_MAX - 1)
        if highest >= len(self._seen):
            count = min(2 * highest + 1, _INSTRUMENTS_MAX)
            self._book = _grown(self._book, count)
            self._seen = np.concatenate([self._seen, np.zeros(count - len(self._seen), np.bool_)])
        _follow(self._book, tape, self._counts, self._last, self._seen)

    def report(self) -> dict[str, int | float]:
        """The counts; shares are of records after which both sides are displayed, and of prints while they were."""
        counts = {name: int(count) for name, count in zip(_NAMES, self._counts, strict=True)}
        both = counts.pop("both")
        shares = {
            "crossed_share": counts["crossed"] / both if both else 0.0,
            "locked_share": counts["locked"] / both if both else 0.0,
            "outside_share": counts["prints_outside"] / counts["prints_judged"] if counts["prints_judged"] else 0.0,
        }
        return {**counts, **shares, "instruments": int(self._seen.sum())}


def _grown(book: Book, instruments: int) -> Book:
    """The same book with room for more instruments."""
    more = make_book(None, book.levels.shape[2], 1, instruments - len(book.meta))
    parts = {name: np.concatenate([getattr(book, name), getattr(more, name)]) for name in ("meta", "ten", "levels", "bits")}
    return book._replace(**parts)


@hot
def _follow(b: Book, tape: Tape, counts: I64, last: I64, seen: NDArray[np.bool_]) -> None:
    for i in range(tape.size):
        e = tape[i]
        k, kind = i64(e.instrument), i64(e.kind)
        counts[_RECORDS] += 1
        counts[_BACK_EVENT] += e.ts_event_ns < last[0]
        counts[_BACK_RECEIVE] += e.ts_recv_ns < last[1]
        last[0], last[1] = e.ts_event_ns, e.ts_recv_ns
        if kind == _STATUS:
            counts[_GAPS] += e.size_lots == _LOST_STATUS
            counts[_LOST] += e.order_id if e.size_lots == _LOST_STATUS else 0
            counts[_DISCONNECTS] += e.size_lots == _DISCONNECTED
            continue
        counts[_NEGATIVE] += e.price_ticks < 0
        if k < 0:
            apply_one(b, tape, i)  # of every instrument: a clear
            continue
        if k >= seen.size:
            counts[_UNFITTING] += 1
            continue
        seen[k] = True
        if kind in (_TRADE, _EXECUTE) and not e.flags & FLAG_NO_PRINT:
            _judge(b, k, kind, e.order_id, e.price_ticks, i64(e.flags), counts)
        before = b.meta[k, N_UNKNOWN] + b.meta[k, N_SHORT] + b.meta[k, N_INVALID]
        apply_one(b, tape, i)
        counts[_UNFITTING] += b.meta[k, N_UNKNOWN] + b.meta[k, N_SHORT] + b.meta[k, N_INVALID] > before
        if b.ten[k, 0, 1] > 0 and b.ten[k, 0, 3] > 0:
            counts[_BOTH] += 1
            counts[_CROSSED] += b.ten[k, 0, 0] > b.ten[k, 0, 2]
            counts[_LOCKED] += b.ten[k, 0, 0] == b.ten[k, 0, 2]


@hot
def _judge(b: Book, k: int, kind: int, oid: int, ticks: int, flags: int, counts: I64) -> None:
    """Whether a print lies within the spread that stands before it."""
    counts[_PRINTS] += 1
    half_ticks = 2 * ticks + (1 if flags & FLAG_HALF_TICK else 0)
    if kind == _EXECUTE and not flags & FLAG_AT_PRICE:
        slot = find(b, k, oid)
        if slot > 0:
            half_ticks = 2 * (b.orders[slot].price + b.meta[k, BASE])
    bid, ask = b.ten[k, 0, 0], b.ten[k, 0, 2]
    if b.ten[k, 0, 1] > 0 and b.ten[k, 0, 3] > 0 and bid <= ask:
        counts[_JUDGED] += 1
        counts[_OUTSIDE] += half_ticks < 2 * bid or half_ticks > 2 * ask
