"""What a scraper is served: every process asked at once, as one text. A process that is silent is 0 in ems_up."""

from __future__ import annotations

import asyncio
import contextlib
import os
import secrets
import shutil
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from adapters.prometheus.text import CONTENT_TYPE, written
from adapters.shm.metrics import SharedMetrics
from domain.kill_table import Level
from domain.measures import Sample
from domain.readings import ERRORS
from ems.bootstrap import kill
from ems.bootstrap.health import database_answers
from ems.bootstrap.runtime import Runtime, of_group
from ems.health import ask_socket
from ems.measured import BY_NAME
from ems.told_samples import SAMPLES

ANSWER_S: Final = 2.0
EVERY_S: Final = 1.0  # a second scraper within is given the same
_Asked = tuple[str, str, dict[str, Any]]  # a process, its socket, what it is asked


class MetricsDoor:
    """Gathers.

    Args:
        own: what the process that serves this says of itself.
    """

    content_type = CONTENT_TYPE

    def __init__(self, runtime: Runtime, own: Callable[[], Mapping[str, Any]]) -> None:
        self._runtime, self._own = runtime, own
        self._readings = SharedMetrics(runtime.metrics)
        self._lock = asyncio.Lock()
        self._text, self._at_s = b"", 0.0

    async def text(self) -> bytes:
        """All of it now."""
        async with self._lock:
            if not self._text or time.monotonic() - self._at_s >= EVERY_S:
                self._text, self._at_s = await self._gathered(), time.monotonic()
            return self._text

    async def _gathered(self) -> bytes:
        began_s = time.monotonic()
        asked = list(_asked(self._runtime))
        told: dict[str, Any] = dict(zip(
            (process for process, _, _ in asked),
            await asyncio.gather(*(self._ask(socket, question) for _, socket, question in asked)), strict=True,
        ))  # fmt: skip
        told["api"] = {"pid": os.getpid(), **self._own()}
        up: dict[str, bool] = {process: answer is not None for process, answer in told.items()}
        up["postgres"], base_bytes = await self._database()
        samples: dict[str, list[Sample]] = {process: [Sample("ems_up", {}, well)] for process, well in up.items()}
        for process, answer in told.items():
            if isinstance(answer, dict):
                samples[process] += _of_process(process, answer)
        for name, reading in self._readings.read().items():
            if name.startswith(ERRORS):
                samples.setdefault(name.removeprefix(ERRORS), []).append(Sample("ems_internal_errors_total", {}, reading.value))
        samples["door"] = [
            *await asyncio.to_thread(self._host), *base_bytes, Sample("ems_gather_seconds", {}, time.monotonic() - began_s)
        ]  # fmt: skip
        return written(BY_NAME, samples)

    async def _ask(self, socket: str, question: dict[str, Any]) -> Any:
        return await ask_socket(self._runtime.socket(socket), question, timeout_s=ANSWER_S)

    async def _database(self) -> tuple[bool, list[Sample]]:
        if not await database_answers(self._runtime):
            return False, []
        return True, await asyncio.to_thread(_base_bytes, self._runtime.app_dsn)

    def _host(self) -> Iterator[Sample]:
        told = kill.health(self._runtime)
        yield Sample("ems_kill_level", {}, Level[told["firm"]].value)
        yield Sample("ems_kill_readable", {}, told["up"])
        yield Sample("ems_kill_scopes", {}, len(told["scopes"]))
        yield Sample("ems_disk_free_bytes", {}, shutil.disk_usage(self._runtime.state).free)


def _asked(runtime: Runtime) -> Iterator[_Asked]:
    settings = runtime.settings
    yield "desk", "desk", {"metrics": True}
    for group in settings.groups():
        yield of_group("gateway", group), of_group("gateway-control", group), {"command": "health"}
    yield "audit_watch", "audit-watch", {}
    if settings.watchdog.enabled:
        yield "watchdog", "watchdog", {}
    if settings.monitoring is not None:
        yield "monitor", "monitor", {}
    if settings.sealing.enabled:
        yield "sealer", "sealer", {}
    if settings.venue is not None:
        yield "venue", "venue-control", {"status": True}
    if settings.quoting is not None:
        yield "quoter", "quoter", {"metrics": True}
        yield "quote_journal", "quote-journal", {}


def _of_process(process: str, answer: Mapping[str, Any]) -> Iterator[Sample]:
    """What it counts, and what the system says of it."""
    if (made := SAMPLES.get(process.partition("-")[0])) is not None:
        yield from made(answer)
    if isinstance(pid := answer.get("pid"), int):
        with contextlib.suppress(psutil.NoSuchProcess):
            known = psutil.Process(pid)
            yield Sample("ems_process_resident_bytes", {}, known.memory_info().rss)
            times = known.cpu_times()
            yield Sample("ems_process_cpu_seconds_total", {}, times.user + times.system)


def _base_bytes(dsn: str) -> list[Sample]:
    try:
        with psycopg.connect(dsn, connect_timeout=2) as connection:
            row = connection.execute("SELECT pg_database_size(current_database())").fetchone()
    except psycopg.Error:
        return []  # it went away between two questions: its size is missing
    return [] if row is None else [Sample("ems_database_bytes", {}, row[0])]


def token_of(runtime: Runtime) -> str:
    """What a scraper must show; made at the first start, for its owner's eyes alone. Raises OSError."""
    path = token_file(runtime)
    with contextlib.suppress(FileExistsError), os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(secrets.token_urlsafe(32))
    return path.read_text().strip()


def token_file(runtime: Runtime) -> Path:
    """Where it is."""
    return runtime.settings.observe.metrics_token_file or runtime.state / "metrics.token"
