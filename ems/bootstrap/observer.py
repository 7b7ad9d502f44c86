"""The observer: a process of the desk's that follows the venue's market data and says what the nets see of each market.

It logs on as any listener would, asks for every level and trade, and keeps books, features and the model's state. Several
times a second the newest observation of each market goes to the desk through a pipe; nothing waits for it. When its
process ends it is started again, and until it says something plans are made without foresight, and say so.
"""

from __future__ import annotations

import asyncio
import contextlib
import multiprocessing
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, NamedTuple

import structlog

from adapters.fix.market_feed import MarketFeed
from adapters.fix.sessions import SessionConfig
from adapters.marketdata.binance import Terms
from adapters.marketdata.fix_tape import FixReader
from adapters.reference import files
from domain.errors import ConfigError, WeightsError
from domain.messages import Input
from domain.tape import Status, Tape
from domain.values import E9
from ems.bootstrap.logs import log_json
from ems.bootstrap.model_signing import verified
from ems.config import Settings
from ems.market_settings import ObserverSettings
from models.feature_session import begin_day
from models.live_observer import LiveObserver
from models.sight import Sight, Sights, sights

_log = structlog.get_logger("observer")
_SPAWN: Final = multiprocessing.get_context("spawn")
_AGAIN_S: Final = 2.0
_LOOK_S: Final = 0.2  # how often the champion is asked for
_ASK_AGAIN_S: Final = 1.0


class Versions(NamedTuple):
    """Of the world model. kept: where those are that the code came without; champion: the digest of the one that decides;
    pids: of the process that looks now, for who asks how it is; shadows: of those that only look on."""

    kept: Path
    champion: Callable[[], str]
    pids: list[int]
    shadows: Callable[[], tuple[str, ...]] = tuple

    def now(self) -> tuple[str, tuple[str, ...]]:
        """Who looks, and who looks on."""
        return self.champion(), self.shadows()


class _Wanted(NamedTuple):
    """What an observer's process is started with."""

    settings: ObserverSettings
    instruments: Path | None
    now_ns: int
    kept: Path
    digest: str
    beside: tuple[str, ...]


async def observing(
    settings: Settings, now_ns: Callable[[], int], deliver: Callable[[list[Input]], None], versions: Versions
) -> None:
    """Until cancelled: the observer's process, started again when it ends; where none is configured, nothing.

    When another version is champion the process goes over to it between two looks: an observation, its state and the plan that is
    made of it are always of one version.
    """
    if settings.observer is None:
        await asyncio.Event().wait()
        return
    while True:
        wanted = _Wanted(settings.observer, settings.instruments, now_ns(), versions.kept, *versions.now())
        await _once(wanted, deliver, versions)
        _log.warning("the observer's process ended and is started again")
        await asyncio.sleep(_AGAIN_S)


async def _once(wanted: _Wanted, deliver: Callable[[list[Input]], None], versions: Versions) -> None:
    ours, theirs = _SPAWN.Pipe()
    process = _SPAWN.Process(target=_serve, args=(wanted, theirs), name="observer", daemon=True)
    process.start()
    versions.pids[:] = [process.pid] if process.pid is not None else []
    theirs.close()  # so that the end of the process is the end of the pipe
    loop, over = asyncio.get_running_loop(), asyncio.Event()

    def told() -> None:
        try:
            deliver([ours.recv()])
        except (EOFError, OSError):
            loop.remove_reader(ours.fileno())
            over.set()

    loop.add_reader(ours.fileno(), told)
    looking = (wanted.digest, wanted.beside)
    try:
        while not over.is_set():
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(over.wait(), _LOOK_S)
            if versions.now() != looking and not over.is_set():
                looking = versions.now()
                ours.send(looking)
    except (BrokenPipeError, ConnectionResetError):
        return
    finally:
        versions.pids.clear()
        loop.remove_reader(ours.fileno())
        process.kill()
        process.join()
        ours.close()


