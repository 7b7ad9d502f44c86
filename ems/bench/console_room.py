"""Where the console's bench takes place: a Postgres and the api's own process, or the whole system, and somebody signed in."""

from __future__ import annotations

import asyncio
import contextlib
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import psutil
import psycopg

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.errors import ConfigError, EmsError
from ems.api.bundle import BUNDLE
from ems.bootstrap import kill, people
from ems.bootstrap.database import close_database, open_database
from ems.bootstrap.runtime import Runtime
from ems.bootstrap.system import children
from ems.config import Settings, check
from ems.loopback import free_ports
from ems.supervisor import Supervisor
from ems.voucher import make_key

USER: Final = "bench"
PASSWORD: Final = "a bench that paints"  # noqa: S105 (of an account that lives as long as the bench)


class Room:
    """A console that runs."""

    def __init__(self, runtime: Runtime, supervisor: Supervisor) -> None:
        self.runtime = runtime
        self._supervisor = supervisor

    @property
    def url(self) -> str:
        """The page's address."""
        console = self.runtime.settings.console
        return f"http://{console.host}:{console.port}"

    def log(self) -> PostgresEventLog:
        """The log, to write and read."""
        return PostgresEventLog(self.runtime.app_dsn, TOPICS, WallClock())

    def server(self) -> psutil.Process:
        """The api's process."""
        return psutil.Process(self._supervisor.pids()["api"])

    def cpu_s(self) -> tuple[float, float, float]:
        """Processor seconds so far of the api, of the browser whole, and of Postgres whole."""
        browser = [process for process in psutil.Process().children(recursive=True) if "chrom" in process.name()]
        return _used_s([self.server()]), _used_s(browser), _used_s(self._postgres())

    def _postgres(self) -> list[psutil.Process]:
        with psycopg.connect(self.runtime.app_dsn) as connection:
            postmaster = psutil.Process(connection.info.backend_pid).parent()  # the backend ends with the connection
        return [] if postmaster is None else [postmaster, *postmaster.children(recursive=True)]

    async def sign_in(self, context: Any) -> None:
        """Sign a browser's context in; the first one makes the account, by the link that the first start printed."""
        who = {"user": USER, "password": PASSWORD}
        answer = await context.request.post("/api/session", data=who)
        if not answer.ok:
            answer = await context.request.post("/api/session/invite", data={**who, "invite": people.invite_of(self.runtime)})
        if not answer.ok:
            raise EmsError(f"the console lets nobody in: {answer.status} {await answer.text()}")


def _used_s(processes: Sequence[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):  # a renderer that has ended: what it used no longer counts
            times = process.cpu_times()
            total += times.user + times.system
    return total


@asynccontextmanager
async def room() -> AsyncIterator[Room]:
    """A log and the api, and nothing that trades. Raises ConfigError where the page was never built."""
    if not (BUNDLE / "index.html").is_file():
        raise ConfigError("the console's page is not built: make setup builds it where Node.js is installed")
    with tempfile.TemporaryDirectory(prefix="ems-bench-console-") as directory:
        runtime = Runtime(settings=_settings(Path(directory)))
        try:
            runtime = await asyncio.to_thread(open_database, runtime)
            await kill.prepare(runtime, exists=False)
            make_key(runtime.voucher_key)
            await people.prepare(runtime)
            kept = [child for child in children(runtime) if child.name in ("postgres", "api")]
            supervisor = Supervisor(kept, log_directory=runtime.logs)
            try:
                await supervisor.start()
                yield Room(runtime, supervisor)
            finally:
                await supervisor.stop()
        finally:
            await asyncio.to_thread(close_database, runtime)


def _settings(state: Path) -> Settings:
    values: dict[str, Any] = {"name": "bench", "state_directory": str(state), "console": {"port": free_ports(1)[0]}}
    return check(values, name="the bench's settings")
