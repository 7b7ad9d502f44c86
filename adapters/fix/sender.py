"""The gateway's way out: frames of the desk to FIX. The kill switch is asked in the very last step before the engine."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence

import quickfix as fix

from adapters.fix import frames
from adapters.fix.desk_port import DeskPort
from adapters.fix.engine import build, load_dictionary
from adapters.fix.frames import Frame
from adapters.fix.last_look import LastLook
from adapters.fix.live_orders import LiveOrder, LiveOrders
from adapters.fix.sessions import TOLD
from adapters.fix.slots import Slot
from adapters.fix.wire_journal import WireJournal

log = logging.getLogger(__name__)


class Sender:
    """Sends what the desk says, and keeps the cancel of every order for the moment when no desk can say it."""

    def __init__(self, slots: Sequence[Slot], live: LiveOrders, port: DeskPort, look: LastLook) -> None:
        self._slots = slots
        self._live = live
        self._port = port
        self.look = look
        self._dictionaries = {begin: load_dictionary(begin) for begin in {slot.config.begin_string for slot in slots}}
        self._lock = threading.Lock()  # around live orders
        self.register: Callable[[], None] = lambda: None  # called on every thread before it sends
        self.count_error: Callable[[], None] = lambda: None  # called for each fault of our own
        self.wire: WireJournal | None = None
        self.not_sent_count = 0

    @property
    def live_count(self) -> int:
        """How many orders may be working."""
        return len(self._live)

    def live_orders(self) -> list[LiveOrder]:
        """The orders that may be working."""
        with self._lock:
            return list(self._live)

    def working(self, slot: int) -> int:
        """How many of them are on a session."""
        with self._lock:
            return sum(order.slot == slot for order in self._live)

    def keep(self, frame: Frame) -> None:
        """A live order that this gateway may not know yet."""
        key, text = frame.payload.split(b"\0", 1)
        with self._lock:
            self._live.add(LiveOrder(key, frame.slot, frame.scope, text))

    def keep_only(self, keys: frozenset[bytes]) -> None:
        """Forget every live order that is not among keys."""
        with self._lock:
            self._live.keep_only(keys)

    def forget(self, key: bytes) -> None:
        """The order is terminal."""
        with self._lock:
            self._live.forget(key)

    def send(self, frame: Frame) -> None:
        """Hand one message to FIX. An order first gets its entry among the live ones; what cannot leave is told back."""
        slot = self._slots[frame.slot]
        key, text = b"", frame.payload
        if frame.flags & frames.LIVE:
            key, cancel, text = frame.payload.split(b"\0", 2)
            refusal = "" if slot.up else f"{slot.config.name} is not logged on"
            if not refusal:
                with self._lock:
                    refusal = self._live.add(LiveOrder(key, slot.number, frame.scope, cancel))
            if refusal:
                self._not_sent(slot, refusal, text)
                return
        was_up = slot.up
        refusal = self.to_engine(slot, text, frame.event_seq, frame)
        if refusal:
            if key:
                with self._lock:
                    self._live.forget(key)
            self._not_sent(slot, refusal, text)
        elif frame.event_seq > slot.state.sent_seq:
            slot.state.sent_seq = frame.event_seq
            if was_up:
                slot.state.delivered_seq = frame.event_seq

    def to_engine(self, slot: Slot, text: bytes, event_seq: int = 0, frame: Frame | None = None) -> str:
        """Hand a text to FIX; "" when the engine has it (sent, or kept for the peer's return), or why it has not.

        Args:
            frame: that it came in, which the kill switch judges; None for what is the gateway's own: cancels, subscriptions.
        """
        try:
            said = text.decode("utf-8", "replace")
            message = build(said, self._dictionaries[slot.config.begin_string])
            if self.wire is not None:
                self.wire.lend(event_seq)
            if frame is None or slot.config.role != "venue":
                refusal = self._hand_over(slot, message)
            else:
                with self.look.lock:
                    refusal = self.look.refusal(frame, said, slot.venue_digest) or self._hand_over(slot, message)
            if self.wire is None:
                return refusal
            self.wire.settle(slot, message, taken=not refusal)
            return refusal
        except (fix.FIXException, TypeError, ValueError) as error:
            log.exception("%s: a text cannot be sent", slot.config.name)
            self.count_error()
            return f"the engine refused it: {error}"

    def _hand_over(self, slot: Slot, message: fix.Message) -> str:
        before = 0 if slot.up else slot.session().getExpectedSenderNum()
        if fix.Session.sendToTarget(message, slot.session_id) or slot.up:
            return ""
        kept = slot.session().getExpectedSenderNum() > before
        return "" if kept else f"{slot.config.name} is not logged on and keeps nothing"

    def _not_sent(self, slot: Slot, why: str, text: bytes) -> None:
        self.not_sent_count += 1
        if slot.config.role in TOLD and not slot.up:
            return  # sent_seq stays where it is, and the desk is told it at the next logon
        log.warning("%s: not sent: %s", slot.config.name, why)
        payload = why.encode() + b"\0" + text
        self._port.store(frames.NOT_SENT, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)
