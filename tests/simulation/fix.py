"""A FIX session between the gateway and a peer: numbered messages both ways, kept by the sender, repeated after a gap."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from tests.simulation.world import MS, World

Deliver = Callable[[int, Any, bool], None]


class Channel:
    """One direction. What is on the wire when the connection drops is lost, and repeated at the next logon (PossDup).

    Args:
        deliver: takes (MsgSeqNum, message, is it a repeat) at the far end, in order, each number once.
        repeats: is this message sent again at a gap, or filled over?
    """

    def __init__(self, world: World, deliver: Deliver, repeats: Callable[[Any], bool]) -> None:
        self._world = world
        self._deliver = deliver
        self._repeats = repeats
        self._connection = 0
        self._last_ns = 0
        self.store: list[Any] = []
        self.had = 0  # the last number that the receiver has taken
        self.up = False

    def send(self, message: Any) -> None:
        """Number and keep a message; it leaves at once if the session is up."""
        self.store.append(message)
        if self.up:
            self._wire(len(self.store), poss_dup=False)

    def connect(self) -> None:
        """After a logon the receiver asks for what it lacks."""
        self.up = True
        for number in range(self.had + 1, len(self.store) + 1):
            self._wire(number, poss_dup=True)

    def disconnect(self) -> None:
        """What is on the wire is gone."""
        self.up = False
        self._connection += 1
        self._last_ns = 0

    def reset(self) -> list[Any]:
        """Numbering starts again; returns what the receiver had not had."""
        lost = self.store[self.had :]
        self.store, self.had = [], 0
        return lost

    @property
    def idle(self) -> bool:
        """Has everything arrived?"""
        return self.had == len(self.store)

    def _wire(self, number: int, *, poss_dup: bool) -> None:
        world = self._world
        latency_ns = world.between(MS // 10, 2 * MS)
        if world.strikes("slow_wire", 0.01):
            latency_ns = world.between(100 * MS, 6000 * MS)
        self._last_ns = max(self._last_ns, world.now_ns + latency_ns)  # one connection keeps the order
        world.after(self._last_ns - world.now_ns, self._arrive, self._connection, number, poss_dup)

    def _arrive(self, connection: int, number: int, poss_dup: bool) -> None:
        if connection != self._connection or number <= self.had:
            return
        assert number == self.had + 1, "a connection keeps the order"
        self.had = number
        message = self.store[number - 1]
        if not poss_dup or self._repeats(message):
            self._deliver(number, message, poss_dup)


class Session:
    """Both directions, as the gateway sees them."""

    def __init__(self, name: str, role: Literal["client", "venue"]) -> None:
        self.name = name
        self.role: Literal["client", "venue"] = role
        self.up = False
        self.reset_epoch = 0
        self.sent_seq = 0  # log sequence of the last report handed to FIX
        self.inward: Channel
        self.outward: Channel

    def connect(self) -> None:
        """Logon."""
        self.up = True
        self.inward.connect()
        self.outward.connect()

    def disconnect(self) -> None:
        """Logout, or a broken connection."""
        self.up = False
        self.inward.disconnect()
        self.outward.disconnect()
