"""The gateway's control socket: one JSON object a line, answered by one. It works with desk and database dead.

``{"command": "health"}``, ``{"command": "sessions"}``, ``{"command": "kill"}``: what was seen of the kill switch and done.
``{"command": "stop", "session": "BROKER"}`` and ``{"command": "start", ...}`` take one session down and up again.
``{"command": "cancel_all", "session": "BROKER", "scope": "client:OMS1", "why": "drill"}`` (session and scope optional).
"""

from __future__ import annotations

import json
import logging
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

from adapters.fix.local_server import LocalServer

log = logging.getLogger(__name__)
Command = Callable[[dict[str, Any]], Any]


class ControlSocket:
    """Serves commands by name, one thread a caller."""

    def __init__(self, path: Path, commands: dict[str, Command]) -> None:
        self._commands = commands
        self._server = LocalServer(path, self._serve, name="control")
        self._server.start()

    def close(self) -> None:
        """Accept no more."""
        self._server.close()

    def _serve(self, sock: socket.socket) -> None:
        with sock, sock.makefile("rwb") as stream:
            try:
                for line in stream:
                    stream.write(json.dumps(self._answer(line)).encode() + b"\n")
                    stream.flush()
            except OSError as error:
                log.info("control: %s", error)

    def _answer(self, line: bytes) -> Any:
        try:
            request = json.loads(line)
            command = self._commands[request["command"]]
        except (ValueError, KeyError, TypeError):
            return {"error": f"a line is a JSON object with a command of {', '.join(self._commands)}"}
        try:
            return command(request)
        except (ValueError, TypeError) as error:
            return {"error": f"{request['command']}: {error}"}


def ask(path: Path, request: dict[str, Any], *, timeout_s: float = 5.0) -> Any:
    """Send one command to a gateway and return its answer. Raises OSError when no gateway listens there."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.settimeout(timeout_s)
        sock.connect(str(path))
        sock.sendall(json.dumps(request).encode() + b"\n")
        with sock.makefile("rb") as stream:
            return json.loads(stream.readline())
