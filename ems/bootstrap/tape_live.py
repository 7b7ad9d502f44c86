"""Binance's websocket streams into a stored tape: reconnected, resynchronised by a new snapshot, and told in the tape."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

from websockets.asyncio.client import connect
from websockets.exceptions import InvalidHandshake, InvalidURI, WebSocketException

from adapters.marketdata.backlog import Backlog
from adapters.marketdata.binance import BinanceReader, Terms
from domain.errors import ConfigError
from domain.tape import Status
from ems.bootstrap.tape import Feed, Recorded
from models.tape_store import Source, TapeInstrument, TapeWriter

__all__ = ["Recorded", "Stream", "Terms", "record"]

_PAUSE_S: Final = 0.2  # before the first reconnection; each failure doubles it
_PAUSE_MAX_S: Final = 30.0
_DRAIN_S: Final = 0.1
_OFFERED: Final = 1_024  # records that are handed on together
_MESSAGE_MAX: Final = 16 << 20
_SNAPSHOT_MAX: Final = 64 << 20
_TIMEOUT_S: Final = 10.0


class Stream(NamedTuple):
    """Where it comes from. snapshot_url has {symbol} where the symbol goes."""

    url: str
    snapshot_url: str
    terms: dict[str, Terms]
    seconds: float = 0
    capacity: int = 1_000_000  # records that may wait for the disk: a burst beyond is conflated


def record(to: Path, stream: Stream, progress: Callable[[str], Any]) -> Recorded:
    """Record until SIGINT or SIGTERM, or the time is over; then seal the tape.

    Raises:
        ConfigError: an address is none.
        TapeError: the tape cannot be made.
    """
    for url, kinds in ((stream.url, ("ws://", "wss://")), (stream.snapshot_url, ("http://", "https://"))):
        if not url.startswith(kinds):
            raise ConfigError(f"{url!r} does not begin with {' or '.join(kinds)}")
    instruments = [TapeInstrument(i, symbol, *terms) for i, (symbol, terms) in enumerate(stream.terms.items())]
    writer = TapeWriter.create(to, instruments, Source(stream.url, "", Feed.BINANCE, {}))
    recorder = _Recorder(stream, writer, progress)
    asyncio.run(recorder.run())
    return recorder.seal()


class _Recorder:
    def __init__(self, stream: Stream, writer: TapeWriter, progress: Callable[[str], Any]) -> None:
        self._stream = stream
        self._writer = writer
        self._progress = progress
        self._reader = BinanceReader(stream.terms)
        self._backlog = Backlog(stream.capacity)
        self._counts = dict.fromkeys(("messages", "connections", "failed_connections", "snapshots", "failed_snapshots"), 0)
        self._fetching: dict[str, asyncio.Task[None]] = {}

    async def run(self) -> None:
        """Until it is over."""
        over, loop = asyncio.Event(), asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, over.set)
        if self._stream.seconds:
            loop.call_later(self._stream.seconds, over.set)
        tasks = [asyncio.create_task(self._connected()), asyncio.create_task(self._drain())]
        ended = asyncio.create_task(over.wait())
        done, _ = await asyncio.wait([*tasks, ended], return_when=asyncio.FIRST_COMPLETED)
        for task in (*tasks, ended, *self._fetching.values()):
            task.cancel()
        await asyncio.gather(*tasks, ended, *self._fetching.values(), return_exceptions=True)
        for task in done - {ended}:
            task.result()  # neither ends by itself: what ended it is raised

    def seal(self) -> Recorded:
        """What has come is written; the tape is sealed."""
        self._write()
        backlog = {"most_waiting": self._backlog.most, "conflated": self._backlog.conflated, "lost": self._backlog.lost}
        return Recorded(self._writer.close(), self._counts | backlog)

    async def _connected(self) -> None:
        """One connection after the other; between two, nothing is displayed."""
        pause_s = _PAUSE_S
        while True:
            before = self._counts["connections"]
            try:
                async with connect(self._stream.url, max_size=_MESSAGE_MAX, open_timeout=_TIMEOUT_S) as socket:
                    self._counts["connections"] += 1
                    async for text in socket:
                        self._take(text)
                        pause_s = _PAUSE_S
            except (OSError, TimeoutError, WebSocketException, InvalidHandshake, InvalidURI):
                self._counts["failed_connections"] += 1
            for task in self._fetching.values():
                task.cancel()  # its snapshot might be older than the next connection's first message
            self._fetching.clear()
            if self._counts["connections"] > before:
                self._reader.lost(time.time_ns())
            await asyncio.sleep(pause_s)
            pause_s = min(2 * pause_s, _PAUSE_MAX_S)

    def _take(self, text: str | bytes) -> None:
        self._counts["messages"] += 1
        self._reader.line(f"{time.time_ns()} {text if isinstance(text, str) else text.decode('utf-8', 'replace')}")
        if len(self._reader.rows) >= _OFFERED:
            self._offer()
        for symbol in self._reader.waiting():
            if symbol not in self._fetching:
                self._fetching[symbol] = asyncio.create_task(self._fetch(symbol))

    async def _fetch(self, symbol: str) -> None:
        """Ask for the display of a symbol, again after a pause while it does not come."""
        try:
            answer = await asyncio.to_thread(_get, self._stream.snapshot_url.replace("{symbol}", symbol))
            self._counts["snapshots"] += 1
            self._reader.line(f"{time.time_ns()} {json.dumps({**answer, 'symbol': symbol})}")
        except (OSError, URLError, ValueError, TypeError):
            self._counts["failed_snapshots"] += 1
            await asyncio.sleep(_PAUSE_S)
        del self._fetching[symbol]

    async def _drain(self) -> None:
        while True:
            await asyncio.sleep(_DRAIN_S)
            self._write()
            self._progress(f"{self._writer.records:,} records, {self._counts['connections']} connections")

    def _offer(self) -> None:
        if not self._backlog.offer(self._reader.drained()):
            self._reader.lost(time.time_ns(), Status.LOST)

    def _write(self) -> None:
        self._offer()
        self._writer.append(self._backlog.take())
        self._writer.flush()
        faults = {kind: list(found) for kind, found in self._reader.faults.items()}
        self._writer.source = self._writer.source._replace(faults=faults)


def _get(url: str) -> dict[str, Any]:
    with urlopen(url, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (http and https alone, as checked above)
        found = json.loads(answer.read(_SNAPSHOT_MAX))
    if not isinstance(found, dict):
        raise TypeError("a snapshot is a JSON object")
    return found
