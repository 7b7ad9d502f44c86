"""The monitor's process: the log, everybody's sockets and the configured receivers around one Monitor.

A process of its own, and neither part of the watchdog nor of the observer: what it waits for (HTTP, sockets that do not answer)
must not hold up a look of the watchdog's, and it has to live when what it watches is dead.
"""

from __future__ import annotations

import asyncio
import math
import os
import signal
import time
from pathlib import Path
from typing import Any, Final

import uvloop

from adapters.alerts.alertmanager import Alertmanager
from adapters.alerts.webhook import Webhook
from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from adapters.shm.latch import SharedLatch
from adapters.shm.metrics import SharedMetrics
from domain.catalogue import TOPICS
from domain.errors import LatchUnreadable, LogUnavailable
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.monitoring import Finding
from domain.ports import EventLog
from domain.ports_alerts import AlertReceiver
from domain.triggers import Metric
from ems import lifeline, peer
from ems.bootstrap.build import build_digest
from ems.bootstrap.day import date_of
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime, of_group
from ems.bootstrap.tasks import until_first
from ems.bootstrap.watchdog import capital
from ems.health import StatusSocket, ask_http, ask_socket
from ems.monitor import Monitor
from ems.monitor_findings import Lag, Situation, findings
from ems.monitoring_settings import MonitoringSettings
from ems.watch_book import UNREAD, Stated, WatchBook

_ASK_S: Final = 3.0
_NICE: Final = 5


