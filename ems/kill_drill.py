"""A drill of the kill switch: suspend a scope that no order has, see who notices, clear it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any, Final

from domain.errors import LogError
from domain.kill_latch import Source
from domain.kill_scope import Scope
from domain.values import ScopeKind
from ems.kill import KillService

DRILL: Final = Scope(ScopeKind.STRATEGY, "ems-drill")
SEEN_S: Final = 1.5  # a gateway that has not seen it by then is dead or deaf
LOG_S: Final = 3.0  # a log that has not answered by then is told later
Gateways = Callable[[], Awaitable[Sequence[Mapping[str, Any]]]]


async def drill(service: KillService, gateways: Gateways, groups: int, *, actor: str) -> dict[str, Any]:
    """How long the latch took, how many of the gateways saw it and when, and whether the log has it.

    Args:
        service: with the log, or without one where it is told later.
        groups: how many gateways there are.
    """
    began_ns = time.monotonic_ns()
    service.suspend(DRILL, Source.DRILL, actor=actor, reason="drill")
    told: dict[str, Any] = {"latch_us": (time.monotonic_ns() - began_ns) // 1000, "gateways": groups, "gateways_seen": 0}
    try:
        deadline = time.monotonic() + SEEN_S
        while told["gateways_seen"] < groups and time.monotonic() < deadline:
            found = await gateways()
            told["gateways_seen"] = sum(DRILL.text in [slot[0] for slot in gateway["scopes"]] for gateway in found)
            told["seen_ms"] = (time.monotonic_ns() - began_ns) // 1_000_000
            await asyncio.sleep(0.02)
    finally:
        service.clear(DRILL, Source.DRILL, actor=actor)
    return told


async def flushed(service: KillService) -> bool:
    """Does the log have it all? What it does not take in time waits in the file."""
    try:
        await asyncio.wait_for(service.flush(), LOG_S)
    except (LogError, TimeoutError):
        return False
    return True
