"""A venue's FIX market data session into a stored tape: reconnected, resynchronised by a new snapshot, and told in the tape."""

from __future__ import annotations

import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.fix.market_feed import MarketFeed
from adapters.fix.sessions import SessionConfig, check_session
from adapters.marketdata.backlog import Backlog
from adapters.marketdata.binance import Terms
from adapters.marketdata.fix_tape import FixReader
from domain.tape import Status
from ems import ending
from ems.bootstrap.tape import Recorded
from models.tape_store import Source, TapeInstrument, TapeWriter

_STEP_S: Final = 0.1
_FLUSH_NS: Final = 1_000_000_000
_ASK_AGAIN_NS: Final = 1_000_000_000


class Session(NamedTuple):
    """The venue's session, and what is recorded of it."""

    host: str
    port: int
    sender_comp_id: str
    target_comp_id: str
    terms: dict[str, Terms]
    seconds: float = 0
    capacity: int = 1_000_000  # records that may wait for the disk: a burst beyond is conflated


def record(to: Path, session: Session, progress: Callable[[str], Any]) -> Recorded:
    """Record until SIGINT or SIGTERM, or the time is over; then seal the tape.

    Raises:
        ConfigError: there can be no such session.
        TapeError: the tape cannot be made.
    """
    config = SessionConfig(
        name="TAPE", role="marketdata", kind="initiator", sender_comp_id=session.sender_comp_id, host=session.host,
        target_comp_id=session.target_comp_id, port=session.port, symbols=tuple(session.terms),
    )  # fmt: skip
    check_session(config, config.environment)
    instruments = [TapeInstrument(i, symbol, *terms) for i, (symbol, terms) in enumerate(session.terms.items())]
    over = ending.on_signals()
    with tempfile.TemporaryDirectory() as folder:
        writer = TapeWriter.create(to, instruments, Source(f"{session.host}:{session.port}", "", "fix", {}))
        recorder = _Recorder(session, writer)
        feed = MarketFeed(Path(folder), config, recorder)
        feed.start()
        try:
            recorder.run(feed, over, progress)
        finally:
            feed.stop()
        return recorder.seal()


class _Recorder:
    """What the engine's thread is told becomes records at once; `run` writes them, and asks where a display is missing."""

    def __init__(self, session: Session, writer: TapeWriter) -> None:
        self._session = session
        self._writer = writer
        self._reader = FixReader(session.terms)
        self._backlog = Backlog(session.capacity)
        self._lock = threading.Lock()
        self._counts = dict.fromkeys(("messages", "logons", "logouts", "messages_lost", "snapshots_asked"), 0)
        self._asked_ns = 0

    def feed_up(self) -> None:
        with self._lock:
            self._counts["logons"] += 1
            self._asked_ns = time.monotonic_ns()

    def feed_down(self) -> None:
        with self._lock:
            self._counts["logouts"] += 1
            self._reader.lost(time.time_ns())
            self._offer()

    def feed_gap(self, messages: int) -> None:
        with self._lock:
            self._counts["messages_lost"] += messages
            self._reader.lost(time.time_ns(), Status.LOST, messages)
            self._asked_ns = 0

    def feed_message(self, text: str) -> None:
        with self._lock:
            self._counts["messages"] += 1
            whole = not self._reader.waiting()
            self._reader.take(text, time.time_ns())
            if whole and self._reader.waiting():
                self._asked_ns = 0
            self._offer()

    def run(self, feed: MarketFeed, over: threading.Event, progress: Callable[[str], Any]) -> None:
        """Until it is over."""
        began_ns = flushed_ns = time.monotonic_ns()
        limit_ns = int(self._session.seconds * 1e9)
        while not over.wait(_STEP_S) and not (limit_ns and time.monotonic_ns() - began_ns >= limit_ns):
            self._write()
            self._ask(feed)
            if time.monotonic_ns() - flushed_ns >= _FLUSH_NS:
                flushed_ns = time.monotonic_ns()
                self._writer.flush()
                progress(f"{self._writer.records:,} records, {self._counts['logons']} logons")

    def seal(self) -> Recorded:
        """What has come is written; the tape is sealed."""
        self._write()
        backlog = {"most_waiting": self._backlog.most, "conflated": self._backlog.conflated, "lost": self._backlog.lost}
        return Recorded(self._writer.close(), self._counts | backlog)

    def _offer(self) -> None:
        if not self._backlog.offer(self._reader.drained()):
            self._reader.lost(time.time_ns(), Status.LOST)

    def _write(self) -> None:
        with self._lock:
            self._offer()
            tape = self._backlog.take()
            faults = {kind: list(found) for kind, found in self._reader.faults.items()}
        self._writer.append(tape)
        self._writer.source = self._writer.source._replace(faults=faults)

    def _ask(self, feed: MarketFeed) -> None:
        with self._lock:
            waiting = self._reader.waiting()
            due = feed.up and bool(waiting) and time.monotonic_ns() - self._asked_ns >= _ASK_AGAIN_NS
            if due:
                self._asked_ns = time.monotonic_ns()
                self._counts["snapshots_asked"] += len(waiting)
        if due:
            feed.ask(waiting)
