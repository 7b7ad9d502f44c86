"""The gateway's end of the link: a Unix socket on which one desk is served at a time, the one with the highest epoch.

Whoever has something for the desk calls `push` or `store`; a byte goes out at once when nothing waits, and from a
blocking writer thread when the desk is slow. There is no busy thread beside the FIX engine.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Protocol

from adapters.fix import frames
from adapters.fix.frames import Frame, FrameReader
from adapters.fix.local_server import LocalServer
from adapters.fix.spool import Spool
from domain.errors import LinkError

log = logging.getLogger(__name__)
PENDING_BYTES_MAX: Final = 64 * 1024 * 1024  # a desk that far behind is cut off; the spool has it all
MARKET_PENDING_BYTES_MAX: Final = 256 * 1024  # beyond, market data waits, and a later state takes the place of an earlier one
RECEIVE_BYTES: Final = 256 * 1024


class LinkHandler(Protocol):
    """What the port asks of the gateway."""

    def hello(self, payload: bytes) -> bytes:
        """Judge a desk's HELLO: b"" to serve it, or the frame (FENCED, DENIED) that refuses it."""

    def outbound_numbers(self) -> list[int]:
        """The next outbound number of every session. It asks the engine, so it is called without any lock held."""

    def link_up(self, outbound: list[int]) -> bytes:
        """The LINK_UP frame with the sessions as they stand."""

    def take(self, batch: list[Frame]) -> bytes:
        """Act on frames of the desk in order; returns frames to answer with."""


