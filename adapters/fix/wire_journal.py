"""The wire journal: every FIX message of a gateway, in and out, as it was on the wire, with its number and its event.

The engine's thread leaves a message in memory and goes on; a writer thread brings what has gathered to the files every
few milliseconds. So a killed process loses what is younger than that, and a power cut more: nothing here is what an
order depends on. What must be durable is in the spool and the log, and a disk that fails or is full costs records of
the journal, counted in a mark, and no trading.
"""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import quickfix as fix

from adapters.fix.slots import Slot, message_seq_num
from adapters.fix.vocabulary import SOH
from adapters.fix.wire_record import Kind, WireRecord
from adapters.fix.wire_segments import Segments, folder

log = logging.getLogger(__name__)
FLUSH_EVERY_S: Final = 0.02
WAITING_CHARS_MAX: Final = 32 * 1024 * 1024  # beyond, messages are counted and not kept
STRANGERS: Final = "(no session)"  # whose Logon names a session that is not configured
_STRETCH: Final = 16  # records made before the engine's thread is let run
_PAUSE_S: Final = 0.00002
_LOGON, _RESETS = f"{SOH}35=A{SOH}", f"{SOH}141=Y{SOH}"
_PASSWORD, _NEW_PASSWORD, _ENCRYPTED, _NEW_ENCRYPTED = (f"{SOH}{tag}=" for tag in (554, 925, 1402, 1404))
_MASK: Final = b"***"
_LENGTH_OF: Final = {b"96": b"95", b"1402": b"1401", b"1404": b"1403"}  # data fields may hold a SOH themselves
_SECRET: Final = re.compile(rb"(?<=\x01)(?:(95|1401|1403)=(\d{1,9})\x01)?(96|554|925|1402|1404)=")


# What waits: kind, time_ns, reset epoch, MsgSeqNum (0: as the text says), log sequence of the event, text. A plain tuple:
# it is made on the engine's thread.
_Waiting = tuple[int, int, int, int, int, str]


class WireJournal:
    """One gateway's journal. Its sessions write through `of`; everything else happens on its own thread."""

    def __init__(self, directory: Path, slots: Sequence[Slot], keep_days: int) -> None:
        """Open every session's files. Raises OSError where they cannot be.

        Args:
            keep_days: how many days back messages are kept; 0 keeps all.
        """
        self._directory = directory
        self._keep_days = keep_days
        self._lock = threading.Lock()  # around what waits; never held while something is made or written
        self._waiting: list[tuple[SessionWire, _Waiting]] = []
        self._waiting_chars = 0
        self._overflow: dict[SessionWire, int] = {}
        self._lent = threading.local()
        self._stop = threading.Event()
        self._writer = threading.Thread(target=self._write, name="wire-journal", daemon=True)
        self._strangers = SessionWire(self, None, self._files(STRANGERS))
        self._wires = {slot.key: SessionWire(self, slot, self._files(slot.config.name)) for slot in slots}

    def start(self) -> None:
        """Begin to write."""
        self._writer.start()

    def of(self, key: str) -> SessionWire:
        """The way in for a session, by the engine's name for it; "" is for what belongs to none."""
        return self._wires.get(key, self._strangers)

    def lend(self, event_seq: int) -> None:
        """What this thread hands to the engine next derives from this event."""
        self._lent.seq = event_seq

    def settle(self, slot: Slot, message: fix.Message, *, taken: bool) -> None:
        """The engine has returned: if it kept the message for later, note under which number."""
        event_seq, self._lent.seq = self._lent.seq, 0
        if event_seq and taken:
            number = int(message.getHeader().getField(34))
            self.add(self._wires[slot.key], Kind.KEPT, slot.state.reset_epoch, event_seq, "", number)

    def lent(self) -> int:
        """The event of what this thread sends, once; 0 for what derives from none."""
        event_seq: int = getattr(self._lent, "seq", 0)
        if event_seq:
            self._lent.seq = 0
        return event_seq

    def add(self, wire: SessionWire, kind: int, epoch: int, event_seq: int, text: str, msg_seq_num: int = 0) -> None:
        """Keep one message for the writer, with the time of now. Never waits for a file."""
        with self._lock:
            if self._waiting_chars > WAITING_CHARS_MAX:
                self._overflow[wire] = self._overflow.get(wire, 0) + 1
                return
            self._waiting.append((wire, (kind, time.time_ns(), epoch, msg_seq_num, event_seq, text)))
            self._waiting_chars += len(text)

    def flush(self) -> None:
        """Bring to the files what waits. Only the writer's thread, or after it has ended."""
        with self._lock:
            taken, self._waiting, self._waiting_chars = self._waiting, [], 0
            overflow, self._overflow = self._overflow, {}
        for wire, count in overflow.items():
            wire.files.lose(count, "they come faster than they can be written")
        of_session: dict[SessionWire, list[_Waiting]] = {}
        for wire, item in taken:
            of_session.setdefault(wire, []).append(item)
        for wire, waiting in of_session.items():
            wire.write(waiting)

    def health(self) -> dict[str, Any]:
        """Counters for the control socket."""
        lost = sum(wire.files.lost_count for wire in self._all()) + sum(self._overflow.copy().values())
        return {"wire_waiting": len(self._waiting), "wire_lost": lost}

    def close(self) -> None:
        """Write what is left, say that this was an ordered stop, and wait for the disk."""
        self._stop.set()
        if self._writer.is_alive():
            self._writer.join()
        self.flush()
        for wire in self._all():
            wire.files.mark("stop", time.time_ns())
            wire.files.close()

    def _all(self) -> Iterator[SessionWire]:
        yield from (*self._wires.values(), self._strangers)

    def _files(self, name: str) -> Segments:
        return Segments(folder(self._directory, name), name, self._keep_days, time.time_ns())

    def _write(self) -> None:
        try:
            while not self._stop.wait(FLUSH_EVERY_S):
                if self._waiting or self._overflow:
                    self.flush()
        except Exception:
            log.exception("the wire journal has stopped: messages are counted and not kept; trading goes on")


