"""Every part of a running system asked at once whether it is well: what `ems health`, the console and /health/ready tell."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any, Final

import psutil

from adapters.disk import rooms
from adapters.postgres.deployment import answers
from ems import health_parts as parts
from ems.bootstrap import kill
from ems.bootstrap.disk import volumes
from ems.bootstrap.runtime import Runtime, of_group
from ems.health import ask_http, ask_socket

ANSWER_S: Final = 2.5  # a stopped process keeps its socket: only time tells that nobody is there


async def database_answers(runtime: Runtime) -> bool:
    """Whether the database takes a connection now."""
    return await asyncio.to_thread(answers, runtime.app_dsn)


async def health(runtime: Runtime) -> dict[str, Any]:
    """Each entry has `up`, what the process says of itself, and where it is red `why` and `do`. `red`: their names."""
    settings, console = runtime.settings, runtime.settings.console

    async def ask(name: str, question: dict[str, Any] | None = None) -> Any:
        return await ask_socket(runtime.socket(name), question or {}, timeout_s=ANSWER_S)

    database, desk, gateways, venue, api, dog, sealer, beside, maker, kept, tracer, monitor = await asyncio.gather(
        database_answers(runtime), ask("desk", {"alerts": True}),
        asyncio.gather(*(_gateway(runtime, group) for group in settings.groups())),
        ask("venue-control", {"status": True}), ask_http(console.host, console.port, timeout_s=ANSWER_S),
        ask("watchdog"), ask("sealer"), ask("audit-watch"), ask("quoter"), ask("quote-journal"), ask("tracer"),
        ask("monitor"),
    )  # fmt: skip
    risk = (desk or {}).pop("risk", None)
    ours = [one.name for one in settings.sessions if one.role in ("venue", "marketdata")]
    found = {"supervisor": supervisor(runtime), "database": parts.part(database, parts.SILENT)}
    found |= {of_group("gateway", group): parts.answering(told) for group, told in zip(settings.groups(), gateways, strict=True)}
    found["sessions"] = parts.venue_sessions(gateways, ours)
    found["desk"] = parts.with_state(desk, "leading")
    found["planners"] = parts.workers((desk or {}).pop("planners", None), "planner")
    observers = (desk or {}).pop("observers", None)
    if settings.observer is not None:
        found["observer"] = parts.workers(observers, "observer")
    for name in ("planners", "observers", "disk"):
        found["desk"].pop(name, None)
    found["risk"] = parts.part(risk is not None, "the desk does not answer", risk)
    found["kill"] = parts.part(**_kill(runtime))
    if settings.watchdog.enabled:
        found["watchdog"] = parts.with_state(dog, "watching")
    found["audit_watch"] = parts.answering(beside)
    found["clock"] = parts.clock(beside, live=settings.mode == "LIVE")
    if settings.monitoring is not None:
        found["monitor"] = parts.with_state(monitor, "watching", "standing by")
    if settings.sealing.enabled:
        found["sealer"] = parts.sealer(sealer)
    if settings.venue is not None:
        found["venue"] = parts.answering(None if venue is None else venue.get("status", {}))
    if settings.quoting is not None:
        found["quoter"], found["quote_journal"] = parts.quoter(maker), parts.answering(kept)
    if settings.observe.trace_share > 0:
        found["tracer"] = parts.answering(tracer)
    if console.enabled:
        found["api"] = parts.answering(api)
    found["disk"] = parts.disk(await asyncio.to_thread(rooms, volumes(runtime)), settings.disk.terms())
    return parts.judged(found)


def _kill(runtime: Runtime) -> dict[str, Any]:
    told = kill.health(runtime)
    return {"up": told.pop("up"), "why": "its latch cannot be read", "told": told}


async def _gateway(runtime: Runtime, group: str) -> dict[str, Any] | None:
    control = runtime.socket(of_group("gateway-control", group))
    asked = (ask_socket(control, {"command": command}, timeout_s=ANSWER_S) for command in ("health", "sessions"))
    told, sessions = await asyncio.gather(*asked)
    return None if told is None else {**told, "sessions": sessions or []}


def supervisor(runtime: Runtime) -> dict[str, Any]:
    """Whoever holds the state directory, by the system's own word: it may be stopped, and then nothing is restarted."""
    try:
        pid = int((runtime.state / "lock").read_text())
    except (OSError, ValueError):
        return parts.part(False, "nobody holds the state directory")
    state = process_state(pid)
    return parts.part(state not in ("gone", "zombie", "stopped", "dead"), f"process {pid} is {state}", {"pid": pid})


def process_state(pid: int) -> str:
    """As the system tells it: "running", "sleeping", "stopped", ...; "gone" where there is none."""
    with contextlib.suppress(psutil.NoSuchProcess):
        return str(psutil.Process(pid).status())
    return "gone"
