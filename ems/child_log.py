"""The log file of a child process: JSON lines, appended to, put aside when it has grown too long."""

from __future__ import annotations

import json
from pathlib import Path
from typing import IO, Final

LOG_BYTES_MAX: Final = 50_000_000


def open_log(path: Path) -> IO[bytes]:
    """A child's log, to append to. One that has grown too long is put aside, in place of the one put aside before."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.exists() and path.stat().st_size > LOG_BYTES_MAX:
        path.replace(path.with_suffix(".jsonl.1"))
    return path.open("ab")


def last_line(path: Path) -> str:
    """What a child said last: the event of its last JSON line, or the line itself."""
    if not path.exists():
        return ""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 8192))
        lines = [line for line in file.read().decode("utf-8", "replace").splitlines() if line.strip()]
    if not lines:
        return ""
    try:
        return str(json.loads(lines[-1])["event"])
    except (ValueError, KeyError, TypeError):
        return lines[-1].strip()
