"""The OMS's side of a FIX 4.4 session, on asyncio and simplefix: nothing of the engine under test is in it.

It survives whatever happens to its peer: it connects again, keeps both sequence numbers, answers a ResendRequest with
what it sent before (PossDupFlag), asks for what it missed, and writes every message to the ledger before it acts on it.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import simplefix

SOH: Final = "\x01"
HEADER: Final = (8, 35, 49, 56, 34, 43, 52, 122, 97)
RECONNECT_S: Final = 0.05
GAP_PATIENCE_S: Final = 3.0

Message = dict[str, str]
Fields = list[tuple[int, str]]


class Ledger:
    """JSON lines, each in the file before `write` returns."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", buffering=1)

    def write(self, **line: Any) -> None:
        """Add one line."""
        self._file.write(json.dumps({"at_ns": time.time_ns(), **line}) + "\n")

    def close(self) -> None:
        """Let go of the file."""
        self._file.close()


class ProtocolError(Exception):
    """The peer broke the rules of a FIX session."""


class FixSession:
    """An initiator. `run` keeps it connected; `received` is called with each application message, once and in order."""

    def __init__(
        self, port: int, sender: str, target: str, ledger: Ledger, received: Callable[[Message], None], *, heartbeat_s: int = 5
    ) -> None:
        self._port, self._sender, self._target = port, sender, target
        self._ledger = ledger
        self._received = received
        self._heartbeat_s = heartbeat_s
        self.next_out = self.next_in = 1
        self.logons = 0
        self.up = asyncio.Event()
        self._sent: dict[int, tuple[str, Fields, str]] = {}  # application messages: type, fields, SendingTime
        self._writer: asyncio.StreamWriter | None = None
        self._asked_up_to = 0  # the gap up to this number was asked for
        self._last_out_s = self._last_in_s = self._asked_s = 0.0

    async def run(self) -> None:
        """Stay connected until cancelled. Raises ProtocolError."""
        beat = asyncio.create_task(self._keep_beating())
        try:
            while True:
                try:
                    await self._connected()
                except OSError as error:
                    if self._writer is not None:  # else nobody listens yet, which is tried again until somebody does
                        self._ledger.write(note=f"connection: {error!r}")
                self._down()
                await asyncio.sleep(RECONNECT_S)
        finally:
            beat.cancel()
            self._down()

    def send(self, kind: str, fields: Fields) -> None:
        """Send an application message: it has a number and is in the ledger, and goes out now or when the peer asks."""
        stamp = _now()
        self._sent[self.next_out] = (kind, fields, stamp)
        self._put(kind, fields, stamp=stamp)

    def log_out(self) -> None:
        """Say good-bye; the peer ends the connection."""
        self._put("5", [])

    # ------------------------------------------------------------------------------------------- in

    async def _connected(self) -> None:
        reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        self._asked_up_to = 0
        self._last_in_s = time.monotonic()
        self._put("A", [(98, "0"), (108, str(self._heartbeat_s))])
        buffer = b""
        while data := await reader.read(65536):
            self._last_in_s = time.monotonic()
            buffer += data
            while (end := _end_of_message(buffer)) > 0:
                raw, buffer = buffer[:end], buffer[end:]
                self._take(_checked(raw))

    def _take(self, raw: str) -> None:
        message = dict(pair.split("=", 1) for pair in raw.split(SOH) if pair)
        self._ledger.write(dir="in", raw=raw)
        number, kind = int(message["34"]), message["35"]
        if message.get("141") == "Y":
            raise ProtocolError(f"the peer forgot its sequence numbers: {raw!r}")
        if kind == "A":
            self.logons += 1
            self.up.set()
        elif kind == "2":
            self._repeat(int(message["7"]), int(message["16"]))
        elif kind == "4":
            self._skip(message, number)
            return
        if number > self.next_in:
            self._ask(number)
        elif number < self.next_in:
            if message.get("43") != "Y":
                raise ProtocolError(f"number {number} came again, {self.next_in} was due: {raw!r}")
        else:
            self.next_in += 1
            self._act(kind, message)

    def _skip(self, message: Message, number: int) -> None:
        if message.get("123") != "Y" or number <= self.next_in:
            self.next_in = max(self.next_in, int(message["36"]))
        else:
            self._ask(number)

    def _act(self, kind: str, message: Message) -> None:
        if kind == "1":
            self._put("0", [(112, message["112"])])
        elif kind == "5":
            self._put("5", [])
            self._down()
        elif kind in ("8", "9", "3", "j"):
            self._received(message)

    def _ask(self, number: int) -> None:
        """Everything from the gap on, once; what comes beyond it meanwhile is dropped, since it comes again."""
        if number <= self._asked_up_to and time.monotonic() - self._asked_s < GAP_PATIENCE_S:
            return
        self._asked_up_to, self._asked_s = number, time.monotonic()
        self._put("2", [(7, str(self.next_in)), (16, "0")])

    # ------------------------------------------------------------------------------------------ out

    def _repeat(self, first: int, last: int) -> None:
        """What we sent, in order: application messages again, all else as a gap."""
        end = self.next_out if last == 0 else min(last + 1, self.next_out)
        number = first
        while number < end:
            if number in self._sent:
                kind, fields, stamp = self._sent[number]
                self._put(kind, fields, number=number, repeat_of=stamp)
                number += 1
                continue
            after = next((n for n in range(number, end) if n in self._sent), end)
            self._put("4", [(123, "Y"), (36, str(after))], number=number, repeat_of=_now())
            number = after

    def _put(self, kind: str, fields: Fields, *, number: int = 0, repeat_of: str = "", stamp: str = "") -> None:
        message = simplefix.FixMessage()
        again = [(43, "Y"), (122, repeat_of)] if repeat_of else []
        if not number:
            number, self.next_out = self.next_out, self.next_out + 1
        head = [(8, "FIX.4.4"), (35, kind), (49, self._sender), (56, self._target), (34, str(number)), *again]
        for tag, value in [*head, (52, stamp or _now()), *fields]:
            message.append_pair(tag, value, header=tag in HEADER)
        data = message.encode()
        self._ledger.write(dir="out", raw=data.decode())
        if self._writer is not None:
            self._writer.write(data)
            self._last_out_s = time.monotonic()

    async def _keep_beating(self) -> None:
        while True:
            await asyncio.sleep(self._heartbeat_s / 4)
            now_s = time.monotonic()
            if self._writer is None or not self.up.is_set():
                continue
            if now_s - self._last_out_s >= self._heartbeat_s * 0.7:
                self._put("0", [])
            if now_s - self._last_in_s >= self._heartbeat_s * 3:
                self._ledger.write(note="the peer is silent")
                self._down()

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


def _checked(raw: bytes) -> str:
    """The text of a message whose length and checksum are right. Raises ProtocolError."""
    body_at = raw.find(b"\x01", raw.find(b"\x019=") + 1) + 1
    trailer = raw.rfind(b"\x0110=") + 1
    length = int(raw[raw.find(b"\x019=") + 3 : body_at - 1])
    if length != trailer - body_at or int(raw[trailer + 3 : -1]) != sum(raw[:trailer]) % 256:
        raise ProtocolError(f"length or checksum is wrong: {raw!r}")
    return raw.decode()
