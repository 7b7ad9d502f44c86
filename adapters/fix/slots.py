"""One slot a session: what the gateway knows of it while it runs, and how its sequence numbers are set at a start."""

from __future__ import annotations

import logging
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import quickfix as fix

from adapters.fix import frames
from adapters.fix.frames import Frame
from adapters.fix.inbound import seq_num
from adapters.fix.logon_gate import NOBODY, Credentials
from adapters.fix.reading import time_ns_of
from adapters.fix.sessions import SessionConfig
from adapters.fix.state import SessionState
from adapters.fix.vocabulary import SOH
from domain.kill_scope import Scope
from domain.values import ScopeKind

log = logging.getLogger(__name__)


@dataclass(slots=True)
class Slot:
    """A session while the gateway runs."""

    number: int
    config: SessionConfig
    session_id: fix.SessionID
    key: str
    state: SessionState
    store: Path  # the engine's directory
    up: bool = False
    reset_seen: bool = False  # a Logon with 141=Y went by since the last logon
    outbound_since_told: int = 0
    asked_again: tuple[int, int] | None = None  # inbound numbers that were set back over at the start
    refused_count: int = 0
    garbled_count: int = 0
    resend_request_count: int = 0
    messages_in: int = 0  # on the wire, administrative ones included
    messages_out: int = 0
    credentials: Credentials = NOBODY
    attempts: int = 0  # that failed in a row
    refused_logons: int = 0  # of these, those that the peer refused
    retry_at_s: float = 0.0  # monotonic: not enabled before
    stopped: str = ""  # why the session is kept down
    peer_said: str = ""  # text of the last Logout
    numbered: int = 0  # the last inbound number that the desk was told
    venue_digest: int = 0  # the session as a scope of the kill switch
    logged_out: bool = False  # it is down because the peer logged out
    heard_ns: int = 0  # when anything came last

    def __post_init__(self) -> None:
        self.venue_digest = Scope(ScopeKind.VENUE, self.config.name).digest

    def session(self) -> fix.Session:
        """The engine's session; exists once the engine has been constructed."""
        return fix.Session.lookupSession(self.session_id)

    def describe(self, *, outbound: int) -> dict[str, Any]:
        """For LINK_UP, SESSION and the control socket."""
        return {
            "slot": self.number,
            "name": self.config.name,
            "role": self.config.role,
            "up": self.up,
            "stopped": self.stopped,
            "logged_out": self.logged_out,
            "reset_epoch": self.state.reset_epoch,
            "outbound": outbound,
            "sent_seq": self.state.sent_seq,
        }

    def told(self) -> dict[str, Any]:
        """For health: whether it is up, and its counters."""
        return {
            "up": self.up,
            "refused": self.refused_count,
            "garbled": self.garbled_count,
            "resend_requests": self.resend_request_count,
            "messages_in": self.messages_in,
            "messages_out": self.messages_out,
        }

    def created(self) -> str:
        """When the engine's store was last reset, to the second; "" while there is none."""
        path = self.store / f"{self._file_stem()}.session"
        return path.read_text().strip()[:17] if path.exists() else ""

    def note_numbering(self) -> None:
        """Called at every logon: counts a reset of the numbering, whoever wanted it."""
        created = self.created()
        if self.reset_seen or (self.state.created and created != self.state.created):
            self._new_epoch()
        self.state.created = created
        self.reset_seen = False

    def created_ns(self) -> int:
        """The same as a moment, UTC nanoseconds; far in the future while there is no store: it needs no reset."""
        text = self.created()
        return time_ns_of(text) if text else 2**63

    def begin_again(self) -> None:
        """Reset the numbering of our own accord; a peer that is logged on is logged out first."""
        self.session().reset()
        self._new_epoch()
        self.state.created = self.created()
        self.reset_seen = False

    def _new_epoch(self) -> None:
        self.state.reset_epoch += 1
        self.state.sent_seq = min(self.state.sent_seq, self.state.delivered_seq)
        self.state.inbound_seq_num = self.numbered = 0
        self.asked_again = None
        log.info("%s: numbering reset, epoch %d", self.config.name, self.state.reset_epoch)

    def consumed(self, number: int) -> bool:
        """Whether a message that the engine has just rejected used up its number, so that it may stand for it in the log.

        Any other number is what a bad message says of itself: taken for true, it would make later messages look old.
        """
        if number <= self.numbered or number != self.session().getExpectedTargetNum() - 1:
            return False
        self.numbered = number
        return True

    def sent_text(self, number: int) -> str:
        """What we sent under a number, from the engine's store; "" where it has it no more."""
        stem = self._file_stem()
        try:
            index = (self.store / f"{stem}.header").read_text().split()
            entry = next((e for e in reversed(index) if e.startswith(f"{number},")), "")
            if not entry:
                return ""
            _, offset, size = entry.split(",")
            with (self.store / f"{stem}.body").open("rb") as body:
                body.seek(int(offset))
                return body.read(int(size)).decode("utf-8", "replace")
        except (OSError, ValueError) as error:
            log.warning("%s: the text sent as %d cannot be read back: %s", self.config.name, number, error)
            return ""

    def _file_stem(self) -> str:
        config = self.config
        return f"{config.begin_string}-{config.sender_comp_id}-{config.target_comp_id}"


