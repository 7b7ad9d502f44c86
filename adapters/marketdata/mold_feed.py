"""The receiving sockets of a MoldUDP64 feed, for a loop that polls: datagrams as they come, what came early held, what is missing
asked for.

Nothing is decoded here but the header. The caller says which message number it needs next.
"""

from __future__ import annotations

import heapq
import socket
from typing import Final

import numpy as np

from adapters.marketdata.itch_layout import Bytes
from adapters.marketdata.mold import HEADER, SESSION
from domain.errors import LinkError

_BUFFER: Final = 65_536
_QUEUE: Final = 1 << 24  # what the system may keep for us while we are elsewhere
_HELD_MAX: Final = 100_000  # datagrams
COUNT_MAX: Final = 1_000  # messages of one request
AGAIN_NS: Final = 20_000_000


class MoldFeed:
    """One line of a feed, and where missing messages are asked for.

    Attributes:
        buffer: (65536,) the datagram that `poll` found.

    Args:
        listen: where datagrams come.
        again: who is asked for missing messages; None: whoever sends the line's datagrams.
        group: a multicast group to join; "": datagrams are sent to us alone.

    Raises:
        LinkError: the port is taken, or the group cannot be joined.
    """

    def __init__(self, listen: tuple[str, int], again: tuple[str, int] | None, *, group: str = "") -> None:
        self.buffer: Bytes = np.zeros(_BUFFER, np.uint8)
        self._view = memoryview(self.buffer)  # type: ignore[arg-type]
        self._line = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._asking = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._again = again
        self._held: list[tuple[int, bytes]] = []  # a heap by number
        self._asked_ns = 0
        self._asked_from = 0
        try:
            for each in (self._line, self._asking):
                each.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _QUEUE)
                each.setblocking(False)
            if group:
                self._line.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                member = socket.inet_aton(group) + socket.inet_aton(listen[0])
                self._line.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
            self._line.bind((group or listen[0], listen[1]))
        except OSError as cause:
            self.close()
            raise LinkError(f"no feed at {group or listen[0]}:{listen[1]}: {cause.strerror or cause}") from cause

    @property
    def sockets(self) -> tuple[socket.socket, socket.socket]:
        """To wait on."""
        return self._line, self._asking

    @property
    def held(self) -> int:
        """Datagrams that came early and wait."""
        return len(self._held)

    def poll(self) -> int:
        """The next datagram of the line into `buffer`: its length, 0 without."""
        if self._again is not None:
            return self._receive(self._line)
        try:
            length, self._again = self._line.recvfrom_into(self._view)
        except BlockingIOError:
            return 0
        return length

    def answered(self) -> int:
        """As `poll`, of what was asked for."""
        return self._receive(self._asking)

    def number(self, length: int) -> int:
        """The number in the header of the datagram in `buffer`, 0 where it has none."""
        return int.from_bytes(self._view[SESSION : SESSION + 8], "big") if length >= HEADER else 0

    def hold(self, length: int) -> None:
        """Keep the datagram in `buffer` until what is before it has come. Beyond a limit it is let go, and asked for later."""
        if len(self._held) < _HELD_MAX:
            heapq.heappush(self._held, (self.number(length), bytes(self._view[:length])))

    def ripe(self, next_number: int) -> int:
        """A held datagram that begins at or before the next number, into `buffer`: its length, 0 without."""
        if not self._held or self._held[0][0] > next_number:
            return 0
        _, data = heapq.heappop(self._held)
        self._view[: len(data)] = data
        return len(data)

    def ask(self, session: bytes, next_number: int, last: int, now_ns: int) -> None:
        """Ask for messages next_number .. last - 1, or as far as the earliest held one; again after AGAIN_NS, or at once where
        something has come meanwhile. now_ns: monotonic."""
        if self._again is None or (now_ns - self._asked_ns < AGAIN_NS and next_number == self._asked_from):
            return
        end = min(last, self._held[0][0]) if self._held else last
        count = min(end - next_number, COUNT_MAX)
        if count <= 0:
            return
        self._asked_ns, self._asked_from = now_ns, next_number
        try:
            self._asking.sendto(session + next_number.to_bytes(8, "big") + count.to_bytes(2, "big"), self._again)
        except (BlockingIOError, ConnectionRefusedError):
            return  # nobody answers now: it is asked again

    def close(self) -> None:
        """Close the sockets."""
        self._line.close()
        self._asking.close()

    def _receive(self, sock: socket.socket) -> int:
        try:
            return sock.recv_into(self._view)
        except (BlockingIOError, ConnectionRefusedError):  # the second: what an answerer's host said of our last question
            return 0
