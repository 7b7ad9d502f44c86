"""One connection of a SoupBinTCP server: bytes in, split into packets; the stream and what else is to be said, out."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from adapters.ouch.compiled import BROKEN, PARTIAL, next_frame
from adapters.ouch.layout import Bytes
from adapters.ouch.soup import HEARTBEAT_S, PATIENCE_S, packet
from adapters.ouch.soup_stream import Stream

LOGIN_S: Final = 5.0  # a connection that has not logged on by then is cut
_BUFFER: Final = 1 << 13  # no packet of a client comes near
_CHUNK: Final = 1 << 16


@dataclass(eq=False)
class Peer:
    """A connection. Times are monotonic seconds.

    Attributes:
        account, stream: who it is and what it is sent, from message `next` on; "" and None before the login.
        open: False: it is to be closed, or closed.
        ending: it is to be closed when everything is sent; whoever is logged on is told that the session is over.
    """

    socket: socket.socket
    since_s: float
    account: str = ""
    stream: Stream | None = None
    next: int = 1
    open: bool = True
    ending: bool = False
    sent_s: float = 0.0
    heard_s: float = 0.0
    patience_s: float = PATIENCE_S
    out: bytearray = field(default_factory=bytearray)
    _buffer: Bytes = field(default_factory=lambda: np.zeros(_BUFFER, np.uint8))
    _end: int = 0
    _told: bool = False  # that the session is over

    def __post_init__(self) -> None:
        self.sent_s = self.heard_s = self.since_s

    def packets(self) -> Iterator[tuple[str, bytes]]:
        """Letter and payload of each packet that has become whole. Ends the connection where there is none to be had."""
        try:
            count = self.socket.recv_into(memoryview(self._buffer)[self._end :])  # type: ignore[arg-type]
        except BlockingIOError:
            return
        except OSError:
            count = 0
        if count == 0:
            self.open = False
            return
        self._end += count
        self.heard_s = time.monotonic()
        start = 0
        while self.open:
            kind, at, length, after = next_frame(self._buffer, start, self._end)
            if kind == PARTIAL:
                break
            if kind == BROKEN:
                self.open = False
                return
            start = int(after)
            yield chr(kind), self._buffer[at : at + length].tobytes()
        self._buffer[: self._end - start] = self._buffer[start : self._end].copy()
        self._end -= start

    def flush(self) -> bool:
        """Send what waits, as far as the socket takes it. True: that is all of it."""
        while self.open:
            self._gather()
            if not self.out:
                return True
            try:
                del self.out[: self.socket.send(self.out)]
            except BlockingIOError:
                return False
            except OSError:
                self.open = False
                return False
            self.sent_s = time.monotonic()
        return False

    def tend(self, now_s: float) -> bool:
        """Heartbeats, silence, and what waits. True: all is sent. Ends the connection where its time is over."""
        if now_s - self.heard_s > self.patience_s or (not self.account and now_s - self.since_s > LOGIN_S):
            self.open = False
        if self.account and now_s - self.sent_s >= HEARTBEAT_S and not self.out:
            self.out += packet(b"H")
        whole = self.flush()
        if whole and self.ending:
            self.open = False
        return whole

    def close(self) -> None:
        """Close, so that what was sent arrives: bytes of the other end that nobody has read would take it back."""
        self.open = False
        with suppress(OSError):
            self.socket.shutdown(socket.SHUT_WR)
            self.socket.recv(1 << 20)
        self.socket.close()

    def _gather(self) -> None:
        if self.stream is None:
            return
        packets = self.stream.packets
        while len(self.out) < _CHUNK and self.next <= len(packets):
            self.out += packets[self.next - 1]
            self.next += 1
        if self.ending and not self._told and self.next > len(packets):
            self.out += packet(b"Z")
            self._told = True
