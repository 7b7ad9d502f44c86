"""The link by which one desk process reaches the gateway: in order, late, and lost with its connection."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Protocol

from domain.messages import Input, LinkDown
from domain.sending import Outbound
from tests.simulation.world import MS, Crash, S, World


class Port(Protocol):
    """The gateway, as a link sees it."""

    alive: bool
    lingering: dict[int, int]

    def new_connection(self) -> int:
        """A number for the next connection of any desk."""

    def attach(self, link: Link, epoch: int, marks: dict[str, tuple[int, int]]) -> bool:
        """HELLO. False: another desk leads."""

    def detach(self, link: Link) -> None:
        """The desk is gone."""

    def take(self, epoch: int, message: Outbound) -> None:
        """One message for a session."""

    def acknowledge(self, frame_number: int) -> None:
        """The desk has made everything up to here durable."""


class Owner(Protocol):
    """The desk's process, as its link sees it."""

    alive: bool

    def hello(self) -> tuple[int, dict[str, tuple[int, int]]] | None:
        """Epoch and durable inbound watermarks, None while it does not lead."""

    def arrived(self, item: Input) -> None:
        """An input for the inbox."""

    def refused(self) -> None:
        """The gateway has seen a higher epoch."""

    def leaving(self, message: Outbound) -> None:
        """A message is handed to the link."""


class Link:
    """`domain.ports.OrderGateway` for one desk process."""

    def __init__(self, world: World, gateway: Port, owner: Owner) -> None:
        self._world = world
        self._gateway = gateway
        self._owner = owner
        self._connection = gateway.new_connection()
        self._to_desk_ns = 0
        self._to_gateway_ns = 0
        self.up = False

    # ----------------------------------------------------------------------------------- the desk's side

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """In order; dropped while the link is down. The process may die between any two of them."""
        for message in messages:
            self._owner.leaving(message)
            if self._world.strikes("crash_before_send", 0.003):
                raise Crash
            self._to_gateway(self._gateway.take, epoch, message)
        if self._world.strikes("crash_after_send", 0.003):
            raise Crash

    def acknowledge(self, frame_number: int) -> None:
        """Everything up to this frame is durable."""
        self._to_gateway(self._gateway.acknowledge, frame_number)

    def reset(self) -> None:
        """Drop and connect again. What was written before may still reach the gateway, later than what comes next."""
        self._drop(keep_written=self._world.flip(0.5))
        self.connect_after(self._world.between(MS, 300 * MS))

    def _to_gateway(self, action: Callable[..., None], *args: Any) -> None:
        if self.up:
            world = self._world
            slow_ns = world.between(50 * MS, 900 * MS) if world.strikes("slow_link", 0.005) else 0
            self._to_gateway_ns = max(self._to_gateway_ns, world.now_ns + world.between(MS // 20, MS) + slow_ns)
            world.after(self._to_gateway_ns - world.now_ns, self._written, self._connection, action, args)

    def _written(self, connection: int, action: Callable[..., None], args: tuple[Any, ...]) -> None:
        if connection == self._connection:
            action(*args)
        elif connection in self._gateway.lingering:  # read to its end in its own time, beside its successor
            self._world.after(self._gateway.lingering[connection], action, *args)

    # ------------------------------------------------------------------------------------- connections

    def connect_after(self, delay_ns: int) -> None:
        """Try to connect, until it works."""
        self._world.after(delay_ns, self._connect, self._connection)

    def _connect(self, connection: int) -> None:
        if connection != self._connection or not self._owner.alive or self.up:
            return
        hello = self._owner.hello()
        if hello is None or not self._gateway.alive:
            self.connect_after(self._world.between(5 * MS, 200 * MS))
            return
        self.up = True
        self._to_desk_ns = self._to_gateway_ns = 0
        if not self._gateway.attach(self, *hello):
            self._drop(keep_written=False)
            self._owner.refused()

    def lost(self, *, displaced: bool = False) -> None:
        """The gateway is gone or has hung up; displaced: it serves another desk now."""
        was_up = self.up
        self._drop(keep_written=displaced and self._world.flip(0.7))
        if was_up:
            self._world.after(self._world.between(0, MS), self._owner.arrived, LinkDown())
        self.connect_after(self._world.between(MS, 500 * MS))

    def die(self) -> None:
        """The desk's process is dead; what it wrote may still be read."""
        self._drop(keep_written=self._world.flip(0.6))

    def _drop(self, *, keep_written: bool) -> None:
        self.up = False
        if keep_written:
            longest_ns = 12 * S if self._world.flip(0.4) else S
            self._gateway.lingering[self._connection] = self._world.between(0, longest_ns)
        self._gateway.detach(self)
        self._connection = self._gateway.new_connection()

    def deliver(self, *items: Input, late: bool = False) -> None:
        """From the gateway to the desk's inbox, in order."""
        world = self._world
        slow_ns = world.between(50 * MS, 2 * S) if late or world.strikes("slow_to_desk", 0.02) else 0
        self._to_desk_ns = max(self._to_desk_ns, world.now_ns + world.between(MS // 20, MS) + slow_ns)
        for item in items:
            world.after(self._to_desk_ns - world.now_ns, self._read, self._connection, item)

    def _read(self, connection: int, item: Input) -> None:
        if connection == self._connection and self._owner.alive:
            self._owner.arrived(item)
