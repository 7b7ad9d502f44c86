"""Two hosts on one database and one venue, on one machine: each is `ems up` with a directory and a gateway of its own."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from adapters.fix.control import ask
from adapters.postgres.embedded import EmbeddedPostgres
from ems.bootstrap.runtime import socket_directory
from tests import warm
from tests.acceptance.failover.proxy import Proxy
from tests.acceptance.kill9.fix_session import FixSession
from tests.acceptance.kill9.system import SESSIONS, free_ports

ROOT: Final = Path(__file__).resolve().parents[3]
SYMBOL: Final = "DEMO"
REST: Final = """
[pace]
patience_s = 0.4
replan_s = 2
pov_s = 0.5
unanswered_wall_s = 1

[console]
enabled = false
"""
VENUE: Final = """
[venue]
comp_id = "SIM"
port = {venue}
symbols = ["DEMO"]
seed = 1
"""
HOST: Final = """\
mode = "PAPER"
state_directory = "{name}"
database_url = "{app}"
database_owner_url = "{owner}"

[failover]
host = "{name}"
lease_s = 5

[sealing]
enabled = false
"""


def _sessions(oms: int, venue: int) -> str:
    """Of a host or of the venue's process, and how orders are worked."""
    return SESSIONS.format(oms=oms, venue=venue, symbol=SYMBOL) + REST


class Process:
    """A program of ours with what it starts, in files of its own."""

    def __init__(self, home: Path, name: str, *words: str) -> None:
        self.log = home / f"{name}.log"
        with self.log.open("ab") as log:
            self.popen = warm.Popen(
                [sys.executable, "-m", "ems", *words], cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log
            )

    def children(self) -> list[psutil.Process]:
        return psutil.Process(self.popen.pid).children(recursive=True) if self.popen.poll() is None else []

    def stop(self) -> None:
        """In order, and by force what has not gone then."""
        family = self.children()
        for process in family:
            _signal(process, signal.SIGCONT)
        self.popen.terminate()
        try:
            self.popen.wait(40)
        except subprocess.TimeoutExpired:
            self.popen.kill()
            self.popen.wait()
        for process in psutil.wait_procs(family, timeout=5)[1]:
            _signal(process, signal.SIGKILL)


class Host:
    """One of the two."""

    def __init__(self, home: Path, name: str, oms_port: int, venue_port: int, dsns: tuple[str, str]) -> None:
        self.home, self.name, self.oms_port = home, name, oms_port
        self.state = home / name
        text = HOST.format(name=name, app=dsns[0], owner=dsns[1]) + _sessions(oms_port, venue_port)
        tables = text.split("[[sessions]]", 1)  # plain keys and tables may stand in any order, sessions and tables after them
        (home / f"{name}.toml").write_text("[[sessions]]".join(tables))
        self.process: Process | None = None

    def start(self, *words: str) -> None:
        self.process = Process(self.home, self.name, "up", "--config", str(self.home / f"{self.name}.toml"), *words)

    def child(self, word: str) -> psutil.Process:
        """A process of this host by its command."""
        assert self.process is not None
        return next(child for child in self.process.children() if f"_{word}" in child.cmdline())

    def ask(self, socket: str, question: dict[str, Any]) -> dict[str, Any]:
        """What a process says on its socket, {} while it does not answer."""
        try:
            answer = ask(socket_directory(self.state) / f"{socket}.sock", question, timeout_s=2)
        except (OSError, ValueError):
            return {}
        return answer if isinstance(answer, dict) else {}

    @property
    def desk(self) -> str:
        """What the desk says that it does."""
        return str(self.ask("desk", {}).get("state", ""))

    @property
    def holds_sessions(self) -> bool:
        """Does its gateway hold FIX sessions?"""
        return self.ask("gateway-control", {"command": "health"}).get("standing_by") is False

    @property
    def numbers(self) -> list[str]:
        """What its gateway set the numbers of its sessions to, each time that it came to hold them."""
        return [text for line in self.said("gateway") if "inbound expected" in (text := str(line["event"]))]

    def said(self, process: str) -> list[dict[str, Any]]:
        """The log lines of one of its processes."""
        lines = (self.state / "logs" / f"{process}.jsonl").read_text("utf-8").splitlines()
        return [json.loads(line) for line in lines if line.startswith("{")]


