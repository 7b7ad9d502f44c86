"""Bytes on one FIX connection, without an engine: what a case sends is sent as it says, and all that comes is checked.

Whatever our side sends must hold on its own: BodyLength, CheckSum, CompIDs, a SendingTime of now, numbers that go up by
one. So a case names only what it is about.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Sequence
from datetime import UTC, datetime

from adapters.fix.fields import occurrences
from tests.adapters.fix.raw import SOH, message_end

TIMESTAMP = re.compile(r"\d{8}-\d\d:\d\d:\d\d(\.\d{3,9})?")
STAMPED = ("52", "60", "122", "42")  # compared by form, never by value
CLOCK_S = 30.0  # how far from now a SendingTime may lie on a machine that is busy
WAIT_S = 10.0
Field = tuple[str, str]


class Broken(AssertionError):
    """What happened is not what the case says."""


class Message:
    """One message received."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.fields = [(tag, value) for tag, _, value in (part.partition("=") for part in text.split(SOH)[:-1])]
        self._values = dict(reversed(self.fields))  # of a tag that repeats, the first

    def get(self, tag: str) -> str | None:
        return self._values.get(tag)

    def __str__(self) -> str:
        return self.text.replace(SOH, "|")


class Wire:
    """One end of one connection.

    Args:
        us, them: SenderCompID of the test's side and of ours.
        strict: check what comes; off where what was sent leaves it open what may come.
    """

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, us: str, them: str, begin: str, strict: bool = True
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._us, self._them, self._begin = us, them, begin
        self._buffer = b""
        self._strict = strict
        self._first: Message | None = None
        self.expected = 0  # the next number of our side; 0: whatever comes first
        self.sent = b""
        self.heard = False  # has anything come?

    def write(self, data: bytes) -> None:
        self.sent += data
        self._writer.write(data)

    @property
    def closing(self) -> bool:
        """Has either side left?"""
        return self._writer.is_closing() or self._reader.at_eof()

    async def close(self) -> None:
        self._writer.transport.abort()
        await asyncio.sleep(0)  # the loop closes the socket in its next round

    async def answered(self) -> bool:
        """Whether anything comes before the end; `receive` gives it again."""
        self._first = await self.receive()
        return self._first is not None

    async def receive(self, wait_s: float = WAIT_S) -> Message | None:
        """The next message, None for the end of the connection. Raises TimeoutError when neither comes."""
        if self._first is not None:
            message, self._first = self._first, None
            return message
        async with asyncio.timeout(wait_s):
            while (end := message_end(self._buffer)) is None:
                try:
                    data = await self._reader.read(65536)
                except ConnectionError:
                    data = b""
                if not data:
                    return None
                self._buffer += data
                self.heard = True
        data, self._buffer = self._buffer[:end], self._buffer[end:]
        message = Message(data.decode("utf-8", "surrogateescape"))
        if self._strict:
            self._check(message, data)
        return message

    def _check(self, message: Message, data: bytes) -> None:
        head = data[: data.index(b"\x0135=") + 1]
        trailer = data.rindex(b"10=")
        said = [message.get(tag) for tag in ("8", "49", "56")]
        if said != [self._begin, self._them, self._us]:
            raise Broken(f"8, 49, 56 are {said}: {message}")
        if message.get("9") != str(trailer - len(head)):
            raise Broken(f"BodyLength is not {trailer - len(head)}: {message}")
        if message.get("10") != f"{sum(data[:trailer]) % 256:03d}":
            raise Broken(f"wrong CheckSum: {message}")
        for tag, value in occurrences(message.text, STAMPED):
            if not TIMESTAMP.fullmatch(value):
                raise Broken(f"tag {tag} is no timestamp: {message}")
        if abs(seconds_of(message.get("52") or "") - time.time()) > CLOCK_S:
            raise Broken(f"SendingTime is not of now: {message}")
        if message.get("35") == "3":
            due = ("45", "372", "58") if self._begin == "FIX.4.2" else ("45", "372", "373", "58")
            missing = [tag for tag in due if not message.get(tag)]
            if missing:
                raise Broken(f"a Reject without {missing}: {message}")
        self._count(message)

    def _count(self, message: Message) -> None:
        if message.get("43") == "Y":
            return  # a repeat keeps its number
        number = int(message.get("34") or "0")
        if message.get("141") == "Y":
            self.expected = 0
        if self.expected not in (0, number):
            raise Broken(f"number {number} where {self.expected} was due: {message}")
        self.expected = number + 1


def frame(fields: Sequence[Field]) -> bytes:
    """Bytes for fields in the order given; 9 and 10 are computed and put in their places unless they are written."""
    written = [tag for tag, _ in fields]
    body = "".join(f"{tag}={value}{SOH}" for tag, value in fields if tag not in ("8", "9", "10")).encode()
    begin = "".join(f"8={value}{SOH}" for tag, value in fields if tag == "8").encode()
    length = dict(fields)["9"] if "9" in written else str(len(body))
    head = begin + f"9={length}{SOH}".encode() + body
    checksum = dict(fields)["10"] if "10" in written else f"{sum(head) % 256:03d}"
    return head + f"10={checksum}{SOH}".encode()


def stamp(seconds: float = 0.0) -> str:
    """UTCTimestamp so many seconds from now."""
    return datetime.fromtimestamp(time.time() + seconds, UTC).strftime("%Y%m%d-%H:%M:%S")


def seconds_of(text: str) -> float:
    """Unix seconds of a UTCTimestamp."""
    return datetime.strptime(text[:17], "%Y%m%d-%H:%M:%S").replace(tzinfo=UTC).timestamp()
