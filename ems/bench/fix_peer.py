"""The other ends of `ems bench fix`, each a process of its own: a bare QuickFIX echo, and a venue that fills at once.

``python -m ems.bench.fix_peer echo|venue PORT DIRECTORY``. Both answer from the callback, with the engine's own file
store and without a log, as its examples do. The venue writes one line for every order to standard output: ClOrdID and the
monotonic clock at its arrival in nanoseconds. Both end with their standard input.
"""

from __future__ import annotations

import os
import sys
import traceback
from pathlib import Path
from typing import Final

import quickfix as fix

from adapters.fix.engine import build, load_dictionary
from adapters.fix.fields import cut
from adapters.fix.sessions import SessionConfig, settings_text
from ems.bench.fix_client import monotonic_ns

SOH: Final = "\x01"
SESSIONS: Final = {"echo": ("ECHO:BENCH",), "venue": ("PEER:EMS", "PEER:EMS-MD")}
BID, ASK = "220.10", "220.11"


class Peer(fix.Application):  # type: ignore[misc]  # what SWIG makes has no types
    """Answers what it is sent."""

    def __init__(self, role: str) -> None:
        super().__init__()
        self._answer = self._echo if role == "echo" else self._fill
        self._dictionary = load_dictionary()
        self._count = 0

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        arrived_ns = monotonic_ns()
        try:
            self._answer(message, session_id, arrived_ns)
        except BaseException:  # noqa: BLE001  an exception here would stop the engine in silence
            traceback.print_exc()
            os._exit(1)

    def _echo(self, message: fix.Message, session_id: fix.SessionID, _: int) -> None:
        """The least that an engine can do: one field read, one report sent."""
        cl_ord_id = message.getField(11)
        self._send(f"35=8|37=1|11={cl_ord_id}|17=1|150=0|39=0|55=AMZN|54=1|151=100|14=0|6=0|", session_id)

    def _fill(self, message: fix.Message, session_id: fix.SessionID, arrived_ns: int) -> None:
        fields = cut(message.toString())
        if fields["35"] == "V":
            book = f"268=2|269=0|270={BID}|271=100000|269=1|270={ASK}|271=100000|"
            self._send(f"35=W|55=AMZN|{book}5060=0|", session_id)
        elif fields["35"] == "D":
            sys.stdout.write(f"{fields['11']} {arrived_ns}\n")
            sys.stdout.flush()
            self._count += 1
            order = f"37=V{self._count}|11={fields['11']}|55={fields['55']}|54={fields['54']}|38={fields['38']}|"
            self._send(f"35=8|{order}17=N{self._count}|150=0|39=0|151={fields['38']}|14=0|6=0|", session_id)
            trade = f"32={fields['38']}|31={fields['44']}|151=0|14={fields['38']}|6={fields['44']}|"
            self._send(f"35=8|{order}17=F{self._count}|150=F|39=2|{trade}", session_id)

    def _send(self, text: str, session_id: fix.SessionID) -> None:
        fix.Session.sendToTarget(build(text.replace("|", SOH), self._dictionary), session_id)


def main(role: str, port: int, directory: Path) -> None:
    """Listen until standard input ends, then leave at once: nothing of it is kept."""
    directory.mkdir(parents=True, exist_ok=True)
    pairs = [pair.split(":") for pair in SESSIONS[role]]
    sessions = [
        SessionConfig(name=theirs, role="client", kind="acceptor", sender_comp_id=ours, target_comp_id=theirs, port=port)
        for ours, theirs in pairs
    ]
    path = directory / "acceptor.settings"
    path.write_text(settings_text(sessions, directory / "store"))
    settings = fix.SessionSettings(str(path))
    peer = Peer(role)
    acceptor = fix.SocketAcceptor(peer, fix.FileStoreFactory(settings), settings)
    acceptor.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
