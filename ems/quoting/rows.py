"""Writing the journal's records from compiled code: the parts of a call are begun, filled and ended in their slots."""

from __future__ import annotations

from typing import Final

from ems.quoting import journal as j
from ems.quoting.checks import tokens
from ems.quoting.compiled import hot, inlined
from ems.quoting.journal import I64, U8
from ems.quoting.state import (
    CALLS,
    COLLAR,
    FEED_NEXT,
    HELD_LOTS,
    LONG_MAX,
    MID2,
    OPEN,
    OUT_OF_STEP,
    PHASE,
    PLACING,
    POSITION,
    PRICE,
    REF,
    REPLACING,
    REPORT_NEXT,
    SESSION,
    SIZE_MAX,
    SPREAD_E9,
    SUSPENDED,
    WORST_CENTS,
    WORST_LOTS_MAX,
    Call,
    Own,
)
from models.compiled import i64
from models.words import read_word, swap_word

_ZERO, _TWO_E9 = i64(0), i64(2_000_000_000)
_INPUT_WORD: Final = i64(j.B_INPUT // 8)


@inlined
def slot_of(to: Call, part: int) -> int:
    """The row of this call's record number `part`."""
    return (to.place[j.NEXT] - 1 + part) & (to.records.words.shape[0] - 1)


@inlined
def parts_left(to: Call) -> int:
    """How many records this call may write."""
    return min(to.place[j.ROOM_UNTIL] - to.place[j.NEXT] + 1, j.PARTS_MAX)


@hot
def begin(to: Call, own: Own, part: int, kind: int, now_ns: int, began_ns: int, k: int, verdict: int, kill: int) -> int:
    """A record with its head; what is not known yet is 0. Its slot."""
    slot = slot_of(to, part)
    r, w = to.records.words[slot], own.words
    for at in range(j.STAMPS, j.HEAD_WORDS):
        r[at] = 0
    r[j.STARTED_NS] = began_ns
    r[j.KIND], r[j.PART], r[j.NOW_NS] = kind, part, now_ns
    r[j.SESSION], r[j.SUSPENDED], r[j.CALL] = w[SESSION], w[SUSPENDED], w[CALLS]
    r[j.SPREAD] = w[SPREAD_E9]
    r[j.INSTRUMENT], r[j.VERDICT], r[j.KILL], r[j.INFERRED] = k, verdict, kill, -1
    if k >= 0:
        t = own.table[k]
        for i in range(j.N_EXPOSURE):
            r[j.EXPOSURE + i] = read_word(own.firm, k * j.N_EXPOSURE + i)
        r[j.LIMITS], r[j.LIMITS + 1], r[j.LIMITS + 2] = t[LONG_MAX], w[WORST_LOTS_MAX], t[SIZE_MAX]
        r[j.LIMITS + 3] = t[COLLAR] * t[MID2] // _TWO_E9
        for side in range(2):
            o = own.orders[k, side]
            r[j.WORKING + 2 * side], r[j.WORKING + 2 * side + 1], r[j.REFS + side] = o[PRICE], o[OPEN], o[REF]
            if o[PHASE] == PLACING or o[PHASE] == REPLACING:
                r[j.PENDING] |= 1 << side
    return slot


@inlined
def take_input(to: Call, data: U8, length: int) -> None:
    """The call's input into its first record, as far as it has room: the process refuses what is longer."""
    slot = slot_of(to, _ZERO)
    to.records.words[slot, j.INPUT_LENGTH] = length
    for i in range(min(length, j.INPUT_BYTES)):
        to.records.bytes[slot, j.B_INPUT + i] = data[i]


@hot
def end(to: Call, own: Own, parts: int, kill: int, now_ns: int, out: U8, n: int) -> None:
    """All parts of the call get what is known last, their check and their number; the last one has the output."""
    last, w = slot_of(to, parts - 1), own.words
    to.records.words[last, j.OUTPUT_LENGTH] = n
    for i in range(n):
        to.records.bytes[last, j.B_OUTPUT + i] = out[i]
    left = tokens(own, now_ns)
    for part in range(parts):
        slot, number = slot_of(to, part), to.place[j.NEXT] + part
        r = to.records.words[slot]
        k = r[j.INSTRUMENT]
        r[j.KILL_AGAIN], r[j.TOKENS], r[j.REASON] = kill, left, w[OUT_OF_STEP]
        r[j.INVENTORY] = own.table[k, POSITION] if k >= 0 else 0
        r[j.INVENTORY_TOTAL], r[j.NOTIONAL_TOTAL] = w[HELD_LOTS], w[WORST_CENTS]
        r[j.FEED_NEXT], r[j.REPORT_NEXT] = w[FEED_NEXT], w[REPORT_NEXT]
        r[j.CHECK] = _check(r, number)
        swap_word(to.records.words, slot * to.records.words.shape[1] + j.SEQUENCE, number)
    to.place[j.NEXT] += parts


@inlined
def _check(r: I64, number: int) -> int:
    """`ems.quoting.journal.check_of`."""
    sent = j.HEAD_WORDS + min(max(r[j.OUTPUT_LENGTH], _ZERO), j.OUTPUT_BYTES) // 8
    came = _INPUT_WORD + min(max(r[j.INPUT_LENGTH], _ZERO), j.INPUT_BYTES) // 8
    total = number
    for at in range(j.HEAD, sent):
        total += r[at] * j.KEYS[at]
    for at in range(_INPUT_WORD, came):
        total += r[at] * j.KEYS[at]
    return total
