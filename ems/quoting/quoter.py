"""The quoter's loop: datagrams and reports into the kernel, its bytes to the venue, its records to the journal.

One thread, no allocation that matters, nothing logged per tick. In every turn: the venue's reports first, because they change
what we hold; then datagrams; then, at least every millisecond, what is not a message: time, the kill latch, the journal's reader,
the connection. Everything that forbids quoting becomes a bit of `domain.quote.Why`, which the kernel reads with each call.

A lost connection leaves our orders in doubt: the venue may have them still. We log on again, read the whole day's reports from
the first one, cancel what is live, and ask until nothing is: then what we hold is what the venue says, and the kernel begins
anew from there. It is the same at the start, and when the venue speaks of an order that is none of ours.
"""

from __future__ import annotations

import select
from typing import Any, Final

import structlog

from domain.errors import LinkError
from domain.quote import Why
from ems.quoting import journal as j
from ems.quoting.ports import Around, Venue
from ems.quoting.reconcile import Reconciliation

_log = structlog.get_logger("quoter")
TICK_NS: Final = 1_000_000
LOOK_NS: Final = 10_000_000  # at latch, exposure and the journal's reader
RETRY_NS: Final = 500_000_000
READER_BEAT_MAX_NS: Final = 5_000_000_000
STOP_NS: Final = 3_000_000_000  # how long orders have to be gone after a stop
FOREIGN_MAX: Final = 20  # datagrams while none is of our session
AT_ONCE: Final = 64  # datagrams of a turn
_WAIT_S: Final = 0.001
_SEQUENCED, _ENDED = ord("S"), ord("Z")


