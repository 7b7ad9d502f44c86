"""The system under test: `ems up` with its own Postgres, gateway and desk, between the clients and the venues of the test.

Each version of FIX that is played has a client, an exchange-style client and a venue of its own; an order goes to the
venue of its symbol's name, so that any client's version meets any venue's.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import shutil
import signal
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Final

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.values import StreamId, from_e9, to_e9
from ems.bootstrap.runtime import Runtime
from ems.desk_state import DeskState
from ems.health import ask_socket
from ems.loopback import free_port
from ems.peer import own_account
from tests.acceptance.conftest import ROOT, Program
from tests.acceptance.fix.asyncfix_peer import AsyncfixPeer
from tests.acceptance.fix.oms import Oms
from tests.acceptance.fix.peer import Peer
from tests.acceptance.fix.venue import Venue
from tests.acceptance.fix.versions import VERSIONS, Version

UP_S: Final = 60.0
SAMPLE: Final = ROOT / "adapters" / "reference" / "sample"
STYLES: Final = {  # of clients: what their profiles say beside name and version
    "plain": "",
    "exchange": '[suppress]\nreports = ["pending_cancel", "pending_replace"]\n[policy]\nacknowledge_first = false\n',
    "refuse": '[policy]\nrequests = "refuse"\n',
    "closed": "[policy]\nreopen_filled = false\n",
    "asyncfix": "",  # played by another engine
}
STATUS_WORDS: Final = {  # OrdStatus (39): the desk's words
    "A": "pending_new", "0": "new", "1": "partially_filled", "2": "filled", "3": "done_for_day", "4": "canceled",
    "6": "pending_cancel", "7": "stopped", "8": "rejected", "9": "suspended", "C": "expired", "E": "pending_replace",
}  # fmt: skip


class Desk:
    """The desk's own door, and what the desk knows: folded from its log as it grows, by the code that makes it live."""

    def __init__(self, runtime: Runtime) -> None:
        self._runtime = runtime
        self._state = DeskState()
        self._grown = asyncio.Event()
        self._events: list[tuple[StreamId, str]] = []  # with the client's order, or the session, that each belongs to

    async def follow(self) -> None:
        """Until cancelled."""
        async with PostgresEventLog(self._runtime.app_dsn, TOPICS, WallClock()) as log:
            async for recorded in log.subscribe():
                self._state.apply(recorded.stream, recorded.event, recorded.meta, seq=recorded.seq)
                self._events.append((recorded.meta.correlation, f"{recorded.seq} {recorded.event.TOPIC} {recorded.event!r}"))
                self._grown.set()

    async def child(self, cl_ord_id: str, expected: tuple[set[str], Decimal, Decimal, Decimal]) -> str:
        """Wait until the desk's order is as expected (statuses, OrderQty, CumQty, LeavesQty); empty, or what it is."""
        words = {STATUS_WORDS[status] for status in expected[0]}
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(5):
                while not self._is(cl_ord_id, words, expected[1:]):
                    self._grown.clear()
                    await self._grown.wait()
                return ""
        return f"{self._seen(cl_ord_id)}, not {' or '.join(sorted(words))} {' '.join(map(str, expected[1:]))}"

    async def heard(self, cl_ord_id: str) -> None:
        """Wait until an event mentions a ClOrdID: the desk has had the message. Raises TimeoutError."""
        looked_at = 0
        async with asyncio.timeout(5):
            while not any(cl_ord_id in line for _, line in self._events[looked_at:]):
                looked_at = len(self._events)
                self._grown.clear()
                await self._grown.wait()

    async def enter(self, client: str, symbol: str, account: str, quantity: str, price: str) -> str:
        """Enter an order at the desk's own door. The ClOrdID that it gets there."""
        command = {
            "command": "enter_order", "command_id": account, "actor": f"person:{own_account()}", "client_session": client,
            "symbol": symbol, "side": "buy", "quantity_e9": to_e9(quantity), "limit_price_e9": to_e9(price), "account": account,
        }  # fmt: skip
        answer = await ask_socket(self._runtime.socket("desk"), command, timeout_s=15)
        assert answer is not None and answer["ok"], answer
        return str(answer["cl_ord_id"])

    def events(self, cl_ord_id: str) -> list[str]:
        """The events of that order, of the client's, and of sessions that mention it, one a line."""
        stream = self._state.child_ids.get(cl_ord_id)
        parent = self._state.children[stream].parent if stream is not None else None
        return [line for order, line in self._events if order == parent or cl_ord_id in line]

    def _is(self, cl_ord_id: str, words: set[str], numbers: tuple[Decimal, ...]) -> bool:
        seen = self._seen(cl_ord_id)
        return seen[:1] and seen[0] in words and seen[1:] == numbers

    def _seen(self, cl_ord_id: str) -> tuple[str | Decimal, ...]:
        stream = self._state.child_ids.get(cl_ord_id)
        if stream is None:
            return ()
        child = self._state.children[stream]
        numbers = (child.quantity_e9, child.cum_quantity_e9, child.leaves_e9)
        return child.status.value, *(from_e9(number) for number in numbers)


