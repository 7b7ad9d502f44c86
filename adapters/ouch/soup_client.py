"""The client's end of a SoupBinTCP session, for a loop that polls: nothing here waits but the login.

A connection ends for good with an error; a new client that is given `session` and `next_number` of the old one goes on behind the
last message that was taken.
"""

from __future__ import annotations

import socket
import time
from typing import Final, NamedTuple

import numpy as np

from adapters.ouch.compiled import BROKEN, PARTIAL, next_frame
from adapters.ouch.layout import Bytes
from adapters.ouch.soup import HEARTBEAT_S, PATIENCE_S, Login, login_packet, packet, read_accepted
from domain.errors import LinkError, LinkLost, LoginRefused

_NS: Final = 1_000_000_000
_BUFFER: Final = 1 << 18  # holds the longest packet three times
_UNSENT_MAX: Final = 1 << 20
_SEQUENCED, _ENDED, _ACCEPTED, _REFUSED = (ord(letter) for letter in "SZAJ")
_BEAT: Final = packet(b"R")


class Taken(NamedTuple):
    """A packet in the client's buffer: its letter's code, and where its payload lies until the next `receive`."""

    letter: int
    at: int
    length: int


class SoupClient:
    """One connection. Not thread-safe.

    Attributes:
        buffer: (N,) what has been received; `take` says where.
        session: the session's name, from the login.
        next_number: of the sequenced message that comes next.
        ended: whether the server has said that the session is over.
        unsent: bytes that the socket did not take yet.

    Args:
        login: who, which session ("": the current one), from which number on.
        timeout_s: for connecting and logging in.

    Raises:
        LoginRefused: the server does not let us in.
        LinkLost: there is no server, or it did not answer in time.
    """

    def __init__(self, address: tuple[str, int], login: Login, *, timeout_s: float = 5.0) -> None:
        self.buffer: Bytes = np.zeros(_BUFFER, np.uint8)
        self._bytes = memoryview(self.buffer)  # type: ignore[arg-type]
        self._start = self._end = 0
        self.unsent = bytearray()
        self.session, self.next_number, self.ended = "", 0, False
        try:
            self.socket = socket.create_connection(address, timeout_s)
        except OSError as error:
            raise LinkLost(f"no venue at {address[0]}:{address[1]}: {error.strerror or error}") from error
        try:
            self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._log_on(login, timeout_s)
        except BaseException:
            self.socket.close()
            raise
        self.socket.setblocking(False)
        self._heard_ns = self._sent_ns = time.monotonic_ns()
        self._heard = self._sent = False  # since the last `beat`, which is the only one to be told the time

    def receive(self) -> int:
        """Bytes that have come since the last call, 0 without. `take` first what came before, or there may be no room for more.

        Raises LinkLost when the connection is gone.
        """
        if self._start == self._end:
            self._start = self._end = 0
        elif self._end > _BUFFER // 2:
            self._bytes[: self._end - self._start] = bytes(self._bytes[self._start : self._end])
            self._start, self._end = 0, self._end - self._start
        if self._end == _BUFFER:
            return 0
        try:
            count = self.socket.recv_into(self._bytes[self._end :])
        except BlockingIOError:
            return 0
        except OSError as error:
            raise LinkLost(f"the connection is lost: {error.strerror or error}") from error
        if count == 0:
            raise LinkLost("the venue has closed the connection")
        self._end, self._heard = self._end + count, True
        return count

    def take(self) -> Taken | None:
        """The next whole packet of what was received. Raises LinkError where the bytes are none."""
        kind, at, length, after = next_frame(self.buffer, self._start, self._end)
        if kind == PARTIAL:
            return None
        if kind == BROKEN:
            raise LinkError("the venue sends what is no packet")
        self._start = int(after)
        if kind == _SEQUENCED:
            self.next_number += 1
        elif kind == _ENDED:
            self.ended = True
        return Taken(int(kind), int(at), int(length))

    def payload(self, taken: Taken) -> bytes:
        """A copy of a packet's payload."""
        return bytes(self._bytes[taken.at : taken.at + taken.length])

    def send(self, data: bytes | memoryview) -> None:
        """Whole packets, at once as far as the socket takes them, the rest with the next `send` or `beat`.

        Raises LinkLost when the connection is gone, or the venue has stopped to read.
        """
        self._sent = True
        if self.unsent:
            self.unsent += data
            self._flush()
            return
        try:
            count = self.socket.send(data)
        except BlockingIOError:
            count = 0
        except OSError as error:
            raise LinkLost(f"the connection is lost: {error.strerror or error}") from error
        if count < len(data):
            self.unsent += data[count:]

    def beat(self, now_ns: int) -> bool:
        """Some times a second: sends what could not be sent, and a heartbeat where one is due (True). now_ns: monotonic.

        Raises LinkLost when the venue has said nothing for fifteen seconds.
        """
        if self._heard:
            self._heard, self._heard_ns = False, now_ns
        if self._sent:
            self._sent, self._sent_ns = False, now_ns
        if now_ns - self._heard_ns > PATIENCE_S * _NS:
            raise LinkLost("the venue has said nothing for fifteen seconds")
        if self.unsent:
            self._flush()
        if now_ns - self._sent_ns < HEARTBEAT_S * _NS:
            return False
        self.send(_BEAT)
        return True

    def log_out(self) -> None:
        """Say so, and close."""
        try:
            self.send(packet(b"O"))
        finally:
            self.close()

    def close(self) -> None:
        """Close without a word."""
        self.socket.close()

    def _flush(self) -> None:
        if len(self.unsent) > _UNSENT_MAX:
            raise LinkLost("the venue does not read what is sent")
        try:
            del self.unsent[: self.socket.send(self.unsent)]
        except BlockingIOError:
            return
        except OSError as error:
            raise LinkLost(f"the connection is lost: {error.strerror or error}") from error

    def _log_on(self, login: Login, timeout_s: float) -> None:
        self.socket.sendall(login_packet(login))
        deadline = time.monotonic() + timeout_s
        while (taken := self.take()) is None or taken.letter not in (_ACCEPTED, _REFUSED):
            left = deadline - time.monotonic()
            if taken is None and left > 0:
                self.socket.settimeout(left)
                self.receive()
            elif left <= 0:
                raise LinkLost("the venue does not answer the login")
        if taken.letter == _REFUSED:
            raise LoginRefused(f"the venue refuses the login of {login.username}: {self.payload(taken).decode('latin-1')}")
        self.session, self.next_number = read_accepted(self.payload(taken))
