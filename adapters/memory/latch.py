"""A KillLatch in memory: the twin of the shared file, for the simulation and for tests."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from domain.errors import LatchUnreadable
from domain.kill_latch import Slot, judge, kept
from domain.kill_scope import FIRM, Scope
from domain.kill_table import UNREADABLE, Level, Verdict


class MemoryLatch:
    """Slots in a dictionary. `broken` makes it unreadable until somebody writes it. Begins armed unless made missing."""

    def __init__(self, *, missing: bool = False) -> None:
        self._slots: dict[int, Slot] = {} if missing else {FIRM.digest: Slot(FIRM)}
        self.broken = missing

    def verdict(self, digests: Sequence[int]) -> Verdict:
        """See `domain.ports.KillLatch`."""
        return UNREADABLE if self.broken else judge(self._slots, digests)

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
