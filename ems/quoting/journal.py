"""The quoter's journal record: one of fixed size for every call of the kernel, written in place in a ring that survives it.

A record is written whole by the kernel before its bytes are sent, its `CHECK` before its `SEQUENCE`; the process publishes it
after the send. Whoever finds the ring later takes every record whose sequence number is the one that its slot must have and
whose check word is right, published or not: so what was sent is in the journal, however the process ended.

Compiled code writes through three views of the same memory, `Records`, one row a slot: a constant is the place in `words`
(int64) unless its name says otherwise (`F_` in `floats`, `B_` in `bytes`). Words 0 to 15 are of this run alone; from `COMPARED`
on a record is what the call saw and decided, and comes out the same to the byte when the call is made again from the same state.

A call that decides about several instruments writes a record for each, `PART` counting from 0; the first has the input, the
last the output. Bytes of input and output behind their length, and an observation and z where `INFERRED` is not 0
(`models.inference.OK`), are whatever was there before: no part of the record.

The kernel finds its slot by two words, `place`: record `place[NEXT]` goes to row (place[NEXT] - 1) & (slots - 1), slots a power
of two, and the number goes up by one. It never writes a number above `place[ROOM_UNTIL]`, which the process sets before a call
so that PARTS_MAX records fit.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
U8 = NDArray[np.uint8]

# Kinds: what a call was of. Records that are no call, written by the process: STATE, it changed the state, which it keeps whole
# in a file beside the journal, and a segment begins behind it; REPLAYED, a report that the venue repeated while the session was
# reconciled, and that the kernel never saw, or what was sent for that; STOPPED, the last one of a session that ended in order.
DATAGRAM: Final = 1
REPORT: Final = 2
TIMER: Final = 3
STATE: Final = 4
REPLAYED: Final = 5
STOPPED: Final = 6
CALLS: Final = (DATAGRAM, REPORT, TIMER)

NEXT, ROOM_UNTIL, PLACE = 0, 1, 2  # words of `place`
PARTS_MAX: Final = 64  # records of one call

# ------------------------------------------------------------------- of this run alone: words 0 to 15
SEQUENCE: Final = 0  # from 1; in slot (sequence - 1) % slots; written last
CHECK: Final = 1  # `check_of`
STAMPS: Final = 2  # ns since the call began at the end of each stage, 0 where it was not reached
PARSED, BOOKED, FEATURED, ENCODED, STEPPED, CONTROLLED, PRICED, CHECKED, SERIALISED, SENT = range(STAMPS, STAMPS + 10)
N_STAMPS: Final = 10  # SENT is written by the process, after the send; CHECK does not cover the stamps
NOT_SENT: Final = -1  # in SENT: there was no connection, so nothing has left; 0 with an output: nobody knows
STARTED_NS: Final = 12  # the call's begin, ns of CLOCK_MONOTONIC
RECEIVED_NS: Final = 13  # when the input was taken from the socket, ns of CLOCK_MONOTONIC
# ---------------------------------------------------------------------- compared: from word 16 on
HEAD: Final = 16
KIND: Final = 16
PART: Final = 17
SESSION: Final = 18  # `session_number` of the stream
NOW_NS: Final = 19  # the argument
INPUT_LENGTH: Final = 20  # bytes; of the first part
OUTPUT_LENGTH: Final = 21  # bytes; of the last part
INSTRUMENT: Final = 22  # its number, -1 where the call was about none
VERDICT: Final = 23  # bits: why there is no quote
KILL: Final = 24  # the latch's worst level as read at entry
KILL_AGAIN: Final = 25  # and before encoding
SUSPENDED: Final = 26  # `domain.quote.Why` as the process had set it
EXPOSURE: Final = 27  # words of `adapters.shm.exposure` as read for the instrument
N_EXPOSURE: Final = 6
MODEL: Final = 33  # number of the model version that was asked
INFERRED: Final = 34  # what `models.inference.infer` said; -1 where it was not asked
INVENTORY: Final = 35  # lots of the instrument, after what the call has told
INVENTORY_TOTAL: Final = 36  # lots of all instruments, each by its magnitude
NOTIONAL_TOTAL: Final = 37  # lots x ticks of all, each by its magnitude
TOP: Final = 38  # bid ticks, bid lots, ask ticks, ask lots of the book
WANTED: Final = 42  # bid ticks, bid lots, ask ticks, ask lots; 0 lots: no quote
WORKING: Final = 46  # the same of our orders at the venue, before the call's output
REFS: Final = 50  # UserRefNum of bid and ask, 0 without
PENDING: Final = 52  # bits: 1 bid, 2 ask wait for the venue's answer
TOKENS: Final = 53  # left in the message budget
LIMITS: Final = 54  # as read: inventory of the instrument, of all, order size, price band in ticks
N_LIMITS: Final = 4
FEED_NEXT: Final = 58  # the next number of the feed
REPORT_NEXT: Final = 59  # the next number of the venue's sequenced reports
CALL: Final = 60  # number of the call, from 1: its parts share it
REASON: Final = 61  # the kernel's own word about its output
SPREAD: Final = 68  # how many times the net's distance quotes keep, at 1e-9, as read; 0: before there was such a number
F_ACTION: Final = 2 * 62  # (4,)
F_FORECAST: Final = 2 * 64  # predicted return, its log scale, its tail, toxicity's logit
F_OWN: Final = 2 * 66  # (4,) own state
HEAD_WORDS: Final = 72  # 69 to 71 are zeros
B_OUTPUT: Final = 8 * HEAD_WORDS
OUTPUT_BYTES: Final = 1024
B_INPUT: Final = B_OUTPUT + OUTPUT_BYTES
INPUT_BYTES: Final = 1472  # a datagram in an Ethernet frame; a longer one is refused before the kernel, as a gap
F_OBSERVATION: Final = (B_INPUT + INPUT_BYTES) // 4
OBSERVATION: Final = 208  # book (40,), tape (3, 50), context (18,)
F_Z: Final = F_OBSERVATION + OBSERVATION
Z: Final = 128
RECORD_BYTES: Final = 4 * (F_Z + Z)
COMPARED: Final = 8 * HEAD  # bytes

_WORDS: Final = {
    "sequence": (SEQUENCE, 1), "check": (CHECK, 1), "stamps": (STAMPS, N_STAMPS), "started_ns": (STARTED_NS, 1),
    "received_ns": (RECEIVED_NS, 1), "kind": (KIND, 1), "part": (PART, 1), "session": (SESSION, 1), "now_ns": (NOW_NS, 1),
    "input_length": (INPUT_LENGTH, 1), "output_length": (OUTPUT_LENGTH, 1), "instrument": (INSTRUMENT, 1),
    "verdict": (VERDICT, 1), "kill": (KILL, 1), "kill_again": (KILL_AGAIN, 1), "suspended": (SUSPENDED, 1),
    "exposure": (EXPOSURE, N_EXPOSURE), "model": (MODEL, 1), "inferred": (INFERRED, 1), "inventory": (INVENTORY, 1),
    "inventory_total": (INVENTORY_TOTAL, 1), "notional_total": (NOTIONAL_TOTAL, 1), "top": (TOP, 4), "wanted": (WANTED, 4),
    "working": (WORKING, 4), "refs": (REFS, 2), "pending": (PENDING, 1), "tokens": (TOKENS, 1), "limits": (LIMITS, N_LIMITS),
    "feed_next": (FEED_NEXT, 1), "report_next": (REPORT_NEXT, 1), "call": (CALL, 1), "reason": (REASON, 1),
    "spread": (SPREAD, 1),
}  # fmt: skip
_FLOATS: Final = {
    "action": (F_ACTION, 4), "forecast": (F_FORECAST, 4), "own": (F_OWN, 4), "observation": (F_OBSERVATION, OBSERVATION),
    "z": (F_Z, Z),
}  # fmt: skip
_BYTES: Final = {"output": (B_OUTPUT, OUTPUT_BYTES), "input": (B_INPUT, INPUT_BYTES)}


def _dtype() -> np.dtype[np.void]:
    parts = [(name, at * size, base, count) for base, size, table in (("<i8", 8, _WORDS), ("<f4", 4, _FLOATS), ("u1", 1, _BYTES))
             for name, (at, count) in table.items()]  # fmt: skip
    return np.dtype({
        "names": [name for name, *_ in parts],
        "offsets": [at for _, at, *_ in parts],
        "formats": [base if count == 1 else (base, (count,)) for _, _, base, count in parts],
        "itemsize": RECORD_BYTES,
    })  # fmt: skip


RECORD: Final = _dtype()


class Records(NamedTuple):
    """Views of one memory of `slots` records, for compiled code: a row is a slot."""

    words: I64  # (slots, RECORD_BYTES / 8)
    floats: F32  # (slots, RECORD_BYTES / 4)
    bytes: U8  # (slots, RECORD_BYTES)


def views(memory: U8) -> Records:
    """memory (slots x RECORD_BYTES,), contiguous, on a boundary of 8 bytes, writable or not."""
    table = memory.reshape(-1, RECORD_BYTES)
    return Records(table.view(np.int64), table.view(np.float32), table)


def scratch(slots: int = 1) -> Records:
    """Records in memory of their own: where nothing is to be kept, and for a re-run."""
    return views(np.zeros(slots * RECORD_BYTES, np.uint8))


_CHECKED: Final = F_OBSERVATION // 2  # words


def _keys() -> I64:
    """Odd numbers from splitmix64 (Steele, Lea and Flood 2014), one for each word that the check may cover."""
    with np.errstate(over="ignore"):
        x = np.arange(1, _CHECKED + 1, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15)
        for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
            x = (x ^ (x >> np.uint64(shift))) * np.uint64(factor)
    return ((x ^ (x >> np.uint64(31))) | np.uint64(1)).view(np.int64)


KEYS: Final = _keys()  # (_CHECKED,): the key of each word, by its place
_INPUT_WORD: Final = B_INPUT // 8


def check_of(words: I64, sequence: int) -> int:
    """The check word of a record: sequence + sum of word x key, modulo 2^64, over the words of the head, and of output and input
    those that are filled. It finds a record that is torn, not one that somebody forged: for that there is a hash.

    Args:
        words: (RECORD_BYTES / 8,), a row of `Records.words`.
    """
    sent = HEAD_WORDS + min(max(int(words[OUTPUT_LENGTH]), 0), OUTPUT_BYTES) // 8
    came = _INPUT_WORD + min(max(int(words[INPUT_LENGTH]), 0), INPUT_BYTES) // 8
    total = sequence
    for first, last in ((HEAD, sent), (_INPUT_WORD, came)):
        total += int(np.sum(words[first:last] * KEYS[first:last], dtype=np.int64))
    total &= (1 << 64) - 1
    return total - (1 << 64) if total >> 63 else total


def whole(words: I64, sequence: int) -> bool:
    """Is this slot the record of that number, all of it?"""
    return bool(words[SEQUENCE] == sequence and words[CHECK] == check_of(words, sequence))


def put(
    words: I64, raw: U8, sequence: int, kind: int, session: int, now_ns: int, data: bytes = b"", output: bytes = b""
) -> None:  # fmt: skip
    """Write a record that is no call of the kernel's.

    Args:
        words, raw: the slot's rows of `Records`.
        data, output: at most INPUT_BYTES and OUTPUT_BYTES.
    """
    words[:HEAD_WORDS] = 0
    words[KIND], words[SESSION], words[NOW_NS] = kind, session, now_ns
    words[INPUT_LENGTH], words[OUTPUT_LENGTH] = len(data), len(output)
    words[INSTRUMENT] = words[INFERRED] = -1
    raw[B_INPUT : B_INPUT + len(data)] = np.frombuffer(data, np.uint8)
    raw[B_OUTPUT : B_OUTPUT + len(output)] = np.frombuffer(output, np.uint8)
    words[CHECK] = check_of(words, sequence)
    words[SEQUENCE] = sequence
