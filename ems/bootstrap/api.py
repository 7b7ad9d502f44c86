"""The api's process: the log's follower and the console's web server on one loop."""

from __future__ import annotations

import asyncio
import signal
from pathlib import Path
from typing import Any

import structlog
import uvicorn
import uvloop

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from ems import lifeline
from ems.api.app import Facts, make_app
from ems.api.auth import Access, make_token
from ems.api.stream import Feed
from ems.bootstrap.runtime import Runtime

_log = structlog.get_logger("api")


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
    async with PostgresEventLog(runtime.app_dsn, TOPICS, WallClock()) as log:
        app = make_app(Feed(log), Access(make_token(runtime.token_file)), facts(runtime))
        config = uvicorn.Config(
            app, host=console.host, port=console.port, log_config=None, access_log=False, timeout_graceful_shutdown=1,
            server_header=False, ws_ping_interval=10, ws_ping_timeout=10,
        )  # fmt: skip
        await uvicorn.Server(config).serve()


def facts(runtime: Runtime) -> Facts:
    """What every screen must know."""
    settings = runtime.settings
    clock: dict[str, Any] = {"kind": settings.clock.kind}
    if settings.clock.kind == "tape" and settings.clock.start is not None:
        start_ns = int(settings.clock.start.timestamp()) * 1_000_000_000
        clock |= {"start_ns": str(start_ns), "origin_ns": str(runtime.tape_origin_ns), "speed": settings.clock.speed}
    hosts = ("*",) if settings.console.host in ("0.0.0.0", "::") else ("127.0.0.1", "localhost", settings.console.host)  # noqa: S104
    return Facts(settings.mode, settings.name, clock, hosts)
