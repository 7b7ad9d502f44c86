"""Everything that the quoter's decisions depend on, as flat arrays in fixed memory, and the names of their places.

Numbers: prices in ticks, quantities in lots, money in cents, times in ns. Instruments go by the feed's stock locate. A side is 0
(we buy) or 1 (we sell). A checkpoint is a copy of `parts_of`: from it the same inputs give the same records and bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.itch_layout import CENT, Itch, make_state, symbol_number
from adapters.marketdata.mold import Mold, make_mold, room_of
from adapters.ouch.layout import FIELDS
from domain.tape import Tape, empty_tape
from ems.quoting import journal
from ems.quoting.journal import Records
from models import inference_layout as lay
from models import risk_kernel as risk
from models.feature_arrays import Features, make_features
from models.inference import Core, make_core
from models.market.layout import Book, make_book
from models.net_contract import LEVELS, TAPE_ROWS, TRADES
from models.observation import Watch, make_watch
from models.risk_kernel import EXPOSURES, LIMITS

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]
NEVER_NS: Final = np.iinfo(np.int64).max // 4

# ---------------------------------------------------------------------------- words: set by the process
SUSPENDED: Final = 0  # `domain.quote.Why`; while it is not 0 nothing but cancels leaves
SESSION: Final = 1  # number of the stream
REPORT_NEXT: Final = 2  # the next number of the venue's sequenced reports
STALE_NS: Final = 3  # how long the feed may say nothing
LATE_NS: Final = 4  # how old what it says may be
ANSWER_NS: Final = 5  # how long the venue may take to answer
PAUSE_NS: Final = 6  # how long an instrument is not quoted after a reject
BEAT_MAX_NS: Final = 7  # how old the watchdog's beat in the latch may be; 0: none is required
BEGIN_NS, END_NS = 8, 9  # of the time that own state tells the share left of
TOXIC_E6: Final = 10  # logit of toxicity above which quotes are pulled, in millionths
WORST_LOTS_MAX, WORST_CENTS_MAX = 11, 12  # of all instruments: what is held and open at its worst
EMISSION_NS, BURST_NS = 13, 14  # message budget: a token comes every EMISSION_NS, and at most BURST_NS worth of them wait
REPLAYED, REPLAYED_KILL, REPLAYED_AGAIN = 15, 16, 17  # 1: a re-run; the latch is not read, these are what was read then
SPREAD_E9: Final = 18  # how many times the distance that the net asks for quotes keep, at 1e-9; at 1 or below: as it asks
# ------------------------------------------------------------------------------- words: kept by the kernel
CALLS: Final = 24
LAST_REF: Final = 25  # the highest UserRefNum used
HEARD_NS: Final = 26  # when the feed last said something that belongs to it
FEED_TOP: Final = 27  # the number behind the last message that is known to exist; above the next one: something is missing
FEED_FAULTS: Final = 28  # messages without meaning, when the books were last known to be right
GARBAGE: Final = 29  # 1: the last datagram was none of the feed's
SILENT: Final = 30  # 1: nothing was heard for too long
OUT_OF_STEP: Final = 32  # bits below: what is not understood of the venue's reports
LATCH_SEEN, LATCH_LEVEL = 33, 34  # the latch's generation whose slots were read, and the level that they gave
PAID_UNTIL_NS: Final = 35  # the message budget's one word
LIVE: Final = 36  # places of orders in use
HELD_LOTS: Final = 37  # of all instruments, each by its magnitude
WORST_LOTS, WORST_CENTS = 38, 39
FEED_NEXT, FEED_OVER = 45, 46  # the next message's number; 1: the feed's session is over
UNDONE: Final = 40  # 1: cancels that found no room in the output; the timer is to be called at once
FILLS_AT: Final = 41
LATE_REPORTS, REJECTS, SKIPPED_REFS = 42, 43, 44  # counted
WORDS: Final = 48

# Why the venue's reports are not understood.
UNKNOWN_ORDER: Final = 1  # an order that is not ours, or ours no more, was accepted, executed or rejected
OVERFILLED: Final = 2
MISMATCH: Final = 4  # the venue has another order than we sent
UNKNOWN_BREAK: Final = 8  # a trade was broken that is not remembered
UNREADABLE: Final = 16  # bytes that are no report
UNANSWERED: Final = 32
DISABLED: Final = 64  # the venue takes no orders, or its day is over
NAMES: Final = {
    UNKNOWN_ORDER: "unknown_order", OVERFILLED: "overfilled", MISMATCH: "mismatch", UNKNOWN_BREAK: "unknown_break",
    UNREADABLE: "unreadable", UNANSWERED: "unanswered", DISABLED: "disabled",
}  # fmt: skip

# An instrument's row of the table: limits and exposure as models.risk_kernel has them, terms, and what is kept.
AT_LIMITS, AT_EXPOSURE = 0, LIMITS
SIZE_MAX, COLLAR, LONG_MAX, SHORT_MAX = (AT_LIMITS + at for at in (risk.SIZE_MAX, risk.COLLAR_E9, risk.LONG_MAX, risk.SHORT_MAX))
POSITION, BUYING, SELLING = (AT_EXPOSURE + at for at in (risk.POSITION, risk.BUYING, risk.SELLING))
AT_TERMS: Final = AT_EXPOSURE + EXPOSURES
QUOTED, SYMBOL, SIZE_LOTS, EDGE_HALF_TICKS = range(AT_TERMS, AT_TERMS + 4)
AT_KEPT: Final = AT_TERMS + 4
TOUCHED: Final = AT_KEPT  # the call that last told something of it
STEPPED: Final = AT_KEPT + 1  # events when the dynamics last stepped
FAULTS: Final = AT_KEPT + 2  # the book's faults when it was last known to be right
RESUME_NS: Final = AT_KEPT + 3  # not quoted before
UNIT_E4: Final = AT_KEPT + 4  # 1/10,000 USD a tick
MID2: Final = AT_KEPT + 5  # of the reference, and the market's best prices, when the core was last asked
BEST_BID, BEST_ASK = AT_KEPT + 6, AT_KEPT + 7
W_LOTS, W_CENTS = AT_KEPT + 8, AT_KEPT + 9  # its part in WORST_LOTS and WORST_CENTS
COLUMNS: Final = 24
# An order's place, one for each instrument and side.
REF, PHASE, PRICE, OPEN, FILLED, NEXT_REF, NEXT_PRICE, NEXT_LOTS, CANCELING, SENT_NS, PLACES = range(11)
FREE, PLACING, WORKING, REPLACING = 0, 1, 2, 3
# A UserRefNum's owner, in row ref & (rows - 1); a fill.
OWNED_REF, OWNED_K, OWNED_SIDE = 0, 1, 2
MATCH, FILL_REF, FILL_LOTS = 0, 1, 2
FILLS: Final = 64
# Words of an instrument in the firm's exposure: best prices of others of the firm, in 1/10,000; 0 without.
FIRM_BID_E4, FIRM_ASK_E4 = 0, 1
# The latch's words, see adapters.shm.latch.
LATCH_MAGIC: Final = int.from_bytes(b"EMSKILL1", "little")
LATCH_SLOTS, LATCH_GENERATION, LATCH_WORST, LATCH_HEAD, LATCH_SLOT = 1, 2, 3, 8, 16
STATE_ROW: Final = -(-lay.STATE // lay.VECTOR) * lay.VECTOR


class Market(NamedTuple):
    """The feed, and what is made of it."""

    itch: Itch
    mold: Mold
    book: Book
    features: Features
    watch: Watch
    tape: Tape  # of the last datagram


class Net(NamedTuple):
    """The core, each instrument's recurrent state, and one observation."""

    core: Core
    states: F32  # (K, STATE_ROW) h and the action of the step before
    inputs: F32  # (INPUTS,)
    results: F32  # (RESULTS,)
    seen_book: F32  # (40,), (3, 50), (18,): parts of inputs
    seen_tape: F32
    seen_context: F32
    times: I64  # (3,)


