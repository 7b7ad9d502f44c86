"""The volumes that a run writes to, watched."""

from __future__ import annotations

from pathlib import Path

from adapters.disk import rooms
from adapters.postgres.embedded import EmbeddedPostgres
from ems.bootstrap.runtime import Runtime
from ems.disk_watch import DiskWatch


def volumes(runtime: Runtime) -> list[Path]:
    """Directories that a run writes to on this host."""
    return [runtime.state, *([] if runtime.embedded is None else [EmbeddedPostgres(runtime.embedded).home])]


def disk_watch(runtime: Runtime) -> DiskWatch:
    """Of the state directory's volume and the embedded database's. One that is on another host is not ours to see: what a
    full disk does there comes back as a log that does not answer.
    """
    places = volumes(runtime)
    return DiskWatch(lambda: rooms(places), runtime.settings.disk.terms())
