"""The FIX gateway: the process between FIX sessions and the desk. It moves raw text and decides from frame headers.

It keeps what the desk would need if it died: messages that no desk has made durable (spool), the cancel of every
order that may be working (live orders), and how far reports were handed to FIX (state). See `frames` for the link.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from typing import Any, Final

import quickfix as fix

from adapters.fix import frames
from adapters.fix.desk_port import DeskPort
from adapters.fix.emergency import Emergency
from adapters.fix.engine import end_process
from adapters.fix.fence import Fence
from adapters.fix.frames import Frame
from adapters.fix.keeper import Keeper
from adapters.fix.last_look import LastLook
from adapters.fix.live_orders import LiveOrders
from adapters.fix.logon_gate import Credentials, credentials, refusal
from adapters.fix.market_request import market_data_request
from adapters.fix.sender import Sender
from adapters.fix.sessions import GatewayConfig
from adapters.fix.slots import Slot, message_seq_num, set_numbers, tag_number, tag_text
from adapters.fix.spool import Spool
from adapters.fix.state import GatewayState
from adapters.fix.vocabulary import SOH
from domain import builds
from domain.disk import Reserve
from domain.lead import LeadMark
from domain.ports import KillLatch

log = logging.getLogger(__name__)
OUTBOUND_STRETCH: Final = 1024  # after so many messages sent, the desk is told where the numbering stands


class Gateway:
    """Implements what the engine (`EngineEvents`) and the desk's port (`LinkHandler`) call."""

    def __init__(
        self, config: GatewayConfig, latch: KillLatch, lead: LeadMark | None = None, reserve: Reserve | None = None
    ) -> None:
        self._config = config
        self.state = GatewayState(config.directory / "gateway.state")
        self.fence = Fence(self.state, lead)
        self._live = LiveOrders(config.directory / "live_orders.table")
        spool = Spool(config.directory / "spool", self.state.acknowledged, reserve.give if reserve else lambda: False)
        self.port = DeskPort(config.link_path, spool, self, self._acknowledged)
        self.slots = [self._slot(number) for number in range(len(config.sessions))]
        self.sender = Sender(self.slots, self._live, self.port, LastLook(latch, config.house_accounts))
        self.keeper = Keeper(self.slots, self._news)
        self.emergency = Emergency(self.slots, self.port, self.state, self.sender, latch, self.keeper.stop)
        self._by_key = {slot.key: slot for slot in self.slots}
        self._lock = threading.Lock()  # around the epoch
        self._hello: dict[str, Any] | None = None
        self.hello_came = threading.Event()
        self._numbers_set = threading.Event()
        self.fenced_count = 0

    def _slot(self, number: int) -> Slot:
        config = self._config.sessions[number]
        session_id = fix.SessionID(config.begin_string, config.sender_comp_id, config.target_comp_id)
        store = self._config.directory / "store"
        slot = Slot(number, config, session_id, session_id.toString(), self.state.session(config.name), store)
        slot.credentials = credentials(config.name, config.rules)
        return slot

    def set_numbers(self, wait_s: float) -> None:
        """Set the sessions' numbers by a desk's watermarks, by store and spool without one; windows that are due begin first."""
        came = self.hello_came.wait(wait_s)
        self.keeper.tick()
        if came and self._hello is not None:
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
        slot.peer_said, slot.logged_out = "", False
        self.keeper.logged_on(slot)
        log.info("%s: logged on, reset epoch %d", slot.config.name, slot.state.reset_epoch)
        self._tell(slot)
        if slot.config.role == "marketdata":
            self._subscribe(slot)

    def logged_out(self, key: str) -> None:
        slot = self._by_key[key]
        if slot.up:
            slot.up, slot.logged_out = False, bool(slot.peer_said)
            self.port.forget_markets(slot.number)
            log.info("%s: logged out", slot.config.name)
            self._tell(slot)
        elif slot.config.kind == "initiator":
            self.keeper.attempt_failed(slot, slot.peer_said)
        slot.peer_said = ""

    def beat(self, key: str) -> None:
        slot = self._by_key[key]
        slot.heard_ns = time.time_ns()
        self.keeper.beat(slot)

    def credentials(self, key: str) -> Credentials:
        return self._by_key[key].credentials

    def refuses(self, key: str, text: str) -> str:
        slot = self._by_key[key]
        if slot.config.kind == "initiator":
            return ""  # it answers ours
        return refusal(text, slot.config.rules, slot.credentials)

    def logout_came(self, key: str, said: str) -> None:
        self._by_key[key].peer_said = said or "no reason given"

    def _news(self, slot: Slot, text: str) -> None:
        log.warning("%s: %s", slot.config.name, text)
        self.port.store(frames.NEWS, text.encode("utf-8", "replace"), slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def numbering_reset(self, key: str) -> None:
        self._by_key[key].reset_seen = True

    def _heard(self, key: str) -> Slot:
        """The session that something has come in on; a reset of the numbering before it counts, also by a refused Logon."""
        slot = self._by_key[key]
        if slot.reset_seen:
            slot.note_numbering()
        return slot

    def received(self, key: str, text: str) -> None:
        slot = self._heard(key)
        payload = text.encode("utf-8", "surrogateescape")
        if slot.config.role == "marketdata":
            frame = frames.pack(frames.MARKET, payload, slot=slot.number)
            self.port.push_market(frame, slot=slot.number, symbol=tag_text(text, 55))
            return
        slot.state.inbound_seq_num = slot.numbered = message_seq_num(text)
        self.port.store(frames.MESSAGE, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def rejected_by_peer(self, key: str, text: str) -> None:
        slot = self._heard(key)
        start = text.find(f"{SOH}45=")
        refers_to = slot.sent_text(int(text[start + 4 : text.find(SOH, start + 4)])) if start >= 0 else ""
        payload = f"{text}\0{refers_to}".encode("utf-8", "surrogateescape")
        self.port.store(frames.MESSAGE, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def rejected_by_engine(self, key: str, text: str, refused: str) -> None:
        slot = self._heard(key)
        slot.refused_count += 1
        kind, told = frames.REFUSED, text
        if not slot.consumed(tag_number(text, 45)):
            kind, told = frames.GARBLED, f"rejected without a number: {tag_text(text, 58)}"
        payload = f"{told}\0{refused or text}".encode("utf-8", "surrogateescape")
        self.port.store(kind, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def gap_filled(self, key: str, from_seq_num: int, to_seq_num: int) -> None:
        slot = self._heard(key)
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
        slot = self._heard(key)
        slot.garbled_count += 1
        payload = f"{fault}\0{text}".encode("utf-8", "surrogateescape")
        self.port.store(frames.GARBLED, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)

    def _subscribe(self, slot: Slot) -> None:
        text = market_data_request(slot.config.name, slot.config.symbols)
        if slot.config.symbols and (refusal := self.sender.to_engine(slot, text.encode())):
            log.error("%s: the market data request did not leave: %s", slot.config.name, refusal)

    def _count(self, slot: Slot) -> None:
        slot.outbound_since_told += 1
        if slot.outbound_since_told >= OUTBOUND_STRETCH:
            self._tell(slot)

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
        build, ours = str(hello.get("build", "")), self._config.build
        approved = hello.get("approved", ())
        if build and ours and (why := builds.refusal(ours, {"the desk": build}, approved)) and build not in approved:
            return frames.pack(frames.DENIED, f"the gateway: {why}".encode())
        with self._lock:
            if epoch < (highest := self.fence.highest()):
                return frames.pack(frames.FENCED, epoch=highest)
            if (live := hello.get("live")) is not None:
                self.sender.keep_only(frozenset(key.encode() for key in live))
            self.state.epoch = epoch
        self._hello = hello
        self.hello_came.set()
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
        answer = {"environment": self._config.environment, "sessions": sessions, "live_orders": self.sender.live_count}
        return frames.pack(frames.LINK_UP, json.dumps(answer).encode(), epoch=self.state.epoch)

    def take(self, batch: list[Frame]) -> bytes:
        self.sender.register()
        answer = b""
        highest = self.fence.highest()
        for frame in batch:
            if frame.epoch < highest:
                self.fenced_count += 1
                answer = frames.pack(frames.FENCED, epoch=highest)
            elif frame.kind == frames.SEND:
                self.sender.send(frame)
                self._count(self.slots[frame.slot])
            elif frame.kind == frames.FORGET:
                self.sender.forget(frame.payload)
            elif frame.kind == frames.KEEP:
                self.sender.keep(frame)
            elif frame.kind == frames.CANCEL_ALL:
                self.emergency.cancel_all(json.loads(frame.payload))
            else:
                log.error("link: a desk does not send frames of kind %d", frame.kind)
                self.sender.count_error()
        return answer

    def _acknowledged(self, number: int) -> None:
        self.state.acknowledged = max(self.state.acknowledged, number)

    # ----------------------------------------------------------------------------------------- control

    def health(self) -> dict[str, Any]:
        """Counters, and what waits where."""
        return {
            **self.port.health(),
            "environment": self._config.environment,
            "build": self._config.build,
            "epoch": self.state.epoch,
            "standing_by": not self._numbers_set.is_set(),
            "live_orders": self.sender.live_count,
            "fenced_frames": self.fenced_count,
            "not_sent": self.sender.not_sent_count,
            "stopped_by_kill_switch": self.sender.look.stopped_count,
            "sessions": {slot.config.name: slot.told() for slot in self.slots},
        }

    def close(self) -> None:
        """Let the desk go and flush the files."""
        self.port.close()
        self._live.close()
        self.state.close()
