"""A child process does not outlive its supervisor: both hold the two ends of a pipe, which the kernel closes at any death.

Unlike a signal tied to the parent's death this works on every POSIX system, and gives the child the time to stop in
order: it gets a SIGTERM, and a hard end only if it does not act on it.
"""

from __future__ import annotations

import os
import signal
import threading
from typing import Final

VARIABLE: Final = "EMS_LIFELINE_FD"
GRACE_S: Final = 20.0
ORPHANED: Final = 75  # exit status of a child that had to be ended


class Lifeline:
    """The supervisor's end. Children are started with `environment` and with `fd` inherited."""

    def __init__(self) -> None:
        self.fd, self._held = os.pipe()

    @property
    def environment(self) -> dict[str, str]:
        """What tells a child which descriptor to watch."""
        return {VARIABLE: str(self.fd)}

    def close(self) -> None:
        """Let go: children that still run are told to stop."""
        os.close(self._held)
        os.close(self.fd)


def watch(grace_s: float = GRACE_S) -> bool:
    """In a child: from now on, get a SIGTERM when the supervisor is gone. False if nobody supervises this process."""
    text = os.environ.pop(VARIABLE, "")
    if not text:
        return False
    fd = int(text)
    os.set_inheritable(fd, False)  # grandchildren have their own ways to notice
    threading.Thread(target=_wait, args=(fd, grace_s), name="lifeline", daemon=True).start()
    return True


def _wait(fd: int, grace_s: float) -> None:
    os.read(fd, 1)  # nobody ever writes: this returns when the last writer is gone
    os.kill(os.getpid(), signal.SIGTERM)
    threading.Event().wait(grace_s)
    os._exit(ORPHANED)
