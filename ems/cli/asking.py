"""What `ems health` asks, and how long it waits for the answer that is needed."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, Final, cast, get_args

from domain.errors import ConfigError
from ems.health_needs import Found, Need, asked_until

_NOTHING: Final[Found] = {"up": False, "desk": {"up": False, "why": "nothing has been started", "do": "start it with `ems up`"}}


def ask_health(config: Path, need: str, wait_s: float) -> tuple[dict[str, Any], bool]:
    """A running system's answers, and whether they are what is needed.

    A system that was never started counts as down while there is time to wait for it.

    Raises:
        ConfigError: no such need; the configuration cannot be read; nothing was started, and the time is over.
    """
    from ems.bootstrap.health import health
    from ems.bootstrap.runtime import Runtime
    from ems.config import state_directory

    if need not in get_args(Need):
        raise ConfigError(f"--need is one of {', '.join(get_args(Need))}, not {need!r}")
    file = state_directory(config) / "runtime.json"

    async def ask() -> Found:
        return _NOTHING if wait_s and not file.exists() else await health(Runtime.load(file))

    found, well = asyncio.run(asked_until(ask, cast("Need", need), wait_s))
    return dict(found), well
