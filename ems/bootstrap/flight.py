"""Flight recorders of a run: read beside its processes or after them, and kept whole when one has ended badly."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import structlog

from adapters.shm.flight import read
from domain.errors import ConfigError
from domain.flight import Note
from ems.bootstrap.logs import FLIGHT_FOLDER

_log = structlog.get_logger("flight")
CRASHES_MAX: Final = 20  # the oldest go


def processes(state: Path) -> list[str]:
    """Those that have a recorder."""
    return sorted(path.stem for path in (state / FLIGHT_FOLDER).glob("*.ring"))


def notes(state: Path, process: str, *, last_s: float) -> list[Note]:
    """A process's last notes, counted back from its very last. Raises ConfigError where it has no recorder."""
    path = state / FLIGHT_FOLDER / f"{process}.ring"
    try:
        return read(path, last_ns=round(last_s * 1e9))
    except OSError as cause:
        raise ConfigError(f"{process} has no flight recorder here; {', '.join(processes(state)) or 'nobody'} has") from cause


def row(process: str, note: Note) -> dict[str, Any]:
    """One note for machines."""
    return {"process": process, **note._asdict()}


def dump(state: Path, process: str, why: str, *, last_s: float = 60.0) -> Path:
    """Write a process's last minute to a file of its own; only so many are kept. Raises ConfigError and OSError."""
    found = notes(state, process, last_s=last_s)
    folder = state / FLIGHT_FOLDER / "crashes"
    folder.mkdir(exist_ok=True)
    path = folder / f"{datetime.now(UTC):%Y%m%dT%H%M%S.%f}-{process}.jsonl"
    lines = [{"process": process, "why": why, "time_ns": time.time_ns(), "notes": len(found)}, *(row(process, n) for n in found)]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    for old in sorted(folder.glob("*.jsonl"))[:-CRASHES_MAX]:
        old.unlink()
    return path


def dumping(state: Path) -> Callable[[str, str], None]:
    """What a supervisor calls when a process has ended badly; that it cannot be written stops nobody."""

    def ended(process: str, why: str) -> None:
        try:
            _log.warning("its last minute is kept", child=process, path=str(dump(state, process, why)))
        except (ConfigError, OSError) as error:
            _log.warning("its last minute cannot be kept", child=process, error=str(error))

    return ended