class Connection:
    """One desk's socket: sends without waiting, keeps the order, and hands what does not fit to a thread."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._pending = bytearray()
        self._sending = False
        self._closed = False
        self._changed = threading.Condition()
        self._writer = threading.Thread(target=self._write, name="link-writer", daemon=True)
        self._writer.start()

    @property
    def pending_bytes(self) -> int:
        """What waits for the desk to read."""
        return len(self._pending)

    def send(self, data: bytes) -> None:
        """Send now or queue. A desk that has gone is noticed by its reader; what is durable is in the spool."""
        with self._changed:
            if self._closed:
                return
            sent = 0
            if not self._sending and not self._pending:
                sent = self._try_send(data)
            if sent < len(data):
                self._pending += data[sent:]
                if len(self._pending) > PENDING_BYTES_MAX:
                    log.error("the desk is %d bytes behind and is cut off", len(self._pending))
                    self._shut()
                self._changed.notify()

    def close(self) -> None:
        """Shut the socket; its threads end."""
        with self._changed:
            self._shut()
            self._changed.notify()

    def _try_send(self, data: bytes) -> int:
        try:
            return self.sock.send(data, socket.MSG_DONTWAIT)
        except BlockingIOError:
            return 0
        except OSError as error:
            log.info("link: %s", error)
            self._shut()
            return len(data)

    def _shut(self) -> None:
        if not self._closed:
            self._closed = True
            try:
                self.sock.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("link already shut: %s", error)

    def _write(self) -> None:
        while True:
            with self._changed:
                self._sending = False
                while not self._pending and not self._closed:
                    self._changed.wait()
                if self._closed:
                    return
                data, self._pending = self._pending, bytearray()
                self._sending = True
            try:
                self.sock.sendall(data)
            except OSError as error:
                log.info("link: %s", error)
                self.close()
                return


class DeskPort:
    """Accepts desks, and joins the spool with the live stream so that no frame is skipped or reordered."""

    def __init__(self, path: Path, spool: Spool, handler: LinkHandler, on_acknowledged: Callable[[int], None]) -> None:
        self._spool = spool
        self._handler = handler
        self._on_acknowledged = on_acknowledged
        self._lock = threading.Lock()  # around the spool and which connection is the active one
        self._active: Connection | None = None
        self._pictures: dict[tuple[int, str], bytes] = {}  # the last market frame by slot and symbol
        self._waiting: set[tuple[int, str]] = set()  # pictures that the desk does not have
        self._server = LocalServer(path, self._serve, name="link")

    def start(self) -> None:
        """Begin to accept."""
        self._server.start()

    @property
    def attached(self) -> bool:
        """Is a desk there?"""
        return self._active is not None

    def health(self) -> dict[str, int | bool]:
        """For the control socket."""
        with self._lock:
            active = self._active
            return {
                "desk_attached": active is not None,
                "desk_pending_bytes": active.pending_bytes if active else 0,
                "spool_last": self._spool.last,
                "spool_acknowledged": self._spool.acknowledged,
                "spool_bytes": self._spool.bytes_held,
            }

    def store(self, kind: int, payload: bytes, *, slot: int = 0, reset_epoch: int = 0) -> None:
        """Spool one frame and pass it on; it has left the process when this returns. Raises OSError."""
        with self._lock:
            data = self._spool.append(kind, payload, slot=slot, reset_epoch=reset_epoch)
            if self._active is not None:
                self._active.send(data)

    def push(self, frame: bytes) -> None:
        """Pass on a frame that is not kept; without a desk it is gone."""
        with self._lock:
            if self._active is not None:
                self._active.send(frame)

    def push_market(self, frame: bytes, *, slot: int, symbol: str) -> None:
        """Pass on the state of a symbol's market. Only the last one is worth having: a desk that comes, or that is behind, gets
        that one, so that a market in which nothing happens is not one of which nothing is known."""
        with self._lock:
            self._pictures[slot, symbol] = frame
            self._waiting.add((slot, symbol))
            self._send_pictures()

    def forget_markets(self, slot: int) -> None:
        """The slot's session is down: what it told of markets is old, and no desk is told it any more."""
        with self._lock:
            for key in [key for key in self._pictures if key[0] == slot]:
                del self._pictures[key]
                self._waiting.discard(key)

    def _send_pictures(self) -> None:
        active = self._active
        while self._waiting and active is not None and active.pending_bytes <= MARKET_PENDING_BYTES_MAX:
            active.send(self._pictures[self._waiting.pop()])

    def owed(self) -> list[Frame]:
        """The frames that no desk has acknowledged."""
        with self._lock:
            return list(self._spool.owed())

    def close(self) -> None:
        """Accept no more, and let the desk go."""
        self._server.close()
        with self._lock:
            if self._active is not None:
                self._active.close()
                self._active = None

    def _serve(self, sock: socket.socket) -> None:
        connection: Connection | None = None
        try:
            reader = FrameReader()
            first = self._first(sock, reader)
            if first is None:
                return
            refusal = self._handler.hello(first[0].payload)
            if refusal:
                sock.sendall(refusal)
                return
            connection = self._attach(sock)
            batch = first[1:]
            while True:
                self._take(connection, batch)
                data = sock.recv(RECEIVE_BYTES)
                if not data:
                    return
                batch = reader.feed(data)
        except (OSError, LinkError) as error:
            log.warning("link: %s", error)
        finally:
            self._detach(connection)
            sock.close()

    @staticmethod
    def _first(sock: socket.socket, reader: FrameReader) -> list[Frame] | None:
        batch: list[Frame] = []
        while not batch:
            data = sock.recv(RECEIVE_BYTES)
            if not data:
                return None
            batch = reader.feed(data)
        if batch[0].kind != frames.HELLO:
            raise LinkError("a desk must begin with HELLO")
        return batch

    def _attach(self, sock: socket.socket) -> Connection:
        connection = Connection(sock)
        outbound = self._handler.outbound_numbers()
        with self._lock:  # what changes before is in LINK_UP and the spool, what changes after is pushed
            previous, self._active = self._active, connection
            connection.send(self._handler.link_up(outbound) + self._spool.unacknowledged())
            self._waiting = set(self._pictures)
            self._send_pictures()
        if previous is not None:
            previous.close()
        return connection

    def _detach(self, connection: Connection | None) -> None:
        with self._lock:
            if connection is not None and self._active is connection:
                self._active = None
        if connection is not None:
            connection.close()

    def _take(self, connection: Connection, batch: list[Frame]) -> None:
        acknowledged = max((frame.number for frame in batch if frame.kind == frames.ACK), default=0)
        if acknowledged:
            with self._lock:
                self._spool.acknowledge(acknowledged)
                self._send_pictures()  # a desk that was behind has read on
            self._on_acknowledged(acknowledged)
        answer = self._handler.take([frame for frame in batch if frame.kind != frames.ACK])
        if answer:
            connection.send(answer)
