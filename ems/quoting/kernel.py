"""One tick to one quote: three compiled functions over a `Quoter`, from the feed's and the venue's bytes to ours.

    n = on_datagram(q, data, length, now_ns, out)     a MoldUDP64 datagram of ITCH 5.0
    n = on_report(q, data, length, now_ns, out)       one OUCH 5.0 message of the venue's, without its frame
    n = on_timer(q, now_ns, out)                      silence, kill, answers that do not come, cancels that found no room

`out` (1,024 bytes; more is not used) then holds n bytes of whole SoupBinTCP frames to be sent, and the journal's next records
say why. n < 0: the journal had no room, and nothing was done. While `UNDONE` is set the timer is to be called again at once.

**When the core is asked.** For every instrument that is quoted and of which the datagram told something, once, behind the
datagram's last record of it, unless its book may be wrong, it is halted, or too little of it has been seen. Killed or suspended
it is asked all the same, so that its state goes on. Every tenth event of an instrument is a step of its dynamics.

**Two halves.** First all instruments of the datagram are decided, then the kill latch is read again, then orders are changed, so
that what is sent after a kill was set is cancels. `ems.quoting.verdicts` names why there is no quote.
"""

from __future__ import annotations

from adapters.marketdata.mold import decode_datagram
from adapters.ouch.compiled import read_report
from ems.quoting import journal as j
from ems.quoting import rows
from ems.quoting.checks import read_kill
from ems.quoting.compiled import hot, inlined
from ems.quoting.decision import decide
from ems.quoting.feed import follow, heard, trusted
from ems.quoting.journal import U8
from ems.quoting.lifecycle import pull, pull_all, show
from ems.quoting.reports import fold
from ems.quoting.state import (
    ANSWER_NS,
    CALLS,
    CANCELING,
    FEED_NEXT,
    FEED_OVER,
    FEED_TOP,
    FREE,
    GARBAGE,
    HEARD_NS,
    I64,
    LATE_NS,
    LIVE,
    OUT_OF_STEP,
    PHASE,
    RESUME_NS,
    SENT_NS,
    SILENT,
    STALE_NS,
    SUSPENDED,
    UNANSWERED,
    UNDONE,
    WORKING,
    Own,
    Quoter,
)
from ems.quoting.verdicts import (
    CHECK_BITS,
    CLOSED,
    CROSSED,
    CROWDED,
    DOUBTFUL,
    GAP,
    KILLED,
    NO_FEED,
    OTHER,
    PAUSED,
    SHIFT,
    STALE,
    SUSPENDED_BY,
    UNSURE,
)
from models.compiled import i64
from models.hot_clock import now_ns as clock_ns

_ZERO, _ONE, _NOBODY = i64(0), i64(1), i64(-1)
_DATAGRAM, _REPORT, _TIMER = i64(j.DATAGRAM), i64(j.REPORT), i64(j.TIMER)
_FALSE = False


@inlined
def _in_general(w: I64, kill: int) -> int:
    """The bits of what forbids all quotes."""
    said = KILLED if kill != 0 else _ZERO
    if w[SUSPENDED] != 0:
        said |= SUSPENDED_BY
    if w[OUT_OF_STEP] != 0:
        said |= UNSURE
    if w[FEED_TOP] > w[FEED_NEXT]:
        said |= GAP
    if w[SILENT] != 0 or w[HEARD_NS] == 0:
        said |= STALE
    if w[GARBAGE] != 0 or w[FEED_OVER] != 0:
        said |= NO_FEED
    return said


@inlined
def _decide(q: Quoter, part: int, k: int, now_ns: int, began_ns: int, general: int, kill: int) -> None:
    """The first half of an instrument's turn: what is wanted, or why nothing is."""
    m, own, records = q.market, q.own, q.call.records
    slot = rows.begin(q.call, own, part, _DATAGRAM, now_ns, began_ns, k, general, kill)
    said = trusted(m, own.words, own.table, k, now_ns)
    if said & (DOUBTFUL | CROSSED | CLOSED | OTHER) == 0:
        said |= decide(q.net, m, own, k, records.words[slot], records.floats[slot], now_ns)
    records.words[slot, j.VERDICT] |= said


@hot
def _act(own: Own, r: I64, kill: int, now_ns: int, out: U8, n: int) -> int:
    """The second half: orders are brought nearer to what is wanted. r: the record's words. The new n."""
    k = r[j.INSTRUMENT]
    if kill != 0:
        r[j.VERDICT] |= KILLED
    if r[j.VERDICT] != 0:
        return pull(own, k, now_ns, out, n)
    for side in range(2):
        n, said = show(own, k, side, r[j.WANTED + 2 * side], r[j.WANTED + 2 * side + 1], kill, now_ns, out, n)
        r[j.VERDICT] |= said << (SHIFT + CHECK_BITS * side)
    r[j.CHECKED] = clock_ns() - r[j.STARTED_NS] - own.spent[0]  # the bytes are the next row's
    return n


