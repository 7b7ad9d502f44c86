"""The process that keeps quoters' journals: every ring that it finds is drained into segments and the log."""

from __future__ import annotations

import asyncio
import gc
import os
import signal
import time
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.shm.ring import Ring
from domain import quote as q
from domain.errors import JournalError, LogUnavailable
from ems import lifeline
from ems.bootstrap.build import build_digest
from ems.bootstrap.quote_codec import CODEC
from ems.bootstrap.runtime import Runtime
from ems.health import StatusSocket
from ems.quoting.derive import Derivation
from ems.quoting.drainer import Drainer, Parts
from ems.quoting.retention import Retention

_log = structlog.get_logger("quote journal")
_IDLE_S: Final = 0.002
_LOOK_S: Final = 0.25  # for new rings
_KEEP_S: Final = 10.0  # between two looks at what is kept


def run(runtime_file: Path) -> int:
    """Until SIGTERM, and until the rings that are there then are empty; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    asyncio.run(_keep(runtime))
    return 0


async def _keep(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with PostgresEventLog(runtime.app_dsn, q.topics(), WallClock(), answer_timeout_s=3.0, readback_timeout_s=1.0) as log:
        journals = Journals(runtime, log)
        status = StatusSocket(runtime.socket("quote-journal"), lambda _: journals.status())
        await status.start()
        gc.freeze()
        try:
            while True:
                empty = await journals.once()
                if empty and stop.is_set():
                    break
                await asyncio.sleep(journals.pause_s)
        finally:
            await status.close()


class Journals:
    """All rings of a run's state directory.

    Attributes:
        pause_s: how long there is nothing to do.
    """

    def __init__(self, runtime: Runtime, log: PostgresEventLog) -> None:
        settings = runtime.settings.quoting
        assert settings is not None
        self._folder = runtime.quoter_directory
        seal_ns = round(settings.journal.seal_s * 1e9)
        self._parts = Parts(log, runtime.clock(), time.monotonic_ns, build_digest(), seal_ns)
        self._retention = Retention(self._folder, round(settings.journal.retention_gb * 1e9), self._parts)
        self._drainers: dict[Path, Drainer] = {}
        self._look_due_s = self._keep_due_s = 0.0
        self.pause_s = _IDLE_S

    async def once(self) -> bool:
        """One turn. True: no ring is left."""
        now_s = time.monotonic()
        try:
            if now_s >= self._look_due_s:
                self._look_due_s = now_s + _LOOK_S
                await self._look()
            if now_s >= self._keep_due_s:
                self._keep_due_s = now_s + _KEEP_S
                await self._retention.apply()
        except LogUnavailable as error:
            _log.warning("the log does not answer", error=str(error))
        before = self.taken
        for path, drainer in list(self._drainers.items()):
            if await drainer.once():
                path.unlink()
                del self._drainers[path]
        self.pause_s = _IDLE_S if self.taken == before else 0.0
        return not self._drainers

    @property
    def taken(self) -> int:
        """Records taken so far out of the rings that are open."""
        return sum(drainer.taken for drainer in self._drainers.values())

    async def _look(self) -> None:
        for path in sorted(self._folder.glob("*/journal.ring")):
            if path not in self._drainers:
                self._drainers[path] = await self._open(path)

    async def _open(self, path: Path) -> Drainer:
        """Raises JournalError: a ring whose beginning cannot be read. LogUnavailable."""
        opened = _opened(path.parent)
        derivation = Derivation(CODEC)
        for earlier in sorted(self._folder.glob(f"{opened.trade_date}-*/opened.json")):
            if earlier.parent != path.parent:
                await self._know(_opened(earlier.parent), derivation)
        drainer = Drainer(self._parts, Ring.open(path), path.parent, opened, derivation)
        await drainer.begin()
        _log.info("a quoter's journal is open", run=opened.run)
        return drainer

    async def _know(self, earlier: q.Opened, derivation: Derivation) -> None:
        """Executions of an earlier run of the day, which the venue will tell again."""
        for recorded in await self._parts.log.read(q.key(earlier.quoter, earlier.trade_date, earlier.run)):
            if isinstance(recorded.event, q.Filled):
                derivation.know(recorded.event)

    def status(self) -> dict[str, Any]:
        """For health."""
        return {"pid": os.getpid(), "journals": [drainer.status() for drainer in self._drainers.values()]}


def _opened(folder: Path) -> q.Opened:
    try:
        return q.Opened.model_validate_json((folder / "opened.json").read_bytes())
    except (OSError, ValueError) as cause:
        raise JournalError(f"the beginning of {folder.name} cannot be read: {cause}") from cause
