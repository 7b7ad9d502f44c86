"""How a process that holds a FIX engine ends: at once, after its sessions are logged out.

QuickFIX's Acceptor.stop walks its socket map while the engine's thread changes it: measured here, one stop in ten
crashed or spun for ever. To let go of an engine that runs, or to end the interpreter over it, crashes too. Nothing is
lost by ending at once: what matters is in files before a callback returns.
"""

from __future__ import annotations

import logging
import os
import sys
import time
from collections.abc import Callable, Iterable
from typing import NoReturn

import quickfix as fix


def log_out(sessions: Iterable[fix.Session], any_up: Callable[[], bool], *, why: str, wait_s: float) -> None:
    """Log every session out, those that are down too, so that nobody comes in; wait until the peers have answered.

    The engine's timer would send the Logouts, but it runs only in a second without traffic.
    """
    for session in sessions:
        session.logout(why)
        if session.isLoggedOn() and not session.sentLogout():
            session.next(fix.UtcTimeStamp())
    deadline = time.monotonic() + wait_s
    while any_up() and time.monotonic() < deadline:
        time.sleep(0.02)


def leave_process(status: int = 0) -> NoReturn:
    """End this process with this exit status, whatever its threads are at."""
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(status)