class NotStarted(Exception):
    """The system did not come up."""


class Room:
    """The running system and everybody around it, as `open_room` yields it."""

    def __init__(self, program: Program, versions: tuple[str, ...]) -> None:
        self.program = program
        self.versions = tuple(VERSIONS[name] for name in versions)
        self._ports: dict[str, int] = {}
        self.clients: dict[tuple[str, str], Oms] = {}  # by style and version
        self.venues: dict[str, Venue] = {}  # by version
        self.desk: Desk | None = None

    def symbol(self, version: str) -> str:
        """What goes to the venue of this version."""
        return f"V{version.replace('.', '')}"

    def port(self, name: str) -> int:
        """A free port of the loopback, of those that no outgoing connection is lent before a server has bound it."""
        if name not in self._ports:
            self._ports[name] = free_port()
        return self._ports[name]

    def configure(self) -> None:
        """Write configuration and reference data."""
        folder = self.program.home / "instruments"
        shutil.copytree(SAMPLE, folder, ignore=shutil.ignore_patterns("manifest.toml"))  # it is of the sample as it is
        rows = [f'{self.symbol(v.name)},"goes to {v.name}",XSIM,EUR,,,1,1,US' for v in self.versions]
        head = "symbol,name,mic,currency,isin,figi,lot,multiplier,tick_table"
        (folder / "instruments.csv").write_text("\n".join([head, *rows]) + "\n")
        (folder / "identifiers.csv").write_text("symbol,source,id\n")
        sessions = [
            self._session(f"{style}-{v.name}", "client", v, extra) for style, extra in STYLES.items() for v in self.versions
        ]
        sessions += [self._session(f"venue-{v.name}", "venue", v, "") for v in self.versions]
        routes = "\n".join(f'{self.symbol(v.name)} = "venue-{v.name}"' for v in self.versions)
        text = f'mode = "PAPER"\nstate_directory = "state"\ninstruments = "instruments"\n{"".join(sessions)}\n'
        text += f'[routes]\n"*" = "venue-{self.versions[0].name}"\n{routes}\n[console]\nenabled = false\n'
        (self.program.home / "ems.toml").write_text(text)

    def _clients(self) -> list[tuple[str, Version]]:
        """Every client by style and version; asyncfix speaks 4.4 alone."""
        return [(s, version) for s in STYLES for version in self.versions if s != "asyncfix" or version.name == "4.4"]

    def _session(self, name: str, role: str, version: Version, agreed: str) -> str:
        kind = "acceptor" if role == "client" else "initiator"
        if agreed:
            profile = f'name = "{name}"\nversion = "{version.begin_string}"\n{agreed}'
            (self.program.home / f"{name}.toml").write_text(profile)
        return (
            f'\n[[sessions]]\nname = "{name}"\nrole = "{role}"\nkind = "{kind}"\nsender_comp_id = "EMS"\n'
            f'target_comp_id = "{name}"\nport = {self.port(name)}\nbegin_string = "{version.begin_string}"\n'
            f"heart_bt_int_s = 10\n"
        ) + (f'profile = "{name}.toml"\n' if agreed else "")

    async def connect(self) -> None:
        """Everybody logs on."""
        for version in self.versions:
            peer = Peer(version, f"venue-{version.name}", "EMS")
            self.venues[version.name] = Venue(peer)
            await peer.listen(self.port(peer.sender))
        self.up = self.program.start("up")
        for style, version in self._clients():
            name = f"{style}-{version.name}"
            peer = AsyncfixPeer(name, "EMS") if style == "asyncfix" else Peer(version, name, "EMS")
            oms = self.clients[style, version.name] = Oms(peer)
            peer.received = oms.received
        watch = asyncio.create_task(self._give_up_in_trouble())
        await asyncio.to_thread(self._is_up)
        watch.cancel()
        async with asyncio.timeout(UP_S):
            await asyncio.gather(*(oms.session.connect(self.port(oms.session.sender)) for oms in self.clients.values()))
            await asyncio.gather(*(venue.peer.up.wait() for venue in self.venues.values()))
        self.desk = Desk(Runtime.load(self.program.home / "state" / "runtime.json"))

    async def _give_up_in_trouble(self) -> None:
        """A start in which a process ends with an error would be tried again and again."""
        deadline = asyncio.get_running_loop().time() + UP_S
        while not self.troubles() and asyncio.get_running_loop().time() < deadline:  # noqa: ASYNC110 (a file sets no event)
            await asyncio.sleep(0.2)
        self.up.send_signal(signal.SIGINT)

    def _is_up(self) -> None:
        """Read until it says that it is up. Raises NotStarted with what it said instead."""
        assert self.up.stdout is not None
        said = []
        for line in self.up.stdout:
            said.append(line)
            if "is up" in line:
                return
        raise NotStarted(f"ems up ended: {self.troubles()} {''.join(said)}")

    async def close(self) -> None:
        """Log out, stop, and look that nothing is left."""
        ends = [oms.session for oms in self.clients.values()] + [venue.peer for venue in self.venues.values()]
        await asyncio.gather(*(end.close() for end in ends))
        if hasattr(self, "up"):
            self.up.send_signal(signal.SIGINT)
            self.said, _ = await asyncio.to_thread(self.up.communicate, timeout=60)

    def faults(self) -> list[str]:
        """What broke the rules of a session, and what nobody had asked for."""
        ends = [oms.session for oms in self.clients.values()] + [venue.peer for venue in self.venues.values()]
        found = [fault for end in ends for fault in end.faults]
        strays = [stray for side in (*self.clients.values(), *self.venues.values()) for stray in side.strays]
        return found + [f"nobody's message: {stray}" for stray in strays] + self.troubles()

    def troubles(self) -> list[str]:
        """What the processes logged as errors."""
        logs = sorted((self.program.home / "state" / "logs").glob("*.jsonl"))
        lines = [json.loads(line) for log in logs for line in log.read_text().splitlines() if '"level": "info"' not in line]
        return [f"logged: {line['event']}" for line in lines if line["level"] in ("error", "critical")]


@contextlib.asynccontextmanager
async def open_room(home: Path, versions: tuple[str, ...]) -> AsyncIterator[Room]:
    """Everything, running and logged on; all of it ended when the block ends."""
    room = Room(Program(home), versions)
    room.configure()
    follower: asyncio.Task[None] | None = None
    try:
        await room.connect()
        assert room.desk is not None
        follower = asyncio.create_task(room.desk.follow())
        yield room
    finally:
        if follower is not None:
            follower.cancel()
            await asyncio.gather(follower, return_exceptions=True)
        await room.close()
