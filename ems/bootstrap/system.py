"""The whole system of one machine: from a configuration to running processes, and whether they are well."""

from __future__ import annotations

import asyncio
import contextlib
import importlib
import shutil
import sys
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

from adapters.postgres.embedded import EmbeddedPostgres
from domain.errors import LogUnavailable
from ems.bootstrap import kill, models, people
from ems.bootstrap.brokers import brokers
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import close_database, open_database
from ems.bootstrap.day import with_loaded_files
from ems.bootstrap.flight import dumping
from ems.bootstrap.health import database_answers
from ems.bootstrap.profiles import profiles
from ems.bootstrap.runtime import Runtime, of_group, socket_directory
from ems.children import Ask, Child, run_once
from ems.config import Settings
from ems.health import ask_http, ask_socket
from ems.health_parts import TURNED_MS_MAX
from ems.nursery import Nursery
from ems.preflight import check_ports, state_lock
from ems.supervisor import Supervisor
from ems.voucher import make_key

WALLED: Final = "runtime-quoter.json"
FORKED: Final = {
    "prepare": "venue", "postgres": "database", "venue": "venue", "gateway": "gateway", "watchdog": "watchdog",
    "sealer": "sealing", "desk": "desk", "audit_watch": "audit_watch", "monitor": "monitor", "tracer": "tracer", "api": "api",
}  # fmt: skip
"""Processes that a nursery forks, and their modules. Not the quoter and its journal: the wall is around what they load, too."""
NOT_BEGUN_NS: Final = 2**62  # before the tape begins to be played its clock stands at its start
COUNTDOWN_NS: Final = 2_000_000_000  # the tape clock stands at its start for so long while the processes start


class System:
    """A running system, as `started` yields it."""

    def __init__(self, runtime: Runtime, supervisor: Supervisor) -> None:
        self.runtime = runtime
        self.supervisor = supervisor

    @property
    def console_url(self) -> str:
        """The page's address; before anybody has an account, with the link's secret that makes the first."""
        console, invite = self.runtime.settings.console, people.invite_of(self.runtime)
        return f"http://{console.host}:{console.port}/" + (f"?invite={invite}#" if invite else "")

    async def desk_status(self) -> dict[str, Any]:
        """The desk's own words, empty while it does not answer."""
        return await ask_socket(self.runtime.socket("desk"), {}) or {}


@contextlib.asynccontextmanager
async def started(settings: Settings, *, standby: bool = False) -> AsyncIterator[System]:
    """Everything that a configuration names, running; stopped in order when the block ends, however it ends.

    Args:
        standby: its desk asks for the lead only once another desk has it or had it.

    Raises:
        ConfigError: a profile cannot be meant, the state directory or a port is taken, a process refused its configuration,
            or nothing was loaded for the day of a LIVE desk.
        ReferenceDataError: a broker's file is refused.
        ProcessFailed: a process did not come up.
        LogError: the database cannot be reached or migrated.
    """
    nursery = Nursery.open(_load)
    try:
        async with _started(settings, standby=standby, nursery=nursery) as system:
            yield system
    finally:
        if nursery is not None:
            nursery.close()


def _load() -> None:
    """In the nursery: what its processes need, the command line that they begin with, and which code it is."""
    for module in sorted(set(FORKED.values())):
        importlib.import_module(f"ems.bootstrap.{module}")
    importlib.import_module("ems.cli.entry").command()
    build_digest()


@contextlib.asynccontextmanager
async def _started(settings: Settings, *, standby: bool, nursery: Nursery | None) -> AsyncIterator[System]:
    profiles(settings)
    brokers(settings)
    with state_lock(settings.state_directory):
        check_ports(settings.ports())
        runtime = Runtime(settings=settings, standby=standby, tape_origin_ns=NOT_BEGUN_NS)
        try:
            runtime = await with_loaded_files(await _prepared(runtime, nursery))
            await models.prepare(runtime)
            await kill.prepare(runtime, exists=await asyncio.to_thread(runtime.latch.exists))
            runtime = runtime.model_copy(update={"tape_origin_ns": time.time_ns() + COUNTDOWN_NS})
            supervisor = Supervisor(children(runtime), log_directory=runtime.logs, ended=dumping(runtime.state), nursery=nursery)
            if settings.console.enabled:
                make_key(runtime.voucher_key)
                await people.prepare(runtime)
            try:
                await supervisor.start()
                yield System(runtime, supervisor)
            finally:
                await supervisor.stop()
        finally:
            await asyncio.to_thread(close_database, runtime)
            shutil.rmtree(socket_directory(settings.state_directory))


