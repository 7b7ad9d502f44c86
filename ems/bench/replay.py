"""`ems bench replay`: how fast the log becomes state again, that it is the same state, and how long a restart takes."""

from __future__ import annotations

import asyncio
import gc
import multiprocessing
import resource
import sys
import tempfile
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import structlog

from adapters.clock import WallClock
from adapters.memory.latch import MemoryLatch
from adapters.postgres.audit_rows import PostgresRows
from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from adapters.sandbox import deny_network
from domain import child_order as co
from domain import parent_order as po
from domain.basket import BasketRequest
from domain.catalogue import TOPICS
from domain.schedule import PlanRequest
from domain.sending import Outbound
from ems import recovery
from ems.audit.folding import Wanted
from ems.audit.replay import Replayed, replay
from ems.bench.made_day import CLIENT, TRADE_DATE, VENUE, MadeDay, events_of_working, events_per_parent
from ems.bench.output import emit
from ems.bootstrap import sample_reference
from ems.bootstrap.audit_source import Place
from ems.bootstrap.explain import explained
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.desk_state import DeskState
from ems.pace import Pace

EVENTS, WORKING = 1_000_000, 10_000


def run(*, events: int = EVENTS, working: int = WORKING) -> dict[str, Any]:
    """Make a day of events in a Postgres of its own, fold it in a fresh process, and restart a desk on it."""
    with tempfile.TemporaryDirectory(prefix="ems-bench-replay-") as directory:
        server = EmbeddedPostgres(Path(directory))
        try:
            migrate(server.start())
            live_digest, made = _in_fresh_process(partial(_made, events, working), server.app_dsn)
            folded = _in_fresh_process(_fold, server.app_dsn)
            proved = asyncio.run(_verified(server.app_dsn))
            explain_ms = _in_fresh_process(_explain, server.app_dsn)
            restart_s = _in_fresh_process(_restart, server.app_dsn)
        finally:
            server.stop()
    return {
        "events": made,
        "events_per_s": round(made / folded["seconds"]),
        "verify_per_s": round(made / proved.seconds),
        "verify_ratio": round(folded["seconds"] / proved.seconds, 3),
        "rss_mb": round(folded["rss_mb"]),
        "verify_rss_mb": round(_rss_mb()),
        "orders": proved.parents + proved.children,
        "digest_equal": int(
            {folded["digest"], proved.digests[-1][1]} == {live_digest} and folded["events"] == made == proved.seq
        ),
        "merkle_root": proved.root,
        "network": proved.network,
        **explain_ms,
        "restart_s": round(restart_s, 2),
        "working_orders": working,
    }


def main(json_output: bool, events: int = EVENTS) -> int:
    """Run, print, and fail where the replayed state differs from the live one."""
    figures = run(events=events)
    emit(figures, json_output)
    return 0 if figures["digest_equal"] else 1


def _made(events: int, working: int, dsn: str) -> tuple[str, int]:
    return asyncio.run(_make(dsn, events, working))


async def _make(dsn: str, events: int, working: int) -> tuple[str, int]:
    """Append the day; returns the live state's digest and how many events there are."""
    state = DeskState()
    day = MadeDay(finished=-(-max(0, events - working * events_of_working()) // events_per_parent()), working=working)
    async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
        epoch = await log.take_lead("bench")
        for turn in day.turns(state):
            await log.append(turn.entries, epoch=epoch)
    return state.digest(), state.seq


def _fold(dsn: str) -> dict[str, Any]:
    async def fold() -> dict[str, Any]:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            began = time.perf_counter()
            state = await recovery.fold(log)
            seconds = time.perf_counter() - began
            return {"seconds": seconds, "rss_mb": _rss_mb(), "events": state.seq, "digest": state.digest()}

    return asyncio.run(fold())


async def _verified(dsn: str) -> Replayed:
    """Chain, Merkle root and fold in one pass: pages are hashed here and folded by a process without network."""
    async with PostgresRows(dsn) as rows:
        return await replay(rows, (await rows.head()).seq, Wanted(), deny_network)


def _explain(dsn: str) -> dict[str, float]:
    """How long the first answer about an order takes, by what it is asked for: milliseconds, of the slowest id of each kind."""
    parent = po.key(CLIENT, TRADE_DATE, f"ORD{1:08d}")
    by_key = [f"ORD{1:08d}", po.order_id(parent), co.cl_ord_id(co.key(parent, 1)), "X1-1-0", parent]
    place = Place(Path("ems.toml"), dsn=dsn)

    def took(asked: str) -> float:
        return round(asyncio.run(explained(place, asked, "", "bench")).took_ms, 1)

    return {"explain_ms": max(took(asked) for asked in by_key), "explain_search_ms": took("V1-1")}


def _restart(dsn: str) -> float:
    """From a bare process to a desk that leads, knows every order and has asked about each that works."""

    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))  # standard output is the figures'

    async def restart() -> float:
        began = time.perf_counter()
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            ports = DeskPorts(log, _NoGateway(), _NoPlanners(), sample_reference(), WallClock(), latch=MemoryLatch())
            desk = Desk(ports, name="bench", build="bench", venue_sessions=frozenset({VENUE}), pace=Pace())
            await desk.start()
            gc.collect()
            return time.perf_counter() - began

    return asyncio.run(restart())


class _NoGateway:
    """A link that is down, as it is when a desk starts: what is sent is dropped."""

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        """Dropped: recovery sends it when the link is up."""

    def acknowledge(self, frame_number: int) -> None:
        """Nothing was received."""

    def reset(self) -> None:
        """It is down already."""


class _NoPlanners:
    """A pool that is never asked for an answer: a restart is over before one would come."""

    def request(self, request: PlanRequest | BasketRequest) -> None:
        """Dropped: the scheduler asks again."""


def _in_fresh_process(work: Any, dsn: str) -> Any:
    """Run in a new interpreter, so that time and memory are its own."""
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        return pool.apply(work, (dsn,))


def _rss_mb() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024 * 1024 if sys.platform == "darwin" else 1024)
