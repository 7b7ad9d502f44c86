"""Our side of the cases: one gateway process with a session for each case, and a real desk on a log in memory."""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from adapters.fix.link import FixLink, Hello, SessionMarks
from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain.catalogue import TOPICS
from domain.event import Recorded
from domain.fix_session import LoggedOn, MessageRefused
from domain.messages import Input
from domain.sending import SendStatusQuery
from domain.values import Side
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.loopback import free_port
from ems.session_desk import OUTBOUND_BLOCK
from tests.acceptance.fix_session.policy_cases import PASSWORD, PASSWORD_ENV
from tests.acceptance.fix_session.script import Case, Player, Role
from tests.acceptance.fix_session.versions import Version
from tests.acceptance.fix_session.wire import WAIT_S, Broken
from tests.adapters.fix.kit import GatewayProcess, started
from tests.ems.room import PACE, Clock, Planners, Reference
from tests.waiting import until

CLIENTS_AT_ONCE = 20  # more at once would be too slow for the shortest heartbeat on a machine that is busy


class Log(MemoryEventLog):
    """Counts the events that each inbound message caused."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(TOPICS, clock)
        self.caused: Counter[tuple[str, int]] = Counter()
        self.logged_on: set[str] = set()
        self.refused: Counter[str] = Counter()  # messages of each session

    def after_durable(self, recorded: Sequence[Recorded]) -> None:
        self.refused.update(r.event.session for r in recorded if isinstance(r.event, MessageRefused))
        self.logged_on |= {r.event.session for r in recorded if isinstance(r.event, LoggedOn)}
        self.caused.update((r.meta.inbound.session, r.meta.inbound.msg_seq_num) for r in recorded if r.meta.inbound is not None)


class LiveDesk:
    """A real desk, its log in memory, linked to a gateway process."""

    def __init__(self, link_path: Path, venue_sessions: frozenset[str]) -> None:
        clock = Clock()
        self.log = Log(clock)
        self.link = FixLink(link_path, hello=self._hello, deliver=self._deliver)
        ports = DeskPorts(self.log, self.link, Planners(), Reference(), clock, latch=MemoryLatch())
        self.desk = Desk(ports, name="desk", build="test", venue_sessions=venue_sessions, pace=PACE)
        self.tasks: list[asyncio.Task[None]] = []

    async def start(self) -> None:
        await self.desk.start()
        self.tasks = [asyncio.create_task(self.link.run()), asyncio.create_task(self.desk.run())]
        await until(lambda: self.link.up)

    async def leave(self) -> None:
        """Be away from the gateway, as when the network between them is cut; `come_back` ends it."""
        await _end(self.tasks[0])

    def come_back(self) -> None:
        self.tasks[0] = asyncio.create_task(self.link.run())

    async def stop(self) -> None:
        """Raises what ended the desk or its link before."""
        failed = [task.exception() for task in self.tasks if task.done() and not task.cancelled()]
        for task in self.tasks:
            await _end(task)
        if failed and failed[0] is not None:
            raise failed[0]

    def causes(self, session: str, number: int) -> int:
        """How many durable events an inbound message caused."""
        return self.log.caused[session, number]

    def _hello(self) -> Hello | None:
        if not self.desk.ready:
            return None
        marks = {}
        for session, (epoch, up_to) in self.desk.state.reserved.items():
            reserved = (epoch, max(0, up_to - OUTBOUND_BLOCK), up_to)
            marks[session] = SessionMarks(inbound=self.desk.durable_marks.get(session, (0, 0)), reserved=reserved)
        return Hello(epoch=self.desk.epoch, sessions=marks)

    def _deliver(self, inputs: list[Input]) -> None:
        for item in inputs:
            self.desk.inbox.put(item)


async def _end(task: asyncio.Task[None]) -> None:
    while not task.done():  # a cancellation that meets a timeout of wait_for may be lost
        task.cancel()
        await asyncio.wait([task], timeout=0.1)


class LiveSystem:
    """A gateway and its desk; `script.System` for all cases at once."""

    def __init__(self, directory: Path, version: Version, cases: Sequence[tuple[Role, Case]]) -> None:
        self._version = version
        self.names = {(role, case): f"{role[0].upper()}{number}" for number, (role, case) in enumerate(cases)}
        self._port = free_port()
        self._listeners: dict[str, asyncio.Server] = {}
        self._came: dict[str, asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]]] = {}
        self._over: set[str] = set()
        initiators = [name for (role, _), name in self.names.items() if role == "initiator"]
        self._sockets = {name: socket.create_server(("127.0.0.1", 0)) for name in initiators}
        self._ports = {name: int(sock.getsockname()[1]) for name, sock in self._sockets.items()}
        self.gateway = GatewayProcess(directory, sessions=[self._session(role, case) for role, case in cases])
        self.desk = LiveDesk(self.gateway.link_path, frozenset(self._ports))

    def _session(self, role: Role, case: Case) -> dict[str, Any]:
        name = self.names[role, case]
        return {
            "name": name,
            "role": "client" if role == "acceptor" else "venue",
            "kind": role,
            "sender_comp_id": "EMS",
            "target_comp_id": name,
            "port": self._ports.get(name, self._port),
            "heart_bt_int_s": case.heart_bt_int_s,
            "begin_string": self._version.begin_string,
            **dict(case.config),
            "rules": {key: _time(value) for key, value in case.rules},
        }

    async def start(self) -> None:
        """The peers of our initiators listen first: an attempt that nobody takes costs the session a number."""
        for session, sock in self._sockets.items():
            self._came[session] = asyncio.Queue()
            self._listeners[session] = await asyncio.start_server(partial(self._accepted, session), sock=sock)
        os.environ[PASSWORD_ENV] = PASSWORD  # the gateway inherits it
        await started(self.gateway)
        await self.desk.start()

    async def stop(self) -> None:
        try:
            await self.desk.stop()
        finally:
            await asyncio.to_thread(self.gateway.stop)
            for session in self._sockets:
                self.over(session)
            await asyncio.sleep(0)  # the loop closes the sockets in its next round

    async def connect(self, session: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if session not in self._ports:
            return await asyncio.open_connection("127.0.0.1", self._port)
        async with asyncio.timeout(WAIT_S):
            return await self._came[session].get()

    def _accepted(self, session: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if session in self._over:
            writer.transport.abort()
        else:
            self._came[session].put_nowait((reader, writer))

    def over(self, session: str) -> None:
        """The case is at its end: nobody takes this session's connections any more."""
        self._over.add(session)
        if session in self._listeners:
            self._listeners[session].close()
            while not self._came[session].empty():
                self._came[session].get_nowait()[1].transport.abort()

    async def settled(self, session: str) -> None:
        """The desk knows that the session is up. Before, a report would be one that the client may have missed."""
        await until(lambda: session in self.desk.log.logged_on)

    async def took(self, session: str, number: int) -> int:
        await until(lambda: self.desk.causes(session, number) > 0)
        return self.desk.causes(session, number)

    async def query(self, session: str, cl_ord_id: str) -> None:
        await self.settled(session)
        query = SendStatusQuery(session=session, event_seq=0, cl_ord_id=cl_ord_id, order_id="", instrument="ABC", side=Side.BUY)
        self.desk.link.send([query], epoch=self.desk.desk.epoch)


def _time(value: object) -> object:
    """A time of day some hours from now, where a rule wants one."""
    hours = {"{later}": 2, "{last}": 3}.get(str(value))
    return value if hours is None else time.strftime("%H:%M:%S", time.gmtime(time.time() + hours * 3600))


async def play(directory: Path, version: Version, cases: Sequence[tuple[Role, Case]]) -> dict[tuple[Role, Case], str]:
    """Play all cases; what went wrong in each, "" where nothing did."""
    system = LiveSystem(directory, version, cases)
    told: dict[tuple[Role, Case], str] = {}

    clients = asyncio.Semaphore(CLIENTS_AT_ONCE)

    async def one(role: Role, case: Case) -> None:
        async with clients if role == "acceptor" else contextlib.nullcontext():
            await alone(role, case)

    async def alone(role: Role, case: Case) -> None:
        session = system.names[role, case]
        try:
            await Player(case, role, version, system, session).play()
            told[role, case] = ""
        except Broken as error:
            told[role, case] = str(error)
        finally:
            system.over(session)

    try:
        await system.start()
        await asyncio.gather(*(one(role, case) for role, case in cases))
    finally:
        await system.stop()
    return told