async def _prepared(runtime: Runtime, nursery: Nursery | None) -> Runtime:
    """The database opened, and beside that what the venue prepares. Neither is left running when the other fails."""
    opening, preparing = asyncio.to_thread(open_database, runtime), _prepare(runtime, nursery)
    opened, failed = await asyncio.gather(opening, preparing, return_exceptions=True)
    if isinstance(opened, BaseException):
        raise opened
    if failed is not None:
        raise failed
    return opened


async def _prepare(runtime: Runtime, nursery: Nursery | None) -> None:
    if runtime.settings.venue is not None:
        await run_once(_child("prepare", runtime.save(), _never), log_directory=runtime.logs, nursery=nursery)
    if runtime.settings.quoting is not None:
        await run_once(_child("prepare_quoter", runtime.walled().save(WALLED), _never), log_directory=runtime.logs)


def children(runtime: Runtime) -> list[Child]:
    """The processes of a run, in the order in which they start; they stop in the reverse."""
    settings, file = runtime.settings, runtime.save()
    database = () if runtime.embedded is None else ("postgres",)
    found = []
    if runtime.embedded is not None:
        found.append(_child("postgres", file, lambda: database_answers(runtime)))
    if settings.venue is not None:
        found.append(_child("venue", file, lambda: _answers(runtime, "venue-control", {"status": True})))
    found += [gateway_child(runtime, group, file) for group in settings.groups()]
    if settings.watchdog.enabled:
        found.append(_child("watchdog", file, lambda: _watches(runtime), after=database))
    if settings.sealing.enabled:  # before the desk, so that it stops behind it and seals the last event
        found.append(_child("sealer", file, lambda: _answers(runtime, "sealer", {}), after=database))
    found.append(_child("desk", file, lambda: _leads(runtime), after=database))
    found.append(_child("audit_watch", file, lambda: _answers(runtime, "audit-watch", {}), after=database))
    if settings.monitoring is not None:
        found.append(_child("monitor", file, lambda: _answers(runtime, "monitor", {}), after=database))
    if settings.quoting is not None:
        found.append(_child("quote_journal", file, lambda: _answers(runtime, "quote-journal", {}), after=database))
        walled = runtime.walled().save(WALLED)
        found.append(_child("quoter", walled, lambda: _turns(runtime), after=("quote_journal",)))
    if settings.observe.trace_share > 0:
        found.append(_child("tracer", file, lambda: _answers(runtime, "tracer", {}), after=database))
    if settings.console.enabled:
        found.append(_child("api", file, lambda: _serves(runtime), after=database))
    return found


def gateway_child(runtime: Runtime, group: str, file: Path) -> Child:
    """The gateway of a session group; file: the runtime's."""
    control = of_group("gateway-control", group)
    child = _child("gateway", file, lambda: _answers(runtime, control, {"command": "health"}))
    return replace(child, name=of_group("gateway", group), command=(*child.command, "--group", group))


def _child(name: str, file: Path, ask: Ask, *, after: tuple[str, ...] = ()) -> Child:
    command = (sys.executable, "-P", "-m", "ems", f"_{name}", "--runtime", str(file))
    return Child(name=name, command=command, ask=ask, after=after, forked=name in FORKED)


async def _never() -> bool:
    return False


async def _answers(runtime: Runtime, socket: str, question: dict[str, Any]) -> bool:
    return await ask_socket(runtime.socket(socket), question) is not None


async def _leads(runtime: Runtime) -> bool:
    """A desk is ready when it leads; one that stands by for another's lead answers, and is left alone."""
    status = await ask_socket(runtime.socket("desk"), {})
    return status is not None and status["state"] in ("leading", "recovering", "standing by")


async def _watches(runtime: Runtime) -> bool:
    """A watchdog is ready when it has looked at everything once, which is when it beats."""
    status = await ask_socket(runtime.socket("watchdog"), {})
    return status is not None and status["state"] == "watching"


async def _turns(runtime: Runtime) -> bool:
    """A quoter is well when its loop has turned just now: its answers come from a thread beside it."""
    status = await ask_socket(runtime.socket("quoter"), {})
    return status is not None and status["turned_ms"] < TURNED_MS_MAX


async def _serves(runtime: Runtime) -> bool:
    console = runtime.settings.console
    return await ask_http(console.host, console.port) is not None


def is_embedded_running(runtime: Runtime) -> bool:
    """Whether the embedded server runs although nobody supervises it."""
    if runtime.embedded is None or not runtime.embedded.exists():
        return False
    try:
        return EmbeddedPostgres(runtime.embedded).alive()
    except LogUnavailable:
        return False
