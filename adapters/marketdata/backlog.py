"""Records between a live feed and who reads them: a burst beyond what may wait is conflated, counted and told, never late.

The rule, when more than `capacity` records would wait: a LEVEL that a later LEVEL of the same instrument, side and price, or a
later CLEAR, makes void goes; everything else stays in its order, and a STATUS of CONFLATED before it says how many went. What
is displayed at the end is the same. Where that is not enough, because orders and trades cannot be merged, all that waits goes: a
STATUS of LOST says how much, what was conflated or lost before it among them, a CLEAR of every instrument follows, and the feed
must be brought in step again. So a tape tells of everything that went.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from domain.tape import EVERY_INSTRUMENT, Kind, Status, Tape, empty_tape, tape_of


class Backlog:
    """waiting: records now. most: the most that ever waited. conflated, lost: records that went, by the rule above."""

    def __init__(self, capacity: int) -> None:
        """capacity: records, two at least."""
        assert capacity >= 2
        self.most = self.conflated = self.lost = 0
        self._capacity = capacity
        self._parts: list[Tape] = []
        self.waiting = 0

    def offer(self, tape: Tape) -> bool:
        """More records have come. False: what waited is lost, and the feed must be brought in step again."""
        if not len(tape):
            return True
        self._parts.append(tape)
        self.waiting += len(tape)
        self.most = max(self.most, self.waiting)
        if self.waiting <= self._capacity:
            return True
        whole = np.concatenate(self._parts)
        kept = whole[~_void(whole)]
        gone = len(whole) - len(kept)
        if gone and len(kept) < self._capacity:
            self._keep(_told(whole[0], Status.CONFLATED, gone), kept)
            self.conflated += gone
            return True
        told = _tellings(whole)
        records, before = len(whole) - int(told.sum()), int(whole["order_id"][told].sum())
        clear = _told(whole[-1], Status.LOST, 0)
        clear["kind"], clear["size_lots"] = Kind.CLEAR, 0
        self._keep(_told(whole[-1], Status.LOST, records + before), clear)
        self.lost += records
        return False

    def take(self) -> Tape:
        """Everything that waits."""
        tape = np.concatenate(self._parts) if self._parts else empty_tape()
        self._keep()
        return tape

    def _keep(self, *parts: Tape) -> None:
        self._parts, self.waiting = list(parts), sum(map(len, parts))


def _told(like: np.void, status: Status, count: int) -> Tape:
    times = int(like["ts_event_ns"]), int(like["ts_recv_ns"])
    return tape_of([(*times, count, 0, int(status), EVERY_INSTRUMENT, 0, int(Kind.STATUS), 0)])


def _tellings(tape: Tape) -> NDArray[np.bool_]:
    """Which records say how many are not there: were they lost, their number must not be. (N,)"""
    return (tape["kind"] == Kind.STATUS) & ((tape["size_lots"] == Status.CONFLATED) | (tape["size_lots"] == Status.LOST))


def _void(tape: Tape) -> NDArray[np.bool_]:
    """Which records say nothing that a later one does not make void. (N,)"""
    void = np.zeros(len(tape), np.bool_)
    levels = np.flatnonzero(tape["kind"] == Kind.LEVEL)
    keys = tape[["instrument", "side", "price_ticks"]][levels[::-1]]  # the last of each is the first here
    _, last = np.unique(keys, return_index=True)
    void[levels] = True
    void[levels[::-1][last]] = False
    for clear in np.flatnonzero(tape["kind"] == Kind.CLEAR):
        meant = tape["instrument"][clear]
        before = levels[levels < clear]
        void[before[(tape["instrument"][before] == meant) | (meant == EVERY_INSTRUMENT)]] = True
    return void
