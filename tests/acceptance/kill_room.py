"""One running system for the tests of the kill switch: `ems up` between an OMS and a venue that this process plays, on a
database that this process may stop. The venue keeps its own book, and everything that its socket was sent, in order.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import psutil

from adapters.postgres.embedded import EmbeddedPostgres
from domain.kill_scope import FIRM, Scope
from ems.bootstrap import kill
from ems.bootstrap.runtime import Runtime
from ems.cli import kill_work
from ems.config import Settings, load
from ems.loopback import free_ports
from ems.persons import Persons
from tests.acceptance.conftest import Program, watched
from tests.adapters.fix.raw import RawPeer

WAIT_S = 60.0
SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}
CONFIGURATION = """
mode = "PAPER"
state_directory = "state"
database_url = "{dsn}"

[[sessions]]
name = "OMS"
role = "client"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "OMS"
port = {client}

[[sessions]]
name = "VENUE"
role = "venue"
kind = "initiator"
sender_comp_id = "EMS"
target_comp_id = "VENUE"
port = {venue}

[routes]
"*" = "VENUE"

[pace]
unanswered_wall_s = 5

[console]
enabled = false
"""


class Arrival(NamedTuple):
    """A message at the venue's socket."""

    msg_type: str
    cl_ord_id: str
    sent_ms: int  # SendingTime (52): when the gateway's engine wrote it
    number: int


class Venue(RawPeer):
    """Takes every order, cancels what it is asked to, and tells the truth when asked."""

    def __init__(self) -> None:
        super().__init__("VENUE", "EMS")
        self.arrivals: list[Arrival] = []
        self.open: dict[str, dict[str, str]] = {}
        self.gone: dict[str, dict[str, str]] = {}
        self._execs = 0

    def _received(self, text: str) -> None:
        super()._received(text)
        message = self.messages.pop()  # kept below: a long list would be searched by every wait
        if message["35"] in "ADFGHq":
            self.messages += [message] if message["35"] == "A" else []
            sent = datetime.strptime(message["52"][:21], "%Y%m%d-%H:%M:%S.%f").replace(tzinfo=UTC)
            arrival = Arrival(message["35"], message.get("11", ""), round(sent.timestamp() * 1000), int(message["34"]))
            self.arrivals.append(arrival)
        match message["35"]:
            case "D":
                self.open[message["11"]] = message
                self.report(message["11"], message, "0", "0")
            case "F":
                self._cancel(message)
            case "H":
                order = self.open.get(message["11"]) or self.gone.get(message["11"])
                if order is None:
                    self.report(message["11"], message, "8", "8", "103=5|")
                else:
                    self.report(message["11"], order, "I", "0" if message["11"] in self.open else "4")

    def _cancel(self, message: dict[str, str]) -> None:
        order = self.open.pop(message["41"], None)
        if order is None:
            self.send("9", f"37=NONE|11={message['11']}|41={message['41']}|39=4|434=1|102=1|")
            return
        self.gone[message["41"]] = order
        self.report(message["11"], order, "4", "4", f"41={message['41']}|")

    def report(self, cl_ord_id: str, order: dict[str, str], exec_type: str, status: str, more: str = "") -> None:
        self._execs += 1
        leaves = order["38"] if status == "0" and "38" in order else "0"
        self.send(
            "8",
            f"37=V{cl_ord_id[:16]}|11={cl_ord_id}|17=X{self._execs}|150={exec_type}|39={status}|55={order['55']}|"
            f"54={order['54']}|38={order.get('38', '0')}|151={leaves}|14=0|6=0|60={now()}|{more}",
        )

    def fill(self, cl_ord_id: str, price: int) -> None:
        """All of it."""
        order = self.open.pop(cl_ord_id)
        self._execs += 1
        self.send(
            "8",
            f"37=V{cl_ord_id[:16]}|11={cl_ord_id}|17=X{self._execs}|150=F|39=2|55={order['55']}|54={order['54']}|"
            f"38={order['38']}|151=0|14={order['38']}|6={price}|32={order['38']}|31={price}|60={now()}|",
        )

    def orders_after(self, sent_ms: int) -> list[Arrival]:
        """What makes risk and was written after a moment."""
        return [a for a in self.arrivals if a.msg_type in "DG" and a.sent_ms > sent_ms]

    def orders_behind_a_cancel_all(self) -> list[Arrival]:
        """What makes risk and stands behind the first emergency cancel on the wire: no clock decides that."""
        first = next((a.number for a in self.arrivals if a.msg_type == "F" and "K" in a.cl_ord_id[16:]), None)
        return [a for a in self.arrivals if a.msg_type in "DG" and first is not None and a.number > first]