class Own(NamedTuple):
    """Our orders, positions and limits: what lifecycle, checks and reports need."""

    words: I64  # (WORDS,)
    table: I64  # (K, COLUMNS)
    orders: I64  # (K, 2, PLACES)
    refs: I64  # (R, 3)
    sent_ns: I64  # (K, messages), a ring for models.risk_kernel
    fills: I64  # (FILLS, 3) the last ones, a ring
    firm: I64  # (K, N_EXPOSURE) written by others
    spent: I64  # (1,) ns that this call has encoded for; nothing depends on it


class Call(NamedTuple):
    """Where a call's records go."""

    records: Records
    place: I64  # (PLACE,) of ems.quoting.journal


class Quoter(NamedTuple):
    """K instruments. One thread at a time. `latch` and `scopes`: the kill latch's bytes as words, and the digests of the scopes
    that stop us beside the firm's. `touched` (K,) and `fields` (FIELDS,) are of one call."""

    market: Market
    net: Net
    own: Own
    call: Call
    latch: I64
    scopes: I64
    touched: I64
    fields: I64


class Terms(NamedTuple):
    """What is quoted of an instrument, and its limits."""

    symbol: str
    size_lots: int = 100
    edge_half_ticks: int = 1
    inventory_max_lots: int = 1_000
    order_max_lots: int = 500
    collar_e9: int = 20_000_000
    messages_max: int = 200
    window_ns: int = 1_000_000_000


