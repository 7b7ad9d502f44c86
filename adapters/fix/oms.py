"""A small order management system: an initiator over real FIX that sends orders and keeps its own ledger.

The ledger is a file of JSON lines, one for every application message sent or received and every logon and logout,
written before the message leaves and before a received one is counted. It is meant to be judged by a script that
knows nothing else of this system::

    {"time_ns": 1, "direction": "out", "msg_type": "D", "seq_num": 2, "poss_dup": false, "fields": {"11": "A1", ...}}

direction is out, in, or event (then `event` says logon or logout). Repeated tags keep their last value; the 957 group
is under "parameters". Numbering survives restarts, and a repeat that the peer asks for is sent, orders included.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NoReturn

import quickfix as fix

from adapters.fix.dialect import Dialect
from adapters.fix.ending import leave_process, log_out
from adapters.fix.engine import build, end_process, load_dictionary
from adapters.fix.fields import cut, occurrences, plain, timestamp_text
from adapters.fix.oms_order import OmsOrder, body
from adapters.fix.sessions import SessionConfig, settings_text
from adapters.fix.vocabulary import SOH
from domain.errors import ConfigError, LinkError

log = logging.getLogger(__name__)
FINAL_STATUSES: Final = frozenset("2348C")  # OrdStatus: filled, done for day, canceled, rejected, expired


@dataclass(frozen=True, slots=True)
class Message:
    """A message received: its fields by tag, repeated ones with their last value."""

    msg_type: str
    fields: dict[str, str] = field(default_factory=dict)

    def __getitem__(self, tag: int) -> str:
        """The value of a tag, "" where it is absent."""
        return self.fields.get(str(tag), "")

    @property
    def final(self) -> bool:
        """Is nothing more due for the order after it? The refusal of a request (35=9) may be what says so."""
        return self.msg_type in ("8", "9") and self[39] in FINAL_STATUSES and self[150] != "I"


class Oms(fix.Application):
    """One session to an EMS. The methods may be called from any thread but the engine's own."""

    def __init__(self, directory: Path, session: SessionConfig, dialect: Dialect | None = None) -> None:
        """
        Args:
            directory: keeps the session's numbers and ledger.jsonl; one OMS at a time.
            session: of kind initiator, seen from the OMS.
            dialect: that the EMS speaks with it. The ledger holds what was on the wire, `messages` what it means.

        Raises:
            ConfigError: the engine refuses the settings.
        """
        super().__init__()
        directory.mkdir(parents=True, exist_ok=True)
        self._ledger_path = directory / "ledger.jsonl"
        self._changed = threading.Condition()
        self._messages: list[Message] = []
        self._orders: dict[str, str] = {}  # ClOrdID -> the body of the last D or G under it
        self._logged_on = False
        self._count = 0
        self._load_ledger()
        self._ledger = self._ledger_path.open("a", encoding="utf-8")
        self._dictionary = load_dictionary(session.begin_string)
        self._dialect = dialect
        self._session_id = fix.SessionID(session.begin_string, session.sender_comp_id, session.target_comp_id)
        self._prefix = f"{session.sender_comp_id}-{_moment()}"  # two programs may start in one second
        path = directory / "initiator.settings"
        path.write_text(settings_text([session], directory / "store"))
        try:
            settings = fix.SessionSettings(str(path))
            self._engine: fix.SocketInitiator | None = fix.SocketInitiator(self, fix.FileStoreFactory(settings), settings)
        except fix.ConfigError as error:
            raise ConfigError(f"the FIX engine refuses its settings: {error}") from error

    def start(self, timeout_s: float = 10.0) -> None:
        """Connect and log on. Raises LinkError when the EMS does not answer in time; it may still come later."""
        if self._engine is None:
            raise LinkError("this OMS was stopped")
        self._engine.start()
        with self._changed:
            if not self._changed.wait_for(lambda: self._logged_on, timeout_s):
                raise LinkError(f"no logon with {self._session_id.toString()} within {timeout_s} s")

    def stop(self, wait_s: float = 1.5) -> None:
        """Log out, give it time, stop the engine. Stopping twice is harmless."""
        if self._engine is None:
            return
        self._log_out(wait_s)
        time.sleep(min(wait_s, 0.5))  # the engine closes its socket after the callback
        self._engine.stop()
        self._engine = None  # ends the session now, before another object opens one of the same name
        self._ledger.close()

    def leave(self, status: int) -> NoReturn:
        """Log out and end this process with this exit status, without the second or two that an engine needs to stop."""
        self._log_out()
        self._ledger.close()
        leave_process(status)

    def _log_out(self, wait_s: float = 1.5) -> None:
        session = fix.Session.lookupSession(self._session_id)
        log_out([session], lambda: self._logged_on, why="the OMS leaves", wait_s=wait_s)

    # ----------------------------------------------------------------------------------------- sending

    def place(self, order: OmsOrder, cl_ord_id: str = "") -> str:
        """Send 35=D; returns its ClOrdID. While the session is down it waits in the store for the next logon."""
        cl_ord_id = cl_ord_id or self._next_id()
        self._orders[cl_ord_id] = body(order)
        self._send(f"35=D{SOH}11={plain(cl_ord_id)}{SOH}{_now()}{body(order)}")
        return cl_ord_id

    def cancel(self, orig_cl_ord_id: str, cl_ord_id: str = "") -> str:
        """Send 35=F for an order of this ledger; returns the request's ClOrdID. Raises KeyError for an unknown one."""
        cl_ord_id = cl_ord_id or self._next_id()
        fields = cut(self._orders[orig_cl_ord_id])
        body = f"55={fields['55']}{SOH}54={fields['54']}{SOH}38={fields['38']}{SOH}"
        self._send(f"35=F{SOH}41={plain(orig_cl_ord_id)}{SOH}11={plain(cl_ord_id)}{SOH}{_now()}{body}")
        return cl_ord_id

    def replace(self, orig_cl_ord_id: str, order: OmsOrder, cl_ord_id: str = "") -> str:
        """Send 35=G with the whole order again; returns the request's ClOrdID."""
        cl_ord_id = cl_ord_id or self._next_id()
        self._orders[cl_ord_id] = body(order)
        self._send(f"35=G{SOH}41={plain(orig_cl_ord_id)}{SOH}11={plain(cl_ord_id)}{SOH}{_now()}{body(order)}")
        return cl_ord_id

    def ask_status(self, cl_ord_id: str) -> None:
        """Send 35=H. Raises KeyError for an order that is not in this ledger."""
        fields = cut(self._orders[cl_ord_id])
        self._send(f"35=H{SOH}11={plain(cl_ord_id)}{SOH}55={fields['55']}{SOH}54={fields['54']}{SOH}")

    # --------------------------------------------------------------------------------------- receiving

    def messages(self, cl_ord_id: str | None = None) -> list[Message]:
        """What was received since this object was made, of one order (also as OrigClOrdID) or all."""
        with self._changed:
            return [m for m in self._messages if cl_ord_id is None or cl_ord_id in (m[11], m[41], m[379])]

    def wait_for(self, condition: Callable[[Message], bool], timeout_s: float) -> Message:
        """The first message received, before or after the call, that meets condition. Raises TimeoutError."""
        with self._changed:
            found = self._changed.wait_for(lambda: next((m for m in self._messages if condition(m)), None), timeout_s)
        if found is None:
            raise TimeoutError(f"no such message within {timeout_s} s")
        return found

    def wait_report(self, cl_ord_id: str, exec_type: str, timeout_s: float) -> Message:
        """The first 35=8 about an order with this ExecType (150). Raises TimeoutError."""
        return self.wait_for(lambda m: m.msg_type == "8" and m[11] == cl_ord_id and m[150] == exec_type, timeout_s)

    def wait_final(self, cl_ord_id: str, timeout_s: float) -> Message:
        """The report that ends an order. Raises TimeoutError."""
        return self.wait_for(lambda m: m.final and cl_ord_id in (m[11], m[41]), timeout_s)

    # --------------------------------------------------------------------------------------- callbacks

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._session_changed(up=True))

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._session_changed(up=False))

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        """Session messages are the engine's."""

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._received(message.toString()) if message.getHeader().getField(35) == "3" else None)

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._record("out", message.toString()))

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        self._guarded(lambda: self._received(message.toString()))

    @staticmethod
    def _guarded(act: Callable[[], object]) -> None:
        """An exception in a callback would end the engine in silence; a ledger with a hole would be worse than none."""
        try:
            act()
        except BaseException:  # noqa: BLE001
            end_process("a callback of the OMS")

    def _session_changed(self, *, up: bool) -> None:
        self._write({"direction": "event", "event": "logon" if up else "logout"})
        with self._changed:
            self._logged_on = up
            self._changed.notify_all()

    def _received(self, text: str) -> None:
        fields = self._record("in", text)
        if self._dialect is not None:
            fields = cut(self._dialect.inward(text)[0])
        with self._changed:
            self._messages.append(Message(fields.get("35", ""), fields))
            self._changed.notify_all()

    def _record(self, direction: str, text: str) -> dict[str, str]:
        fields = cut(text)
        fields.pop("", None)
        line: dict[str, Any] = {
            "direction": direction,
            "msg_type": fields.get("35", ""),
            "seq_num": int(fields.get("34", "0")),
            "poss_dup": fields.get("43") == "Y",
            "fields": fields,
        }
        if "957" in fields:
            pairs = occurrences(text, ("958", "960"))
            line["parameters"] = [[pairs[i][1], pairs[i + 1][1]] for i in range(0, len(pairs) - 1, 2)]
        self._write(line)
        return fields

    # ----------------------------------------------------------------------------------------- helpers

    def _write(self, line: dict[str, Any]) -> None:
        text = json.dumps({"time_ns": time.time_ns(), **line})
        with self._changed:
            self._ledger.write(text + "\n")
            self._ledger.flush()

    def _load_ledger(self) -> None:
        """Orders of earlier runs, so that they can be cancelled; a line that a kill cut short is cut off."""
        if not self._ledger_path.exists():
            return
        data = self._ledger_path.read_bytes()
        whole = data[: data.rfind(b"\n") + 1]
        if len(whole) < len(data):
            self._ledger_path.write_bytes(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            if entry["direction"] == "out" and entry["msg_type"] in ("D", "G"):
                fields = entry["fields"]
                self._orders[fields["11"]] = "".join(f"{tag}={fields[tag]}{SOH}" for tag in ("55", "54", "38"))

    def _next_id(self) -> str:
        with self._changed:
            self._count += 1
            return f"{self._prefix}-{self._count}"

    def _send(self, text: str) -> None:
        text = text if self._dialect is None else self._dialect.outward(text)
        if not fix.Session.sendToTarget(build(text, self._dictionary), self._session_id):
            log.info("the session is down: the message waits for the next logon")


def _moment() -> str:
    seconds, ms = divmod(time.time_ns() // 1_000_000, 1000)
    return f"{time.strftime('%m%d%H%M%S', time.gmtime(seconds))}{ms:03}"


def _now() -> str:
    return f"60={timestamp_text(time.time_ns())}{SOH}"