class SessionWire:
    """One session in the journal: what the engine's log calls, and its files. slot is None for what has no session."""

    def __init__(self, journal: WireJournal, slot: Slot | None, files: Segments) -> None:
        self.files = files
        self._journal = journal
        self._slot = slot

    def incoming(self, text: str) -> None:
        """A message came in."""
        if self._slot is not None:
            self._slot.messages_in += 1
        self._journal.add(self, Kind.IN, self._epoch(text), 0, text)

    def outgoing(self, text: str) -> None:
        """A message goes out."""
        if self._slot is not None:
            self._slot.messages_out += 1
        self._journal.add(self, Kind.OUT, self._epoch(text), self._journal.lent(), text)

    def _epoch(self, text: str) -> int:
        """The numbering that a message's number belongs to. A Logon that resets is the first of the next one."""
        if self._slot is None:
            return 0
        epoch = self._slot.state.reset_epoch
        if text.find(_LOGON, 0, 200) >= 0 and (_RESETS in text or self._slot.config.reset == "logon"):
            return epoch + 1
        return epoch

    def write(self, waiting: list[_Waiting]) -> None:
        """Bring messages to the files, letting other threads run in between. For the writer's thread."""
        for start in range(0, len(waiting), _STRETCH):
            if start:
                time.sleep(_PAUSE_S)
            for item in waiting[start : start + _STRETCH]:
                self.files.add(_record(item))
            self.files.write()


def _record(item: _Waiting) -> WireRecord:
    kind, time_ns, epoch, number, event_seq, text = item
    raw = text.encode("utf-8", "surrogateescape")
    if _LOGON in text or _PASSWORD in text or _NEW_PASSWORD in text or _ENCRYPTED in text or _NEW_ENCRYPTED in text:
        raw = masked(raw, raw_data=_LOGON in text)
    return WireRecord(kind, time_ns, epoch, number or message_seq_num(text), event_seq, raw)


def masked(raw: bytes, *, raw_data: bool) -> bytes:
    """A message without its passwords: Password (554), NewPassword (925), the encrypted ones, and RawData (96) of a Logon."""
    parts, at = [], 0
    while (found := _SECRET.search(raw, at)) is not None:
        length_tag, length, tag = found.groups()
        if tag == b"96" and not raw_data:
            parts.append(raw[at : found.end()])
            at = found.end()
            continue
        end = found.end() + int(length) if length is not None and _LENGTH_OF.get(tag) == length_tag else -1
        if raw[end : end + 1] != b"\x01" or end < 0:
            end = raw.find(b"\x01", found.end())
        parts += (raw[at : found.end()], _MASK)
        at = end if end >= 0 else len(raw)
    return b"".join(parts) + raw[at:]