def make_quoter(
    terms: Mapping[int, Terms], midnight_ns: int, *, latch: I64 | None = None, scopes: I64 | None = None,
    firm: I64 | None = None, records: Records | None = None, window: int = 1 << 12, capacity: int = 1 << 16,
    messages_per_s: int = 1_000, bucket_lots: int = 1_000, levels: int = LEVELS,
) -> Quoter:  # fmt: skip
    """A quoter before the feed's first datagram and the venue's first report; its core has no weights yet.

    Args:
        terms: stock locate -> what is quoted.
        midnight_ns: New York's midnight, ns UTC.
        latch: the mapped kill latch as words; None: one that is armed for ever.
        scopes: digests of kill scopes that stop us; the firm's always does.
        firm: (K, N_EXPOSURE) numbers of the firm's other orders, written by others; None: there are none.
        records: where the journal's records go; None: scratch.
        window: prices of each instrument's ladder. capacity: most orders in all books.
        messages_per_s: budget of all instruments together, cancels excepted.
    """
    k = max(terms) + 1
    messages = max(each.messages_max for each in terms.values())
    quoter = Quoter(
        _market(terms, midnight_ns, window, capacity, bucket_lots, levels),
        _net(k),
        Own(
            words=_words(messages_per_s), table=np.zeros((k, COLUMNS), np.int64), orders=np.zeros((k, 2, PLACES), np.int64),
            refs=np.zeros((_power(16 * k), 3), np.int64), sent_ns=np.full((k, messages), -NEVER_NS, np.int64),
            fills=np.zeros((FILLS, 3), np.int64), spent=np.zeros(1, np.int64),
            firm=_shared(np.zeros((k, journal.N_EXPOSURE), np.int64) if firm is None else firm),
        ),
        Call(journal.scratch(journal.PARTS_MAX) if records is None else records, np.array([1, NEVER_NS], np.int64)),
        latch=_shared(armed_latch() if latch is None else latch),
        scopes=np.zeros(0, np.int64) if scopes is None else scopes, touched=np.zeros(k, np.int64),
        fields=np.zeros(FIELDS, np.int64),
    )  # fmt: skip
    for locate, each in terms.items():
        row = quoter.own.table[locate]
        row[AT_LIMITS : AT_LIMITS + LIMITS], _ = risk.limits(
            size_max=each.order_max_lots, collar_e9=each.collar_e9, long_max=each.inventory_max_lots,
            short_max=each.inventory_max_lots, messages_max=each.messages_max, window_ns=each.window_ns,
        )  # fmt: skip
        row[QUOTED], row[SYMBOL], row[SIZE_LOTS] = 1, _signed(symbol_number(each.symbol)), each.size_lots
        row[EDGE_HALF_TICKS], row[UNIT_E4] = each.edge_half_ticks, CENT
    return quoter


