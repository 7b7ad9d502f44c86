"""What `ems soak` measures while it runs: memory of each process and every lag, once a second; and whether they are flat."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psutil

from domain.ports import EventLog
from ems.bootstrap.system import System
from ems.health import ask_http, ask_socket

MB: Final = 1 << 20
PAIRS_MAX: Final = 200  # moments of a series that a slope is made of
LAG_FLOORS: Final[Mapping[str, float]] = {
    "log_ms": 50.0, "view_events": 500.0, "seal_events": 500.0, "spool_frames": 200.0, "plan_s": 2.0,
}  # fmt: skip  # below these a lag is noise: it cannot be called growing


@dataclass(slots=True)
class Series:
    """Values over seconds since the start."""

    at_s: list[float] = field(default_factory=list)
    values: list[float] = field(default_factory=list)

    def add(self, at_s: float, value: float) -> None:
        """One more."""
        self.at_s.append(at_s)
        self.values.append(value)

    def after(self, from_s: float) -> Series:
        """What is later."""
        kept = [(at, value) for at, value in zip(self.at_s, self.values, strict=True) if at >= from_s]
        return Series([at for at, _ in kept], [value for _, value in kept])


@dataclass(slots=True)
class Watched:
    """Every series by name: MB of a process, and lags by their unit."""

    memory_mb: dict[str, Series] = field(default_factory=dict)
    lags: dict[str, Series] = field(default_factory=dict)
    events: Series = field(default_factory=Series)

    def lag(self, name: str, at_s: float, value: float) -> None:
        """One reading of a lag."""
        self.lags.setdefault(name, Series()).add(at_s, value)


def slope(series: Series) -> float:
    """The median of all slopes between two moments (Theil 1950, Sen 1968): a third of the moments may be anything.

    Returns:
        The series' unit per second; 0 with fewer than two moments. At most PAIRS_MAX moments, evenly taken, are looked at.
    """
    step = max(1, len(series.values) // PAIRS_MAX)
    at, values = series.at_s[::step], series.values[::step]
    rates = [(values[j] - values[i]) / (at[j] - at[i]) for i in range(len(at)) for j in range(i + 1, len(at)) if at[j] > at[i]]
    return statistics.median(rates) if rates else 0.0


def growth(series: Series) -> float:
    """By which part of its median a series grows from its first moment to its last, by its robust slope."""
    if len(series.values) < 2:
        return 0.0
    return slope(series) * (series.at_s[-1] - series.at_s[0]) / max(statistics.median(series.values), 1e-9)


def grows(name: str, series: Series) -> bool:
    """Is a lag worse at the end than at the beginning: its last third's median above twice its first third's and a floor?"""
    third = len(series.values) // 3
    if not third:
        return False
    first, last = statistics.median(series.values[:third]), statistics.median(series.values[-third:])
    return last > max(2 * first, LAG_FLOORS[name])


# -------------------------------------------------------------------------------------------------- processes


def memory_mb(system: System) -> dict[str, float]:
    """Of each process with its children, by the supervisor's name. Postgres': without shared buffers, which every backend
    counts again as it first touches them.
    """
    found = {}
    for name, pid in system.supervisor.pids().items():
        processes = _family(pid)
        found[name] = sum(_mb(process, shared=True) for process in processes)
    if (embedded := system.runtime.embedded) is not None:
        from adapters.postgres.embedded import EmbeddedPostgres

        found["postgres"] = sum(_mb(process, shared=False) for process in EmbeddedPostgres(embedded).processes())
    return found


def _family(pid: int) -> list[psutil.Process]:
    try:
        parent = psutil.Process(pid)
        return [parent, *parent.children(recursive=True)]
    except psutil.NoSuchProcess:
        return []


def _mb(process: psutil.Process, *, shared: bool) -> float:
    try:
        told = process.memory_info()
    except psutil.NoSuchProcess:
        return 0.0
    return float(told.rss - (0 if shared else told.shared)) / MB


# ------------------------------------------------------------------------------------------------------- lags


async def look(system: System, log: EventLog, watched: Watched, at_s: float) -> dict[str, Any]:
    """One look at everything; the readings of now."""
    runtime, console = system.runtime, system.runtime.settings.console
    for name, mb in memory_mb(system).items():
        watched.memory_mb.setdefault(name, Series()).add(at_s, mb)
    sealer = await ask_socket(runtime.socket("sealer"), {}) or {}
    gateway = await ask_socket(runtime.socket("gateway-control"), {"command": "health"}) or {}
    api = await ask_http(console.host, console.port) or {}
    desk = await system.desk_status()
    seq = (await log.head()).seq  # last, so that no reading can be ahead of it
    watched.events.add(at_s, seq)
    if "sealed" in sealer:
        watched.lag("seal_events", at_s, seq - sealer["sealed"])
    if "seq" in api:
        watched.lag("view_events", at_s, seq - api["seq"])
    if "spool_last" in gateway:
        watched.lag("spool_frames", at_s, gateway["spool_last"] - gateway["spool_acknowledged"])
    return {"seq": seq, "working": desk.get("working", 0), "state": desk.get("state", "")}


def percentile(values: Sequence[float], share: float) -> float:
    """A share of 0 to 1 of the values lies at or below it; 0 where there are none."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))] if ordered else 0.0
