"""How the tables of what only running processes know are filled: FIX sessions, and the processes themselves."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from ems.api.stream import Feed
from ems.bootstrap.health import health
from ems.bootstrap.operations import rows
from ems.bootstrap.runtime import Runtime
from ems.health import ask_socket
from ems.read_models.ladder import levels
from ems.read_models.table import moment

Rows = list[Mapping[str, Any]]
_RESTLESS = frozenset({"up", "clock_ns", "markets", "sessions", "seq"})  # what changes with every look


def asking_processes(runtime: Runtime, feed: Feed) -> dict[str, Callable[[], Awaitable[Rows]]]:
    """By topic. feed: whose children are our own orders in the ladder."""

    async def sessions() -> Rows:
        return [{**row, "heard_ns": moment(row["heard_ns"])} for row in await rows(runtime)]

    async def processes() -> Rows:
        told = {name: part for name, part in (await health(runtime)).items() if isinstance(part, dict)}
        return [{"process": name, "up": part["up"], "text": _plain(part)} for name, part in told.items()]

    async def ladder() -> Rows:
        told = await ask_socket(runtime.socket("desk"), {"touch": True}) or {}
        return levels(told.get("touch", {}), feed.models.world.state.live_children())

    return {"sessions": sessions, "processes": processes, "ladder": ladder}


def _plain(part: Mapping[str, Any]) -> str:
    shown = {name: value for name, value in part.items() if name not in _RESTLESS}
    return ", ".join(f"{name} {value}" for name, value in shown.items() if isinstance(value, str | int | float))
