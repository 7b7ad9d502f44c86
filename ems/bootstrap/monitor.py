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
from ems.bootstrap.health import health
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime, of_group
from ems.bootstrap.tasks import until_first
from ems.bootstrap.watchdog import capital
from ems.health import StatusSocket, ask_socket
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
            every_s=settings.every_s, clear_s=settings.clear_s, wait_s=settings.wait_s,
            unread=UNREAD,
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

    async def look(self) -> list[Finding] | None:
        """What is not well now; None on a host whose desk stands by: the one that leads has a monitor of its own."""
        told, parts = await self._asked()
        if parts["desk"].get("state") == "standing by":
            return None
        await self._day.look(self._log)
        self._book.restate(self._capital())
        return findings(await self._situation(parts, told.get("forecasts", {})), self._settings)

    async def _asked(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """What the observer has told, and the parts as `ems health` tells them."""
        asked = ask_socket(self._runtime.socket("forecasts"), {}, timeout_s=_ASK_S)
        told, parts = await asyncio.gather(asked, health(self._runtime))
        return told if isinstance(told, dict) else {}, parts

    async def _situation(self, parts: dict[str, Any], forecasts: dict[str, Any]) -> Situation:
        settings, now_ns = self._runtime.settings, time.monotonic_ns()
        gateways = {group: parts[of_group("gateway", group)] for group in settings.groups()}
        try:
            end: int | None = (await self._log.head()).seq
        except LogUnavailable:
            end = None
        self._book.caught_up_ns = now_ns
        lags = {"log_lag": self._lag("log", now_ns, end, self._book.seq)}
        if settings.console.enabled:
            lags["view_lag"] = self._lag("view", now_ns, end, parts["api"].get("seq"))
        for group, told in gateways.items():
            ends = told.get("spool_last"), told.get("spool_acknowledged")
            lags[of_group("fix_lag", group)] = self._lag(f"fix {group}", now_ns, *ends)
        markets = () if settings.observer is None else settings.observer.symbols
        return Situation(
            parts=self._waited_for(parts), lags_ns={k: v for k, v in lags.items() if v is not None or self._late},
            sessions=self._sessions(gateways), samples=self._samples(now_ns), triggers=self._triggers(),
            tripped=self._tripped(), markets=markets if forecasts or self._late else (), forecasts=forecasts,
            latency_us=_latency(forecasts),
        )  # fmt: skip

    @property
    def _late(self) -> bool:
        """Has all had the time to start?"""
        return time.monotonic_ns() - self._began_ns > self._settings.wait_s * 1e9

    def _waited_for(self, parts: dict[str, Any]) -> dict[str, Any]:
        """Those that have been well once; after the start all."""
        known = {name: part for name, part in parts.items() if name not in ("up", "red")}
        self._answered |= {name for name, part in known.items() if part["up"]}
        return {name: part for name, part in known.items() if self._late or name in self._answered}

    def _lag(self, name: str, now_ns: int, end: int | None, reached: int | None) -> int | None:
        if end is None or reached is None:
            return None
        return self._lags.setdefault(name, Lag()).see(now_ns, end, reached)

    def _sessions(self, gateways: dict[str, Any]) -> dict[str, bool | None]:
        """Those that a gateway holds up, by its own word; before the start is over, those alone that were up. Whoever has dialled
        us and logged out has gone home, and who is kept down by a person is known to be: neither is missed.
        """
        found: dict[str, bool | None] = {}
        for session in self._runtime.settings.sessions:
            told = gateways[session.group].get("sessions")
            one: dict[str, Any] = next((each for each in told or () if each["name"] == session.name), {})
            up = None if told is None else bool(one.get("up"))
            key = f"session {session.name}"
            self._answered |= {key} if up else set()
            if one.get("stopped") or (session.kind == "acceptor" and one.get("logged_out")):
                self._answered.discard(key)
            elif key in self._answered or (session.kind == "initiator" and self._late):
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
