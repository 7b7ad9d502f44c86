"""The whole system under test, started by its own supervisor, and who of it can be killed."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import psutil
import psycopg

from tests import warm

ROOT: Final = Path(__file__).resolve().parents[3]
SYMBOL: Final = "DEMO"
KINDS: Final = ("desk", "gateway", "venue", "postgres")

SESSIONS: Final = """\
[[sessions]]
name = "OMS1"
role = "client"
kind = "acceptor"
sender_comp_id = "EMS"
target_comp_id = "OMS1"
port = {oms}
heart_bt_int_s = 5

[[sessions]]
name = "SIM"
role = "venue"
kind = "initiator"
sender_comp_id = "EMS"
target_comp_id = "SIM"
port = {venue}
heart_bt_int_s = 5

[[sessions]]
name = "SIM-MD"
role = "marketdata"
kind = "initiator"
sender_comp_id = "EMS-MD"
target_comp_id = "SIM"
port = {venue}
heart_bt_int_s = 5
symbols = ["{symbol}"]

[routes]
"*" = "SIM"
"""
CONFIG: Final = (
    """\
mode = "PAPER"
state_directory = "state"

"""
    + SESSIONS
    + """
[venue]
comp_id = "SIM"
port = {venue}
symbols = ["{symbol}"]
seed = {seed}

[pace]
patience_s = 0.4
replan_s = 2
pov_s = 0.5
unanswered_wall_s = 1

[console]
port = {console}
"""
)


class SystemUnderTest:
    """`ems up` in a directory of its own, on free ports."""

    def __init__(self, home: Path, *, seed: int) -> None:
        self.home = home
        self.state = home / "state"
        self.oms_ledger = home / "oms.jsonl"
        self.passed = False
        self.oms_port, venue_port, console_port = free_ports(3)
        self._config = home / "ems.toml"
        self._config.write_text(
            CONFIG.format(oms=self.oms_port, venue=venue_port, console=console_port, symbol=SYMBOL, seed=seed)
        )
        self._process: subprocess.Popen[bytes] | None = None
        self._family: dict[int, psutil.Process] = {}  # every process that was ever seen of it

    @property
    def venue_ledger(self) -> Path:
        """The simulated venue's own ledger."""
        return self.state / "venue" / "ledger.jsonl"

    @property
    def app_dsn(self) -> str:
        """The database, for who reads and appends. Raises OSError before the system has started once."""
        return str(json.loads((self.state / "runtime.json").read_text())["app_dsn"])

    def start(self) -> None:
        """Start the supervisor; the OMS finds out by itself when the system is up."""
        with (self.home / "supervisor.log").open("wb") as log:
            self._process = warm.Popen(
                [sys.executable, "-m", "ems", "up", "--config", str(self._config)],
                cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip

    @property
    def running(self) -> bool:
        """Does the supervisor still run?"""
        return self._process is not None and self._process.poll() is None

    def last_words(self) -> str:
        """The end of what the supervisor said."""
        return (self.home / "supervisor.log").read_text("utf-8", "replace")[-2000:]

    def stop(self, timeout_s: float = 60) -> int:
        """Ordered stop; the supervisor's exit status."""
        assert self._process is not None
        self._see()
        if self.running:
            self._process.send_signal(signal.SIGTERM)
        return self._process.wait(timeout_s)

    def left_over(self, timeout_s: float = 10) -> list[str]:
        """Processes of the system that still run, for what went wrong; they are ended."""
        _, left = psutil.wait_procs(list(self._family.values()), timeout=timeout_s)
        said = [f"{process.pid} {process.name()}" for process in left if process.status() != psutil.STATUS_ZOMBIE]
        for process in left:
            process.kill()
        return said

    def abandon(self) -> None:
        """End everything, whatever state it is in."""
        self._see()
        if self._process is not None and self.running:
            self._process.terminate()
            try:
                self._process.wait(30)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self.left_over(timeout_s=5)

    # --------------------------------------------------------------------------------------- victims

    def find(self, kind: str) -> int:
        """The process number of a part, 0 while there is none."""
        return self._postmaster() if kind == "postgres" else self._child(f"_{kind}")

    def kill(self, pid: int) -> None:
        """kill -9, now."""
        os.kill(pid, signal.SIGKILL)

    def _child(self, word: str) -> int:
        self._see()
        for process in self._children():
            try:
                if word in process.cmdline() and process.status() != psutil.STATUS_ZOMBIE:
                    return int(process.pid)
            except psutil.NoSuchProcess as gone:
                self._family.pop(gone.pid, None)
        return 0

    def _postmaster(self) -> int:
        """The parent of whoever answers a connection: nothing else tells a live server from a dead one's traces."""
        try:
            with psycopg.connect(self.app_dsn, connect_timeout=3) as connection:
                row = connection.execute("SELECT pg_backend_pid()").fetchone()
                assert row is not None
                postmaster = psutil.Process(row[0]).parent()
        except (OSError, ValueError, psycopg.OperationalError, psutil.NoSuchProcess):
            return 0
        if postmaster is None:
            return 0
        self._family.update({p.pid: p for p in (postmaster, *postmaster.children())})
        return int(postmaster.pid)

    def _children(self) -> list[psutil.Process]:
        if self._process is None or not self.running:
            return []
        return list(psutil.Process(self._process.pid).children(recursive=True))

    def _see(self) -> None:
        self._family.update({process.pid: process for process in self._children()})

    def wait_for(self, kind: str, *, instead_of: int, timeout_s: float) -> int:
        """The process number of a part that was brought back. Raises TimeoutError."""
        deadline = time.monotonic() + timeout_s
        while (pid := self.find(kind)) in (0, instead_of):
            if time.monotonic() > deadline:
                raise TimeoutError(f"{kind} was not brought back within {timeout_s:.0f} s")
            time.sleep(0.02)
        return pid


def free_ports(count: int) -> tuple[int, ...]:
    """Ports of the loopback that are free now."""
    probes = [socket.socket() for _ in range(count)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = tuple(int(probe.getsockname()[1]) for probe in probes)
    for probe in probes:
        probe.close()
    return ports
