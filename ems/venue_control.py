"""A control socket of the venue: one JSON object a line in, one out. Unix socket, this host only.

Words, several may stand in one object:
    {"faults": {"delay_ms": 50, "drop": 0.1, "duplicate": 0.1, "reorder": 0.1, "reject": 0.1,
                "drop_next": 1, "duplicate_next": 1, "reorder_next": 1, "reject_next": 1}}   any of them
    {"disconnect": {"session": "<name>", "hold_ms": 500}}
    {"expire": true}      DAY orders end now
    {"day_end": "done_for_day"}   how they end: 150=3; "expired": 150=C, as at the start
    {"status": true}      market time, faults, working orders, counters
Answer: {"ok": true, ...} or {"ok": false, "error": "..."}.
"""

from __future__ import annotations

import json
import socketserver
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

Command = Callable[[dict[str, Any]], dict[str, Any]]


def answer_line(command: Command, line: bytes) -> bytes:
    """Run one line and encode its answer."""
    try:
        request = json.loads(line)
        if not isinstance(request, dict):
            raise ValueError("a command is a JSON object")
        answer: dict[str, Any] = {"ok": True, **command(request)}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        answer = {"ok": False, "error": str(error)}
    return json.dumps(answer).encode() + b"\n"


class _Server(socketserver.ThreadingUnixStreamServer):
    daemon_threads = True
    block_on_close = False


class Control:
    """Serves the socket on threads of its own until closed. An old socket file at the path is replaced."""

    def __init__(self, path: Path, command: Command) -> None:
        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                for line in self.rfile:
                    self.wfile.write(answer_line(command, line))

        path.unlink(missing_ok=True)
        self._path = path
        self._server = _Server(str(path), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="venue-control", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Stop serving and remove the socket."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
        self._path.unlink(missing_ok=True)
