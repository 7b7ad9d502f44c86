"""The FIX gateway: the process between FIX sessions and the desk. It moves raw text and decides from frame headers.

It keeps what the desk would need if it died: messages that no desk has made durable (spool), the cancel of every
order that may be working (live orders), and how far reports were handed to FIX (state). See `frames` for the link.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import quickfix as fix

from adapters.fix import frames
from adapters.fix.desk_port import DeskPort
from adapters.fix.engine import build, end_process, load_dictionary
from adapters.fix.fields import timestamp_text
from adapters.fix.frames import Frame, Scope
from adapters.fix.live_orders import LiveOrder, LiveOrders
from adapters.fix.outbound import EMERGENCY_SUFFIX
from adapters.fix.sessions import GatewayConfig
from adapters.fix.slots import Slot, message_seq_num, set_numbers
from adapters.fix.spool import Spool
from adapters.fix.state import GatewayState
from adapters.fix.vocabulary import SOH

log = logging.getLogger(__name__)
OUTBOUND_STRETCH: Final = 1024  # after so many messages sent, the desk is told where the numbering stands
_TYPES: Final = ("0", "1", "2", "B", "9")  # MDEntryTypes asked for: bid, offer, trade, volume, session VWAP


class Gateway:
    """Implements what the engine (`EngineEvents`) and the desk's port (`LinkHandler`) call."""

    def __init__(self, config: GatewayConfig) -> None:
        self._config = config
        self.state = GatewayState(config.directory / "gateway.state")
        self.live = LiveOrders(config.directory / "live_orders.table")
        spool = Spool(config.directory / "spool", self.state.acknowledged)
        self.port = DeskPort(config.link_path, spool, self, self._acknowledged)
        self.dictionary = load_dictionary()
        self.slots = [self._slot(number) for number in range(len(config.sessions))]
        self._by_key = {slot.key: slot for slot in self.slots}
        self._lock = threading.Lock()  # around live orders and the epoch
        self._sender: Callable[[], None] = lambda: None
        self._hello: dict[str, Any] | None = None
        self._hello_came = threading.Event()
        self._numbers_set = threading.Event()
        self.fenced_count = 0
        self.not_sent_count = 0

    def _slot(self, number: int) -> Slot:
        config = self._config.sessions[number]
        session_id = fix.SessionID(config.begin_string, config.sender_comp_id, config.target_comp_id)
        store = self._config.directory / "store"
        return Slot(number, config, session_id, session_id.toString(), self.state.session(config.name), store)

    def call_when_sending(self, register: Callable[[], None]) -> None:
        """register is called on every thread before it sends, so that the engine's toApp can tell it from a repeat."""
        self._sender = register

    def set_numbers(self, wait_s: float) -> None:
        """Wait for a desk's watermarks, then set the sessions' numbers; without a desk the store and spool stand."""
        if self._hello_came.wait(wait_s) and self._hello is not None:
            sessions: dict[str, Any] = self._hello.get("sessions", {})
            owed = self.port.owed()
            for slot in self.slots:
                if slot.config.role != "marketdata" and slot.config.reset == "continue":
                    set_numbers(slot, sessions.get(slot.config.name, {}), owed)
        else:
            log.warning("no desk within %s s: starting from spool and store", wait_s)
        self._numbers_set.set()

    # ----------------------------------------------------------------------------------- engine events

    def logged_on(self, key: str) -> None:
        slot = self._by_key[key]
        slot.note_numbering()
        slot.up = True
        log.info("%s: logged on, reset epoch %d", slot.config.name, slot.state.reset_epoch)
        self._tell(slot)
        if slot.config.role == "marketdata":
            self._subscribe(slot)

    def logged_out(self, key: str) -> None:
        slot = self._by_key[key]
        if slot.up:
            slot.up = False
            log.info("%s: logged out", slot.config.name)
            self._tell(slot)

    def numbering_reset(self, key: str) -> None:
        self._by_key[key].reset_seen = True

    def received(self, key: str, text: str) -> None:
        slot = self._by_key[key]
        payload = text.encode("utf-8", "surrogateescape")
        if slot.config.role == "marketdata":
            self.port.push_market(frames.pack(frames.MARKET, payload, slot=slot.number))
            return
        slot.state.inbound_seq_num = message_seq_num(text)
        self.port.store(frames.MESSAGE, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def rejected_by_peer(self, key: str, text: str) -> None:
        slot = self._by_key[key]
        start = text.find(f"{SOH}45=")
        refers_to = slot.sent_text(int(text[start + 4 : text.find(SOH, start + 4)])) if start >= 0 else ""
        payload = f"{text}\0{refers_to}".encode("utf-8", "surrogateescape")
        self.port.store(frames.MESSAGE, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def rejected_by_engine(self, key: str, text: str, refused: str) -> None:
        slot = self._by_key[key]
        slot.refused_count += 1
        payload = f"{text}\0{refused}".encode("utf-8", "surrogateescape")
        self.port.store(frames.REFUSED, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def gap_filled(self, key: str, from_seq_num: int, to_seq_num: int) -> None:
        slot = self._by_key[key]
        if slot.asked_again is None:
            return
        first, last = max(from_seq_num, slot.asked_again[0]), min(to_seq_num, slot.asked_again[1])
        if first <= last:
            log.error("%s: the peer will not repeat %d to %d", slot.config.name, first, last)
            payload = json.dumps({"from": first, "to": last}).encode()
            self.port.store(frames.GAP_FILLED, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def asked_for_resend(self, key: str) -> None:
        self._by_key[key].resend_request_count += 1

    def garbled(self, key: str, text: str, fault: str) -> None:
        slot = self._by_key[key]
        slot.garbled_count += 1
        payload = f"{fault}\0{text}".encode("utf-8", "surrogateescape")
        self.port.store(frames.GARBLED, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def _subscribe(self, slot: Slot) -> None:
        types = "".join(f"269={kind}{SOH}" for kind in _TYPES)
        symbols = "".join(f"55={symbol}{SOH}" for symbol in slot.config.symbols)
        text = (
            f"35=V{SOH}262={slot.config.name}{SOH}263=1{SOH}264=1{SOH}265=0{SOH}267={len(_TYPES)}{SOH}{types}"
            f"146={len(slot.config.symbols)}{SOH}{symbols}"
        )
        if slot.config.symbols and not fix.Session.sendToTarget(build(text, self.dictionary), slot.session_id):
            log.error("%s: the market data request did not leave", slot.config.name)

    def _tell(self, slot: Slot) -> None:
        slot.outbound_since_told = 0
        payload = json.dumps(slot.describe(outbound=slot.session().getExpectedSenderNum())).encode()
        self.port.push(frames.pack(frames.SESSION, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch))

    # --------------------------------------------------------------------------------------- desk link

    def hello(self, payload: bytes) -> bytes:
        try:
            hello = json.loads(payload)
            epoch, environment = int(hello["epoch"]), str(hello["environment"])
        except (ValueError, KeyError, TypeError) as error:
            return frames.pack(frames.DENIED, f"unreadable HELLO: {error}".encode())
        if environment != self._config.environment:
            said = f"a desk that is {environment} may not use a gateway that is {self._config.environment}"
            return frames.pack(frames.DENIED, said.encode())
        with self._lock:
            if epoch < self.state.epoch:
                return frames.pack(frames.FENCED, epoch=self.state.epoch)
            if (live := hello.get("live")) is not None:
                self.live.keep_only(frozenset(key.encode() for key in live))
            self.state.epoch = epoch
        self._hello = hello
        self._hello_came.set()
        self._check_epochs(hello)
        self._numbers_set.wait()
        return b""

    def _check_epochs(self, hello: dict[str, Any]) -> None:
        """A desk that comes late and knows of more resets than this gateway's files: start again, with its marks.

        Going on would give it messages that look older than what it has, and it would drop them.
        """
        if not self._numbers_set.is_set():
            return  # the start takes the marks from this HELLO
        marks: dict[str, Any] = hello.get("sessions", {})
        behind = [s for s in self.slots if marks.get(s.config.name, {}).get("inbound", (0, 0))[0] > s.state.reset_epoch]
        if behind:
            end_process(f"{behind[0].config.name}: the desk knows of more resets of the numbering than this gateway")

    def outbound_numbers(self) -> list[int]:
        return [slot.session().getExpectedSenderNum() for slot in self.slots]

    def link_up(self, outbound: list[int]) -> bytes:
        sessions = [slot.describe(outbound=number) for slot, number in zip(self.slots, outbound, strict=True)]
        answer = {"environment": self._config.environment, "sessions": sessions, "live_orders": len(self.live)}
        return frames.pack(frames.LINK_UP, json.dumps(answer).encode(), epoch=self.state.epoch)

    def take(self, batch: list[Frame]) -> bytes:
        self._sender()
        answer = b""
        for frame in batch:
            if frame.epoch < self.state.epoch:
                self.fenced_count += 1
                answer = frames.pack(frames.FENCED, epoch=self.state.epoch)
            elif frame.kind == frames.SEND:
                self._send(frame)
            elif frame.kind == frames.FORGET:
                with self._lock:
                    self.live.forget(frame.payload)
            elif frame.kind == frames.KEEP:
                key, text = frame.payload.split(b"\0", 1)
                with self._lock:
                    self.live.add(LiveOrder(key, frame.slot, frame.scope, text))
            elif frame.kind == frames.CANCEL_ALL:
                self.cancel_all(json.loads(frame.payload))
            else:
                log.error("link: a desk does not send frames of kind %d", frame.kind)
        return answer

    def _acknowledged(self, number: int) -> None:
        self.state.acknowledged = max(self.state.acknowledged, number)

    def _send(self, frame: Frame) -> None:
        slot = self.slots[frame.slot]
        key, text = b"", frame.payload
        if frame.flags & frames.LIVE:
            key, cancel, text = frame.payload.split(b"\0", 2)
            refusal = "" if slot.up else f"{slot.config.name} is not logged on"
            if not refusal:
                with self._lock:
                    refusal = self.live.add(LiveOrder(key, slot.number, frame.scope, cancel))
            if refusal:
                self._not_sent(slot, refusal, text)
                return
        was_up = slot.up
        refusal = self._to_engine(slot, text)
        if refusal:
            if key:
                with self._lock:
                    self.live.forget(key)
            self._not_sent(slot, refusal, text)
        elif frame.event_seq > slot.state.sent_seq:
            slot.state.sent_seq = frame.event_seq
            if was_up:
                slot.state.delivered_seq = frame.event_seq
        slot.outbound_since_told += 1
        if slot.outbound_since_told >= OUTBOUND_STRETCH:
            self._tell(slot)

    def _to_engine(self, slot: Slot, text: bytes) -> str:
        """Hand a text to FIX; "" when the engine has it (sent, or kept for the peer's return), or why it has not."""
        try:
            message = build(text.decode("utf-8", "replace"), self.dictionary)
            before = 0 if slot.up else slot.session().getExpectedSenderNum()
            if fix.Session.sendToTarget(message, slot.session_id) or slot.up:
                return ""
            kept = slot.session().getExpectedSenderNum() > before
            return "" if kept else f"{slot.config.name} is not logged on and keeps nothing"
        except (fix.FIXException, TypeError, ValueError) as error:
            log.exception("%s: a text cannot be sent", slot.config.name)
            return f"the engine refused it: {error}"

    def _not_sent(self, slot: Slot, why: str, text: bytes) -> None:
        self.not_sent_count += 1
        log.warning("%s: not sent: %s", slot.config.name, why)
        payload = why.encode() + b"\0" + text
        self.port.store(frames.NOT_SENT, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    # ----------------------------------------------------------------------------------------- control

    def cancel_all(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send the ready cancel of every live order, of one session or scope where the request names them.

        Needs neither desk nor database. What was done is spooled, so that it is in the log when they are back.
        """
        self._sender()
        name = request.get("session")
        slots = frozenset(s.number for s in self.slots if s.config.name == name) if name else None
        one, two, three, four = request.get("scope") or frames.NO_SCOPE
        scope: Scope = (int(one), int(two), int(three), int(four))
        now_ns = time.time_ns()
        with self._lock:
            number = self.state.next_cancel_all()
            orders = self.live.matching(slots, scope)
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
        for slot in self.slots:
            if slots is None or slot.number in slots:
                payload = json.dumps({**answer, "orders": _keys(orders, slot.number)}).encode()
                if slot.config.role == "venue":
                    self.port.store(frames.CANCELED_ALL, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)
        return answer

    def _cancel(self, order: LiveOrder, number: int, now_ns: int) -> str:
        key = order.key.decode("utf-8", "replace")
        stamp = f"11={key}{EMERGENCY_SUFFIX}{number}{SOH}60={timestamp_text(now_ns)}{SOH}"
        return self._to_engine(self.slots[order.slot], order.cancel_text + stamp.encode())

    def sessions(self) -> list[dict[str, Any]]:
        """Every session as it stands."""
        return [slot.describe(outbound=number) for slot, number in zip(self.slots, self.outbound_numbers(), strict=True)]

    def health(self) -> dict[str, Any]:
        """Counters, and what waits where."""
        return {
            **self.port.health(),
            "environment": self._config.environment,
            "epoch": self.state.epoch,
            "live_orders": len(self.live),
            "fenced_frames": self.fenced_count,
            "not_sent": self.not_sent_count,
            "sessions": {
                slot.config.name: {
                    "up": slot.up,
                    "refused": slot.refused_count,
                    "garbled": slot.garbled_count,
                    "resend_requests": slot.resend_request_count,
                }
                for slot in self.slots
            },
        }

    def close(self) -> None:
        """Let the desk go and flush the files."""
        self.port.close()
        self.live.close()
        self.state.close()


def _keys(orders: list[LiveOrder], slot: int) -> list[str]:
    return [order.key.decode("utf-8", "replace") for order in orders if order.slot == slot]
