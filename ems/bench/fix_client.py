"""The measuring end of `ems bench fix`: one bare QuickFIX initiator that sends orders and clocks their reports.

The same code measures the echo and the whole system, so what it costs itself is in both figures alike.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Final

import quickfix as fix

from adapters.fix.engine import build, end_process, load_dictionary
from adapters.fix.sessions import SessionConfig, settings_text
from domain.errors import LinkError

SOH: Final = "\x01"
NEW: Final = f"{SOH}150=0{SOH}"
WAIT_S: Final = 60.0


def monotonic_ns() -> int:
    """A clock that every process of this machine shares."""
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC)


class Client(fix.Application):  # type: ignore[misc]  # what SWIG makes has no types
    """One session. Each ClOrdID's first New (150=0) is clocked; a second one is counted as a fault."""

    def __init__(self, directory: Path, session: SessionConfig) -> None:
        super().__init__()
        directory.mkdir(parents=True, exist_ok=True)
        path = directory / "initiator.settings"
        path.write_text(settings_text([session], directory / "store"))
        settings = fix.SessionSettings(str(path))
        self._session_id = fix.SessionID(session.begin_string, session.sender_comp_id, session.target_comp_id)
        self._dictionary = load_dictionary(session.begin_string)
        self._logged_on = threading.Event()
        self._awaited = ""
        self._came = threading.Event()
        self._wanted = 0
        self.arrived_ns: dict[str, int] = {}
        self.repeated = 0
        self.refused: list[str] = []
        self._engine: fix.SocketInitiator | None = fix.SocketInitiator(self, fix.FileStoreFactory(settings), settings)

    def start(self) -> None:
        """Log on, once. Raises LinkError."""
        assert self._engine is not None
        self._engine.start()
        if not self._logged_on.wait(WAIT_S):
            raise LinkError(f"no logon with {self._session_id.toString()}")

    def stop(self) -> None:
        """Log out and stop."""
        assert self._engine is not None
        fix.Session.lookupSession(self._session_id).logout()
        time.sleep(1.0)
        self._engine.stop()
        self._engine = None  # ends the session now, before another object opens one of the same name

    def round_trip_ns(self, cl_ord_id: str, order: str) -> int:
        """Send one order and wait for its New; nanoseconds between. Raises LinkError when none comes."""
        self._awaited = cl_ord_id
        self._came.clear()
        began_ns = monotonic_ns()
        self._send(cl_ord_id, order)
        if not self._came.wait(WAIT_S):
            raise LinkError(f"no New for {cl_ord_id}; refused so far: {self.refused[:3]}")
        return self.arrived_ns[cl_ord_id] - began_ns

    def pipelined_per_s(self, cl_ord_ids: list[str], order: str) -> float:
        """Send all without waiting; orders a second from the first sent to the last New. Raises LinkError."""
        self._awaited = ""
        self._wanted = len(self.arrived_ns) + len(cl_ord_ids)
        self._came.clear()
        began_ns = monotonic_ns()
        for cl_ord_id in cl_ord_ids:
            self._send(cl_ord_id, order)
        if not self._came.wait(WAIT_S):
            missing = sum(cl_ord_id not in self.arrived_ns for cl_ord_id in cl_ord_ids)
            raise LinkError(f"{missing} of {len(cl_ord_ids)} orders got no New; refused so far: {self.refused[:3]}")
        self._wanted = 0
        return len(cl_ord_ids) * 1e9 / (max(self.arrived_ns[name] for name in cl_ord_ids) - began_ns)

    def _send(self, cl_ord_id: str, order: str) -> None:
        self.send_text(f"35=D{SOH}11={cl_ord_id}{SOH}{order}")

    def send_text(self, text: str) -> None:
        """Send a message by its fields."""
        fix.Session.sendToTarget(build(text, self._dictionary), self._session_id)

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._logged_on.set()

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._logged_on.clear()

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        now_ns = monotonic_ns()
        try:
            self._clock(message.toString(), now_ns)
        except BaseException:  # noqa: BLE001  an exception here would stop the engine in silence
            end_process("the bench's callback")

    def _clock(self, text: str, now_ns: int) -> None:
        if NEW not in text:
            if f"{SOH}150=8{SOH}" in text:
                self.refused.append(text.replace(SOH, "|"))
            return
        start = text.index(f"{SOH}11=") + 4
        cl_ord_id = text[start : text.index(SOH, start)]
        if cl_ord_id in self.arrived_ns:
            self.repeated += 1
            return
        self.arrived_ns[cl_ord_id] = now_ns
        if cl_ord_id == self._awaited or len(self.arrived_ns) == self._wanted:
            self._came.set()
