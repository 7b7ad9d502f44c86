"""Cancel-all: the ready cancel of every order that may be working, sent without desk and database.

A person asks for it over the control socket. And the kill switch does: this watches the latch, and for every trip at HARD or
PANIC sends the cancels of the scope's orders on every session that is up, again at the next logon of one that was not. So a
trip needs nobody to tell the gateway of it, and a gateway that was started again after it does the same.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

from adapters.fix import frames
from adapters.fix.desk_port import DeskPort
from adapters.fix.engine import end_process
from adapters.fix.fields import timestamp_text
from adapters.fix.live_orders import LiveOrder
from adapters.fix.outbound import EMERGENCY_SUFFIX
from adapters.fix.sender import Sender
from adapters.fix.slots import Slot
from adapters.fix.state import GatewayState
from adapters.fix.vocabulary import SOH
from domain.errors import LatchUnreadable
from domain.kill_latch import Slot as Latched
from domain.kill_scope import FIRM, Scope, parse
from domain.kill_table import Level
from domain.ports import KillLatch
from domain.values import ScopeKind

log = logging.getLogger(__name__)
POLL_S: Final = 0.005
UNREADABLE_S: Final = 1.0  # after so long without a readable latch everything is canceled, as at HARD
LOGOUT_AFTER_S: Final = 2.0  # a PANIC leaves a session so long for the answers to its cancels
FLATTEN_S: Final = 8.0  # and so long for the orders that flatten house positions, where there are any to have


class Emergency:
    """Reads the latch and the live orders; sends through the sender."""

    def __init__(
        self, slots: Sequence[Slot], port: DeskPort, state: GatewayState, sender: Sender, latch: KillLatch,
        stop_session: Callable[[Slot], str],
    ) -> None:  # fmt: skip
        self._slots = slots
        self._port = port
        self._state = state
        self._sender = sender
        self._latch = latch
        self._stop_session = stop_session
        self._ended = threading.Event()
        self._lock = threading.Lock()  # one cancel-all at a time
        self._done: set[tuple[int, int, int]] = set()  # (scope, trip, session) whose cancels have been sent
        self._leaving: dict[int, float] = {}  # sessions that a PANIC logs out -> when
        self._unreadable_s: float | None = None
        self.trips: dict[str, dict[str, Any]] = {}  # by trip: what was done

    def start(self) -> None:
        """Watch from now on, on a thread of its own."""
        threading.Thread(target=self._watch, name="kill-watch", daemon=True).start()

    def close(self) -> None:
        """Watch no more."""
        self._ended.set()

    def _watch(self) -> None:
        self._sender.register()
        try:
            while not self._ended.wait(POLL_S):
                self.tick(time.monotonic())
        except BaseException:  # noqa: BLE001 - a gateway whose kill switch is deaf may not go on
            end_process("the kill switch's watch")

    def tick(self, now_s: float) -> None:
        """Act on the latch as it is now."""
        up = {slot.number for slot in self._slots if slot.up and slot.config.role == "venue"}
        self._done = {entry for entry in self._done if entry[2] in up}  # what logs on again is looked at again
        for latched in self._tripped(now_s):
            fresh = [slot for slot in self._slots if slot.number in up and _key(latched, slot) not in self._done]
            if fresh:
                self._act(latched, fresh, now_s)
        house = self._sender.look.has_house
        for number in [n for n, at_s in self._leaving.items() if now_s >= at_s or not (house or self._sender.working(n))]:
            del self._leaving[number]
            log.warning("kill switch: %s", self._stop_session(self._slots[number]))

    def _tripped(self, now_s: float) -> list[Latched]:
        try:
            found = [slot for slot in self._latch.slots() if slot.level >= Level.HARD]
        except (LatchUnreadable, OSError):
            if self._unreadable_s is None:
                self._unreadable_s = now_s
            return [Latched(FIRM, Level.HARD)] if now_s - self._unreadable_s >= UNREADABLE_S else []
        self._unreadable_s = None
        return found

    def _act(self, latched: Latched, slots: list[Slot], now_s: float) -> None:
        with self._sender.look.lock:  # whatever passed the last look before is with the engine: its cancel follows it
            pass
        for slot in slots:
            self._done.add(_key(latched, slot))
        why = f"kill switch: {latched.level.name} on {latched.scope.text}, trip {latched.trip:016x}"
        whole = [slot for slot in slots if _covers(latched.scope, slot)]
        for slot in whole:
            if "mass_cancel" in slot.config.levers:
                self._mass_cancel(slot)
            if "logout" in slot.config.levers and latched.level is Level.PANIC:
                self._leaving[slot.number] = now_s + (FLATTEN_S if self._sender.look.has_house else LOGOUT_AFTER_S)
        answer = self._cancel_live(frozenset(slot.number for slot in slots), latched.scope, why)
        log.warning("%s: %d cancels sent", why, answer["cancels"])
        kept = self.trips.setdefault(f"{latched.trip:016x}", {"scope": latched.scope.text, "orders": [], "cancels": 0})
        kept["orders"] += answer["orders"]
        kept["cancels"] += answer["cancels"]
        kept["last_sent_ns"] = answer["last_sent_ns"]

    def _mass_cancel(self, slot: Slot) -> None:
        """35=q for all orders (530=7), beside the cancel of each: a venue may know of more than we do."""
        now_ns = time.time_ns()
        text = f"35=q{SOH}11=KILL{now_ns}{SOH}530=7{SOH}60={timestamp_text(now_ns)}{SOH}"
        if refusal := self._sender.to_engine(slot, text.encode()):
            log.error("%s: the mass cancel did not leave: %s", slot.config.name, refusal)

    # ---------------------------------------------------------------------------------------- on request

    def cancel_all(self, request: dict[str, Any]) -> dict[str, Any]:
        """Send the ready cancel of every live order, of one session or scope where the request names them.

        What was done is spooled, so that it is in the log when desk and database are back. Raises ValueError for a scope
        that is none.
        """
        self._sender.register()
        name = request.get("session")
        slots = frozenset(s.number for s in self._slots if s.config.name == name) if name else None
        scope = parse(str(request.get("scope") or FIRM.text))
        if not isinstance(scope, Scope):
            raise ValueError(scope.text)
        return self._cancel_live(slots, scope, str(request.get("why", "")), session=name)

    def told(self, _: dict[str, Any]) -> dict[str, Any]:
        """What this gateway has seen of the kill switch and done about it."""
        verdict = self._latch.verdict(())
        try:
            slots = [[slot.scope.text, slot.effective.name, f"{slot.trip:016x}"] for slot in self._latch.slots()]
        except LatchUnreadable:
            slots = []
        return {
            "readable": verdict.readable,
            "firm": verdict.level.name,
            "scopes": slots,
            "trips": dict(self.trips),
            "stopped": self._sender.look.stopped_count,
        }

    def _cancel_live(
        self, slots: frozenset[int] | None, scope: Scope, why: str, *, session: str | None = None
    ) -> dict[str, Any]:  # fmt: skip
        with self._lock:
            now_ns = time.time_ns()
            number = self._state.next_cancel_all()
            orders = [order for order in self._sender.live_orders() if self._concerns(order, slots, scope)]
            failed = [order for order in orders if self._cancel(order, number, now_ns)]
            answer = {
                "cancel_all": number,
                "time_ns": now_ns,
                "last_sent_ns": time.time_ns(),
                "why": why,
                "session": session,
                "scope": scope.text,
                "cancels": len(orders) - len(failed),
                "failed": [order.key.decode("utf-8", "replace") for order in failed],
                "orders": [order.key.decode("utf-8", "replace") for order in orders],
            }
            for slot in self._slots:
                if (slots is None or slot.number in slots) and slot.config.role == "venue":
                    payload = json.dumps({**answer, "orders": _keys(orders, slot.number)}).encode()
                    self._port.store(frames.CANCELED_ALL, payload, slot=slot.number, reset_epoch=slot.state.reset_epoch)
        return answer

    def _concerns(self, order: LiveOrder, slots: frozenset[int] | None, scope: Scope) -> bool:
        if slots is not None and order.slot not in slots:
            return False
        return scope == FIRM or scope.digest in order.scope or scope.digest == self._slots[order.slot].venue_digest

    def _cancel(self, order: LiveOrder, number: int, now_ns: int) -> str:
        key = order.key.decode("utf-8", "replace")
        stamp = f"11={key}{EMERGENCY_SUFFIX}{number}{SOH}60={timestamp_text(now_ns)}{SOH}"
        return self._sender.to_engine(self._slots[order.slot], order.cancel_text + stamp.encode())


def _key(latched: Latched, slot: Slot) -> tuple[int, int, int]:
    return latched.scope.digest, latched.trip, slot.number


def _covers(scope: Scope, slot: Slot) -> bool:
    """Does the scope hold everything that goes over a session?"""
    return scope == FIRM or scope == Scope(ScopeKind.VENUE, slot.config.name)


def _keys(orders: list[LiveOrder], slot: int) -> list[str]:
    return [order.key.decode("utf-8", "replace") for order in orders if order.slot == slot]