class Site:
    """The database, the venue, and the two hosts; each reaches the database through a proxy."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.server = EmbeddedPostgres(home / "postgres")
        self.server.start()
        door = next(Path(_parts(self.server.app_dsn)["host"]).glob(".s.PGSQL.*[0-9]"))
        self.proxies = {name: Proxy(door) for name in ("alpha", "beta")}
        self.ports = free_ports(3)
        self.hosts: dict[str, Host] = {}
        self._venue: Process | None = None

    async def start(self) -> None:
        alpha, beta, venue = self.ports
        config = self.home / "venue.toml"
        config.write_text('state_directory = "venue-state"\n' + _sessions(alpha, venue) + VENUE.format(venue=venue))
        self._venue = Process(self.home, "venue", "venue", "--config", str(config), "--directory", str(self.home / "venue"))
        for name, port in (("alpha", alpha), ("beta", beta)):
            await self.proxies[name].start()
            through = {"host": "127.0.0.1", "port": str(self.proxies[name].port), "sslmode": "disable", "gssencmode": "disable"}
            app, owner = (psycopg.conninfo.make_conninfo(dsn, **through) for dsn in (self.server.app_dsn, self.server.dsn))
            self.hosts[name] = Host(self.home, name, port, venue, (app, owner))

    @property
    def venue_open(self) -> bool:
        """Does the venue listen?"""
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.ports[2])) == 0

    async def stop(self) -> None:
        for process in (*(host.process for host in self.hosts.values()), self._venue):
            if process is not None:
                await asyncio.to_thread(process.stop)  # the proxy runs on this loop, and they may be in the middle of something
        for proxy in self.proxies.values():
            await proxy.close()
        await asyncio.to_thread(self.server.stop)

    @property
    def venue_ledger(self) -> Path:
        return self.home / "venue" / "ledger.jsonl"

    def sent(self) -> int:
        """How many orders the venue has had."""
        lines = [json.loads(line) for line in self.venue_ledger.read_text("utf-8").splitlines()]
        return len({line["n"] for line in lines if line["k"] == "order"})

    def query(self, text: str) -> Any:
        """One value from the log's database."""
        with psycopg.connect(self.server.app_dsn, connect_timeout=3) as connection:
            row = connection.execute(text).fetchone()  # type: ignore[arg-type]
        assert row is not None
        return row[0]

    def leader(self) -> str:
        """The leading host by the log's head."""
        return str(self.query("SELECT leader FROM log_head")).rpartition("/")[2].partition(":")[0]

    def postmaster(self) -> psutil.Process:
        with psycopg.connect(self.server.app_dsn, connect_timeout=3) as connection:
            found = psutil.Process(connection.info.backend_pid).parent()
        assert found is not None
        return found


class Door(FixSession):
    """An OMS that knows both hosts' addresses and tries them in turn."""

    doors: tuple[int, ...] = ()

    async def _connected(self) -> None:
        self.doors = (*self.doors[1:], self.doors[0])
        self._port = self.doors[0]
        await super()._connected()


def _parts(dsn: str) -> dict[str, str]:
    return {key: str(value) for key, value in psycopg.conninfo.conninfo_to_dict(dsn).items()}


def _signal(process: psutil.Process, number: int) -> None:
    try:
        os.kill(process.pid, number)
    except ProcessLookupError:
        return


def patiently(condition: Callable[[], bool], timeout_s: float, what: str) -> float:
    """Wait for something that processes bring about; the seconds that it took. Raises TimeoutError."""
    began_s = time.monotonic()
    while not condition():
        if time.monotonic() - began_s > timeout_s:
            raise TimeoutError(f"{what} did not come within {timeout_s:.0f} s")
        time.sleep(0.02)
    return time.monotonic() - began_s
