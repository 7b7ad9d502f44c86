"""What is asked of a host before it counts as well: that it leads, that it could, or that anything of it still answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

Need = Literal["leading", "standby", "any"]
Found = Mapping[str, Any]
OPEN: Final = ("leading", "recovering", "standing by")  # a desk's states in which it waits for nobody but another's lead
BY_THE_LEADER: Final = ("desk", "risk", "planners", "observer", "sessions")  # parts that only a desk that leads can have up
OF_THE_MACHINE: Final = ("clock", "database", "disk", "kill")  # parts that say nothing of our processes
ASK_EVERY_S: Final = 1.0


def met(found: Found, need: Need) -> bool:
    """Whether a host's answers (`ems health --json`) are what is needed.

    Args:
        need: `leading`: everything is up. `standby`: everything is, but what only a leader has; its desk answers. `any`:
            a process of ours answers.
    """
    if need == "leading":
        return bool(found["up"])
    parts = {name: part for name, part in found.items() if isinstance(part, Mapping)}
    if need == "any":
        return any(part["up"] or "state" in part for name, part in parts.items() if name not in OF_THE_MACHINE)
    well = all(part["up"] for name, part in parts.items() if name not in BY_THE_LEADER)
    return well and parts["desk"].get("state") in OPEN


async def asked_until(ask: Callable[[], Awaitable[Found]], need: Need, wait_s: float) -> tuple[Found, bool]:
    """The last answers, and whether they are what is needed; asked again each second until they are or the time is over."""
    end = time.monotonic() + wait_s
    while True:
        found = await ask()
        if met(found, need) or time.monotonic() >= end:
            return found, met(found, need)
        await asyncio.sleep(ASK_EVERY_S)