class Quoter:
    """One session's loop: `turn` again and again until it is `over`, then `end`. `stop` may come from a signal's handler."""

    def __init__(self, around: Around) -> None:
        self._a = around
        self._kernel = around.kernel
        self._venue: Venue | None = None
        self._reconciling: Reconciliation | None = None
        self._answer_from = 0  # an answer to an account query below this number is one of an earlier question
        self._why = Why.STARTING | Why.VENUE_DOWN
        self._tick_due_ns = self._look_due_ns = self._connect_due_ns = 0
        self._state_due_ns = around.monotonic_ns() + around.state_every_ns
        self._stop_by_ns = 0
        self._oversized = 0
        self._heard_at = 0  # datagrams, when the feed was last heard
        self._untaken = False  # packets of the venue's wait for room in the journal
        self.over = False
        self.datagrams = self.reports = self.connections = 0
        self._kernel.suspend(int(self._why))

    @property
    def why(self) -> Why:
        """Why no quote stands, 0 where they may."""
        return self._why

    def stop(self) -> None:
        """Pull the quotes, and end when they are gone."""
        if not self._stop_by_ns:
            self._stop_by_ns = self._a.monotonic_ns() + STOP_NS

    def turn(self) -> None:
        """Whatever there is to do now."""
        busy = False
        if self._room():
            busy = self._hear_venue()
            busy = self._hear_feed() or busy
        mono_ns = self._a.monotonic_ns()
        if mono_ns >= self._tick_due_ns or self._kernel.undone():
            self._tick(mono_ns)
        if not busy and mono_ns >= self._state_due_ns:
            self._keep_state()
        if not busy and not self._a.busy_poll:
            waiting = [*self._a.feed.sockets, *([self._venue.socket] if self._venue is not None else [])]
            select.select(waiting, [], [], _WAIT_S)

    # --------------------------------------------------------------------------------------------- messages

    def _hear_feed(self) -> bool:
        feed, kernel = self._a.feed, self._kernel
        for count in range(AT_ONCE):
            length = feed.poll() or feed.answered()
            if length == 0:
                return count > 0
            self._datagram(length)
            while feed.held and (length := feed.ripe(kernel.feed()[1])) > 0:
                if not self._room():
                    return True
                self._datagram(length)
            if not self._room():
                return True
        return True

    def _datagram(self, length: int) -> None:
        feed = self._a.feed
        if length > j.INPUT_BYTES:
            self._oversized += 1  # its messages are missing, then, and asked for
            return
        self.datagrams += 1
        if feed.number(length) > self._kernel.feed()[1] > 0:
            feed.hold(length)
        self._deliver(self._kernel.datagram(feed.buffer, length, self._a.now_ns()))

    def _hear_venue(self) -> bool:
        venue = self._venue
        if venue is None:
            return False
        try:
            if venue.receive() == 0 and not self._untaken:
                return False
            self._untaken = True
            while self._venue is venue and self._room():
                if (taken := venue.take()) is None:
                    self._untaken = False
                    break
                self._packet(venue, taken)
        except LinkError as error:
            self._lose(str(error))
        return True

    def _packet(self, venue: Venue, taken: Any) -> None:
        if taken.letter == _ENDED:
            self._lose("the venue has ended its session")
        elif taken.letter != _SEQUENCED:
            return
        elif self._reconciling is not None:
            self._reconcile(self._reconciling, venue.payload(taken), venue.next_number - 1)
        else:
            self.reports += 1
            data = venue.buffer[taken.at : taken.at + taken.length]
            self._deliver(self._kernel.report(data, venue.next_number, self._a.now_ns()))

    def _deliver(self, count: int) -> None:
        """Send what a call has left, then let the journal's reader have its records."""
        last = self._kernel.last()
        if count > 0:
            words = self._a.records.words[(last - 1) & (self._a.ring.slots - 1)]
            words[j.SENT] = self._send(self._kernel.out[:count], int(words[j.STARTED_NS]))
        self._a.ring.publish(last)

    def _send(self, data: bytes | memoryview, started_ns: int) -> int:
        """The stamp of the send: ns since the call began, NOT_SENT where there is no connection, 0 where nobody knows."""
        if self._venue is None:
            return j.NOT_SENT
        try:
            self._venue.send(data)
            if self._venue.unsent:  # what waits here could leave after a kill
                raise LinkError("the venue does not read what is sent")
        except LinkError as error:
            self._lose(str(error))
            return 0
        return self._a.monotonic_ns() - started_ns

    def _write(self, kind: int, data: bytes = b"", output: bytes = b"") -> None:
        """A record of the process's own, and its output sent."""
        number = self._kernel.last() + 1
        at = (number - 1) & (self._a.ring.slots - 1)
        words = self._a.records.words[at]
        j.put(words, self._a.records.bytes[at], number, kind, self._a.ring.session, self._a.now_ns(), data, output)
        self._kernel.move_to(number)
        if output:
            words[j.SENT] = self._send(output, self._a.monotonic_ns())
        self._a.ring.publish(number)

    def _room(self) -> bool:
        """Is there room for a call's records? Tells the kernel, too."""
        left = self._a.ring.room()
        self._kernel.room_until(self._kernel.last() + left)
        return left > 2 * j.PARTS_MAX

    # ------------------------------------------------------------------------------------------ between them

    def _tick(self, mono_ns: int) -> None:
        self._tick_due_ns = mono_ns + TICK_NS
        if mono_ns >= self._look_due_ns:
            self._look_due_ns = mono_ns + LOOK_NS
            self._look(mono_ns)
        if self._venue is None and mono_ns >= self._connect_due_ns and not self._stop_by_ns:
            self._connect(mono_ns)
        elif self._venue is not None:
            try:
                self._venue.beat(mono_ns)
            except LinkError as error:
                self._lose(str(error))
        session, wanted, known, silent = self._kernel.feed()
        self._set(Why.FEED_GAP, known > wanted)
        self._set(Why.FEED_STALE, silent)
        if not silent:
            self._heard_at = self.datagrams
        elif self.datagrams - self._heard_at > FOREIGN_MAX:
            raise LinkError("the feed has begun another session: this run is over")
        if known > wanted:
            self._a.feed.ask(session, wanted, known, mono_ns)
        if self._reconciling is None and self._venue is not None and (text := self._kernel.out_of_step()):
            self._why |= Why.UNKNOWN_ORDER
            self._lose(f"what the venue says of our orders is not understood: {text}")
        self._kernel.suspend(int(self._why))
        if self._room():
            self._deliver(self._kernel.timer(self._a.now_ns()))
        if self._stop_by_ns and (mono_ns >= self._stop_by_ns or self._venue is None or self._kernel.live() == 0):
            self.over = True

    def _look(self, mono_ns: int) -> None:
        ring = self._a.ring
        left = ring.room()
        self._set(Why.KILL, self._a.killed())
        self._set(Why.EXPOSURE, not self._a.exposed())
        self._kernel.widen(self._a.spread_e9())
        self._set(Why.JOURNAL, ring.asked_to_stop() != 0 or abs(mono_ns - ring.reader_beat_ns()) > READER_BEAT_MAX_NS)
        full = left < ring.slots // (2 if Why.RING_FULL in self._why else 4)
        self._set(Why.RING_FULL, full)
        self._set(Why.STOPPING, bool(self._stop_by_ns))

    def _set(self, bit: Why, holds: bool) -> None:
        self._why = self._why | bit if holds else self._why & ~bit

    # ----------------------------------------------------------------------------------------- connection

    def _connect(self, mono_ns: int) -> None:
        try:
            self._venue, self._answer_from = self._a.connect()
        except LinkError as error:
            _log.warning("no session with the venue", error=str(error))
            self._connect_due_ns = self._a.monotonic_ns() + RETRY_NS
            return
        self.connections += 1
        self._why = self._why & ~Why.VENUE_DOWN | Why.RECONCILING
        self._reconciling = Reconciliation()
        self._write(j.REPLAYED, output=self._a.query)

    def _lose(self, why: str) -> None:
        """The connection is gone, or given up. Our orders may live on: only the venue can say."""
        _log.warning("the venue is not there", why=why)
        if self._venue is not None:
            self._venue.close()
        self._venue = self._reconciling = None
        self._why |= Why.VENUE_DOWN
        self._connect_due_ns = self._a.monotonic_ns() + RETRY_NS

    def _reconcile(self, told: Reconciliation, payload: bytes, number: int) -> None:
        """One report more of the day. When the venue has answered our question, all before it is told."""
        self._write(j.REPLAYED, payload)
        try:
            message = self._a.codec.came(payload)
        except LinkError as error:
            _log.error("a report that cannot be read", error=str(error), raw=payload.hex())
            return
        told.take(message)
        if message.name != "account_query_response" or number < self._answer_from:
            return
        if told.unknown:
            _log.error("the venue's day does not add up; nothing is quoted until a person has looked", what=told.unknown[:5])
            return
        if told.live:
            self._answer_from = number + 1
            for ref in sorted(told.live):
                self._write(j.REPLAYED, output=self._a.cancel(ref))
            self._write(j.REPLAYED, output=self._a.query)
            return
        self._kernel.resynchronise(told.positions, told.next_ref)
        self._keep_state()
        self._reconciling = None
        self._why &= ~(Why.STARTING | Why.RECONCILING | Why.UNKNOWN_ORDER)
        self._kernel.suspend(int(self._why))
        _log.info("reconciled with the venue", positions=told.positions, next_ref=told.next_ref)

    def _keep_state(self) -> None:
        """The kernel's state as it is now, for the segment that begins with the next record."""
        self._state_due_ns = self._a.monotonic_ns() + self._a.state_every_ns
        if self._room():
            self._write(j.STATE)
            self._a.keep_state(self._kernel.last() + 1)

    def end(self) -> None:
        """Say that it is over, to the journal and the venue."""
        self._write(j.STOPPED)
        if self._venue is not None:
            try:
                self._venue.log_out()
            except LinkError as error:
                _log.warning("the venue did not hear that we go", error=str(error))
        self._a.feed.close()

    def status(self) -> dict[str, Any]:
        """For health."""
        return {
            "why": self._why.words,
            "record": self._kernel.last(),
            "datagrams": self.datagrams,
            "reports": self.reports,
            "connections": self.connections,
            "live": self._kernel.live(),
        }
