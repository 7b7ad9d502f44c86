"""How soon an order's New comes back over real FIX while 200 orders work, a fill a second each, and are planned anew.

The whole system runs: gateway, desk, embedded Postgres, planner pool, observer, a simulated market to observe, and for the
orders a venue that executes a share a second of each (`ems.bench.fix_peer`). 200 adaptive orders of ten minutes have a child out
at it all the time. When all have one, single orders that are not due today are sent beside them, and their New is clocked. What
was planned and filled meanwhile is read from the log.
"""

from __future__ import annotations

import asyncio
import queue
import tempfile
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np

from adapters.fix.sessions import SessionConfig
from domain import decision, fill
from domain.errors import InvariantBroken
from ems.bench.fix import arrivals_of, peer, ready
from ems.bench.fix_client import SOH, Client
from ems.bootstrap.demo import open_log, sample_data
from ems.bootstrap.system import System, started
from ems.cli.demo_settings import CLIENT, DemoOptions, demo_settings
from ems.config import Settings, check
from ems.loopback import free_ports

LIVE: Final = 200
LASTS_S: Final = 600
WORKED_MAX_S: Final = 120.0  # until all orders have a child out
PROBES_A_S: Final = 20
PROBED_S: Final = 60
SYMBOL: Final = "AMZN"


def run() -> dict[str, Any]:
    """The figures. Raises InvariantBroken where what was to be measured beside did not happen."""
    with tempfile.TemporaryDirectory(prefix="ems-bench-plan-") as home:
        return asyncio.run(_measure(Path(home)))


async def _measure(home: Path) -> dict[str, Any]:
    (port,) = free_ports(1)
    with peer("drip", port, home) as venue:
        settings = live_settings(home / "state", port)
        arrivals = arrivals_of(venue)
        async with started(settings) as system:
            await ready(system, SYMBOL)
            client = Client(home / "client", live_session(settings))
            await asyncio.to_thread(client.start)
            try:
                took, span = await asyncio.to_thread(_clocked, client, arrivals, settings)
                told = await _told(system, span)
            finally:
                await asyncio.to_thread(client.stop)
    ordered = sorted(took)
    return {
        "fix_ack_p50_ms": round(ordered[len(ordered) // 2] / 1e6, 3),
        "fix_ack_p99_ms": round(ordered[len(ordered) * 99 // 100] / 1e6, 3),
        "fix_acks": len(ordered),
        **told,
    }


def _clocked(client: Client, arrivals: queue.SimpleQueue[int], settings: Settings) -> tuple[list[int], tuple[int, int]]:
    """Round trips in nanoseconds, and from when to when by the wall. Raises queue.Empty where orders are not worked."""
    start = settings.clock.start
    assert start is not None
    later = (start + timedelta(hours=3), start + timedelta(hours=4))
    probe = live_order("1001", 1, StartTime=f"{later[0]:%Y%m%d-%H:%M:%S}", EndTime=f"{later[1]:%Y%m%d-%H:%M:%S}")
    live = live_order("1003", LASTS_S, DurationMinutes=f"{LASTS_S / 60:g}")
    for number in range(PROBES_A_S):
        client.round_trip_ns(f"W{number}", probe)
    client.pipelined_per_s([f"L{i}" for i in range(LIVE)], live)
    for _ in range(LIVE):
        arrivals.get(timeout=WORKED_MAX_S)
    took: list[int] = []
    began_ns, until_s = time.time_ns(), time.monotonic() + PROBED_S
    while time.monotonic() < until_s:
        took.append(client.round_trip_ns(f"P{len(took)}", probe))
        time.sleep(1.0 / PROBES_A_S)
    return took, (began_ns, time.time_ns())


async def _told(system: System, span: tuple[int, int]) -> dict[str, Any]:
    """What happened meanwhile, by the log's own time."""
    begin_ns, end_ns = span
    fills, ages, fallen = 0, [], 0
    async for page in open_log(system.runtime).read_pages():
        for each in page:
            if not begin_ns <= each.recorded_time_ns < end_ns:
                continue
            fills += isinstance(each.event, fill.Recorded)
            if isinstance(each.event, decision.Planned) and each.event.request.algo == "adaptive":
                ages.append((each.meta.event_time_ns - each.event.request.now_ns) / 1e9)
                fallen += bool(each.event.schedule.fallback)
    seconds = (end_ns - begin_ns) / 1e9
    if not ages or not fills:
        raise InvariantBroken(f"{len(ages)} plans and {fills} fills while acknowledgements were clocked: nothing was measured")
    return {
        "live_orders": LIVE,
        "live_fills_per_order_s": round(fills / seconds / LIVE, 3),
        "live_plans_per_s": round(len(ages) / seconds, 1),
        "live_plan_p99_s": round(float(np.quantile(ages, 0.99)), 3),
        "live_fallback_share": round(fallen / len(ages), 4),
    }


def live_settings(state: Path, venue_port: int) -> Settings:
    """A demo's, whose orders go to another venue than the market that is observed, and wait there as long as they like."""
    options = DemoOptions(
        headless=True, tape=None, symbol=SYMBOL, side="buy", quantity=1, algo="adaptive", minutes=1.0, speed=1.0, seed=7,
        json_output=True, keep=None,
    )  # fmt: skip
    day = sample_data().calendar_of(SYMBOL).last_date - timedelta(days=7)
    values = demo_settings(options, state, sample_data(), today=day, tape_open=None).model_dump(mode="json")
    own = {"name": "PEER", "role": "venue", "kind": "initiator", "sender_comp_id": "EMS", "target_comp_id": "PEER"}
    values |= {"console": {"enabled": False}, "routes": {"*": "PEER"}}
    values["sessions"] = [*values["sessions"], {**own, "port": venue_port}]
    values["pace"] = {**values["pace"], "patience_s": LASTS_S, "placement": "aggressive"}
    return check(values, name="the bench's settings", folder=state)


def live_session(settings: Settings) -> SessionConfig:
    port = next(session.port for session in settings.sessions if session.name == CLIENT)
    return SessionConfig(name="EMS", role="client", kind="initiator", sender_comp_id=CLIENT, target_comp_id="EMS", port=port)


def live_order(strategy: str, quantity: int, **parameters: str) -> str:
    """A limit order far above the market, without its id."""
    group = "".join(f"958={name}{SOH}959=14{SOH}960={value}{SOH}" for name, value in parameters.items())
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H:%M:%S")
    body = f"55={SYMBOL}|54=1|38={quantity}|40=2|44=400|59=0|60={stamp}|847={strategy}|957={len(parameters)}|"
    return body.replace("|", SOH) + group