def tag_text(text: str, tag: int) -> str:
    """The first value of a tag of two digits in a message's text, "" where there is none."""
    start = text.find(f"{SOH}{tag}=")
    return text[start + 4 : text.find(SOH, start + 4)] if start >= 0 else ""


def tag_number(text: str, tag: int) -> int:
    """The same as a sequence number, 0 where it is none."""
    return seq_num(tag_text(text, tag))


def message_seq_num(text: str) -> int:
    """MsgSeqNum of a message's text, 0 where there is none."""
    return tag_number(text, 34)


def highest_spooled(slot: Slot, owed: Iterable[Frame]) -> int:
    """The highest inbound number of a session that waits in the spool, in the numbering of now."""
    texts = (
        frame.payload.decode("utf-8", "replace")
        for frame in owed
        if frame.kind == frames.MESSAGE and frame.slot == slot.number and frame.reset_epoch == slot.state.reset_epoch
    )
    return max((message_seq_num(text) for text in texts), default=0)


def set_numbers(slot: Slot, hello: dict[str, Any], owed: list[Frame]) -> None:
    """Set a session's next numbers from what is durable at the desk. Between constructing and starting the engine.

    Inbound: whatever came after the last durable or spooled message is asked for again, and nothing before it: a store that
    is new or behind the log goes up to it. Outbound: a store that is new or older than the reserved block starts above it.

    Args:
        hello: the desk's word on this session: inbound [reset epoch, MsgSeqNum], reserved [reset epoch, from, up to].
    """
    inbound_epoch, inbound_seq_num = hello.get("inbound", (0, 0))
    reserved_epoch, reserved_from, reserved_up_to = hello.get("reserved", (0, 0, 0))
    slot.state.reset_epoch = max(slot.state.reset_epoch, inbound_epoch, reserved_epoch)
    session = slot.session()
    durable = inbound_seq_num if inbound_epoch == slot.state.reset_epoch else 0
    wanted = max(durable, highest_spooled(slot, owed)) + 1
    expected = session.getExpectedTargetNum()
    if wanted != expected:
        session.setNextTargetMsgSeqNum(wanted)
    if wanted < expected:
        slot.asked_again = (wanted, min(expected - 1, slot.state.inbound_seq_num))
    outbound = session.getExpectedSenderNum()
    if reserved_epoch == slot.state.reset_epoch and outbound <= reserved_up_to and (outbound == 1 or outbound < reserved_from):
        session.setNextSenderMsgSeqNum(reserved_up_to + 1)
    log.info(
        "%s: inbound expected %d (store %d), outbound next %d (store %d)",
        slot.config.name, session.getExpectedTargetNum(), expected, session.getExpectedSenderNum(), outbound,
    )  # fmt: skip