class Oms(RawPeer):
    """Sends direct orders at a pace, and counts what it is told of each."""

    def __init__(self) -> None:
        super().__init__("OMS", "EMS")
        self.told: dict[str, str] = {}  # ClOrdID -> the last OrdStatus
        self.texts_of: Counter[str] = Counter()
        self.news: list[str] = []
        self.count = 0

    def _received(self, text: str) -> None:
        super()._received(text)
        message = self.messages[-1]
        if message["35"] == "8":
            self.told[message["11"]] = message["39"]
            self.texts_of[message.get("58", "")] += 1
        elif message["35"] == "B":
            self.news.append(message.get("148", ""))
        if message["35"] != "A":
            self.messages.pop()

    def order(self, quantity: int = 100, side: int = 0) -> str:
        """A direct one; side 0: buys and sells in turn."""
        self.count += 1
        name = f"T{self.count:07d}"
        side = side or 1 + self.count % 2
        self.send("D", f"11={name}|1=FUND|21=1|55=DEMO|54={side}|60={now()}|38={quantity}|40=2|44=200|59=0|")
        return name

    def cancel(self, order: str, quantity: int = 100) -> None:
        self.send("F", f"11=C{order}|41={order}|55=DEMO|54=1|60={now()}|38={quantity}|")

    async def orders(self, per_s: int, until: Callable[[], bool]) -> None:
        """At a pace until something is so."""
        began_s, sent = time.monotonic(), 0
        while not until():
            while sent < (time.monotonic() - began_s) * per_s:
                self.order()
                sent += 1
            await asyncio.sleep(0.005)


class Room:
    """The system, both peers, and the switch in this process's own hand."""

    def __init__(self, home: Path, oms: Oms, venue: Venue, server: EmbeddedPostgres) -> None:
        self.home, self.oms, self.venue, self.server = home, oms, venue, server

    @property
    def settings(self) -> Settings:
        return load(self.home / "ems.toml")

    @property
    def runtime(self) -> Runtime:
        return kill.runtime_of(self.settings)

    async def work(self, count: int, per_s: int = 500) -> None:
        """Until so many orders work at the venue and the OMS has been told of each."""
        limit = time.monotonic() + WAIT_S
        await self.oms.orders(per_s, lambda: len(self.venue.open) >= count or time.monotonic() > limit)
        await until(lambda: len(self.oms.told) == self.oms.count and "A" not in self.oms.told.values())
        assert len(self.venue.open) >= count

    async def armed_again(self, scope: Scope = FIRM) -> None:
        """By two people, and resumed."""
        for person, secret in SECRETS.items():
            told = await kill_work.rearm_scope(self.settings, scope, person, secret, "the test goes on")
            assert told["ok"], told
        assert (await kill_work.resume_scope(self.settings, scope, "jane", SECRETS["jane"], "go on"))["ok"]

    def process(self, word: str) -> psutil.Process:
        """A child of this system."""
        for process in psutil.process_iter(["cmdline"]):
            words = process.info["cmdline"] or []
            if word in words and any(str(self.home) in w for w in words):
                return process
        raise AssertionError(f"no {word}")

    def levels(self) -> dict[str, str]:
        """What the latch says of every scope that it says anything of."""
        return {slot.scope.text: slot.effective.name for slot in kill.service(self.runtime, None).slots()}

    async def reported(self, trip: str) -> dict[str, Any]:
        """The proof of flat, complete."""
        async with kill.log_of(self.runtime) as log:
            service = kill.service(self.runtime, log)
            async with asyncio.timeout(WAIT_S):
                while True:
                    found = [event for event in await service.reports() if event.trip == trip and event.complete]
                    if found:
                        return found[0].model_dump()
                    await asyncio.sleep(0.1)


async def until(condition: Callable[[], bool], wait_s: float = WAIT_S) -> None:
    """Raises TimeoutError."""
    async with asyncio.timeout(wait_s):
        while not condition():  # noqa: ASYNC110 (sockets, files and processes: there is nothing here to wait on)
            await asyncio.sleep(0.01)


def now() -> str:
    """UTCTimestamp."""
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


@contextlib.asynccontextmanager
async def room(home: Path, more: str = "", *, embedded: bool = False) -> AsyncIterator[Room]:
    """Everything up and logged on, two people enrolled.

    Args:
        more: of the configuration.
        embedded: is the database the system's own, in its state directory, rather than one that this process may stop?
    """
    server = EmbeddedPostgres(home / ("state/postgres" if embedded else "postgres"))
    dsn = "" if embedded else await asyncio.to_thread(server.start)
    client_port, venue_port = free_ports(2)
    dsn = dsn and server.app_dsn
    (home / "ems.toml").write_text(CONFIGURATION.format(dsn=dsn, client=client_port, venue=venue_port) + more)
    venue, oms = Venue(), Oms()
    await venue.listen(venue_port)
    with watched(Program(home)) as program:
        program.environment["EMS_DATABASE_OWNER_URL"] = "" if embedded else server.dsn
        up = program.start("up")
        try:
            assert up.stdout is not None
            said: list[str] = []
            while "is up" not in (line := await asyncio.to_thread(up.stdout.readline)):
                said.append(line)
                assert line, "".join(said)
            await oms.connect(client_port)
            await until(lambda: any(a.msg_type == "A" for a in venue.arrivals))
            made = Room(home, oms, venue, server)
            for person, secret in SECRETS.items():
                assert Persons(made.runtime.persons).enroll(person, secret) is None
            yield made
        finally:
            await oms.close()
            await venue.close()
            up.terminate()
            await asyncio.to_thread(up.communicate, timeout=60)
            await asyncio.to_thread(server.stop)
