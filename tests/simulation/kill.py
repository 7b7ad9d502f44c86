"""The kill switch in a simulated day: set at the worst moment, between a commit and what it sends, and looked at on the wire."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import ClassVar

from adapters.memory.latch import MemoryLatch
from domain import child_order as co
from domain.event import Event, Recorded
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM
from domain.kill_table import Action, KillMark, Level, may_leave
from domain.messages import KillNews
from domain.sending import Outbound, SendChild, SendChildReplace
from tests.simulation.world import S, Violation, World

LAST_FOR_S = 25  # the longest that it stays set; over before the calm


class Kill:
    """One latch for all desks of a day, and a hand that sets it. Its chance is its own: other days stay as they were.

    Args:
        tell: gives every desk an input.
    """

    DAYS: ClassVar[tuple[int, ...]] = (0, 0, 0, 1)  # how often it is set, each as likely
    MOMENTS: ClassVar[tuple[type[Event], ...]] = (co.Created, co.ReplaceRequested)  # a commit of one of them is one to strike

    def __init__(self, world: World, tell: Callable[[KillNews], None]) -> None:
        self._world = world
        self._tell = tell
        self._chance = Random(f"kill {world.seed}")
        self._due = False
        self.latch = MemoryLatch()

    def begin(self, horizon_ns: int) -> None:
        """By default one day in four it is set once."""
        for _ in range(self._chance.choice(self.DAYS)):
            self._world.after(self._chance.randrange(horizon_ns - 2 * LAST_FOR_S * S), self._becomes_due)

    def _becomes_due(self) -> None:
        self._due = True

    def committed(self, recorded: Sequence[Recorded]) -> None:
        """Events are durable, and what they cause has yet to be sent."""
        orders = any(isinstance(one.event, self.MOMENTS) for one in recorded)
        if not self._due or not orders or self._world.calm:
            return
        self._due = False
        self._world.used["kill_switch"] += 1
        now_ns, source = self._world.now_ns, Source.FEED
        if self._chance.random() < 0.5:
            level = self._chance.choice((Level.SOFT, Level.HARD))
            self.latch.change(FIRM, lambda slot: slot.tripped(level, now_ns, now_ns))
        else:
            self.latch.change(FIRM, lambda slot: slot.suspend(source, now_ns))
        self._world.told("kill switch", self.latch.verdict(()).level.name)
        self._world.after(self._chance.randrange(S, LAST_FOR_S * S), self._ends)

    def _ends(self) -> None:
        now_ns = self._world.now_ns
        self.latch.change(FIRM, lambda slot: slot.clear(Source.FEED))
        if trip := self.latch.verdict(()).trip:
            self.latch.change(FIRM, lambda slot: slot.rearmed(trip, now_ns))
        self._world.told("kill switch", self.latch.verdict(()).level.name)
        self._tell(KillNews(FIRM, "armed", "armed"))
        self._world.after(self._chance.randrange(2 * S), self._resumed)

    def _resumed(self) -> None:
        self.latch.change(FIRM, Slot.resumed)
        self._tell(KillNews(FIRM, "resumed", "resumed"))

    def leaving(self, message: Outbound, mark_of: Callable[[SendChild | SendChildReplace], KillMark]) -> None:
        """A desk hands a message to its link. Raises Violation for one that may not leave now."""
        if not isinstance(message, SendChild | SendChildReplace):
            return
        verdict, mark = self.latch.verdict(()), mark_of(message)
        if not may_leave(verdict, Action(mark.action)):
            raise Violation(f"a {type(message).__name__} left while the firm was {verdict.level.name}")
