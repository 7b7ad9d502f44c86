"""`ems soak`: the end of a trading day at a multiple of its load through the whole system, and whether anything creeps.

Gateway, desk, planners, sealer, watchdog, console server and an embedded Postgres run as `ems up` runs them, against a simulated
venue behind real FIX; orders come over real FIX at a steady pace. Memory of each process and every lag are read each second.
Then the load stops, what works ends, and the log is judged against the venue's ledger, the client and its own hash chain.

Load 1 is ORDERS_A_DAY parent orders in the 390 minutes of a session, and the market's clock runs SPEED times as fast as the wall,
so that 60 minutes are the whole session, but for what the start takes. A shorter run is the end of one.
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any, Final, NamedTuple

from adapters.fix.sessions import SessionConfig
from domain.errors import ProcessFailed
from domain.ports import EventLog
from ems.bench import soak_judge, soak_watch
from ems.bench.soak_load import LoadClient, Market, Pacer
from ems.bench.soak_watch import Series, Watched
from ems.bootstrap.demo import open_log, sample_data
from ems.bootstrap.system import System, started
from ems.chart import Line, Panel, page
from ems.cli.demo_settings import CLIENT, PRICES, VENUE
from ems.config import Settings, check
from ems.loopback import free_ports

ORDERS_A_DAY: Final = 720  # of load 1
SPEED: Final = 6.5
SESSION_S: Final = 23_400
START_S: Final = 60.0  # of the wall: while the processes start, the market's clock runs
BEFORE_CLOSE_S: Final = 5.0  # of the wall: an order later than that would be refused
SYMBOLS: Final = ("AMZN", "IBM", "MSFT", "SPY")
FLAT: Final = 0.05
WARM_UP: Final = 0.25  # of the run, at most WARM_UP_MAX_S: what is loaded, cached and compiled by then is no leak
WARM_UP_MAX_S: Final = 300.0
READY_S: Final = 90.0
ENDS_S: Final = 90.0  # by when all orders have ended once they were told to
COLOURS: Final = ("#2f6fde", "#d9552b", "#2a9d6f", "#8a94a0", "#8e44ad", "#c0a000", "#16a085", "#7f1d1d", "#475569", "#be185d")

Progress = Callable[[str], None]


class Plan(NamedTuple):
    """What to run. judged: is a run this long enough to call memory flat? A short one only shows its growth."""

    minutes: float
    load: float
    seed: int = 7
    judged: bool = True

    @property
    def orders_per_s(self) -> float:
        """Of the wall."""
        return self.load * ORDERS_A_DAY / SESSION_S * SPEED


def main(plan: Plan, *, json_output: bool, out: Path | None) -> int:
    """Run it and print it; the exit code: 0 when all holds. out: a directory for figures.json and soak.html."""
    with tempfile.TemporaryDirectory(prefix="ems-soak-") as home:
        figures, watched = asyncio.run(run(Path(home), plan, progress))
    if out is not None:
        out.mkdir(parents=True, exist_ok=True)
        (out / "figures.json").write_text(json.dumps(figures, indent=1), "utf-8")
        (out / "soak.html").write_text(picture(figures, watched), "utf-8")
    if json_output:
        sys.stdout.write(json.dumps(figures) + "\n")
    else:
        sys.stdout.write("".join(f"{line}\n" for line in shown(figures)))
    return 1 if figures["failed"] else 0


def progress(line: str) -> None:
    """A line on the screen, apart from the figures."""
    sys.stderr.write(line + "\n")
    sys.stderr.flush()


async def run(home: Path, plan: Plan, tell: Progress) -> tuple[dict[str, Any], Watched]:
    """The figures and what they are of. Raises ProcessFailed where the system does not come up."""
    settings = settings_of(home / "state", plan)
    watched = Watched()
    async with started(settings) as system:
        await _ready(system)
        session = next(one for one in settings.sessions if one.name == CLIENT)
        own = SessionConfig(
            name="EMS", role="client", kind="initiator", sender_comp_id=CLIENT, target_comp_id="EMS", port=session.port
        )
        client = LoadClient(home / "client", own, tuple(Market(one, PRICES[one]) for one in SYMBOLS), seed=plan.seed)
        await asyncio.to_thread(client.start)
        try:
            async with open_log(system.runtime) as log:
                pacer = Pacer(client, plan.orders_per_s)
                await _loaded(system, log, client, pacer, watched, plan, tell)
                await _ended(system, client, tell)
                tell("judging the log")
                return await _figures(system, log, client, pacer, watched, plan), watched
        finally:
            await asyncio.to_thread(client.stop)


async def _loaded(
    system: System, log: EventLog, client: LoadClient, pacer: Pacer, watched: Watched, plan: Plan, tell: Progress
) -> None:
    """Load until the time is over, with a look each second and a line each ten."""
    began_s, lasts_s = time.monotonic(), min(plan.minutes * 60, _open_s(system))
    pacer.start()
    try:
        while (at_s := time.monotonic() - began_s) < lasts_s:
            now = await soak_watch.look(system, log, watched, at_s)
            if taken := client.taken_ms():
                watched.lag("log_ms", at_s, soak_watch.percentile(taken, 0.5))
            if len(watched.events.values) % 10 == 1:
                memory = sum(series.values[-1] for series in watched.memory_mb.values())
                tell(
                    f"{at_s:6.0f} of {lasts_s:.0f} s: {client.sent['orders']} orders, {now['working']} work, event {now['seq']}, "
                    f"{memory:.0f} MB, {', '.join(f'{name} {lag.values[-1]:g}' for name, lag in watched.lags.items())}"
                )
            await asyncio.sleep(max(0.0, began_s + len(watched.events.values) - time.monotonic()))
    finally:
        await asyncio.to_thread(pacer.stop)


def _open_s(system: System) -> float:
    """How much longer, in seconds of the wall, orders may come."""
    now_ns = system.runtime.clock().now_ns()
    closes_ns = _closes_ns()
    return (closes_ns - now_ns) / 1e9 / SPEED - BEFORE_CLOSE_S


async def _ended(system: System, client: LoadClient, tell: Progress) -> None:
    """Cancel what works, and wait for the desk to have none and for views and seals to have all."""
    tell("the load is over; what works is canceled")
    until_s = time.monotonic() + ENDS_S
    for attempt in count():  # again, for what was replaced while its cancel was on the way
        await asyncio.to_thread(client.cancel_all, attempt)
        await asyncio.sleep(1.0 + attempt)
        if not (await system.desk_status()).get("working") or time.monotonic() > until_s:
            break
    await asyncio.sleep(2.0)  # a seal each second


async def _figures(
    system: System, log: EventLog, client: LoadClient, pacer: Pacer, watched: Watched, plan: Plan
) -> dict[str, Any]:
    told = await soak_judge.read(log)
    warm_s = min(plan.minutes * 60 * WARM_UP, WARM_UP_MAX_S)
    watched.lags["plan_s"] = Series([float(i) for i in range(len(told.plan_ages_s))], told.plan_ages_s)
    memory = {name: _memory(series.after(warm_s)) for name, series in watched.memory_mb.items()}
    lags = {name: _lag(name, series) for name, series in watched.lags.items()}
    failed = [*soak_judge.broken(told, system.runtime, client), *await soak_judge.unproved(system.runtime)]
    failed += [f"{name} grows: {lag['first']} at first, {lag['last']} at the end" for name, lag in lags.items() if lag["grows"]]
    crept = [f"{name} grew by {one['growth_pct']} %" for name, one in memory.items() if one["growth_pct"] > FLAT * 100]
    failed += crept if plan.judged else []
    if restarted := {name: count for name, count in system.supervisor.restarts().items() if count}:
        failed.append(f"processes were started again: {restarted}")
    disk = soak_judge.stored(system.runtime)
    seconds = watched.events.at_s[-1] + 1 if watched.events.at_s else 1.0
    return {
        "minutes": plan.minutes, "loaded_s": round(seconds, 1), "load": plan.load,
        "orders_per_s": round(plan.orders_per_s, 3), "sent": dict(client.sent),
        "executions": len(told.executions), "events": told.events, "events_per_s": round(told.events / seconds, 1),
        "behind_s": round(pacer.late_s, 3), "memory": memory, "memory_judged": plan.judged, "lags": lags,
        "bytes_per_event": disk["bytes_per_event"], "wal_bytes_per_event": round(disk["wal_bytes"] / max(1, told.events)),
        "gb_per_day": round(disk["bytes"] / seconds * 3600 / 1e9, 3), "topics": disk["topics"], "failed": failed,
    }  # fmt: skip


def _memory(series: Series) -> dict[str, float]:
    values = series.values or [0.0]
    return {
        "first_mb": round(values[0], 1), "last_mb": round(values[-1], 1), "max_mb": round(max(values), 1),
        "growth_pct": round(100 * soak_watch.growth(series), 2),
        "mb_per_hour": round(3600 * soak_watch.slope(series), 2),
    }  # fmt: skip


def _lag(name: str, series: Series) -> dict[str, Any]:
    third = max(1, len(series.values) // 3)
    first, last = (soak_watch.percentile(part, 0.5) for part in (series.values[:third], series.values[-third:]))
    high = soak_watch.percentile(series.values, 0.99)
    return {"first": round(first, 3), "last": round(last, 3), "p99": round(high, 3), "grows": soak_watch.grows(name, series)}


# -------------------------------------------------------------------------------------------------- the system


def settings_of(state: Path, plan: Plan) -> Settings:
    """The system of a run: the last `minutes` of a session of the sample's calendar."""
    client_port, venue_port, console_port = free_ports(3)
    closes = datetime.fromtimestamp(_closes_ns() // 1_000_000_000, UTC)
    start = closes - timedelta(seconds=min(SESSION_S, (plan.minutes * 60 + START_S) * SPEED))
    own = {"port": venue_port, "kind": "initiator", "target_comp_id": VENUE}
    values: dict[str, Any] = {
        "mode": "PAPER", "name": "soak", "state_directory": str(state),
        "clock": {"kind": "tape", "start": start, "speed": SPEED},
        "sessions": [
            {"name": CLIENT, "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": CLIENT,
             "port": client_port},
            {"name": VENUE, "role": "venue", "sender_comp_id": "EMS", **own},
            {"name": f"{VENUE}-MD", "role": "marketdata", "sender_comp_id": "EMS-MD", "symbols": SYMBOLS, **own},
        ],
        "routes": {"*": VENUE},
        "venue": {"comp_id": VENUE, "port": venue_port, "symbols": SYMBOLS, "seed": plan.seed,
                  "prices": {one: PRICES[one] for one in SYMBOLS}},
        "console": {"port": console_port},
    }  # fmt: skip
    return check(values, name="the soak's settings", folder=state)


def _closes_ns() -> int:
    """The close of a full day of the sample's calendar, whatever day of the year it is."""
    calendar = sample_data().calendar_of(SYMBOLS[0])
    day = calendar.last_date - timedelta(days=7)
    while not calendar.is_trading_day(day) or calendar.is_half_day(day):
        day -= timedelta(days=1)
    return calendar.open_close_ns(day)[1]


async def _ready(system: System) -> None:
    """Until the desk leads, the venue is up and every market is known. Raises ProcessFailed."""
    until_s = time.monotonic() + READY_S
    while time.monotonic() < until_s:
        status = await system.desk_status()
        if status.get("state") == "leading" and VENUE in status["sessions_up"] and set(SYMBOLS) <= set(status["markets"]):
            return
        await asyncio.sleep(0.1)
    raise ProcessFailed(f"the system was not ready within {READY_S:.0f} s")


# --------------------------------------------------------------------------------------------------- shown


def shown(figures: dict[str, Any]) -> list[str]:
    """The figures for people."""
    sent = ", ".join(f"{count} {what}" for what, count in figures["sent"].items())
    lines = [f"{figures['minutes']:g} minutes at load {figures['load']:g}: {sent}; {figures['executions']} executions"]
    lines.append(f"{figures['events']} events, {figures['events_per_s']} a second, {figures['bytes_per_event']} bytes each")
    lines += [
        f"memory {name:<12} {one['first_mb']:>8} to {one['last_mb']:>8} MB, growth {one['growth_pct']:>6} %"
        for name, one in figures["memory"].items()
    ]
    lines += [
        f"lag    {name:<12} {one['first']:>8} to {one['last']:>8}, p99 {one['p99']}" for name, one in figures["lags"].items()
    ]
    if not figures["memory_judged"]:
        lines.append("memory is not judged: the run is too short to tell growth from a start")
    return lines + ([f"FAILED {what}" for what in figures["failed"]] or ["all holds"])


def picture(figures: dict[str, Any], watched: Watched) -> str:
    """A page that stands by itself: memory of each process, and the lags, over the run."""
    minutes = figures["minutes"]
    labels = [f"{minutes * i / 4:g} min" for i in range(5)]
    lines = [Line(name, COLOURS[i % len(COLOURS)], one.values) for i, (name, one) in enumerate(watched.memory_mb.items())]
    panels = [Panel("memory of each process, MB", 320, lines, labels=labels)]
    panels += [
        Panel(name, 120, [Line(name, COLOURS[i % len(COLOURS)], one.values)], labels=() if name == "plan_s" else labels)
        for i, (name, one) in enumerate(watched.lags.items())
        if one.values
    ]
    verdict = "; ".join(figures["failed"]) or "all holds"
    return page(f"ems soak: {minutes:g} minutes at load {figures['load']:g}", verdict, panels)
