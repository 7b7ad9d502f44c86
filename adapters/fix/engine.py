"""QuickFIX and nothing else: its callbacks, its log, and text made into its messages.

Rules that its behaviour dictates. A message is valid only inside its callback, so its text is copied there. Any
exception but the engine's own kills the engine thread or the process in silence, so every callback is wrapped, and
what goes wrong inside ends the process at once: the message then counts as not received and FIX repeats it, where
returning would have consumed it. A callback copies, spools and returns; it never waits for the desk.
"""

from __future__ import annotations

import logging
import os
import re
import threading
import traceback
from collections.abc import Callable
from typing import Final

import quickfix as fix

from adapters.fix.engine_events import EngineEvents, Wire
from adapters.fix.logon_gate import UNNAMED, is_logon, redacted
from adapters.fix.sessions import DICTIONARIES
from adapters.fix.vocabulary import ORDER_CREATING, SOH

log = logging.getLogger(__name__)

EXIT_CALLBACK_FAILED: Final = 70
_NOT_REPEATED: Final = ORDER_CREATING | {"V"}
_BEGIN: Final = f"8=FIX.4.4{SOH}"  # of whatever version: the engine writes the session's own over it
_WITHOUT_GROUPS: Final = frozenset("9j")
_ORDERS_AND_REPORTS: Final = frozenset("DGFH8")
_PARAMETERS, _PARTIES, _ALLOCATIONS = f"{SOH}957=", f"{SOH}453=", f"{SOH}78="
_OTHER_IDS, _ATTRIBUTES = f"{SOH}454=", f"{SOH}2593="
_GARBLED: Final = "Invalid message"  # how the engine's event begins for bytes that it cannot read
_RESETS: Final = "Logon contains ResetSeqNumFlag=Y"  # it does so whatever becomes of that Logon afterwards
_NOT_ENABLED: Final = "Session is not enabled for logon"
_ASKED_ALREADY: Final = re.compile(r"Already sent ResendRequest FROM: \d+ TO: (\d+)\.")
_NO_LOGON: Final = "Tried to send a reject while not logged on"  # after it the engine would keep the connection for ever


def build(text: str, dictionary: fix.DataDictionary) -> fix.Message:
    """The engine's message from a text that begins with MsgType (35).

    Groups need the dictionary, or their members would be sorted apart; all else is quicker without. Raises
    fix.FIXException for a text that is no message.
    """
    if _may_have_groups(text):
        # A group counts as closed only by a field that follows it: here the checksum, which the engine makes anew.
        return fix.Message(f"{_BEGIN}{text}10=000{SOH}", dictionary, False)
    return fix.Message(_BEGIN + text, False)


def _may_have_groups(text: str) -> bool:
    """Written out: it is asked for every message, and nearly always the answer is no."""
    msg_type = text[3 : text.find(SOH)]
    if msg_type in _ORDERS_AND_REPORTS:
        return _PARAMETERS in text or _PARTIES in text or _OTHER_IDS in text or _ATTRIBUTES in text or _ALLOCATIONS in text
    return msg_type not in _WITHOUT_GROUPS


def load_dictionary(begin_string: str = "FIX.4.4") -> fix.DataDictionary:
    """Our dictionary of a session's application messages, for building those with groups. Raises KeyError."""
    return fix.DataDictionary(str(DICTIONARIES[begin_string][1]))


def end_process(where: str) -> None:
    """What a callback does with an error that it cannot answer: says so and ends the process, now."""
    log.critical("%s failed; the process ends so that FIX repeats what it was about\n%s", where, traceback.format_exc())
    logging.shutdown()
    os._exit(EXIT_CALLBACK_FAILED)


