"""One end of a FIX session on a plain socket, listening or connecting. Nothing of the engine under test is in it.

It keeps its sequence numbers, beats, answers test and resend requests, asks for what it missed, and takes nothing twice.
Whatever breaks the rules of a session is kept in `faults`, and is the failure of whatever test runs.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final

from tests.acceptance.fix.versions import Fields, Version

SOH: Final = "\x01"
HEADER: Final = ("43", "97", "122")  # of those that an application message of ours may carry


class Peer:
    """A session. `received` is called with each application message once, in order, in the vocabulary of the test."""

    def __init__(self, version: Version, sender: str, target: str, *, heartbeat_s: int = 10) -> None:
        self.version, self.sender, self.target = version, sender, target
        self.heartbeat_s = heartbeat_s
        self.next_out = self.next_in = 1
        self.received: Callable[[Fields], None] = lambda message: None
        self.faults: list[str] = []
        self.up = asyncio.Event()
        self._sent: dict[int, tuple[str, Fields, str]] = {}
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._asked_up_to = 0
        self._last_out_s = self._last_in_s = 0.0

    # ------------------------------------------------------------------------------------------- life

    async def listen(self, port: int) -> None:
        """Wait for whoever connects; the last one is talked to."""
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", port)
        self._keep(self._beat())

    async def connect(self, port: int) -> None:
        """Connect and log on, again and again until somebody answers."""
        self._keep(self._beat())
        self._keep(self._stay_connected(port))
        await self.up.wait()

    async def close(self) -> None:
        """Log out, without waiting for more than an answer."""
        if self._writer is not None and self.up.is_set():
            self._put("5", {})
            await asyncio.sleep(0.05)
        for task in self._tasks:
            task.cancel()
        self._down()
        if self._server is not None:
            self._server.close()

    def send(self, kind: str, fields: Fields) -> None:
        """Send an application message, now or as soon as the session is up again."""
        written = self.version.write(kind, fields)
        self._sent[self.next_out] = (kind, written, _now())
        self._put(kind, written)

    def _keep(self, work: object) -> None:
        task = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not task.cancelled() and (error := task.exception()) is not None:
            self.faults.append(f"{self.sender}: {error!r}")

    # ------------------------------------------------------------------------------------------- in

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        await self._read(reader)

    async def _stay_connected(self, port: int) -> None:
        while True:
            try:
                reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                self._put("A", self._logon())
                await self._read(reader)
            except ConnectionRefusedError:
                self._down()  # nobody listens yet
            await asyncio.sleep(0.05)

    def _logon(self) -> Fields:
        appl = {"1137": self.version.default_appl} if self.version.default_appl else {}
        return {"98": "0", "108": str(self.heartbeat_s)} | appl

    async def _read(self, reader: asyncio.StreamReader) -> None:
        self._asked_up_to = 0
        self._last_in_s = time.monotonic()
        buffer = b""
        try:
            while data := await reader.read(65536):
                self._last_in_s = time.monotonic()
                buffer += data
                while (end := _end_of_message(buffer)) > 0:
                    raw, buffer = buffer[:end], buffer[end:]
                    self._take(raw)
        except ConnectionResetError:
            self.faults.append(f"{self.sender}: the connection was reset")
        finally:
            self._down()

    def _take(self, raw: bytes) -> None:
        if wrong := _damaged(raw):
            self.faults.append(f"{self.sender}: {wrong}: {raw!r}")
        message = dict(pair.split("=", 1) for pair in raw.decode().split(SOH) if pair)
        if (message["8"], message["49"], message["56"]) != (self.version.begin_string, self.target, self.sender):
            self.faults.append(f"{self.sender}: a message for somebody else: {raw!r}")
        number, kind = int(message["34"]), message["35"]
        if kind == "A" and self._server is not None:
            self._put("A", self._logon())
        if kind == "2":
            self._repeat(int(message["7"]), int(message["16"]))
        if kind == "4" and (message.get("123") != "Y" or number <= self.next_in):
            self.next_in = max(self.next_in, int(message["36"]))
        elif number > self.next_in:
            self._ask(number)
        elif number == self.next_in:
            self.next_in += 1
            self._act(kind, message, raw)
        elif message.get("43") != "Y":
            self.faults.append(f"{self.sender}: number {number} again, {self.next_in} was due: {raw!r}")
        if kind == "A":
            self.up.set()

    def _act(self, kind: str, message: Fields, raw: bytes) -> None:
        if kind == "1":
            self._put("0", {"112": message["112"]})
        elif kind == "5":
            if self.up.is_set():
                self._put("5", {})
            self.up.clear()
        elif kind == "3":
            self.faults.append(f"{self.sender}: a session reject: {raw.decode().replace(SOH, '|')}")
        elif kind not in ("0", "2", "4", "A"):
            try:
                canonical = self.version.read(message)
            except ValueError as error:
                self.faults.append(f"{self.sender}: {error}: {raw.decode().replace(SOH, '|')}")
                return
            self.received(canonical)

    def _ask(self, number: int) -> None:
        """For everything from the gap on, once: what lies beyond it comes again."""
        if number > self._asked_up_to:
            self._asked_up_to = number
            self._put("2", {"7": str(self.next_in), "16": "0"})

    # ------------------------------------------------------------------------------------------ out

    def _repeat(self, first: int, last: int) -> None:
        end = self.next_out if last == 0 else min(last + 1, self.next_out)
        number = first
        while number < end:
            if number in self._sent:
                kind, fields, stamp = self._sent[number]
                self._put(kind, {"43": "Y", "122": stamp} | fields, number=number)
                number += 1
            else:
                after = next((n for n in range(number, end) if n in self._sent), end)
                self._put("4", {"43": "Y", "122": _now(), "123": "Y", "36": str(after)}, number=number)
                number = after

    def _put(self, kind: str, fields: Fields, *, number: int = 0) -> None:
        if not number:
            number, self.next_out = self.next_out, self.next_out + 1
        head = {"35": kind, "49": self.sender, "56": self.target, "34": str(number), "52": _now()}
        head |= {tag: fields[tag] for tag in HEADER if tag in fields}
        body = head | {tag: value for tag, value in fields.items() if tag not in head}
        text = "".join(f"{tag}={value}{SOH}" for tag, value in body.items())
        text = f"8={self.version.begin_string}{SOH}9={len(text.encode())}{SOH}{text}"
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(f"{text}10={sum(text.encode()) % 256:03}{SOH}".encode())
            self._last_out_s = time.monotonic()

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self.heartbeat_s / 4)
            now_s = time.monotonic()
            if self._writer is None or not self.up.is_set():
                continue
            if now_s - self._last_out_s >= self.heartbeat_s * 0.7:
                self._put("0", {})
            if now_s - self._last_in_s >= self.heartbeat_s * 3:
                self.faults.append(f"{self.sender}: the peer is silent")

    def _down(self) -> None:
        self.up.clear()
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]


def _end_of_message(buffer: bytes) -> int:
    """Where the first message ends, 0 while it is not whole."""
    trailer = buffer.find(b"\x0110=")
    return buffer.find(b"\x01", trailer + 1) + 1 if trailer >= 0 else 0


def _damaged(raw: bytes) -> str:
    """What is wrong with length or checksum, empty where nothing is."""
    body_at = raw.find(b"\x01", raw.find(b"\x019=") + 1) + 1
    trailer = raw.rfind(b"\x0110=") + 1
    length = int(raw[raw.find(b"\x019=") + 3 : body_at - 1])
    right = length == trailer - body_at and int(raw[trailer + 3 : -1]) == sum(raw[:trailer]) % 256
    return "" if right else "length or checksum is wrong"
