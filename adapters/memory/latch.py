"""A KillLatch in memory: the twin of the shared file, for the simulation and for tests."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from domain.errors import LatchUnreadable
from domain.kill_latch import Slot, at_least_suspended, judge, kept
from domain.kill_scope import FIRM, Scope
from domain.kill_table import UNREADABLE, Level, Verdict


class MemoryLatch:
    """Slots in a dictionary. `broken` makes it unreadable until somebody writes it. Begins armed unless made missing."""

    def __init__(
        self, *, missing: bool = False, beat_max_ns: int = 0, monotonic_ns: Callable[[], int] = time.monotonic_ns
    ) -> None:
        self._beat_max_ns = beat_max_ns
        self._monotonic_ns = monotonic_ns
        self._beat_ns: int | None = None
        self._slots: dict[int, Slot] = {} if missing else {FIRM.digest: Slot(FIRM)}
        self.broken = missing

    def verdict(self, digests: Sequence[int]) -> Verdict:
        """See `domain.ports.KillLatch`."""
        if self.broken:
            return UNREADABLE
        verdict = judge(self._slots, digests)
        return verdict if self.watched() else at_least_suspended(verdict)

    def beat(self) -> None:
        """See `domain.ports.KillLatch`."""
        if self.broken:
            raise LatchUnreadable("there is no latch")
        self._beat_ns = self._monotonic_ns()

    def watched(self) -> bool:
        """See `domain.ports.KillLatch`."""
        if not self._beat_max_ns:
            return True
        return self._beat_ns is not None and abs(self._monotonic_ns() - self._beat_ns) <= self._beat_max_ns

    def slots(self) -> tuple[Slot, ...]:
        """See `domain.ports.KillLatch`."""
        if self.broken:
            raise LatchUnreadable("there is no latch")
        return tuple(slot for slot in self._slots.values() if slot.matters)

    def change(self, scope: Scope, how: Callable[[Slot], Slot]) -> tuple[Slot, Slot]:
        """See `domain.ports.KillLatch`."""
        if self.broken:
            self.build([Slot(FIRM, Level.HARD, trip=1, since_ns=1)])
        before = self._slots.get(scope.digest, Slot(scope))
        after = how(before)
        self.build([after, *(slot for slot in self._slots.values() if slot.scope != scope)])
        return before, after

    def build(self, slots: Sequence[Slot]) -> None:
        """See `domain.ports.KillLatch`."""
        self._slots = {slot.scope.digest: slot for slot in kept(slots)}
        self.broken = False