class EngineApplication(fix.Application):
    """The callbacks."""

    def __init__(self, events: EngineEvents, logs: EngineLogs) -> None:
        super().__init__()
        self._events = events
        self._logs = logs
        self._own = threading.local()  # not a set of thread ids: the engine's thread may get the id of one that ended

    def sends_here(self) -> None:
        """From now on this thread calls sendToTarget. On any other thread toApp is about a repeat."""
        self._own.sends = True

    def onCreate(self, session_id: fix.SessionID) -> None:  # noqa: N802
        """Nothing to do."""

    def onLogon(self, session_id: fix.SessionID) -> None:  # noqa: N802
        try:
            self._events.logged_on(session_id.toString())
        except BaseException:  # noqa: BLE001
            end_process("onLogon")

    def onLogout(self, session_id: fix.SessionID) -> None:  # noqa: N802
        try:
            self._events.logged_out(session_id.toString())
        except BaseException:  # noqa: BLE001
            end_process("onLogout")

    def toAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        try:
            self._to_admin(message, session_id.toString())
        except BaseException:  # noqa: BLE001
            end_process("toAdmin")

    def fromAdmin(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        try:
            self._from_admin(message, session_id.toString())
        except BaseException:  # noqa: BLE001
            end_process("fromAdmin")

    def toApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        if getattr(self._own, "sends", False):
            return
        stale = False
        try:
            header = message.getHeader()
            repeat = _says_yes(header, 43)
            stale = repeat and header.getField(35) in _NOT_REPEATED
            if not repeat and header.getField(35) == "j":
                self._rejects(message, session_id.toString())
        except BaseException:  # noqa: BLE001
            end_process("toApp")
        if stale:
            raise fix.DoNotSend  # the peer gets a gap fill: an order is never sent twice

    def fromApp(self, message: fix.Message, session_id: fix.SessionID) -> None:  # noqa: N802
        try:
            self._events.received(session_id.toString(), message.toString())
        except BaseException:  # noqa: BLE001
            end_process("fromApp")

    def _to_admin(self, message: fix.Message, key: str) -> None:
        msg_type = message.getHeader().getField(35)
        if msg_type == "3":
            self._rejects(message, key)
        elif msg_type == "2":
            self._events.asked_for_resend(key)
        elif msg_type == "A":
            self._logon(message, key)

    def _rejects(self, message: fix.Message, key: str) -> None:
        """The engine's own Reject (35=3) or, where a field of the header is missing, BusinessMessageReject (35=j)."""
        refused = self._logs.last_incoming(key)
        same = message.isSetField(45) and f"{SOH}34={message.getField(45)}{SOH}" in refused
        self._events.rejected_by_engine(key, message.toString(), refused if same else "")

    def _logon(self, message: fix.Message, key: str) -> None:
        if _says_yes(message, 141):
            self._events.numbering_reset(key)
        ours = self._events.credentials(key)
        if ours.username and self._logs.initiates(key):
            message.setField(553, ours.username)
            message.setField(554, ours.password)

    def _from_admin(self, message: fix.Message, key: str) -> None:
        msg_type = message.getHeader().getField(35)
        if msg_type == "3":
            self._events.rejected_by_peer(key, message.toString())
        elif msg_type == "4" and _says_yes(message, 123):
            first = int(message.getHeader().getField(34))
            self._events.gap_filled(key, first, int(message.getField(36)) - 1)
        elif msg_type == "A" and _says_yes(message, 141):
            self._events.numbering_reset(key)
        elif msg_type == "5":
            self._events.logout_came(key, message.getField(58) if message.isSetField(58) else "")


def _says_yes(message: fix.FieldMap, tag: int) -> bool:
    return message.isSetField(tag) and message.getField(tag) == "Y"


class SessionLog(fix.Log):
    """What the engine says of one session. The last text that came in is kept: it is what a Reject refers to."""

    def __init__(self, key: str, session_id: fix.SessionID | None, events: EngineEvents | None, wire: Wire | None) -> None:
        super().__init__()
        self._wire = wire
        self._key = key
        self.session_id = session_id
        self._events = events
        self.last = ""
        self._refused = False
        self._asked = 0  # the number from which we ourselves asked for a resend last

    def clear(self) -> None:
        """Nothing is kept."""

    backup = clear

    def onIncoming(self, text: str) -> None:  # noqa: N802
        try:
            if self._wire is not None:
                self._wire.incoming(text)
            if is_logon(text):
                self._judge(text)
            else:
                self.last = text
            if self._events is not None:
                self._events.beat(self._key)
        except BaseException:  # noqa: BLE001
            end_process("onIncoming")

    def onOutgoing(self, text: str) -> None:  # noqa: N802
        try:
            if self._wire is not None:
                self._wire.outgoing(text)
        except BaseException:  # noqa: BLE001
            end_process("onOutgoing")

    def onEvent(self, text: str) -> None:  # noqa: N802
        try:
            log.debug("%s: %s", self._key or "engine", redacted(text))
            if self._events is not None and text.startswith(_GARBLED):
                self._events.garbled(self._key, self.last, text)
            elif self._events is not None and text.startswith(_NO_LOGON):
                self._events.garbled(self._key, self.last, "Logon refused: it breaks the rules of its dictionary")
                self._session().disconnect()
            elif self._events is not None and text.startswith(_RESETS):
                self._events.numbering_reset(self._key)
            elif (asked := _ASKED_ALREADY.match(text)) is not None:
                self._ask(int(asked[1]))
            elif text == _NOT_ENABLED and self._refused:
                self._refused = False
                self._session().logon()  # the engine ends this connection all the same; the next one is judged anew
        except BaseException:  # noqa: BLE001
            end_process("onEvent")

    def _judge(self, text: str) -> None:
        """Have the engine end the connection of a Logon that is refused, before it resets or answers anything."""
        self.last, self._asked = redacted(text), 0
        why = self._events.refuses(self._key, text) if self._events is not None else ""
        if not why:
            return
        assert self._events is not None
        self._refused = True
        self._events.garbled(self._key, self.last, why)
        if why != UNNAMED:
            said = fix.Message()
            said.getHeader().setField(35, "5")
            said.setField(58, why)
            fix.Session.sendToTarget(said, self.session_id)
        self._session().logout()

    def _ask(self, asked_to: int) -> None:
        """Ask for what is missing, where the engine does not because it waits for numbers up to asked_to, which are all there.

        To the engine its ResendRequest is answered when a message that it accepts reaches the end of it. One that it rejects
        closes the gap and leaves the request open: at the next gap the session would stand still for ever.
        """
        expected = int(self._session().getExpectedTargetNum())
        if expected <= asked_to or expected == self._asked or not self._session().isLoggedOn():
            return
        self._asked = expected
        request = fix.Message()
        request.getHeader().setField(35, "2")
        request.setField(7, str(expected))
        request.setField(16, "0")
        fix.Session.sendToTarget(request, self.session_id)

    def _session(self) -> fix.Session:
        return fix.Session.lookupSession(self.session_id)


class EngineLogs(fix.LogFactory):
    """Makes the engine's logs, and keeps them alive for as long as the engine may write."""

    def __init__(self) -> None:
        super().__init__()
        self.events: EngineEvents | None = None
        self.wire: Callable[[str], Wire] | None = None  # by the engine's name for a session, "" for none
        self._logs: dict[str, SessionLog] = {}

    def create(self, *session_id: fix.SessionID) -> fix.Log:
        key = session_id[0].toString() if session_id else ""
        # The engine's object lives only here; a session's log needs a copy.
        parts = [(i.getBeginString(), i.getSenderCompID(), i.getTargetCompID()) for i in session_id]
        copy = fix.SessionID(*(part.getValue() for part in parts[0])) if parts else None
        made = SessionLog(key, copy, self.events if key else None, self.wire(key) if self.wire is not None else None)
        self._logs[key or f"engine {len(self._logs)}"] = made
        made.__disown__()  # or it would be deleted on both sides
        return made

    def destroy(self, made: fix.Log) -> None:
        """Python's to destroy."""

    def initiates(self, key: str) -> bool:
        """Is the session one that connects?"""
        return bool(fix.Session.lookupSession(self._logs[key].session_id).isInitiator())

    def last_incoming(self, key: str) -> str:
        """The last text that a session received."""
        made = self._logs.get(key)
        return made.last if made is not None else ""
