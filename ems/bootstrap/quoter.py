"""The quoter's process: sockets, shared memory and the compiled kernel around one `ems.quoting.quoter.Quoter`.

It has no database and reads no log: what it knows of the firm are the numbers in `adapters.shm.exposure`.
"""

from __future__ import annotations

import asyncio
import gc
import mmap
import os
import signal
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import numpy as np
import structlog
from numpy.typing import NDArray

from adapters.marketdata.mold_feed import MoldFeed
from adapters.ouch.compiled import CANCEL_MAX, put_account_query, put_cancel
from adapters.ouch.soup import Login
from adapters.ouch.soup_client import SoupClient
from adapters.reference import files
from adapters.shm.exposure import SharedExposure
from adapters.shm.latch import FILE_BYTES as LATCH_BYTES
from adapters.shm.latch import SharedLatch
from adapters.shm.ring import Ring
from domain import quote as q
from domain.errors import ConfigError, LatchUnreadable
from domain.kill_scope import Scope
from domain.values import E9, ScopeKind
from ems import lifeline
from ems.bootstrap import environments
from ems.bootstrap.quote_codec import CODEC
from ems.bootstrap.quoter_kernel import LiveKernel, digest, quoter_arrays, warmed, weights_for
from ems.bootstrap.runtime import Runtime
from ems.health import StatusSocket
from ems.quoting import journal as j
from ems.quoting import state as s
from ems.quoting.drainer import keep
from ems.quoting.latency import tick_to_quote_ns
from ems.quoting.ports import Around
from ems.quoting.quoter import Quoter
from ems.quoting_settings import QuotingSettings
from models.feature_session import begin_day

_log = structlog.get_logger("quoter")
_ZONE: Final = ZoneInfo("America/New_York")
_CONNECT_S: Final = 2.0


def prepare(runtime_file: Path) -> int:
    """What takes minutes the first time: compile the kernel. Raises ConfigError, WeightsError."""
    runtime = Runtime.load(runtime_file)
    settings = _settings(runtime)
    lifeline.watch()
    warmed(settings, weights_for(runtime.state / "models", settings.weights))
    return 0


def _settings(runtime: Runtime) -> QuotingSettings:
    if runtime.settings.quoting is None:
        raise ConfigError("the configuration has no [quoting]")
    return runtime.settings.quoting


def run(runtime_file: Path) -> int:
    """Quote until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    settings = _settings(runtime)
    lifeline.watch()
    if settings.core >= 0:
        _pin(settings.core)
    quoter, kernel = quoter_of(runtime, settings)
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: quoter.stop())
    turned = _Turned(quoter, kernel)
    threading.Thread(target=turned.answer, args=(runtime.socket("quoter"),), name="status", daemon=True).start()
    gc.collect()
    gc.freeze()
    gc.disable()
    turned.run()
    return 0


def quoter_of(runtime: Runtime, settings: QuotingSettings) -> tuple[Quoter, LiveKernel]:
    """A run of the quoter, its journal begun, before its first turn.

    Raises:
        JournalError: no room for the ring. LinkError: no feed. WeightsError: no such model. LatchUnreadable: no kill latch.
    """
    clock = runtime.clock()
    now_ns = clock.now_ns()
    today = datetime.fromtimestamp(now_ns // E9, _ZONE)
    run = f"{datetime.fromtimestamp(now_ns // E9, UTC):%H%M%S}-{os.getpid()}"
    folder = runtime.quoter_directory / f"{today.date().isoformat()}-{run}"
    stream = q.key(settings.name, today.date().isoformat(), run)
    weights = weights_for(runtime.state / "models", settings.weights)
    warmed(settings, weights)
    feed = MoldFeed(settings.feed.pair, settings.again.pair if settings.again else None, group=settings.group)
    exposure = SharedExposure(runtime.exposure, max(each.locate for each in settings.instruments) + 1)
    latch = _Latch(runtime, settings)
    ring = Ring.make(
        folder / "journal.new-ring", record_bytes=j.RECORD_BYTES, slots=settings.slots, session=q.session_number(stream)
    )
    records = j.views(ring.memory)
    arrays = quoter_arrays(
        settings, weights, int(today.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()) * E9, records=records,
        latch=latch.words, scopes=latch.digests, firm=exposure.rows, beat_max_ns=runtime.settings.watchdog.beat_max_ns,
    )  # fmt: skip
    arrays.own.words[s.SESSION] = q.session_number(stream)
    _begin_day(runtime, settings, arrays, now_ns)
    kernel = LiveKernel(arrays, settings)
    keep(folder / "1.state", kernel.state())
    opened = q.Opened(
        quoter=settings.name, trade_date=today.date().isoformat(), run=run,
        instruments=_instruments(runtime, settings, today.date()),
        weights_sha256=weights.digest, environment_sha256=environments.keep(runtime.state / "models"),
        configuration=settings.public_json(),
        configuration_sha256=digest(settings.public_json().encode()), checkpoint_sha256=digest((folder / "1.state").read_bytes()),
        record_bytes=j.RECORD_BYTES,
    )  # fmt: skip
    keep(folder / "opened.json", opened.model_dump_json().encode())
    ring.rename(folder / "journal.ring")
    exposure_max_ns = round(settings.exposure_max_s * E9)
    around = Around(
        kernel=kernel, feed=feed, ring=ring, records=records, codec=CODEC, connect=lambda: _connect(settings),
        killed=latch.killed,
        exposed=lambda: not exposure_max_ns or exposure.fresh(exposure_max_ns), spread_e9=exposure.spread_e9,
        keep_state=lambda first: kernel.write_state(folder / f"{first}.state"), cancel=_cancel, query=_query(),
        now_ns=clock.now_ns, busy_poll=settings.busy_poll, state_every_ns=round(settings.journal.state_every_s * E9),
    )  # fmt: skip
    return Quoter(around), kernel


def _connect(settings: QuotingSettings) -> tuple[SoupClient, int]:
    """A session from the day's first report on, and the number that its next new report will have: only a login that asks for
    nothing old is told it."""
    probe = SoupClient(settings.venue.pair, Login(settings.username, settings.password, number=0), timeout_s=_CONNECT_S)
    probe.close()
    return SoupClient(settings.venue.pair, Login(settings.username, settings.password), timeout_s=_CONNECT_S), probe.next_number


def _cancel(ref: int) -> bytes:
    out = np.zeros(CANCEL_MAX, np.uint8)
    return out[: put_cancel(out, 0, ref, 0)].tobytes()


def _query() -> bytes:
    out = np.zeros(16, np.uint8)
    return out[: put_account_query(out, 0)].tobytes()


def _pin(core: int) -> None:
    if not hasattr(os, "sched_setaffinity"):
        raise ConfigError("quoting: this system pins no process to a core")
    try:
        os.sched_setaffinity(0, {core})
    except OSError as cause:
        raise ConfigError(f"quoting: there is no core {core} for the quoter: {cause.strerror}") from cause


def _begin_day(runtime: Runtime, settings: QuotingSettings, arrays: s.Quoter, now_ns: int) -> None:
    """The hours of each instrument's market."""
    data = files.load_sample() if runtime.settings.instruments is None else files.load(runtime.settings.instruments)
    for each in settings.instruments:
        calendar = data.calendar_of(each.symbol)
        begin_day(arrays.market.features, each.locate, calendar, calendar.date_at(now_ns))