def terms_of(settings: ObserverSettings, instruments: Path | None, now_ns: int) -> Mapping[str, Terms]:
    """Tick and lot of each observed symbol. Raises ConfigError for one that is not in the instrument table."""
    data = files.load_sample() if instruments is None else files.load(instruments)
    found = {}
    for symbol in settings.symbols:
        if (instrument := data.universe.get(symbol)) is None:
            raise ConfigError(f"[observer] symbols: {symbol} is not in the instrument table")
        on = datetime.fromtimestamp(now_ns // E9, UTC).date()
        found[symbol] = Terms(instrument.tick_e9(E9, on), instrument.lot_e9)
    return found


def _serve(wanted: _Wanted, pipe: Connection) -> None:
    """The process: until the desk is gone, which its end of the pipe tells."""
    log_json("observer")
    settings = wanted.settings
    data = files.load_sample() if wanted.instruments is None else files.load(wanted.instruments)
    terms = terms_of(settings, wanted.instruments, wanted.now_ns)
    ticks_e9, lots_e9 = ([getattr(each, name) for each in terms.values()] for name in ("tick_size_e9", "lot_size_e9"))
    version = sights(wanted.kept, verified)
    observer, looked = LiveObserver(version(wanted.digest), list(terms), ticks_e9, lots_e9), wanted.digest
    observer.look_on(_there(version, wanted.beside))
    for k, symbol in enumerate(terms):
        calendar = data.calendar_of(symbol)
        begin_day(observer.features, k, calendar, calendar.date_at(wanted.now_ns))
    listener = _Listener(terms)
    config = SessionConfig(
        name="OBSERVER", role="marketdata", kind="initiator", sender_comp_id=settings.comp_id, host=settings.host,
        target_comp_id=settings.target_comp_id, port=settings.port, symbols=settings.symbols,
    )  # fmt: skip
    with tempfile.TemporaryDirectory() as folder:
        feed = MarketFeed(Path(folder), config, listener)
        feed.start()
        try:
            while True:
                if pipe.poll(settings.every_s):
                    digest, beside = pipe.recv()
                    if digest != looked:
                        observer.look_through(version(digest))
                        looked = digest
                    observer.look_on(_there(version, beside))
                for tape in listener.taken():
                    observer.take(tape)
                for found in observer.observed():
                    pipe.send(found)
                listener.ask(feed)
        except (EOFError, BrokenPipeError, ConnectionResetError, KeyboardInterrupt):
            return
        finally:
            feed.stop()


def _there(version: Sights, digests: Sequence[str]) -> list[Sight]:
    """The shadows whose weights can be read: one that is missing keeps nobody from looking."""
    found = []
    for digest in digests:
        try:
            found.append(version(digest))
        except WeightsError as error:
            _log.error("a shadow does not look on", version=digest[:12], error=str(error))
    return found


class _Listener:
    """What the engine's thread is told becomes records at once."""

    def __init__(self, terms: Mapping[str, Terms]) -> None:
        self._reader = FixReader(dict(terms))
        self._lock = threading.Lock()
        self._tapes: list[Tape] = []
        self._asked_s = 0.0

    def feed_up(self) -> None:
        with self._lock:
            self._asked_s = time.monotonic()

    def feed_down(self) -> None:
        with self._lock:
            self._reader.lost(time.time_ns())

    def feed_gap(self, messages: int) -> None:
        with self._lock:
            self._reader.lost(time.time_ns(), Status.LOST, messages)

    def feed_message(self, text: str) -> None:
        with self._lock:
            self._reader.take(text, time.time_ns())
            self._tapes.append(self._reader.drained())

    def taken(self) -> list[Tape]:
        """What has come since."""
        with self._lock:
            found, self._tapes = self._tapes, []
        return found

    def ask(self, feed: MarketFeed) -> None:
        """For a snapshot where a display is missing."""
        with self._lock:
            waiting = self._reader.waiting()
            due = feed.up and bool(waiting) and time.monotonic() - self._asked_s >= _ASK_AGAIN_S
            if due:
                self._asked_s = time.monotonic()
        if due:
            feed.ask(waiting)
