"""What may run once on a log runs on the host whose desk leads."""

from __future__ import annotations

import asyncio
from typing import Final

from adapters.shm.lead import SharedLead
from ems.bootstrap.runtime import Runtime

_EVERY_S: Final = 0.2


async def led_here(runtime: Runtime, *, is_: bool = True) -> None:
    """Return once a desk of this host leads, or, with is_ False, no longer does. There but for one host it always leads."""
    if not runtime.settings.failover.host:
        await asyncio.sleep(0 if is_ else float("inf"))
        return
    lead = SharedLead(runtime.lead)
    while lead.read().ours != is_:  # noqa: ASYNC110 (another process writes it, in shared memory)
        await asyncio.sleep(_EVERY_S)
