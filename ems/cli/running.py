"""Running a coroutine until it ends or the terminal says stop."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Coroutine
from typing import Any


def run_until_signal(job: Coroutine[Any, Any, int], *, interrupted: int = 130) -> int:
    """Run a job; SIGINT or SIGTERM cancels it, and what it holds is released in order. More signals change nothing.

    Returns:
        What the job returned, or `interrupted`.
    """

    async def run() -> int:
        task = asyncio.ensure_future(job)
        asked = False

        def stop() -> None:
            nonlocal asked
            if not asked:
                asked = True
                task.cancel()

        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, stop)
        try:
            return await task
        except asyncio.CancelledError:
            return interrupted

    return asyncio.run(run())
