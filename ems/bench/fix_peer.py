"""The other ends of `ems bench fix` and `ems bench plan`, each a process of its own: a bare QuickFIX echo, a venue that fills at
once, and one that fills a share a second.

``python -m ems.bench.fix_peer echo|venue|drip PORT DIRECTORY``. All answer from the callback, with the engine's own file
store and without a log, as its examples do. A venue writes one line for every order to standard output: ClOrdID and the
monotonic clock at its arrival in nanoseconds. All end with their standard input.
"""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import quickfix as fix

from adapters.fix.engine import build, load_dictionary
from adapters.fix.fields import cut
from adapters.fix.sessions import SessionConfig, settings_text
from ems.bench.fix_client import monotonic_ns

SOH: Final = "\x01"
SESSIONS: Final = {"echo": ("ECHO:BENCH",), "venue": ("PEER:EMS", "PEER:EMS-MD"), "drip": ("PEER:EMS",)}
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


@dataclass(slots=True)
class _Dripping:
    """A live order: what its reports have in common, how much it is for, how much is done, and when the next share is."""

    head: str
    price: str
    quantity: int
    due_s: float
    session: fix.SessionID
    done: int = 0


class Drip(Peer):
    """A venue at which each order executes a share a second until it is done or canceled.

    The orders come in one burst. Their seconds begin one after another, as counterparties would come: at one moment all
    executions together would be told, and a desk's answer in that burst says how long a burst takes, nothing of planning.
    """

    def __init__(self) -> None:
        super().__init__("drip")
        self._answer = self._take
        self._orders: dict[str, _Dripping] = {}
        self._lock = threading.Lock()
        threading.Thread(target=self._drip, name="drip", daemon=True).start()

    def _take(self, message: fix.Message, session_id: fix.SessionID, arrived_ns: int) -> None:
        fields = cut(message.toString())
        with self._lock:
            self._count += 1
            if fields["35"] == "D":
                sys.stdout.write(f"{fields['11']} {arrived_ns}\n")
                sys.stdout.flush()
                head = f"37=V{self._count}|11={fields['11']}|55={fields['55']}|54={fields['54']}|38={fields['38']}|"
                order = _Dripping(
                    head, fields["44"], int(fields["38"]), time.monotonic() + 1.0 + self._count % 200 / 200, session_id
                )
                self._orders[fields["11"]] = order
                self._send(f"35=8|{head}17=N{self._count}|150=0|39=0|151={fields['38']}|14=0|6=0|", session_id)
            elif fields["35"] == "F" and (gone := self._orders.pop(fields["41"], None)) is not None:
                head = gone.head.replace(f"|11={fields['41']}|", f"|11={fields['11']}|41={fields['41']}|")
                self._send(f"35=8|{head}17=C{self._count}|150=4|39=4|151=0|14={gone.done}|6={gone.price}|", session_id)
            elif fields["35"] == "F":
                ids = f"37=NONE|11={fields['11']}|41={fields['41']}|"
                self._send(f"35=9|{ids}39=2|434=1|102=0|", session_id)

    def _drip(self) -> None:
        while True:
            time.sleep(0.005)
            now_s = time.monotonic()
            with self._lock:
                for cl_ord_id, order in list(self._orders.items()):
                    if order.due_s <= now_s:
                        self._share(cl_ord_id, order)

    def _share(self, cl_ord_id: str, order: _Dripping) -> None:
        self._count += 1
        order.due_s += 1.0
        order.done += 1
        left = order.quantity - order.done
        if not left:
            del self._orders[cl_ord_id]
        trade = f"32=1|31={order.price}|151={left}|14={order.done}|6={order.price}|"
        self._send(f"35=8|{order.head}17=F{self._count}|150=F|39={1 if left else 2}|{trade}", order.session)


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
    peer = Drip() if role == "drip" else Peer(role)
    acceptor = fix.SocketAcceptor(peer, fix.FileStoreFactory(settings), settings)
    acceptor.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
