"""Keeps each session enabled exactly when it should be: in its window, not stopped, and not before its next attempt.

The engine's own schedule knows no time zone and its initiators try for ever at one pace, so both are done here.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import quickfix as fix

from adapters.fix.engine import end_process
from adapters.fix.slots import Slot

log = logging.getLogger(__name__)
TICK_S: Final = 0.2
BEAT_S: Final = 0.25
News = Callable[[Slot, str], None]


class Keeper:
    """Looks at every session a few times a second.

    Args:
        news: told what a person should know.
    """

    def __init__(self, slots: Sequence[Slot], news: News) -> None:
        self._slots = slots
        self._news = news
        self._lock = threading.Lock()  # around a tick, so that none enables what is being closed
        self._closed = False
        self._beaten_s: dict[bool, float] = {}  # by engine: with TLS or without

    def start(self) -> None:
        """Keep them from now on, on a thread of its own."""
        threading.Thread(target=self._keep, name="session-keeper", daemon=True).start()

    def tick(self) -> None:
        """Begin windows, and enable or disable sessions, as of now."""
        with self._lock:
            for slot in () if self._closed else self._slots:
                self._look(slot, time.time_ns(), time.monotonic())

    @staticmethod
    def _look(slot: Slot, now_ns: int, now_s: float) -> None:
        rules = slot.config.rules
        window = rules.window(now_ns) if rules.timed else None
        if window is not None and slot.created_ns() < window[0]:
            slot.begin_again()
            log.info("%s: a new window, the numbering begins at 1", slot.config.name)
        wanted = not slot.stopped and now_s >= slot.retry_at_s and (window is not None or not rules.timed)
        session = slot.session()
        if wanted and not session.isEnabled():
            session.logon()
        elif not wanted and session.isEnabled():
            session.logout(slot.stopped or "the session's window ends")

    def beat(self, heard: Slot) -> None:
        """Have the other sessions of an acceptor look at their clocks, on its own thread, from a message it has just read.

        It does so itself only when a whole second brings nothing on any connection: one busy client would silence the
        heartbeats of all others.
        """
        now_s = time.monotonic()
        tls = heard.config.rules.tls
        if heard.config.kind != "acceptor" or now_s - self._beaten_s.get(tls, 0.0) < BEAT_S:
            return
        self._beaten_s[tls] = now_s
        for slot in self._slots:
            if slot.up and slot is not heard and (slot.config.kind, slot.config.rules.tls) == ("acceptor", tls):
                slot.session().next(fix.UtcTimeStamp())

    def attempt_failed(self, slot: Slot, why: str) -> None:
        """A connection of an initiator ended before its Logon was answered; why: the peer's words in a Logout, or "".

        The next attempt comes later than this one did. Refused Logons stop the session after a while: more of them
        change nothing, and count against us at the peer.
        """
        rules = slot.config.rules
        slot.attempts += 1
        wait_s = min(slot.config.reconnect_interval_s * 2 ** min(slot.attempts - 1, 16), rules.reconnect_max_s)
        slot.retry_at_s = time.monotonic() + wait_s
        slot.session().logout()
        if not why:
            return
        slot.refused_logons += 1
        said = f"our Logon was refused, {slot.refused_logons} times in a row: {why}"
        if slot.refused_logons >= rules.refused_logons_max:
            slot.stopped = said
            said = f"{said}; the session is stopped until it is started by hand"
        self._news(slot, said)

    def logged_on(self, slot: Slot) -> None:
        """What failed before is forgotten."""
        slot.attempts = slot.refused_logons = 0
        slot.retry_at_s = 0.0

    def stop(self, slot: Slot) -> str:
        """By hand: log the session out, and let nobody in."""
        slot.stopped = "stopped by hand"
        self.tick()
        return slot.stopped

    def go(self, slot: Slot) -> str:
        """By hand: forget why the session was stopped."""
        slot.stopped = ""
        self.logged_on(slot)
        self.tick()
        return "started"

    def close(self) -> None:
        """Leave the sessions as they are from now on."""
        with self._lock:
            self._closed = True

    def _keep(self) -> None:
        while not self._closed:
            time.sleep(TICK_S)
            try:
                self.tick()
            except BaseException:  # noqa: BLE001
                end_process("the session keeper")
