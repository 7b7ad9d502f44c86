"""A FIX peer of our own, without an engine: it says exactly what a test wants on the wire and keeps what it is told.

It answers Logon, TestRequest and ResendRequest as a decent peer does; everything else is the test's to say.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable

from adapters.fix.fields import cut

SOH = "\x01"
WAIT_S = 60.0


class RawPeer:
    """One end of one FIX session over one connection at a time. Numbers go on over reconnects."""

    def __init__(self, us: str, them: str) -> None:
        self.us, self.them = us, them
        self.next_out = 1
        self.expected = 1
        self.sent: dict[int, str] = {}  # application messages by number, for repeats
        self.messages: list[dict[str, str]] = []
        self.texts: list[str] = []
        self.logon_extra = ""
        self.begin_string = "FIX.4.4"
        self.connect_then: list[tuple[str, str]] = []  # said right behind the next Logon, before anything is read
        self._came = asyncio.Event()
        self._writer: asyncio.StreamWriter | None = None
        self._server: asyncio.Server | None = None
        self._reading: asyncio.Task[None] | None = None
        self._asked = False  # a ResendRequest is on its way
        self._took_leave = False  # since the last Logon

    async def listen(self, port: int) -> None:
        self._server = await asyncio.start_server(self._accepted, "127.0.0.1", port)

    async def connect(self, port: int, *, logon: str = "98=0|108=30|") -> None:
        async with asyncio.timeout(WAIT_S):
            while True:
                try:
                    reader, self._writer = await asyncio.open_connection("127.0.0.1", port)
                    break
                except OSError:
                    await asyncio.sleep(0.02)
        self._reading = asyncio.create_task(self._read(reader))
        seen = len(self.messages)
        self.send("A", logon)
        while self.connect_then:
            self.send(*self.connect_then.pop(0))
        await self.take(lambda m: m["35"] == "A", after=seen)

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
        await self.drop()
        if self._server is not None:
            await self._server.wait_closed()
            await asyncio.sleep(0)  # who was accepted at the last moment is known now
            await self.drop()

    async def drop(self) -> None:
        """Cut the connection, as a cable does."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        if self._reading is not None:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
            self._reading = None

    def send(self, msg_type: str, body: str = "", *, number: int | None = None, poss_dup: bool = False) -> int:
        """Send a message of our own making; body uses | for the separator. Returns its number."""
        self._took_leave = msg_type == "5" or (self._took_leave and msg_type != "A")
        if number is None:
            number = self.next_out
            self.next_out += 1
            if msg_type not in "A0123445":
                self.sent[number] = f"{msg_type}\0{body}"
        stamp = time.strftime("%Y%m%d-%H:%M:%S", time.gmtime())
        dup = f"43=Y|122={stamp}|" if poss_dup else ""
        fields = f"35={msg_type}|34={number}|49={self.us}|52={stamp}|56={self.them}|{dup}{body}"
        self.send_raw(frame(fields, begin_string=self.begin_string))
        return number

    def send_raw(self, data: bytes) -> None:
        assert self._writer is not None
        self._writer.write(data)

    async def take(self, condition: Callable[[dict[str, str]], bool], *, after: int = 0) -> dict[str, str]:
        """The first message received that meets a condition, now or later."""
        async with asyncio.timeout(WAIT_S):
            while True:
                for message in self.messages[after:]:
                    if condition(message):
                        return message
                self._came.clear()
                await self._came.wait()

    def got(self, msg_type: str) -> list[dict[str, str]]:
        return [m for m in self.messages if m["35"] == msg_type]

    async def _accepted(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await self.drop()
        self._writer = writer
        self._reading = asyncio.create_task(self._read(reader))

    async def _read(self, reader: asyncio.StreamReader) -> None:
        buffer = b""
        while data := await reader.read(65536):
            buffer += data
            while (end := message_end(buffer)) is not None:
                text, buffer = buffer[:end].decode(), buffer[end:]
                self._received(text)

    def _received(self, text: str) -> None:
        message = cut(text)
        message.pop("", None)
        if message["35"] == "A" and self._server is not None:
            if message.get("141") == "Y":
                self.next_out, self.expected = 1, 1
                self.sent.clear()
            self.send("A", f"98=0|108={message['108']}|{'141=Y|' if message.get('141') == 'Y' else ''}{self.logon_extra}")
        elif message["35"] == "1":
            self.send("0", f"112={message['112']}|")
        elif message["35"] == "2":
            self._repeat(int(message["7"]), int(message["16"]))
        elif message["35"] == "5" and not self._took_leave:  # else it is the answer to our own
            self.send("5")
        number = int(message["34"])
        if number > self.expected and not self._asked:
            self._asked = True
            self.send("2", f"7={self.expected}|16=0|")
        if number == self.expected:
            self._asked = False
            self.expected = int(message["36"]) if message["35"] == "4" else number + 1
        self.messages.append(message)
        self.texts.append(text)
        self._came.set()

    def _repeat(self, first: int, last: int) -> None:
        """Our application messages again, gap fills over the rest."""
        number, last = first, last or self.next_out - 1
        while number <= last:
            if number in self.sent:
                msg_type, body = self.sent[number].split("\0")
                self.send(msg_type, body, number=number, poss_dup=True)
                number += 1
                continue
            gap_end = next((n for n in range(number, last + 1) if n in self.sent), last + 1)
            self.send("4", f"123=Y|36={gap_end}|", number=number, poss_dup=True)
            number = gap_end


def frame(fields: str, *, checksum: int | None = None, begin_string: str = "FIX.4.4") -> bytes:
    """Bytes on the wire for fields from MsgType on; | separates."""
    body = fields.replace("|", SOH).encode()
    head = f"8={begin_string}{SOH}9={len(body)}{SOH}".encode()
    return head + body + f"10={sum(head + body) % 256 if checksum is None else checksum:03d}{SOH}".encode()


def message_end(buffer: bytes) -> int | None:
    """Where the first whole message of a buffer ends, None while there is none."""
    start = buffer.find(b"\x0110=")
    return start + 8 if start >= 0 and len(buffer) >= start + 8 else None
