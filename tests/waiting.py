"""Waiting for what another task or process does, where there is no event to await."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


async def until(condition: Callable[[], bool], *, timeout_s: float = 30.0) -> None:
    """Return as soon as condition holds. Raises TimeoutError."""
    async with asyncio.timeout(timeout_s):
        while not condition():  # noqa: ASYNC110 (it happens elsewhere: there is nothing here to wait on)
            await asyncio.sleep(0.01)