@hot
def on_datagram(q: Quoter, data: U8, length: int, now_ns: int, out: U8) -> int:
    """A datagram of the feed. See the module for what is returned."""
    began_ns, room, own, m, call = clock_ns(), rows.parts_left(q.call), q.own, q.market, q.call
    w = own.words
    if room < 1:
        return _NOBODY
    w[CALLS] += 1
    w[UNDONE], own.spent[0] = 0, 0
    length = length if 0 <= length <= min(data.size, j.INPUT_BYTES) else _ZERO
    kill = read_kill(w, q.latch, q.scopes, _ZERO, began_ns)
    verdict, n_records = decode_datagram(m.mold, m.itch, data, _ZERO, length, now_ns, m.tape, _ZERO, _FALSE)
    parsed_ns = clock_ns() - began_ns
    heard(w, m.mold, verdict, data, length, now_ns)
    count = follow(m, w, own.table, q.touched, n_records)
    booked_ns = clock_ns() - began_ns
    general = _in_general(w, kill)
    if n_records > 0 and w[LATE_NS] > 0 and abs(now_ns - m.tape[n_records - 1].ts_event_ns) > w[LATE_NS]:
        general |= STALE
    decided = min(count, room - 1)
    for part in range(decided):
        _decide(q, part, q.touched[part], now_ns, began_ns, general, kill)
    parts = decided
    if decided == 0 or count > decided:
        rows.begin(call, own, parts, _DATAGRAM, now_ns, began_ns, _NOBODY, general | (CROWDED if count > decided else 0), kill)
        parts += 1
    first = rows.slot_of(call, _ZERO)
    call.records.words[first, j.PARSED], call.records.words[first, j.BOOKED] = parsed_ns, booked_ns
    rows.take_input(call, data, length)
    again, n = read_kill(w, q.latch, q.scopes, _ONE, began_ns), _ZERO
    for part in range(decided):
        n = _act(own, call.records.words[rows.slot_of(call, part)], again, now_ns, out, n)
    for i in range(decided, count):
        n = pull(own, q.touched[i], now_ns, out, n)
    if general != 0 or again != 0:
        n = pull_all(own, now_ns, out, n)
    call.records.words[rows.slot_of(call, parts - 1), j.SERIALISED] = clock_ns() - began_ns
    rows.end(call, own, parts, again, now_ns, out, n)
    return n


@hot
def on_report(q: Quoter, data: U8, length: int, now_ns: int, out: U8) -> int:
    """A report of the venue's. Positions are changed before the next quote; what leaves is cancels alone."""
    began_ns, own, call = clock_ns(), q.own, q.call
    w = own.words
    if rows.parts_left(call) < 1:
        return _NOBODY
    w[CALLS] += 1
    w[UNDONE] = 0
    length = length if 0 <= length <= min(data.size, j.INPUT_BYTES) else _ZERO
    kill = read_kill(w, q.latch, q.scopes, _ZERO, began_ns)
    kind = read_report(data, length, q.fields)
    n, k = fold(own, q.fields, kind, now_ns, out, _ZERO)
    parsed_ns = clock_ns() - began_ns
    again = read_kill(w, q.latch, q.scopes, _ONE, began_ns)
    general = _in_general(w, again)
    said = PAUSED if k >= 0 and now_ns < own.table[k, RESUME_NS] else _ZERO
    slot = rows.begin(call, own, _ZERO, _REPORT, now_ns, began_ns, k, general | said, kill)
    rows.take_input(call, data, length)
    call.records.words[slot, j.PARSED] = parsed_ns
    if general != 0:
        n = pull_all(own, now_ns, out, n)
    elif said != 0:
        n = pull(own, k, now_ns, out, n)
    call.records.words[slot, j.SERIALISED] = clock_ns() - began_ns
    rows.end(call, own, _ONE, again, now_ns, out, n)
    return n


@inlined
def _unanswered(own: Own, now_ns: int) -> None:
    """An order about which the venue has said nothing for too long: nobody knows what is there."""
    if own.words[LIVE] == 0:
        return
    for k in range(own.orders.shape[0]):
        for side in range(2):
            o = own.orders[k, side]
            waits = o[PHASE] != FREE and (o[PHASE] != WORKING or o[CANCELING] != 0)
            if waits and now_ns - o[SENT_NS] > own.words[ANSWER_NS]:
                own.words[OUT_OF_STEP] |= UNANSWERED


@hot
def on_timer(q: Quoter, now_ns: int, out: U8) -> int:
    """What time alone brings: silence, a kill while nothing arrives, answers that stay out."""
    began_ns, own, call = clock_ns(), q.own, q.call
    w = own.words
    if rows.parts_left(call) < 1:
        return _NOBODY
    w[CALLS] += 1
    w[UNDONE] = 0
    kill = read_kill(w, q.latch, q.scopes, _ZERO, began_ns)
    if w[HEARD_NS] != 0 and now_ns - w[HEARD_NS] > w[STALE_NS]:
        w[SILENT] = 1
    _unanswered(own, now_ns)
    again = read_kill(w, q.latch, q.scopes, _ONE, began_ns)
    general = _in_general(w, again)
    slot = rows.begin(call, own, _ZERO, _TIMER, now_ns, began_ns, _NOBODY, general, kill)
    n = pull_all(own, now_ns, out, _ZERO) if general != 0 else _ZERO
    call.records.words[slot, j.SERIALISED] = clock_ns() - began_ns
    rows.end(call, own, _ONE, again, now_ns, out, n)
    return n
