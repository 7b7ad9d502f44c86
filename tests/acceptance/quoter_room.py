"""A quoter's two processes between a feed and a venue that this process plays over real sockets, on a real database.

The venue stamps whatever its socket hands over, with the monotonic clock that all processes of a host share.
"""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from adapters.marketdata.itch_encode import CENT, FRAME_MAX, encode_records
from adapters.marketdata.itch_encode import directory_message as directory
from adapters.marketdata.itch_layout import symbol_number
from adapters.marketdata.mold import MoldSender
from adapters.ouch.messages import Message, decode, encode
from adapters.ouch.soup_server import SoupServer
from adapters.ouch.soup_stream import open_stream
from adapters.shm.exposure import SharedExposure
from adapters.shm.latch import SharedLatch
from adapters.shm.ring import Ring
from domain.kill_latch import Slot
from domain.kill_scope import FIRM
from domain.tape import Kind, Status, tape_of
from ems.bootstrap.runtime import Runtime
from ems.config import Settings, check
from ems.loopback import free_ports

WAIT_S: Final = 400.0  # the kernel may have to be compiled first
START: Final = datetime(2026, 11, 23, 15, 0, tzinfo=UTC)  # Monday, ten in New York
MIDNIGHT_NS: Final = int(datetime(2026, 11, 23, 5, 0, tzinfo=UTC).timestamp()) * 10**9
SYMBOL: Final = "AAPL"
ACCOUNT: Final = "QUOTE1"


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


class Sent(NamedTuple):
    """What the quoter sent: when the venue had it, ns of the monotonic clock."""

    at_ns: int
    message: Message

    @property
    def new(self) -> bool:
        """Does it put an order on the book?"""
        return self.message.name in ("enter", "replace")


class Exchange:
    """An order entry port. Orders rest until `fill`; every report goes through the account's sequenced stream."""

    def __init__(self, home: Path, port: int) -> None:
        self.sent: list[Sent] = []
        self.open: dict[int, tuple[str, int, int]] = {}  # UserRefNum -> side, shares, price
        self.position = self.worst = 0
        self.unanswered = self.keeps_orders = False
        self.errors: list[BaseException] = []
        self._matches = 0
        self._last_ref = 0
        self.lock = threading.RLock()
        self._stream = open_stream(home / "ouch", ACCOUNT, "261123")
        self.server = SoupServer(("127.0.0.1", port), {ACCOUNT: "secret"}, {ACCOUNT: self._stream}, self, self.errors.append)
        self.server.start()

    def on_login(self, account: str) -> None:
        """Nothing."""

    def on_gone(self, account: str) -> None:
        with self.lock:
            for ref in list(self.open) if not self.keeps_orders else ():
                self._gone(ref, "D")

    def on_message(self, account: str, message: bytes) -> None:
        at_ns = time.monotonic_ns()
        told = decode("in", message)
        with self.lock:
            self.sent.append(Sent(at_ns, told))
            if told.name == "account_query":
                self._tell("account_query_response", next_user_ref_num=self._last_ref + 1)
            elif not self.unanswered:
                getattr(self, f"_{told.name}")(told)

    def _enter(self, told: Message) -> None:
        ref = self._last_ref = told.number("user_ref_num")
        self._rest(ref, told.text("side"), told.number("quantity"), told.number("price"))
        self._tell("accepted", **self._order(ref), user_ref_num=ref)

    def _replace(self, told: Message) -> None:
        ref, old = told.number("user_ref_num"), told.number("orig_user_ref_num")
        self._last_ref = ref
        if (was := self.open.pop(old, None)) is None:
            self._tell("rejected", user_ref_num=ref, reason=0x1, cl_ord_id="")
            return
        self._rest(ref, was[0], told.number("quantity"), told.number("price"))
        self._tell("replaced", **self._order(ref), orig_user_ref_num=old, user_ref_num=ref)

    def _cancel(self, told: Message) -> None:
        if told.number("user_ref_num") in self.open:
            self._gone(told.number("user_ref_num"), "U")

    def _rest(self, ref: int, side: str, quantity: int, price: int) -> None:
        self.open[ref] = (side, quantity, price)
        bought = sum(shares for way, shares, _ in self.open.values() if way == "B")
        sold = sum(shares for way, shares, _ in self.open.values() if way != "B")
        self.worst = max(self.worst, self.position + bought, sold - self.position)

    def _order(self, ref: int) -> dict[str, Any]:
        side, quantity, price = self.open[ref]
        return {
            "side": side, "quantity": quantity, "symbol": SYMBOL, "price": price, "time_in_force": "0", "display": "Y",
            "order_ref_num": 1000 + ref, "capacity": "P", "sweep": "N", "cross_type": "N", "state": "L", "cl_ord_id": "",
        }  # fmt: skip

    def _gone(self, ref: int, reason: str) -> None:
        _, quantity, _ = self.open.pop(ref)
        self._tell("canceled", user_ref_num=ref, quantity=quantity, reason=reason)

    def fill(self, ref: int, quantity: int) -> None:
        """The order trades."""
        with self.lock:
            if ref not in self.open:
                return
            side, open_, price = self.open.pop(ref)
            quantity = min(quantity, open_)
            if open_ > quantity:
                self.open[ref] = (side, open_ - quantity, price)
            self.position += quantity if side == "B" else -quantity
            self._matches += 1
            self._tell("executed", user_ref_num=ref, quantity=quantity, price=price, liquidity="A", match_number=self._matches)

    def stranger(self) -> None:
        """An execution of an order that nobody sent."""
        with self.lock:
            self._matches += 1
            self._tell("executed", user_ref_num=999_999, quantity=1, price=1, liquidity="A", match_number=self._matches)

    def _tell(self, name: str, **fields: Any) -> None:
        self.server.send(ACCOUNT, encode("out", Message(name, {"time_ns": 1, **fields})))

    def since(self, at_ns: int) -> list[Sent]:
        with self.lock:
            return [each for each in self.sent if each.at_ns >= at_ns]

    def close(self) -> None:
        self.server.close(ended=False)