def run(runtime_file: Path) -> int:
    """Watch until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    os.nice(_NICE)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_watch(runtime))
    return 0


async def _watch(runtime: Runtime) -> None:
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    settings = runtime.settings.monitoring
    assert settings is not None
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock(), answer_timeout_s=3.0) as log:
        day = RunningDay(runtime.settings, runtime.state / "monitor")
        await day.look(log)
        watch = Look(runtime, log, day, settings)
        monitor = Monitor(
            log, WallClock(), watch.look, receivers(settings, runtime.settings.name), watch.apply, build=build_digest(),
            every_s=settings.every_s, clear_s=settings.clear_s, unread=UNREAD,
        )  # fmt: skip
        proved = peer.proving(runtime.persons, lambda asked: _command(monitor, asked), voucher_key=runtime.voucher_key)
        status = StatusSocket(runtime.socket("monitor"), lambda asked: _status(monitor, asked), proved)
        await status.start()
        try:
            await until_first(monitor.run(), stop.wait())
        finally:
            await status.close()


def receivers(settings: MonitoringSettings, desk: str) -> list[AlertReceiver]:
    """Those that are configured."""
    return [*map(Webhook, settings.webhooks), *(Alertmanager(url, desk) for url in settings.alertmanagers)]


async def _command(monitor: Monitor, asked: dict[str, Any]) -> dict[str, Any]:
    if asked.get("command") != "acknowledge":
        return {"ok": False, "text": "the monitor takes acknowledgements alone"}
    person, names = str(asked["actor"]).removeprefix("person:"), [str(name) for name in asked.get("alerts", ())]
    for name in names:
        if why := await monitor.acknowledge(name, person, str(asked.get("reason", ""))):
            return {"ok": False, "text": why}
    return {"ok": True, "text": f"{len(names)} acknowledged"}


def _status(monitor: Monitor, asked: dict[str, Any]) -> dict[str, Any]:
    told = {"pid": os.getpid(), **monitor.status()}
    return told | ({"alerts": monitor.listed()} if asked.get("alerts") else {})


class Look:
    """Everything asked at once. What never answered is waited for a while after the start: processes are starting."""

    def __init__(self, runtime: Runtime, log: EventLog, day: RunningDay, settings: MonitoringSettings) -> None:
        self._runtime, self._log, self._day, self._settings = runtime, log, day, settings
        watch = runtime.settings.watchdog
        self._book = WatchBook(Stated(runtime.settings.name, self._capital(), watch.quoters, watch.models))
        self._metrics, self._clock, self._trade_date = SharedMetrics(runtime.metrics), runtime.clock(), date_of(runtime.settings)
        self._latch = SharedLatch(runtime.latch)
        self._lags: dict[str, Lag] = {}
        self._began_ns, self._answered = time.monotonic_ns(), set[str]()
        self.apply = self._book.apply

    def _capital(self) -> dict[Scope, int]:
        return capital(self._runtime.settings.name, self._day.facts.taken)

    async def look(self) -> list[Finding]:
        """What is not well now."""
        await self._day.look(self._log)
        self._book.restate(self._capital())
        return findings(await self._situation(), self._settings)

    async def _situation(self) -> Situation:
        settings, now_ns = self._runtime.settings, time.monotonic_ns()
        groups = settings.groups()
        told = dict(zip(("desk", "watchdog", "forecasts"), await asyncio.gather(
            self._ask("desk"), self._ask("watchdog"), self._ask("forecasts")), strict=True))  # fmt: skip
        asked = (self._ask(of_group("gateway-control", group), {"command": "health"}) for group in groups)
        gateways = dict(zip(groups, await asyncio.gather(*asked), strict=True))
        api = await ask_http(settings.console.host, settings.console.port, timeout_s=_ASK_S) if settings.console.enabled else None
        try:
            end: int | None = (await self._log.head()).seq
        except LogUnavailable:
            end = None
        self._book.caught_up_ns = now_ns
        processes: dict[str, Any] = {"database": None if end is None else {}, "desk": told["desk"]}
        processes |= {of_group("gateway", group): answer for group, answer in gateways.items()}
        if settings.watchdog.enabled:
            processes["watchdog"] = told["watchdog"]
        if settings.console.enabled:
            processes["api"] = api
        lags = {"log_lag": self._lag("log", now_ns, end, self._book.seq)}
        if settings.console.enabled:
            lags["view_lag"] = self._lag("view", now_ns, end, None if api is None else int(api["seq"]))
        for group, answer in gateways.items():
            ends = (None, None) if answer is None else (int(answer["spool_last"]), int(answer["spool_acknowledged"]))
            lags[of_group("fix_lag", group)] = self._lag(f"fix {group}", now_ns, *ends)
        markets = () if settings.observer is None else settings.observer.symbols
        forecasts = (told["forecasts"] or {}).get("forecasts", {})
        return Situation(
            processes=self._waited_for(processes), lags_ns={k: v for k, v in lags.items() if v is not None or self._late},
            sessions=self._sessions(gateways), samples=self._samples(now_ns), triggers=self._triggers(),
            tripped=self._tripped(), markets=markets if forecasts or self._late else (), forecasts=forecasts,
            latency_us=_latency(forecasts),
        )  # fmt: skip

    async def _ask(self, socket: str, question: dict[str, Any] | None = None) -> dict[str, Any] | None:
        answer = await ask_socket(self._runtime.socket(socket), question or {}, timeout_s=_ASK_S)
        return answer if isinstance(answer, dict) else None

    @property
    def _late(self) -> bool:
        """Has all had the time to start?"""
        return time.monotonic_ns() - self._began_ns > self._settings.wait_s * 1e9

    def _waited_for(self, processes: dict[str, Any]) -> dict[str, Any]:
        self._answered |= {name for name, told in processes.items() if told is not None}
        return {name: told for name, told in processes.items() if self._late or name in self._answered}

    def _lag(self, name: str, now_ns: int, end: int | None, reached: int | None) -> int | None:
        if end is None or reached is None:
            return None
        return self._lags.setdefault(name, Lag()).see(now_ns, end, reached)

    def _sessions(self, gateways: dict[str, Any]) -> dict[str, bool | None]:
        """Those that a gateway holds up, by its own word; before the start is over, those alone that were up."""
        found: dict[str, bool | None] = {}
        for session in self._runtime.settings.sessions:
            told = gateways.get(session.group)
            up = None if told is None else bool(told["sessions"].get(session.name, {}).get("up"))
            key = f"session {session.name}"
            self._answered |= {key} if up else set()
            if key in self._answered or (session.kind == "initiator" and self._late):
                found[session.name] = up
        return found

    def _samples(self, now_ns: int) -> dict[Any, Any]:
        desk_ns = self._clock.now_ns()
        return self._book.samples(self._metrics.read(), self._trade_date(desk_ns), desk_ns, now_ns)

    def _triggers(self) -> tuple[Any, ...]:
        watch, settings = self._runtime.settings.watchdog, self._runtime.settings
        stated = watch.triggers(settings.name, self._capital().keys(), live=settings.mode == "LIVE")
        found = (*stated, *(watch.trigger(Metric.POSITION, scope) for scope in self._book.limited()))
        return found if self._late else ()

    def _tripped(self) -> dict[Scope, str]:
        try:
            slots = self._latch.slots()
        except LatchUnreadable as error:
            return {FIRM: f"the latch cannot be read, which counts as tripped: {error}"}
        return {slot.scope: f"the kill switch is at {slot.level.name}" for slot in slots if slot.level > Level.ARMED}


def _latency(forecasts: dict[str, Any]) -> tuple[float, int] | None:
    """As the observer tells it with every market; one process, one figure."""
    for told in forecasts.values():
        figures = told["figures"]
        if (size := int(figures.get("latencies") or 0)) and math.isfinite(figures["latency_us"]):
            return float(figures["latency_us"]), size
    return None
