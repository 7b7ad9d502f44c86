"""What must hold before anything starts: the state directory is ours alone, and the ports are free."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

from domain.errors import ConfigError


@contextlib.contextmanager
def state_lock(directory: Path) -> Iterator[None]:
    """Hold a state directory: two supervisors cannot share one.

    Raises:
        ConfigError: another one holds it, or it cannot be made.
    """
    try:
        directory.mkdir(parents=True, exist_ok=True)
        file = (directory / "lock").open("a+")
    except OSError as cause:
        raise ConfigError(f"the state directory {directory} cannot be used: {cause.strerror}") from cause
    with file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as cause:
            file.seek(0)
            holder = file.read().strip()
            raise ConfigError(f"{directory} is in use by another supervisor (process {holder})") from cause
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        yield


def check_ports(ports: Iterable[tuple[str, str, int]]) -> None:
    """Try every port that will be listened on. Raises ConfigError for the first that is taken.

    Args:
        ports: what for, the host, the port.
    """
    for what, host, port in ports:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as cause:
                why = "is in use by another program" if cause.errno == errno.EADDRINUSE else f"cannot be had: {cause.strerror}"
                raise ConfigError(f"port {port} for {what} {why}") from cause