class Tape:
    """The feed: one instrument's displayed orders, published as datagrams, repeated when asked for."""

    def __init__(self, port: int, again: int) -> None:
        self._to = ("127.0.0.1", port)
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._again = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._again.bind(("127.0.0.1", again))
        self._again.settimeout(0.05)
        self.sender = MoldSender("0000000001")
        self.lock = threading.Lock()
        self.answers = self.lost = 0
        self.deaf = False  # answers no request
        self._ids = 0
        self._over = threading.Event()
        self.units, self.numbers = np.full(2, CENT), np.array([0, symbol_number(SYMBOL)], np.int64)
        self._thread = threading.Thread(target=self._answer, daemon=True)
        self._thread.start()
        self.publish(directory(1, SYMBOL))

    def now_ns(self) -> int:
        return int(START.timestamp()) * 10**9 + time.monotonic_ns() % 10**12

    def frames(self, rows: Sequence[tuple[int, int, int, int, int]]) -> bytes:
        """Rows (kind, order id, price in ticks, size, side) as framed messages."""
        now_ns = self.now_ns()
        tape = tape_of([(now_ns, 0, oid, price, size, 1, 0, kind, side) for kind, oid, price, size, side in rows])
        out = np.zeros(len(tape) * FRAME_MAX + FRAME_MAX, np.uint8)
        done, at = encode_records(tape, 0, len(tape), MIDNIGHT_NS, self.units, self.numbers, out, 0)
        assert done == len(tape)
        return out[:at].tobytes()

    def publish(self, frames: bytes, *, lose: bool = False) -> int:
        """Send; the moment before, ns of the monotonic clock. lose: it is numbered, and does not arrive."""
        with self.lock:
            at_ns = time.monotonic_ns()
            for packet in self.sender.packets(frames):
                if lose:
                    self.lost += 1
                else:
                    self._line.sendto(packet, self._to)
            return at_ns

    def raw(self, data: bytes) -> int:
        at_ns = time.monotonic_ns()
        self._line.sendto(data, self._to)
        return at_ns

    def add(self, price: int, side: int, size: int = 300) -> int:
        self._ids += 1
        self.publish(self.frames([(int(Kind.ADD), self._ids, price, size, side)]))
        return self._ids

    def flicker(self, price: int, side: int, size: int = 100) -> bytes:
        """An order that comes and goes: two messages, one datagram."""
        self._ids += 1
        return self.frames([(int(Kind.ADD), self._ids, price, size, side), (int(Kind.CANCEL), self._ids, price, size, side)])

    def status(self, status: Status) -> int:
        return self.publish(self.frames([(int(Kind.STATUS), 0, 0, int(status), 0)]))

    def _answer(self) -> None:
        while not self._over.is_set():
            try:
                request, sender = self._again.recvfrom(64)
            except TimeoutError:
                continue
            with self.lock:
                packets = self.sender.answer(request) if not self.deaf else []
            self.answers += len(packets)
            for packet in packets:
                self._again.sendto(packet, sender)

    def close(self) -> None:
        self._over.set()
        self._thread.join()
        self._line.close()
        self._again.close()


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
