"""What the latch holds of one scope, and the changes that can be made to it: pure, the same for every implementation."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import IntFlag
from typing import Final, NamedTuple

from domain.kill_scope import FIRM, Scope
from domain.kill_table import CLEAR, Level, Verdict

FIRM_DIGEST: Final = FIRM.digest


class Source(IntFlag):
    """Why a scope is suspended. Each clears its own."""

    LOG = 1  # the database or the lead is lost
    FEED = 2
    METRIC = 4  # a required metric is missing, too old, or not a number
    WARM_UP = 8
    DISK = 16
    DRILL = 32
    WATCHDOG = 64  # the watchdog does not beat: every metric is missing


class Slot(NamedTuple):
    """One scope in the latch. trip: 63 bits, 0 while it is not tripped. Times: UTC nanoseconds of the desk's clock."""

    scope: Scope
    level: Level = Level.ARMED
    suspended: Source = Source(0)
    trip: int = 0
    since_ns: int = 0
    paused_before_ns: int = 0

    @property
    def effective(self) -> Level:
        """What counts: the trip's level, or SUSPENDED."""
        return max(self.level, Level.SUSPENDED) if self.suspended else self.level

    @property
    def matters(self) -> bool:
        """Does it say anything?"""
        return bool(self.level or self.suspended or self.paused_before_ns)

    def tripped(self, level: Level, trip: int, at_ns: int) -> Slot:
        """A level was set. A lower one than is in force changes nothing."""
        return self._replace(level=level, trip=trip, since_ns=at_ns) if level >= self.level else self

    def suspend(self, source: Source, at_ns: int) -> Slot:
        """Something is missing."""
        return self._replace(suspended=self.suspended | source, since_ns=self.since_ns or at_ns)

    def clear(self, source: Source) -> Slot:
        """It is there again."""
        left = self.suspended & ~source
        return self._replace(suspended=left, since_ns=self.since_ns if self.level or left else 0)

    def rearmed(self, trip: int, at_ns: int) -> Slot:
        """Two people have re-armed this trip; one that was set since stays."""
        if trip != self.trip:
            return self
        return self._replace(level=Level.ARMED, trip=0, since_ns=0, paused_before_ns=at_ns)

    def resumed(self) -> Slot:
        """A person lets the orders of before work again."""
        return self._replace(paused_before_ns=0)


def judge(slots: dict[int, Slot], digests: Sequence[int]) -> Verdict:
    """The highest state among scopes. The firm's counts for everyone, named or not.

    Args:
        slots: those that matter, by digest.
        digests: of the scopes that touch a message; 0 stands for none.
    """
    found, paused_ns = CLEAR, 0
    for digest in (FIRM_DIGEST, *digests):
        if (slot := slots.get(digest)) is not None:
            paused_ns = max(paused_ns, slot.paused_before_ns)
            if slot.effective > found.level:
                found = Verdict(slot.effective, slot.trip if slot.level is slot.effective else 0, digest)
    return found._replace(paused_before_ns=paused_ns) if paused_ns else found


def at_least_suspended(verdict: Verdict) -> Verdict:
    """What a verdict is while the watchdog does not beat."""
    return verdict if verdict.level else verdict._replace(level=Level.SUSPENDED, digest=FIRM_DIGEST)


def kept(slots: Iterable[Slot]) -> list[Slot]:
    """The slots to write: the firm's first, whatever it says, then those that matter."""
    by_scope = {slot.scope: slot for slot in slots}
    firm = by_scope.pop(FIRM, Slot(FIRM))
    return [firm, *(slot for slot in by_scope.values() if slot.matters)]
