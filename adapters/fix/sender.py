"""The gateway's way out: frames of the desk to FIX, and the emergency cancel of all that may be working."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import quickfix as fix

from adapters.fix import frames
from adapters.fix.desk_port import DeskPort
from adapters.fix.engine import build, load_dictionary
from adapters.fix.fields import timestamp_text
from adapters.fix.frames import Frame, Scope
from adapters.fix.live_orders import LiveOrder, LiveOrders
from adapters.fix.outbound import EMERGENCY_SUFFIX
from adapters.fix.sessions import TOLD
from adapters.fix.slots import Slot
from adapters.fix.state import GatewayState
from adapters.fix.vocabulary import SOH
from adapters.fix.wire_journal import WireJournal

log = logging.getLogger(__name__)


class Sender:
    """Sends what the desk says, and keeps the cancel of every order for the moment when no desk can say it."""

    def __init__(self, slots: Sequence[Slot], live: LiveOrders, port: DeskPort, state: GatewayState) -> None:
        self._slots = slots
        self._live = live
        self._port = port
        self._state = state
        self._dictionaries = {begin: load_dictionary(begin) for begin in {slot.config.begin_string for slot in slots}}
        self._lock = threading.Lock()  # around live orders
        self.register: Callable[[], None] = lambda: None  # called on every thread before it sends
        self.wire: WireJournal | None = None
        self.not_sent_count = 0

    @property
    def live_count(self) -> int:
        """How many orders may be working."""
        return len(self._live)

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
        refusal = self.to_engine(slot, text, frame.event_seq)
        if refusal:
            if key:
                with self._lock:
                    self._live.forget(key)
            self._not_sent(slot, refusal, text)
        elif frame.event_seq > slot.state.sent_seq:
            slot.state.sent_seq = frame.event_seq
            if was_up:
                slot.state.delivered_seq = frame.event_seq

    def to_engine(self, slot: Slot, text: bytes, event_seq: int = 0) -> str:
        """Hand a text to FIX; "" when the engine has it (sent, or kept for the peer's return), or why it has not."""
        try:
            message = build(text.decode("utf-8", "replace"), self._dictionaries[slot.config.begin_string])
            if self.wire is None:
                return self._hand_over(slot, message)
            self.wire.lend(event_seq)
            refusal = self._hand_over(slot, message)
            self.wire.settle(slot, message, taken=not refusal)
            return refusal
        except (fix.FIXException, TypeError, ValueError) as error:
            log.exception("%s: a text cannot be sent", slot.config.name)
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

    # --------------------------------------------------------------------------------------- emergency

    def cancel_all(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send the ready cancel of every live order, of one session or scope where the request names them.

        Needs neither desk nor database. What was done is spooled, so that it is in the log when they are back.
        """
        self.register()
        name = request.get("session")
        slots = frozenset(s.number for s in self._slots if s.config.name == name) if name else None
        one, two, three, four = request.get("scope") or frames.NO_SCOPE
        scope: Scope = (int(one), int(two), int(three), int(four))
        now_ns = time.time_ns()
        with self._lock:
            number = self._state.next_cancel_all()
            orders = self._live.matching(slots, scope)
        failed = [order for order in orders if self._cancel(order, number, now_ns)]
        answer = {
            "cancel_all": number,
            "time_ns": now_ns,
            "why": str(request.get("why", "")),
            "session": name,
            "scope": scope,
            "cancels": len(orders) - len(failed),
            "failed": [order.key.decode("utf-8", "replace") for order in failed],
            "orders": [order.key.decode("utf-8", "replace") for order in orders],
        }
        for slot in self._slots:
            if slots is None or slot.number in slots:
                payload = json.dumps({**answer, "orders": _keys(orders, slot.number)}).encode()
                if slot.config.role == "venue":
                    self._port.store(frames.CANCELED_ALL, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)
        return answer

    def _cancel(self, order: LiveOrder, number: int, now_ns: int) -> str:
        key = order.key.decode("utf-8", "replace")
        stamp = f"11={key}{EMERGENCY_SUFFIX}{number}{SOH}60={timestamp_text(now_ns)}{SOH}"
        return self.to_engine(self._slots[order.slot], order.cancel_text + stamp.encode())


def _keys(orders: list[LiveOrder], slot: int) -> list[str]:
    return [order.key.decode("utf-8", "replace") for order in orders if order.slot == slot]
