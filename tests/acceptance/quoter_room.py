"""A quoter's two processes between a feed and a venue that this process plays over real sockets, on a real database."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from adapters.shm.exposure import SharedExposure
from adapters.shm.latch import SharedLatch
from adapters.shm.ring import Ring
from domain.kill_latch import Slot
from domain.kill_scope import FIRM
from domain.tape import Kind
from ems.bootstrap.runtime import Runtime
from ems.config import Settings, check
from ems.loopback import free_ports
from tests.acceptance.quoter_market import ACCOUNT, START, SYMBOL, Exchange, Tape

WAIT_S: Final = 400.0  # the kernel may have to be compiled first


def settings_of(home: Path, dsn: str, feed: int, again: int, venue: int, **quoting: Any) -> Settings:
    instrument = {"symbol": SYMBOL, "locate": 1, "size_lots": 100, "inventory_max_lots": 300, "quotes_max": 10_000}
    table = {
        "instruments": [instrument], "feed": {"port": feed}, "again": {"port": again}, "venue": {"port": venue},
        "username": ACCOUNT, "password": "secret", "late_s": 0, "messages_per_s": 100_000, "exposure_max_s": 0,
        "toxicity_logit": 50.0, "journal": {"slots": 32_768, "seal_s": 0.2}, **quoting,
    }  # fmt: skip
    return check(
        {
            "state_directory": str(home / "state"), "database_url": dsn, "quoting": table,
            "clock": {"kind": "tape", "start": START.isoformat()}, "watchdog": {"enabled": False}, "console": {"enabled": False},
        },
        name="test", folder=home,
    )  # fmt: skip


class Room:
    """Everything, and the two processes."""

    def __init__(self, home: Path, dsn: str, **quoting: Any) -> None:
        feed, again, venue = free_ports(3)
        self.tape = Tape(feed, again)
        self.exchange = Exchange(home, venue)
        settings = settings_of(home, dsn, feed, again, venue, **quoting)
        self.runtime = Runtime(settings=settings, app_dsn=dsn, tape_origin_ns=time.time_ns())
        self.runtime.state.mkdir(parents=True)
        self.latch = SharedLatch(self.runtime.latch)
        self.runtime.latch.parent.mkdir(parents=True)
        self.latch.build([Slot(FIRM)])
        self.exposure = SharedExposure(self.runtime.exposure, 2, write=True)
        self.processes: dict[str, subprocess.Popen[bytes]] = {}
        self.home = home

    def start(self, name: str) -> None:
        runtime = self.runtime.walled() if name == "quoter" else self.runtime
        file = runtime.save(f"runtime-{name}.json")
        with (self.home / f"{name}.log").open("ab") as log:
            command = [sys.executable, "-P", "-m", "ems", f"_{name}", "--runtime", str(file)]
            self.processes[name] = subprocess.Popen(command, stdout=log, stderr=log)

    def stop(self, name: str, number: int = signal.SIGTERM) -> int:
        process = self.processes.pop(name)
        process.send_signal(number)
        return process.wait(30)

    def log_of(self, name: str) -> str:
        path = self.home / f"{name}.log"
        return path.read_text()[-3000:] if path.exists() else ""

    def until(self, holds: Callable[[], Any], what: str, *, wait_s: float = 20.0) -> None:
        """Wait for something; the processes must live meanwhile."""
        deadline = time.monotonic() + wait_s
        while not holds():
            for name, process in self.processes.items():
                assert process.poll() is None, f"{name} ended: {self.log_of(name)}"
            assert not self.exchange.errors, self.exchange.errors
            assert time.monotonic() < deadline, f"{what} did not come: {self.log_of('quoter')}"
            time.sleep(0.002)

    def warm(self, *, ticks: int = 160) -> None:
        """A book with two sides, enough events for the nets, and the quoter's first quotes."""
        for n in range(10):
            self.tape.add(10_000 - n, 1)
            self.tape.add(10_004 + n, -1)
        for n in range(ticks):
            self.tape.publish(self.tape.flicker(9_990 if n % 2 else 10_014, 1 if n % 2 else -1))
        self.until(lambda: self.connected, "the first login", wait_s=WAIT_S)
        self.quotes()

    @property
    def connected(self) -> bool:
        return any(each.message.name == "account_query" for each in self.exchange.sent)

    def ring(self) -> Ring:
        (path,) = self.runtime.quoter_directory.glob("*/journal.ring")
        return Ring.open(path)

    def flood(self, seconds: float) -> float:
        """Ticks that move the best prices, as fast as the quoter takes them; how many a second."""
        ring, began, sent = self.ring(), time.monotonic(), 0
        rows = [
            self.tape.frames([(int(kind), 800_000 + price, price, 200, side)])
            for price, side in ((10_001, 1), (10_003, -1))
            for kind in (Kind.ADD, Kind.CANCEL)
        ]
        done = ring.published()
        while (passed := time.monotonic() - began) < seconds:
            if sent - (ring.published() - done) < 400:
                for _ in range(50):
                    self.tape.publish(rows[sent % len(rows)])
                    sent += 1
        return sent / passed

    def tick(self) -> int:
        return self.tape.publish(self.tape.flicker(9_995, 1))

    def quotes(self) -> None:
        """Ticks until quotes stand at the venue."""

        def standing() -> bool:
            self.tick()
            time.sleep(0.01)
            return bool(self.exchange.open)

        self.until(standing, "a quote")

    def pulled(self) -> None:
        self.until(lambda: not self.exchange.open, "the end of the quotes")

    def close(self) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        self.exchange.close()
        self.tape.close()


@contextmanager
def room(home: Path, dsn: str, **quoting: Any) -> Iterator[Room]:
    """A room with both processes up, closed at the end."""
    made = Room(home, dsn, **quoting)
    try:
        made.start("quote_journal")
        made.start("quoter")
        yield made
    finally:
        made.close()
