"""A FIX 4.4 client over a plain socket, written with simplefix and independent of the engine under test."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from datetime import UTC, datetime

import simplefix

Message = dict[str, str]
SOH = "\x01"


class FixPeer:
    """Logs on, keeps sequence numbers over reconnects, answers TestRequest and ResendRequest, asks for gaps."""

    def __init__(self, port: int, sender: str = "EMS", target: str = "SIM", *, symbol: str = "TEST", reset: bool = False) -> None:
        self.port, self.sender, self.target, self.symbol, self.reset = port, sender, target, symbol, reset
        self.next_out = self.next_in = 1
        self.sent: dict[int, list[tuple[int, str]]] = {}  # application messages, for resends
        self.inbox: list[Message] = []
        self.texts: list[str] = []
        self._asked_to = 0
        self.link: socket.socket | None = None

    def connect(self) -> FixPeer:
        """Connect and log on; returns once the venue's Logon has come."""
        self.drop()
        self.link = socket.create_connection(("127.0.0.1", self.port), timeout=10)
        self.link.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._buffer = b""
        if self.reset:
            self.next_out = self.next_in = 1
        logged_on = len([m for m in self.inbox if m["35"] == "A"])
        self._send_raw("A", [(98, "0"), (108, "30"), *([(141, "Y")] if self.reset else [])])
        self.until(lambda _: len([m for m in self.inbox if m["35"] == "A"]) > logged_on)
        return self

    def reconnect(self, timeout_s: float = 20) -> None:
        """Log on again, as often as it is refused."""
        deadline = time.monotonic() + timeout_s
        while True:
            try:
                self.connect()
                return
            except ConnectionError:
                if time.monotonic() > deadline:
                    raise
                self.next_out -= 1  # the refused Logon was not counted

    def drop(self) -> None:
        """Close the socket without a word."""
        if self.link is not None:
            self.link.close()
            self.link = None

    def send(self, kind: str, fields: list[tuple[int, str]]) -> None:
        """Send an application message."""
        self.sent[self.next_out] = [(35, kind), *fields]
        self._send_raw(kind, fields)

    def order(self, cl_ord_id: str, side: str, quantity: int, price: str | None, *, symbol: str = "", tif: str = "0") -> None:
        """Send a D."""
        priced = [(40, "2"), (44, price)] if price else [(40, "1")]
        what = [(55, symbol or self.symbol), (54, side), (38, str(quantity)), (59, tif), *priced, (60, _now())]
        self.send("D", [(11, cl_ord_id), *what])

    def cancel(self, cl_ord_id: str, orig: str, side: str = "1") -> None:
        """Send an F."""
        self.send("F", [(11, cl_ord_id), (41, orig), (55, self.symbol), (54, side), (60, _now())])

    def replace(self, cl_ord_id: str, orig: str, quantity: int, price: str, side: str = "1") -> None:
        """Send a G."""
        what = [(55, self.symbol), (54, side), (38, str(quantity)), (40, "2"), (44, price), (60, _now())]
        self.send("G", [(11, cl_ord_id), (41, orig), *what])

    def status(self, cl_ord_id: str, side: str = "1") -> None:
        """Send an H."""
        self.send("H", [(11, cl_ord_id), (55, self.symbol), (54, side)])

    def log_out(self) -> None:
        """Send a Logout, or answer one."""
        self._send_raw("5", [])

    def subscribe(self, request_id: str, *symbols: str) -> None:
        """Send a V for top of book and trades."""
        entries = [(267, "2"), (269, "0"), (269, "1"), (146, str(len(symbols))), *((55, s) for s in symbols)]
        self.send("V", [(262, request_id), (263, "1"), (264, "1"), *entries])

    def groups(self, message: Message) -> dict[str, dict[str, str]]:
        """Entries of a W by type, from its text: the repeating group."""
        text = next(t for t in reversed(self.texts) if f"|34={message['34']}|" in t)
        entries: dict[str, dict[str, str]] = {}
        for part in text.split("|269=")[1:]:
            kind, _, rest = part.partition("|")
            entries[kind] = dict(pair.split("=", 1) for pair in rest.split("|") if pair)
        return entries

    def until(self, found: Callable[[Message], bool], timeout_s: float = 20) -> Message:
        """Read until a message (the last one read) satisfies the condition."""
        deadline = time.monotonic() + timeout_s
        while True:
            message = self.read(deadline - time.monotonic())
            if found(message):
                return message

    def report(self, cl_ord_id: str, exec_type: str) -> Message:
        """The next ExecutionReport of this kind for this ClOrdID, from what has come or is to come."""
        for message in self.inbox:
            if message.get("11") == cl_ord_id and message.get("150") == exec_type and "seen" not in message:
                message["seen"] = "1"
                return message
        return self.until(lambda m: m.get("11") == cl_ord_id and m.get("150") == exec_type) | {"seen": "1"}

    def next(self, kind: str) -> Message:
        """The next message of a type to come."""
        return self.until(lambda m: m["35"] == kind)

    def read(self, timeout_s: float) -> Message:
        """The next message in sequence. Raises TimeoutError, ConnectionError."""
        assert self.link is not None
        while True:
            text = self._take()
            if text is None:
                if timeout_s <= 0:
                    raise TimeoutError(f"nothing more came; last: {self.texts[-3:]}")
                self.link.settimeout(timeout_s)
                chunk = self.link.recv(65536)
                if not chunk:
                    raise ConnectionError("the venue closed the connection")
                self._buffer += chunk
                continue
            message = dict(pair.split("=", 1) for pair in text.split(SOH) if pair)
            if self._in_sequence(message):
                self.texts.append(text.replace(SOH, "|"))
                self.inbox.append(message)
                return message

    def _take(self) -> str | None:
        end = self._buffer.find(b"\x0110=")
        stop = self._buffer.find(b"\x01", end + 4) if end >= 0 else -1
        if stop < 0:
            return None
        text, self._buffer = self._buffer[: stop + 1].decode(), self._buffer[stop + 1 :]
        return text

    def _in_sequence(self, m: Message) -> bool:
        number, kind = int(m["34"]), m["35"]
        if kind == "4":
            if m.get("123") != "Y" or number >= self.next_in:
                self.next_in = max(self.next_in, int(m["36"]))
            return False
        if kind == "2":
            self._resend(int(m["7"]), int(m["16"]))
        if number > self.next_in:
            if self._asked_to < number:
                self._asked_to = number
                self._send_raw("2", [(7, str(self.next_in)), (16, "0")])
            return kind == "A"
        if number < self.next_in:
            return False
        self.next_in += 1
        if kind == "1":
            self._send_raw("0", [(112, m["112"])])
        return kind != "2"

    def _resend(self, first: int, last: int) -> None:
        for number in range(first, self.next_out if last == 0 else last + 1):
            message = self.sent.get(number)
            if message is None:
                self._put(number, "4", [(43, "Y"), (123, "Y"), (36, str(number + 1))])
            else:
                self._put(number, message[0][1], [(43, "Y"), (122, _now()), *message[1:]])

    def _send_raw(self, kind: str, fields: list[tuple[int, str]]) -> None:
        self.next_out += 1
        self._put(self.next_out - 1, kind, fields)

    def _put(self, number: int, kind: str, fields: list[tuple[int, str]]) -> None:
        message = simplefix.FixMessage()
        head = [(8, "FIX.4.4"), (35, kind), (49, self.sender), (56, self.target), (34, str(number)), (52, _now())]
        for tag, value in [*head, *fields]:
            message.append_pair(tag, value, header=tag in (8, 35, 49, 56, 34, 52, 43, 97, 122))
        if self.link is not None:
            self.link.sendall(message.encode())


def _now() -> str:
    return datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S.%f")[:-3]
