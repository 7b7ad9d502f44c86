"""One OrderGateway over several gateways: each session group has a process of its own, and the desk does not notice.

The gateways number their frames each for itself, while the desk acknowledges one number for all that came before it. So
what is delivered gets a number of the router's, and an acknowledgement is passed on to each link as its own.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Protocol

from domain.messages import Inbound, Input, LinkDown, LinkUp
from domain.ports import OrderGateway
from domain.sending import Outbound

log = logging.getLogger(__name__)


class Link(OrderGateway, Protocol):
    """A connection to one gateway (`link.FixLink`)."""

    @property
    def up(self) -> bool:
        """Has the gateway answered?"""

    async def run(self) -> None:
        """Stay connected until cancelled."""

    def close(self) -> None:
        """Leave the gateway."""


Deliver = Callable[[list[Input]], None]


@dataclass(slots=True)
class _Member:
    link: Link
    names: frozenset[str]  # of its sessions
    owed: deque[tuple[int, int]] = field(default_factory=deque)  # (the router's number, the gateway's), both rising


class LinkRouter:
    """`domain.ports.OrderGateway` over links by session group.

    Args:
        groups: which group each session belongs to.
        connect: makes the link of a group from what shall take its deliveries.
        deliver: the desk's inbox.
    """

    def __init__(self, groups: Mapping[str, str], connect: Callable[[str, Deliver], Link], deliver: Deliver) -> None:
        self._groups = groups
        self._deliver = deliver
        self._number = 0
        self._members: dict[str, _Member] = {}
        for group in dict.fromkeys(groups.values()):
            names = frozenset(name for name, of in groups.items() if of == group)
            self._members[group] = _Member(connect(group, partial(self._came, group)), names)

    @property
    def up(self) -> bool:
        """Have all gateways answered?"""
        return all(member.link.up for member in self._members.values())

    async def run(self) -> None:
        """Stay connected to all until cancelled. Raises ConfigError when a gateway refuses this desk for good."""
        running = [asyncio.ensure_future(member.link.run()) for member in self._members.values()]
        try:
            ended, _ = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
        for task in ended:
            task.result()

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Each message to its session's gateway, in order within a group. Dropped for a session of no group, which is one that
        the configuration has no more."""
        parts: dict[str, list[Outbound]] = {}
        for message in messages:
            group = self._groups.get(message.session)
            if group is None:
                log.error("no gateway has the session %s", message.session)
                continue
            parts.setdefault(group, []).append(message)
        for group, part in parts.items():
            self._members[group].link.send(part, epoch=epoch)

    def acknowledge(self, frame_number: int) -> None:
        """Everything delivered up to this number is durable: each gateway is told how far that is for it."""
        for member in self._members.values():
            theirs = 0
            while member.owed and member.owed[0][0] <= frame_number:
                theirs = member.owed.popleft()[1]
            if theirs:
                member.link.acknowledge(theirs)

    def reset(self) -> None:
        """Drop all links and connect again. What they were owed is forgotten: it is delivered again."""
        for member in self._members.values():
            member.link.reset()
            member.owed.clear()

    def close(self) -> None:
        """Leave all gateways."""
        for member in self._members.values():
            member.link.close()

    def _came(self, group: str, inputs: list[Input]) -> None:
        member = self._members[group]
        delivered = [made for item in inputs for made in self._made(member, item)]
        if delivered:
            self._deliver(delivered)

    def _made(self, member: _Member, item: Input) -> Iterable[Input]:
        if isinstance(item, LinkDown):
            member.owed.clear()  # a gateway that comes back delivers them again
            return [LinkDown(sessions=member.names)]  # the sessions of other groups are as they were
        if isinstance(item, LinkUp):
            member.owed.clear()
            return [item]
        if isinstance(item, Inbound) and item.frame:
            self._number += 1
            member.owed.append((self._number, item.frame))
            return [replace(item, frame=self._number)]
        return [item]
