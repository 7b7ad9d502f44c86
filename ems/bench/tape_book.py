"""Decoded messages into the book of all instruments: whole blocks for throughput, datagram by datagram for the time of each."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any, Final, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.itch import decode_frames
from adapters.marketdata.itch_layout import Bytes, Itch, fault_report, make_state
from adapters.marketdata.mold import DATAGRAMS, LOST, Mold, decode_datagram, make_mold, room_of
from domain.tape import Kind, Tape, empty_tape
from ems.bench.tape_stream import INSTRUMENTS, Datagrams, Stream
from models.hot_clock import now_ns
from models.market import follow
from models.market.layout import N_INVALID, N_OUTSIDE, N_OVERFLOW, N_SHORT, N_STRANGER, N_UNKNOWN, TEN, Book, make_book

RUNS: Final = 3
BLOCK: Final = 2_048  # records between decoder and book: they stay in the cache
I64 = NDArray[np.int64]
ORDERS: Final = 1 << 17
F = TypeVar("F", bound=Callable[..., Any])
_FAULTS: Final = (N_UNKNOWN, N_SHORT, N_INVALID, N_OUTSIDE, N_OVERFLOW)


def _compiled(function: F) -> F:
    """Compiled anew in every run: no cache would notice an edit of decoder or book, and the bench would measure what was."""
    return cast(F, numba.njit(nogil=True, _nrt=False)(function))


@_compiled
def _blocks(state: Itch, data: Bytes, out: Tape, book: Book) -> int:
    """All messages through decoder and book. Returns the offset reached."""
    at = 0
    while at < data.size:
        before = at
        at, n = decode_frames(state, data, at, data.size, 0, out, 0)
        follow.apply(book, out, 0, n)
        if at == before:
            break
    return at


@_compiled
def _one_by_one(state: Itch, mold: Mold, data: Bytes, ends: Any, out: Tape, book: Book, took_ns: Any) -> None:
    """Each datagram through decoder and book, and how long it took."""
    for i in range(took_ns.size):
        began_ns = now_ns()
        _, n = decode_datagram(mold, state, data, ends[i], ends[i + 1], 0, out, 0, False)
        follow.apply(book, out, 0, n)
        took_ns[i] = now_ns() - began_ns


def block_seconds(stream: Stream, left: I64) -> float:
    """Seconds of the fastest of several runs over the whole stream. left: what its books must show in the end."""
    took, out = [], empty_tape(BLOCK)
    for _ in range(RUNS):
        state, book = make_state(stream.midnight_ns, side_told=True), _book(left)
        began = time.perf_counter()
        at = _blocks(state, stream.data, out, book)
        took.append(time.perf_counter() - began)
        assert at == len(stream.data) and fault_report(state) == {}
        _verify(book, left)
    return min(took)


def datagram_us(stream: Stream, datagrams: Datagrams, left: I64) -> NDArray[np.float64]:
    """Microseconds a message of every datagram, in the run with the lowest p99. left: as above."""
    runs = []
    out = empty_tape(room_of(int(np.diff(datagrams.ends).max())))
    for _ in range(RUNS):
        state, mold, book = make_state(stream.midnight_ns, side_told=True), make_mold(1), _book(left)
        took_ns = np.zeros(len(datagrams.messages), np.int64)
        _one_by_one(state, mold, datagrams.data, datagrams.ends, out, book, took_ns)
        assert mold.meta[DATAGRAMS] == len(took_ns) and mold.meta[LOST] == 0 and fault_report(state) == {}
        _verify(book, left)
        runs.append(took_ns / datagrams.messages / 1_000)
    return min(runs, key=lambda each_us: float(np.percentile(each_us, 99)))


def _book(left: I64) -> Book:
    return make_book(capacity=ORDERS, instruments=len(left) + 1, window=1 << 13)


def _verify(book: Book, left: I64) -> None:
    assert not book.meta[:, list(_FAULTS)].any() and book.pool[N_STRANGER] == 0, book.meta[:, list(_FAULTS)].sum(axis=0)
    assert np.array_equal(book.ten[1:], left)


def left_at_the_end(tape: Tape, instruments: int = INSTRUMENTS) -> I64:
    """The ten best levels of every instrument, (K, 10, 4), as the sums of what is left of its orders, without any book."""
    ids, place = np.unique(tape["order_id"], return_inverse=True)
    signed = np.where(tape["kind"] == Kind.ADD, tape["size_lots"], -tape["size_lots"])
    lots_left = np.bincount(place, np.where(tape["order_id"] > 0, signed, 0), len(ids)).astype(np.int64)
    assert lots_left.min() == 0
    added = tape[tape["kind"] == Kind.ADD]
    lots = lots_left[np.searchsorted(ids, added["order_id"])]
    added, lots = added[lots > 0], lots[lots > 0]
    found = np.zeros((instruments, TEN, 4), np.int64)
    for k in range(instruments):
        for side, column in ((1, 0), (-1, 2)):
            mine = (added["instrument"] == k + 1) & (added["side"] == side)
            prices, where = np.unique(added["price_ticks"][mine], return_inverse=True)
            rows = np.stack([prices, np.bincount(where, lots[mine], len(prices)).astype(np.int64)], axis=1)
            rows = rows[::-1][:TEN] if side > 0 else rows[:TEN]
            found[k, : len(rows), column : column + 2] = rows
    return found
