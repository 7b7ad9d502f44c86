"""One OrderGateway over several gateways: each session group has a process of its own, and the desk does not notice.

The gateways number their frames each for itself, while the desk acknowledges one number for all that came before it. So
what is delivered gets a number of the router's, and an acknowledgement is passed on to each link as its own. As long as
there is one group only, its numbers are taken as they are.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
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
    last: int = 0  # the last frame that came while its numbers were taken as they are
    running: asyncio.Task[None] | None = None


class LinkRouter:
    """`domain.ports.OrderGateway` over links by session group.

    Args:
        groups: which group each session belongs to.
        connect: makes the link of a group from what shall take its deliveries.
        deliver: the desk's inbox.
    """

    def __init__(self, groups: Mapping[str, str], connect: Callable[[str, Deliver], Link], deliver: Deliver) -> None:
        self._connect = connect
        self._deliver = deliver
        self._number = 0
        self._groups: Mapping[str, str] = {}
        self._members: dict[str, _Member] = {}
        self._changed = asyncio.Event()
        self._runs = False
        self._alone = len(set(groups.values())) == 1
        self.regroup(groups, ())

    @property
    def up(self) -> bool:
        """Have all gateways answered?"""
        return all(member.link.up for member in self._members.values())

    async def run(self) -> None:
        """Stay connected to all until cancelled. Raises ConfigError when a gateway refuses this desk for good."""
        self._runs = True
        for member in self._members.values():
            member.running = asyncio.create_task(member.link.run())
        try:
            while True:
                self._changed.clear()
                changed = asyncio.create_task(self._wait_for_change())
                await asyncio.wait([changed, *self._running()], return_when=asyncio.FIRST_COMPLETED)
                changed.cancel()
                for task in self._running():  # those that were left are not among them
                    if task.done():
                        task.result()
        finally:
            self._runs = False
            for task in self._running():
                task.cancel()
            await asyncio.gather(*self._running(), return_exceptions=True)

    def _running(self) -> list[asyncio.Task[None]]:
        return [member.running for member in self._members.values() if member.running is not None]

    async def _wait_for_change(self) -> None:
        await self._changed.wait()

    def regroup(self, groups: Mapping[str, str], fresh: Collection[str]) -> None:
        """Other sessions and groups from now on; the links of groups that are as they were are not touched.

        Args:
            fresh: groups that stay and whose gateways start again. What is still on the way from them is not delivered: they
                deliver it again.
        """
        wanted = {group: frozenset(name for name, of in groups.items() if of == group) for group in groups.values()}
        if self._alone and self._members and set(wanted) != set(self._members):
            self._count()
        for group in [group for group in self._members if group in fresh or group not in wanted]:
            self._leave(self._members[group])
            if group not in wanted:
                gone = self._members.pop(group)
                gone.link.close()
                if gone.running is not None:
                    gone.running.cancel()
        for group, names in wanted.items():
            if group in self._members:
                self._members[group].names = names
                continue
            made = self._members[group] = _Member(self._connect(group, partial(self._came, group)), names)
            if self._runs:
                made.running = asyncio.create_task(made.link.run())
        self._groups = dict(groups)
        self._changed.set()

    def _count(self) -> None:
        """There will be more than one: from now on what comes is numbered here. What came before is acknowledged as a whole."""
        self._alone = False
        for member in self._members.values():
            if member.last:
                member.owed.append((self._number, member.last))

    def _leave(self, member: _Member) -> None:
        was_up = member.link.up
        member.link.reset()
        member.owed.clear()
        member.last = 0
        if was_up:
            self._deliver([LinkDown(sessions=member.names)])

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
        if self._alone:
            for member in self._members.values():
                member.link.acknowledge(frame_number)
            return
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
            member.last = 0

    def close(self) -> None:
        """Leave all gateways."""
        for member in self._members.values():
            member.link.close()

    def _came(self, group: str, inputs: list[Input]) -> None:
        member = self._members.get(group)
        if member is None:
            return  # it was left
        if self._alone:
            self._alone_came(member, inputs)
            return
        delivered = [made for item in inputs for made in self._made(member, item)]
        if delivered:
            self._deliver(delivered)

    def _alone_came(self, member: _Member, inputs: list[Input]) -> None:
        """As it came, but for whose link is down."""
        if type(inputs[0]) is LinkDown:  # a link says this alone
            member.last, inputs = 0, [LinkDown(sessions=member.names)]
        member.last = next((frame for item in reversed(inputs) if (frame := getattr(item, "frame", 0))), member.last)
        self._number = max(self._number, member.last)
        self._deliver(inputs)

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