def _market(terms: Mapping[int, Terms], midnight_ns: int, window: int, capacity: int, bucket_lots: int, levels: int) -> Market:
    k = max(terms) + 1
    return Market(
        itch=make_state(midnight_ns, symbols=[each.symbol for each in terms.values()], side_told=True), mold=make_mold(),
        book=make_book(None, window, capacity, k), features=make_features(k, bucket_lots=bucket_lots),
        watch=make_watch(k, levels), tape=empty_tape(room_of(journal.INPUT_BYTES)),
    )  # fmt: skip


def _net(k: int) -> Net:
    inputs, tape_at, context_at = lay.aligned(lay.INPUTS), lay.IN_TAPE, lay.IN_CONTEXT
    return Net(
        core=make_core(), states=lay.aligned(k, STATE_ROW), inputs=inputs, results=lay.aligned(lay.RESULTS),
        seen_book=inputs[:tape_at], seen_tape=inputs[tape_at:context_at].reshape(TAPE_ROWS, TRADES),
        seen_context=inputs[context_at : lay.IN_OWN], times=np.zeros(3, np.int64),
    )  # fmt: skip


def _words(messages_per_s: int) -> I64:
    words = np.zeros(WORDS, np.int64)
    second_ns = 1_000_000_000
    words[STALE_NS], words[LATE_NS], words[ANSWER_NS], words[PAUSE_NS] = 3 * second_ns, second_ns, second_ns, second_ns
    words[TOXIC_E6] = 2_000_000
    words[WORST_LOTS_MAX], words[WORST_CENTS_MAX] = 100_000, 10_000_000_00
    words[EMISSION_NS] = second_ns // messages_per_s
    words[BURST_NS] = second_ns
    words[LATCH_SEEN] = -1
    return words


def armed_latch() -> I64:
    """The words of a latch that nobody will ever set, for measurements and tests."""
    latch = np.zeros(LATCH_HEAD, np.int64)
    latch[0], latch[LATCH_SLOTS] = LATCH_MAGIC, 1
    return latch


def parts_of(q: Quoter) -> list[NDArray[Any]]:
    """The arrays that decisions depend on, in one order: what a checkpoint holds. Weights go by their version."""
    m, own = q.market, q.own
    nested: tuple[tuple[NDArray[Any], ...], ...] = (m.itch, m.mold, m.book, m.features, m.watch)
    kept = (own.words, own.table, own.orders, own.refs, own.sent_ns, own.fills)
    return [*(part for each in nested for part in each), q.net.core.control, q.net.states, *kept, q.call.place]


def copy_into(source: Quoter, target: Quoter) -> None:
    """Make target's state the source's. Both were made for the same instruments."""
    for ours, theirs in zip(parts_of(target), parts_of(source), strict=True):
        np.copyto(ours, theirs)
    np.copyto(target.net.core.weights, source.net.core.weights)


def _shared(words: I64) -> I64:
    """As what is mapped to be read: compiled code has one form for these, and another one for arrays that may be written."""
    view = words.view()
    view.setflags(write=False)
    return view


def _power(least: int) -> int:
    return 1 << (least - 1).bit_length()


def _signed(number: int) -> int:
    return number - (1 << 64) if number >> 63 else number