def _instruments(runtime: Runtime, settings: QuotingSettings, on: date) -> tuple[q.Quoted, ...]:
    data = files.load_sample() if runtime.settings.instruments is None else files.load(runtime.settings.instruments)
    found = []
    for each in settings.instruments:
        if (instrument := data.universe.get(each.symbol)) is None:
            raise ConfigError(f"quoting: {each.symbol} is not in the instrument table")
        lot_e9, held_e9 = instrument.lot_e9, each.position_lots * instrument.lot_e9
        found.append(q.Quoted(each.symbol, instrument.tick_e9(E9, on), lot_e9, held_e9, each.locate))
    return tuple(found)


class _Latch:
    """The kill latch: its words for the kernel, and the process's own look at it, which sees when the file is another one."""

    def __init__(self, runtime: Runtime, settings: QuotingSettings) -> None:
        scopes = [Scope(ScopeKind.DESK, runtime.settings.name), Scope(ScopeKind.STRATEGY, settings.name)]
        self.digests = [scope.digest for scope in scopes]
        self._shared = SharedLatch(runtime.latch, beat_max_ns=runtime.settings.watchdog.beat_max_ns)
        self._path = runtime.latch
        try:
            with runtime.latch.open("rb") as file:
                self._inode = os.fstat(file.fileno()).st_ino
                self.words: NDArray[np.int64] = np.frombuffer(
                    mmap.mmap(file.fileno(), LATCH_BYTES, prot=mmap.PROT_READ), np.int64
                )
        except (OSError, ValueError) as cause:
            raise LatchUnreadable(f"there is no kill latch at {runtime.latch.name}: {cause}") from cause

    def killed(self) -> bool:
        """Is anything set that stops us, or can it not be told?"""
        try:
            same = self._path.stat().st_ino == self._inode
        except OSError:
            return True
        return not same or self._shared.verdict(self.digests).level > 0


class _Turned:
    """The loop, with a thread beside it that answers how it is."""

    def __init__(self, quoter: Quoter, kernel: LiveKernel) -> None:
        self._quoter, self._kernel = quoter, kernel
        self._turned_ns = time.monotonic_ns()

    def run(self) -> None:
        """Until the quoter is over."""
        while not self._quoter.over:
            self._quoter.turn()
            self._turned_ns = time.monotonic_ns()
        self._quoter.end()

    def answer(self, path: Path) -> None:
        """The thread."""
        asyncio.run(self._serve(path))

    async def _serve(self, path: Path) -> None:
        await StatusSocket(path, self._status).start()
        await asyncio.Event().wait()

    def _status(self, question: dict[str, Any]) -> dict[str, Any]:
        age_ms = (time.monotonic_ns() - self._turned_ns) // 1_000_000
        told = {"pid": os.getpid(), "turned_ms": age_ms, **self._quoter.status()}
        if question.get("metrics"):
            told["tick_to_quote_ns"] = tick_to_quote_ns(self._kernel.q.call.records, self._kernel.last())
        return told
