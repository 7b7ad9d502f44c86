"""The api's process: the log's follower and the console's web server on one loop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop
from fastapi import FastAPI

from adapters.clock import WallClock
from adapters.postgres.accounts import PostgresAccounts
from adapters.postgres.event_log import PostgresEventLog
from domain.account import Accounts
from domain.catalogue import TOPICS
from domain.ports import EventLog
from ems import lifeline
from ems.api.app import make_app
from ems.api.asked_rows import asking
from ems.api.auth import Gate
from ems.api.catalogue import Catalogue
from ems.api.commands import Commands
from ems.api.parts import Facts, Parts
from ems.api.ports import Ports
from ems.api.records import Records
from ems.api.stream import Feed
from ems.api.watch_routes import Watching
from ems.bootstrap import kill
from ems.bootstrap.asked import asking_processes
from ems.bootstrap.build import build_digest
from ems.bootstrap.health import health
from ems.bootstrap.metrics_door import MetricsDoor, token_of
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.tickets import tickets
from ems.health import ask_socket
from ems.voucher import make_key

_log = structlog.get_logger("api")
ASK_S = {"desk": 12.0, "supervisor": 60.0}  # the desk says after ten seconds at most that it does not know


def run(runtime_file: Path) -> int:
    """Serve until SIGTERM; the process's exit status."""
    runtime = Runtime.load(runtime_file)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_serve(runtime))
    return 0


async def _serve(runtime: Runtime) -> None:
    # The server takes signals over while it runs, and sends those it got once more when it has ended.
    signal.signal(signal.SIGTERM, lambda *_: _log.info("stopped"))
    lifeline.watch()
    console = runtime.settings.console
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log, PostgresAccounts(runtime.app_dsn) as accounts:
        config = uvicorn.Config(
            _app(runtime, log, accounts), host=console.host, port=console.port, log_config=None, access_log=False,
            timeout_graceful_shutdown=1, server_header=False, ws_ping_interval=10, ws_ping_timeout=10, ws_max_size=65_536,
            ws_per_message_deflate=False,
        )  # fmt: skip
        await uvicorn.Server(config).serve()


def _app(runtime: Runtime, log: EventLog, accounts: Accounts) -> FastAPI:
    made = parts(runtime, log, accounts)

    def own() -> dict[str, Any]:
        return {"seq": made.feed.models.seq, "following": int(made.feed.following), "browsers": len(made.connections)}

    door = MetricsDoor(runtime, own)
    return make_app(made, Watching(door.text, door.content_type, lambda: health(runtime), token_of(runtime)))


def parts(runtime: Runtime, log: EventLog, accounts: Accounts) -> Parts:
    """All that the server is made of."""
    clock, wall, build = runtime.clock(), WallClock(), build_digest()

    async def ask(name: str, question: dict[str, Any]) -> Any:
        return await ask_socket(runtime.socket(name), question, timeout_s=ASK_S.get(name, 12.0))

    feed = Feed(log, clock, runtime.settings.name)
    records = Records(log, clock, build=build)
    gate = Gate(accounts, records, wall)
    ports = Ports(
        ask, make_key(runtime.voucher_key), log, clock, gate, kill.service(runtime, log), lambda: kill.ask_gateways(runtime),
        len(runtime.settings.groups()), feed.arms, build,
    )  # fmt: skip
    catalogue = Catalogue(table.topic for table in feed.models.tables.values())
    commands = Commands(catalogue, feed, ports)
    feed.asking.update(asking(accounts) | asking_processes(runtime, feed))
    return Parts(feed, gate, ports, catalogue, commands, facts(runtime), tickets(runtime.settings))


def facts(runtime: Runtime) -> Facts:
    """What every screen must know."""
    settings = runtime.settings
    clock: dict[str, Any] = {"kind": settings.clock.kind}
    if settings.clock.kind == "tape" and settings.clock.start is not None:
        start_ns = int(settings.clock.start.timestamp()) * 1_000_000_000
        clock |= {"start_ns": str(start_ns), "origin_ns": str(runtime.tape_origin_ns), "speed": settings.clock.speed}
    hosts = ("*",) if settings.console.host in ("0.0.0.0", "::") else ("127.0.0.1", "localhost", settings.console.host)  # noqa: S104
    return Facts(settings.mode, settings.name, clock, hosts, build_digest())
