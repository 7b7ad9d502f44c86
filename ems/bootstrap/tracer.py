"""The tracer's process: follows the log and the wire journal behind trading, and hands the ways of the sampled orders on."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.clock import WallClock
from adapters.fix.wire_reader import sessions
from adapters.fix.wire_record import Kind, Placed, scan
from adapters.fix.wire_segments import WIRE_FOLDER, folder, segments
from adapters.postgres.event_log import PostgresEventLog
from adapters.shm.stamps import stamps
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.event import InboundRef, Recorded
from ems import lifeline
from ems.bootstrap.build import build_digest
from ems.bootstrap.runtime import STAMPS, Runtime
from ems.bootstrap.tasks import until_first
from ems.health import StatusSocket
from ems.traces import Committed, Span, Wired, sampled, spans, trace_id

_log = structlog.get_logger("tracer")
SETTLED_NS: Final = 2_000_000_000  # the wire journal is written behind the messages
EVERY_S: Final = 0.5
KEPT_MAX: Final = 50_000  # messages and batches that are remembered
_NICE: Final = 15

_Batch = tuple[str, int]  # a correlation, and when it was decided


class WireTail:
    """The wire journals of a run as they grow."""

    def __init__(self, runtime: Runtime) -> None:
        self._folders = [runtime.gateway_directory(group) / WIRE_FOLDER for group in runtime.settings.groups()]
        self._at: dict[Path, int] = {}
        self.came: dict[InboundRef, Wired] = {}
        self.gone: dict[int, list[Wired]] = {}

    def read(self) -> None:
        """What has come since."""
        for journal in self._folders:
            for session in sessions(journal):
                for segment in segments(folder(journal, session))[-2:]:
                    self._segment(session, segment.path)
        for known in (self.came, self.gone):
            while len(known) > KEPT_MAX:
                known.pop(next(iter(known)))  # type: ignore[call-overload]

    def _segment(self, session: str, path: Path) -> None:
        start = self._at.get(path, 0)
        if path.stat().st_size <= start:
            return
        with path.open("rb") as file:
            file.seek(start)
            data = file.read()
        end = 0
        for placed in scan(data):
            if isinstance(placed, Placed):
                end, record = placed.end, placed.record
                if record.kind == Kind.IN:
                    ref = InboundRef(session, record.reset_epoch, record.msg_seq_num)
                    self.came.setdefault(ref, Wired(session, record.time_ns))
                elif record.kind == Kind.OUT and record.event_seq:
                    self.gone.setdefault(record.event_seq, []).append(Wired(session, record.time_ns))
        self._at[path] = start + end


class Tracer:
    """Gathers events into batches, and makes spans of those whose messages are on the disk by now.

    Args:
        send: takes spans, and says whether they were taken.
        wall_ns: the wall's time of a moment of the desk's clock.
    """

    def __init__(self, runtime: Runtime, send: Callable[[list[Span]], bool], wall_ns: Callable[[int], int]) -> None:
        self._share, self._send, self._wall_ns = runtime.settings.observe.trace_share, send, wall_ns
        self._wire, self._stamps = WireTail(runtime), runtime.state / STAMPS
        self._batches: dict[_Batch, list[Recorded]] = {}
        self.told = self.lost = 0

    def take(self, recorded: Recorded) -> None:
        """One event of the log."""
        correlation = str(recorded.meta.correlation)
        if sampled(trace_id(correlation), self._share):
            if len(self._batches) > KEPT_MAX:
                self._batches.pop(next(iter(self._batches)))
                self.lost += 1
            self._batches.setdefault((correlation, recorded.meta.event_time_ns), []).append(recorded)

    def settle(self, now_ns: int) -> None:
        """Hand on what has settled. May take its time: it runs beside the loop."""
        ripe = [key for key, events in self._batches.items() if now_ns - events[-1].recorded_time_ns >= SETTLED_NS]
        if not ripe:
            return
        self._wire.read()
        commits = [Committed(*one) for one in stamps(self._stamps)]
        made = [span for key in ripe for span in self._made(key[1], self._batches.pop(key), commits)]
        taken = self._send(made)
        self.told, self.lost = self.told + taken * len(made), self.lost + (not taken) * len(made)

    def _made(self, decided_ns: int, events: list[Recorded], commits: list[Committed]) -> Iterator[Span]:
        first, last = events[0].seq, events[-1].seq
        ours = [one for one in commits if one.first_seq <= last and first <= one.last_seq]
        ref = events[0].meta.inbound
        gone = {each.seq: self._wire.gone[each.seq] for each in events if each.seq in self._wire.gone}
        return spans(events, self._wall_ns(decided_ns), ours, None if ref is None else self._wire.came.get(ref), gone)


def wall_of(runtime: Runtime) -> Callable[[int], int]:
    """From the desk's clock to the wall's."""
    settings = runtime.settings.clock
    if settings.kind == "wall" or settings.start is None:
        return lambda time_ns: time_ns
    start_ns = int(settings.start.timestamp()) * 1_000_000_000
    return lambda time_ns: runtime.tape_origin_ns + int((time_ns - start_ns) / settings.speed)


def run(runtime_file: Path) -> int:
    """Trace until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    os.nice(_NICE)
    asyncio.run(_trace(runtime))
    return 0


async def _trace(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    try:
        from adapters.otel.export import Exporter
    except ImportError as cause:
        raise ConfigError(f"observe.trace_share needs the extra: pip install 'ems[traces]' ({cause})") from cause
    observe = runtime.settings.observe
    exporter = Exporter(f"ems-{runtime.settings.name}", build_digest(), url=observe.trace_url, file=observe.trace_file)
    tracer = Tracer(runtime, exporter.send, wall_of(runtime))
    status = StatusSocket(runtime.socket("tracer"), lambda _: {"pid": os.getpid(), **_told(tracer)})
    await status.start()
    try:
        async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
            await until_first(_follow(tracer, log), _settle(tracer), stop.wait())
    finally:
        await status.close()
        exporter.close()


def _told(tracer: Tracer) -> dict[str, Any]:
    return {"spans": tracer.told, "spans_lost": tracer.lost}


async def _follow(tracer: Tracer, log: PostgresEventLog) -> None:
    async for recorded in log.subscribe(after_seq=(await log.head()).seq, every_s=EVERY_S):
        tracer.take(recorded)


async def _settle(tracer: Tracer) -> None:
    while True:
        await asyncio.sleep(EVERY_S)
        tracer.settle(time.time_ns())


async def trace_of(dsn: str, seq: int) -> int:
    """The trace of an event of the log. Raises ConfigError where there is none of this number, and LogError."""
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        async for page in log.read_pages(after_seq=seq - 1, until_seq=seq):
            for recorded in page:
                return trace_id(recorded.meta.correlation)
    raise ConfigError(f"the log has no event {seq}")
