"""A live ITCH feed over MoldUDP64 into a stored tape: lost datagrams are asked for, and told where they do not come."""

from __future__ import annotations

import signal
import socket
import struct
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from types import FrameType
from typing import Any, Final, NamedTuple
from zoneinfo import ZoneInfo

from adapters.marketdata.lobster import midnight_ns
from adapters.marketdata.mold import CUT, DATAGRAMS, DUPLICATES, ENDED, FOREIGN, GAPS, HEARTBEATS, LOST, SHORT, MoldReceiver
from domain.errors import ConfigError, ReferenceDataError
from domain.tape import EVERY_INSTRUMENT, Kind, Status, tape_of
from ems.bootstrap.tape import Feed, ItchReading, Recorded, Wanted
from models.tape_store import Source, TapeWriter

_DATAGRAM_MAX: Final = 1 << 16
_BUFFER_BYTES: Final = 8 << 20  # what the kernel holds through our pauses
_TICK_S: Final = 0.05
_HELD_MAX: Final = 100_000  # datagrams that wait for what is missing before them
_FLUSH_NS: Final = 1_000_000_000
_COUNTED: Final = {
    "datagrams": DATAGRAMS, "heartbeats": HEARTBEATS, "duplicates": DUPLICATES, "gaps": GAPS, "lost_messages": LOST,
    "cut": CUT, "foreign": FOREIGN, "short": SHORT,
}  # fmt: skip


class Line(NamedTuple):
    """Where the feed arrives, and how it is recorded."""

    host: str
    port: int
    group: str = ""
    ask: tuple[str, int] | None = None
    patience_ns: int = 500_000_000
    seconds: float = 0
    date: str = ""
    symbols: tuple[str, ...] = ()


def record(to: Path, line: Line, *, resume: bool, progress: Callable[[str], Any]) -> Recorded:
    """Record until the session ends, the time is over, or SIGINT or SIGTERM; then seal the tape.

    Raises:
        ConfigError: the address or date is none.
        TapeError: the tape cannot be made or gone on with.
    """
    day = line.date or datetime.now(ZoneInfo("America/New_York")).date().isoformat()
    try:
        midnight = midnight_ns(day)
    except (ReferenceDataError, ValueError) as error:
        raise ConfigError(f"{day!r} is no date such as 2026-11-27") from error
    with _listening(line) as sock:
        writer = (
            TapeWriter.resume(to) if resume else TapeWriter.create(to, (), Source(f"{line.host}:{line.port}", "", Feed.ITCH, {}))
        )
        recorder = _Recorder(writer, ItchReading(Wanted(Feed.ITCH, symbols=line.symbols), midnight), line, sock, resume=resume)
        recorder.run(progress)
        return recorder.seal()


def _listening(line: Line) -> socket.socket:
    sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _BUFFER_BYTES)
        sock.bind((line.group or line.host, line.port))
        if line.group:
            member = struct.pack("4s4s", socket.inet_aton(line.group), socket.inet_aton(line.host))
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, member)
        sock.settimeout(_TICK_S)
    except OSError as error:
        sock.close()
        raise ConfigError(f"nothing can be received at {line.host}:{line.port}: {error.strerror or error}") from error
    return sock


class _Recorder:
    """One recording. missing: the number that is waited for, and since when; asked: up to which number, and when."""

    def __init__(self, writer: TapeWriter, reading: ItchReading, line: Line, sock: socket.socket, *, resume: bool) -> None:
        self._writer = writer
        self._reading = reading
        # A new tape is whole from the session's first message; one that is gone on with says that it was interrupted.
        self._receiver = MoldReceiver(reading.state, next_number=0 if resume else 1, held_max=_HELD_MAX)
        reading.mold = self._receiver.mold
        self._line = line
        self._sock = sock
        self._sender = line.ask
        self._missing: tuple[int, int] | None = None
        self._asked = (0, 0)
        self._requests = 0
        self._faults = dict(writer.source.faults)
        self._stopped = False
        if resume:
            now_ns = time.time_ns()
            row = (now_ns, now_ns, 0, 0, int(Status.DISCONNECTED), EVERY_INSTRUMENT, 0, int(Kind.STATUS), 0)
            writer.append(tape_of([row]))

    def run(self, progress: Callable[[str], Any]) -> None:
        """Until it is over."""
        before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}
        began_ns = flushed_ns = time.monotonic_ns()
        try:
            while not self._over(began_ns):
                self._receive()
                self._fill_gaps()
                if time.monotonic_ns() - flushed_ns >= _FLUSH_NS:
                    flushed_ns = time.monotonic_ns()
                    self._writer.flush()
                    progress(f"{self._writer.records:,} records, {int(self._receiver.mold.meta[LOST]):,} messages lost")
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def seal(self) -> Recorded:
        """What was waited for and did not come is told; the tape is sealed."""
        while len(tape := self._receiver.abandon()):
            self._append(tape)
        counts = {name: int(self._receiver.mold.meta[at]) for name, at in _COUNTED.items()} | {"requests": self._requests}
        return Recorded(self._writer.close(), counts)

    def _over(self, began_ns: int) -> bool:
        limit_ns = int(self._line.seconds * 1e9)
        ended = bool(self._receiver.mold.meta[ENDED]) and self._missing is None
        return self._stopped or ended or (limit_ns > 0 and time.monotonic_ns() - began_ns >= limit_ns)

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True

    def _receive(self) -> None:
        try:
            datagram, sender = self._sock.recvfrom(_DATAGRAM_MAX)
        except TimeoutError:
            return
        if self._line.ask is None:
            self._sender = sender
        self._append(self._receiver.take(datagram, time.time_ns()))

    def _fill_gaps(self) -> None:
        """Ask for what is missing, again when nothing comes for a fifth of the patience; give it up when that is over."""
        request, now_ns = self._receiver.request(), time.monotonic_ns()
        if request is None:
            self._missing = None
            return
        first, count = int.from_bytes(request[10:18], "big"), int.from_bytes(request[18:], "big")
        if self._missing is None or self._missing[0] != first:
            self._missing = first, now_ns
        if now_ns - self._missing[1] >= self._line.patience_ns:
            self._append(self._receiver.abandon())
            self._missing = None
        elif self._sender is not None and (first >= self._asked[0] or now_ns - self._asked[1] >= self._line.patience_ns // 5):
            self._sock.sendto(request, self._sender)
            self._asked = first + count, now_ns
            self._requests += 1

    def _append(self, tape: Any) -> None:
        if not len(tape):
            return
        piece = self._reading.completed(tape)
        self._writer.append(piece.tape)
        self._writer.instruments = piece.instruments or self._writer.instruments
        self._writer.source = self._writer.source._replace(faults=self._faults | piece.faults)
