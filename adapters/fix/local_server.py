"""A Unix socket that only this process's user may open, and one thread for each caller."""

from __future__ import annotations

import logging
import socket
import threading
from collections.abc import Callable
from pathlib import Path

log = logging.getLogger(__name__)


class LocalServer:
    """Callers may connect once it is made; they are served from `start` to `close`.

    Args:
        path: an old socket file there is replaced.
        serve: called with each caller's socket on a thread of its own; closes it.
        name: of the threads.
    """

    def __init__(self, path: Path, serve: Callable[[socket.socket], None], *, name: str) -> None:
        self._serve = serve
        self._name = name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.unlink(missing_ok=True)
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.bind(str(path))
        path.chmod(0o600)
        self._socket.listen(4)

    def start(self) -> None:
        """Begin to accept."""
        threading.Thread(target=self._accept, name=f"{self._name}-accept", daemon=True).start()

    def close(self) -> None:
        """Accept no more."""
        self._socket.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._socket.accept()
            except OSError:
                log.debug("%s: accepts no more", self._name)
                return
            threading.Thread(target=self._serve, args=(caller,), name=f"{self._name}-caller", daemon=True).start()
