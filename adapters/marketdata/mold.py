"""MoldUDP64: numbered messages in datagrams, what is missing noticed and asked for again. Source: Nasdaq MoldUDP64 1.00.

A datagram is session (10 bytes), sequence number of its first message (8), message count (2), then each message after its
2-byte length; count 0 is a heartbeat and 0xFFFF the end of the session, both with the next number. `admit` and
`decode_datagram` are compiled, for a hot path that is called once per datagram; `MoldReceiver` adds what happens around them,
`MoldSender` is the other end.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from adapters.marketdata.compiled import be16, be64, hot, i64, put16, put64
from adapters.marketdata.itch import decode_frames
from adapters.marketdata.itch_layout import I64, LAST_NS, MIDNIGHT_NS, RECORDS_MAX, Bytes, Itch
from adapters.marketdata.records import write
from domain.errors import ReferenceDataError
from domain.tape import EVERY_INSTRUMENT, Kind, Status, Tape, empty_tape

HEADER: Final = 20
SESSION: Final = 10
_END_COUNT: Final = 0xFFFF
_SMALLEST_FRAME: Final = 21  # of a message that becomes records: D, with its length
_JUMP_MAX: Final = 1 << 32  # a number further ahead is no number of this session
_STATUS, _EVERY, _NONE = i64(Kind.STATUS), i64(EVERY_INSTRUMENT), i64(0)
_LOST, _ENDED = i64(Status.LOST), i64(Status.ENDED)
# Places in meta. NEXT: the number that must come, 0 before the first datagram.
NEXT, DATAGRAMS, HEARTBEATS, DUPLICATES, GAPS, LOST, CUT, FOREIGN, SHORT, ENDED, METAS = 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10


class Verdict(IntEnum):
    """What a datagram is to a stream."""

    IN_ORDER = 0
    DUPLICATE = 1  # everything in it was there before: the other line's copy, or an answer come late
    GAP = 2  # it begins after the message that must come; a heartbeat may say it too
    HEARTBEAT = 3
    END = 4  # of the session
    FOREIGN = 5  # another session's
    SHORT = 6  # no header, or a number no session has
    NO_ROOM = 7  # the records would not fit: nothing was done


_IN_ORDER, _DUPLICATE, _GAP, _HEARTBEAT = (i64(v) for v in (Verdict.IN_ORDER, Verdict.DUPLICATE, Verdict.GAP, Verdict.HEARTBEAT))
_END, _FOREIGN, _SHORT, _NO_ROOM = (i64(v) for v in (Verdict.END, Verdict.FOREIGN, Verdict.SHORT, Verdict.NO_ROOM))


class Mold(NamedTuple):
    """meta: (METAS,) the next number and counts, by the places above. CUT: datagrams with fewer whole messages than their
    count, whose rest is then missing. session: (10,) bytes, zeros before the first datagram."""

    meta: I64
    session: Bytes


def make_mold(next_number: int = 0) -> Mold:
    """A stream before its first datagram. next_number 0: whatever comes first is the beginning."""
    meta = np.zeros(METAS, np.int64)
    meta[NEXT] = next_number
    return Mold(meta, np.zeros(SESSION, np.uint8))


@hot
def _same_session(session: Bytes, data: Bytes, at: int) -> bool:
    if be64(session, 0) == 0:
        put64(session, 0, be64(data, at))
        put16(session, 8, be16(data, at + 8))
    return be64(session, 0) == be64(data, at) and be16(session, 8) == be16(data, at + 8)


@hot
def room_of(size: int) -> int:
    """How many records a datagram of that many bytes may need, a loss and the end of the session among them."""
    return RECORDS_MAX * (size // _SMALLEST_FRAME + 2)


@hot
def admit(mold: Mold, data: Bytes, at: int, end: int) -> tuple[int, int, int]:
    """What the datagram data[at:end] is. Returns (verdict, offset of its first new message, how many are new and whole).

    Counts it and moves the next number on, but not for a gap, which is the caller's to fill or to give up.
    """
    meta = mold.meta
    meta[DATAGRAMS] += 1
    if end - at < HEADER:
        meta[SHORT] += 1
        return _SHORT, at, 0
    number, count = be64(data, at + SESSION), be16(data, at + SESSION + 8)
    if number <= 0 or (meta[NEXT] != 0 and number - meta[NEXT] > _JUMP_MAX):
        meta[SHORT] += 1
        return _SHORT, at, 0
    if not _same_session(mold.session, data, at):
        meta[FOREIGN] += 1
        return _FOREIGN, at, 0
    if meta[NEXT] == 0:
        meta[NEXT] = number
    if number > meta[NEXT]:
        return _GAP, at, number - meta[NEXT]
    if count == _END_COUNT:
        meta[ENDED] = 1
        return _END, at, 0
    if count == 0:
        meta[HEARTBEATS] += 1
        return _HEARTBEAT, at, 0
    return _new_messages(meta, data, at + HEADER, end, number, count)


@hot
def _new_messages(meta: I64, data: Bytes, at: int, end: int, number: int, count: int) -> tuple[int, int, int]:
    """Steps over those that were there before, and counts those that are whole."""
    before, first, whole = meta[NEXT] - number, at, 0
    while whole < count and at + 2 <= end and at + 2 + be16(data, at) <= end:
        at += 2 + be16(data, at)
        whole += 1
        if whole <= before:
            first = at
    if whole < count:
        meta[CUT] += 1
    if whole <= before:
        meta[DUPLICATES] += 1
        return _DUPLICATE, first, 0
    meta[NEXT] = number + whole
    return _IN_ORDER, first, whole - before


@hot
def give_up(mold: Mold, s: Itch, number: int, recv_ns: int, out: Tape, n: int) -> int:
    """What lies before message `number` will not come: a STATUS record says so, and the stream goes on there."""
    missing = number - mold.meta[NEXT]
    mold.meta[GAPS] += 1
    mold.meta[LOST] += missing
    mold.meta[NEXT] = number
    event_ns = s.meta[MIDNIGHT_NS] + s.meta[LAST_NS]
    seen_ns = recv_ns if recv_ns != 0 else event_ns
    write(out[n], event_ns, seen_ns, missing, _NONE, _LOST, _EVERY, _NONE, _STATUS, _NONE)
    return n + 1


@hot
def decode_datagram(
    mold: Mold, s: Itch, data: Bytes, at: int, end: int, recv_ns: int, out: Tape, n: int, accept_loss: bool
) -> tuple[int, int]:
    """One datagram's records into out from n on. Returns (verdict, new n). The whole of it is done, or nothing (NO_ROOM, GAP).

    out must have room_of(end - at) records left. accept_loss: what is missing is given up at once.
    """
    if out.size - n < room_of(end - at):
        return _NO_ROOM, n
    verdict, first, count = admit(mold, data, at, end)
    if verdict == _GAP and accept_loss:
        n = give_up(mold, s, be64(data, at + SESSION), recv_ns, out, n)
        mold.meta[DATAGRAMS] -= 1
        verdict, first, count = admit(mold, data, at, end)
    if verdict == _IN_ORDER:
        last = first
        for _ in range(count):
            last += 2 + be16(data, last)
        first, n = decode_frames(s, data, first, last, recv_ns, out, n)
    elif verdict == _END:
        event_ns = s.meta[MIDNIGHT_NS] + s.meta[LAST_NS]
        seen_ns = recv_ns if recv_ns != 0 else event_ns
        write(out[n], event_ns, seen_ns, _NONE, _NONE, _ENDED, _EVERY, _NONE, _STATUS, _NONE)
        n += 1
    return verdict, n


class MoldReceiver:
    """A stream received over one or more lines: copies are dropped, what comes early waits, what is missing is asked for.

    Limits: `held_max` early datagrams; beyond it, and when the caller's patience is over (`abandon`), what is missing before the
    earliest held one is given up and a STATUS record of LOST says how many.
    """

    def __init__(self, state: Itch, *, next_number: int = 0, held_max: int = 1_000) -> None:
        self.state = state
        self.mold = make_mold(next_number)
        self._held: dict[int, tuple[Bytes, int]] = {}
        self._held_max = held_max

    def take(self, datagram: bytes, recv_ns: int = 0) -> Tape:
        """The records that have become known, in order; empty while something before them is missing."""
        data = np.frombuffer(bytearray(datagram), np.uint8)
        out = empty_tape(room_of(len(data)))
        verdict, n = decode_datagram(self.mold, self.state, data, 0, len(data), recv_ns, out, 0, False)
        if verdict == Verdict.GAP:
            self._hold(int.from_bytes(datagram[SESSION : SESSION + 8], "big"), data, recv_ns)
            return self.abandon() if len(self._held) > self._held_max else out[:0]
        return np.concatenate([out[:n], self._held_records()]) if self._held else out[:n]

    def _hold(self, number: int, data: Bytes, recv_ns: int) -> None:
        if number not in self._held or len(self._held[number][0]) < len(data):  # a heartbeat gives way to messages
            self._held[number] = (data, recv_ns)

    def request(self, count_max: int = 1_000) -> bytes | None:
        """The packet that asks for what is missing now, None when nothing is."""
        if not self._held:
            return None
        first = int(self.mold.meta[NEXT])
        count = min(min(self._held) - first, count_max)
        return self.mold.session.tobytes() + first.to_bytes(8, "big") + count.to_bytes(2, "big")

    def abandon(self) -> Tape:
        """Give up what is missing before the earliest held datagram; the records of LOST and of what was held."""
        if not self._held:
            return empty_tape()
        out = empty_tape(1)
        give_up(self.mold, self.state, min(self._held), 0, out, 0)
        return np.concatenate([out, self._held_records()])

    def _held_records(self) -> Tape:
        parts = [empty_tape()]
        while self._held and min(self._held) <= self.mold.meta[NEXT]:
            data, recv_ns = self._held.pop(min(self._held))
            out = empty_tape(room_of(len(data)))
            _, n = decode_datagram(self.mold, self.state, data, 0, len(data), recv_ns, out, 0, False)
            parts.append(out[:n])
        return np.concatenate(parts)


class MoldSender:
    """The publishing end of one session: packs messages into datagrams, answers requests from what it has kept."""

    def __init__(self, session: str, *, size_max: int = 1_400) -> None:
        self._session = session.encode("ascii").ljust(SESSION)
        if len(self._session) != SESSION or not session:
            raise ReferenceDataError(f"{session!r} is no MoldUDP64 session: one to ten characters")
        self._size_max = size_max
        self._messages: list[bytes] = []  # each with its length before it

    @property
    def next_number(self) -> int:
        """Of the message that will be sent next."""
        return len(self._messages) + 1

    def packets(self, frames: bytes) -> list[bytes]:
        """Datagrams of messages that each follow their 2-byte length."""
        first, at = self.next_number, 0
        while at < len(frames):
            after = at + 2 + int.from_bytes(frames[at : at + 2], "big")
            if after > len(frames):
                raise ReferenceDataError(f"a message ends behind the bytes at offset {at}")
            self._messages.append(frames[at:after])
            at = after
        return self._pack(first, len(self._messages))

    def answer(self, request: bytes) -> list[bytes]:
        """What was asked for, as far as it was ever sent; nothing for a request of another session or no request at all."""
        if len(request) != HEADER or request[:SESSION] != self._session:
            return []
        first, count = int.from_bytes(request[10:18], "big"), int.from_bytes(request[18:], "big")
        return self._pack(first, min(first + count - 1, len(self._messages))) if first > 0 else []

    def heartbeat(self) -> bytes:
        """Says the next number while nothing happens."""
        return self._header(self.next_number, 0)

    def end(self) -> bytes:
        """Says that the session is over."""
        return self._header(self.next_number, _END_COUNT)

    def _header(self, number: int, count: int) -> bytes:
        return self._session + number.to_bytes(8, "big") + count.to_bytes(2, "big")

    def _pack(self, first: int, last: int) -> list[bytes]:
        found: list[bytes] = []
        body: list[bytes] = []
        size = HEADER
        for number in range(first, last + 1):
            frame = self._messages[number - 1]
            if body and size + len(frame) > self._size_max:
                found.append(self._header(number - len(body), len(body)) + b"".join(body))
                body, size = [], HEADER
            body.append(frame)
            size += len(frame)
        return [*found, self._header(last + 1 - len(body), len(body)) + b"".join(body)] if body else found
