"""What stands between a wanted quote and the venue: kill latch, limits, budget, self-trade. Compiled. Cancels pass none of it.

`models.risk_kernel.check` judges size, price band, the instrument's position with all that is open, and its messages in a
window. Here stand what it cannot know: our own other side and the firm's other orders, the sum over all instruments, and
the message budget of the session. What is open counts at its worst: all of one side executed, and none of the other. An order
that is being replaced counts with its replacement, because nobody knows yet which of the two is there.
"""

from __future__ import annotations

from typing import Final

from adapters.shm.latch import BEAT_AT, SLOTS_MAX
from domain.kill_latch import FIRM_DIGEST
from domain.kill_table import Level
from ems.quoting.compiled import inlined
from ems.quoting.state import (
    AT_EXPOSURE,
    AT_LIMITS,
    BEAT_MAX_NS,
    BEST_ASK,
    BEST_BID,
    BURST_NS,
    BUYING,
    EMISSION_NS,
    FIRM_ASK_E4,
    FIRM_BID_E4,
    HELD_LOTS,
    I64,
    LATCH_GENERATION,
    LATCH_HEAD,
    LATCH_LEVEL,
    LATCH_MAGIC,
    LATCH_SEEN,
    LATCH_SLOT,
    LATCH_SLOTS,
    LATCH_WORST,
    MID2,
    NEXT_PRICE,
    NEXT_REF,
    PAID_UNTIL_NS,
    POSITION,
    PRICE,
    REF,
    REPLAYED,
    REPLAYED_KILL,
    SELLING,
    UNIT_E4,
    W_CENTS,
    W_LOTS,
    WORST_CENTS,
    WORST_CENTS_MAX,
    WORST_LOTS,
    WORST_LOTS_MAX,
    Own,
)
from models import risk_kernel
from models.compiled import i64
from models.words import read_word

# What a check may say beside the bits of models.risk_kernel.
OWN_SIDE: Final = 64  # at or through our other side, or another order of the firm's
CROSSING: Final = 128  # at or through the market
IN_ALL: Final = 256  # the sum over all instruments
BUDGET: Final = 512
CHECK_BITS: Final = 10
NAMES: Final = {
    risk_kernel.SIZE: "size", risk_kernel.COLLAR: "price_band", risk_kernel.POSITION_LIMIT: "position", risk_kernel.RATE: "rate",
    risk_kernel.KILLED: "killed", risk_kernel.NO_REFERENCE: "no_reference", OWN_SIDE: "own_side", CROSSING: "crossing",
    IN_ALL: "in_all", BUDGET: "budget",
}  # fmt: skip
HARMLESS: Final = OWN_SIDE | BUDGET | risk_kernel.RATE  # of a quote that is no more generous than the one that may not replace it
_FIRM: Final = i64(FIRM_DIGEST - (1 << 64) if FIRM_DIGEST >> 63 else FIRM_DIGEST)
_HARD, _SUSPENDED = i64(Level.HARD), i64(Level.SUSPENDED)
_MAGIC: Final = i64(LATCH_MAGIC)
_NONE, _ONE = i64(0), i64(1)
_BEAT_AT: Final = i64(BEAT_AT // 8)


@inlined
def read_kill(w: I64, latch: I64, scopes: I64, again: int, monotonic_ns: int) -> int:
    """The level that stops us, 0: none does. Read at entry (again 0) and once more before anything is encoded (1).

    The slots are read when the generation has changed, which a writer does behind them; what they said stands until then.
    """
    if w[REPLAYED] != 0:
        return w[REPLAYED_KILL + again]
    level = _NONE
    if read_word(latch, _NONE) != _MAGIC:
        level = _HARD
    elif read_word(latch, LATCH_WORST) != 0:
        generation = read_word(latch, LATCH_GENERATION)
        if generation != w[LATCH_SEEN]:
            w[LATCH_LEVEL] = _scan(latch, scopes)
            w[LATCH_SEEN] = generation
        level = w[LATCH_LEVEL]
    if w[BEAT_MAX_NS] > 0:
        beat_ns = read_word(latch, _BEAT_AT) if latch.size > _BEAT_AT else _NONE
        if abs(monotonic_ns - beat_ns) > w[BEAT_MAX_NS]:
            level = max(level, _SUSPENDED)
    return level


@inlined
def _scan(latch: I64, scopes: I64) -> int:
    """The highest level of the firm's slot and of those of `scopes`. More slots than there can be are HARD."""
    count = read_word(latch, LATCH_SLOTS) & 0xFFFFFFFF
    if count < 1 or count > SLOTS_MAX or latch.size < LATCH_HEAD + count * LATCH_SLOT:
        return _HARD
    worst = _NONE
    for n in range(count):
        at = LATCH_HEAD + n * LATCH_SLOT
        digest, word = read_word(latch, at), read_word(latch, at + 4)
        mine = digest == _FIRM
        for each in range(scopes.size):
            mine = mine or digest == scopes[each]
        if mine:
            worst = max(worst, word & 0xFF, _SUSPENDED if (word >> 8) & 0xFF else _NONE)
    return worst


@inlined
def weigh(own: Own, k: int) -> None:
    """What instrument k holds and has open enters the sums, at its worst."""
    t, w = own.table[k], own.words
    lots = max(abs(t[POSITION] + t[BUYING]), abs(t[POSITION] - t[SELLING]))
    cents = lots * t[MID2] * t[UNIT_E4] // 200
    w[WORST_LOTS] += lots - t[W_LOTS]
    w[WORST_CENTS] += cents - t[W_CENTS]
    t[W_LOTS], t[W_CENTS] = lots, cents


@inlined
def hold(own: Own, k: int, lots: int) -> None:
    """The position changes by signed lots."""
    before = abs(own.table[k, POSITION])
    own.table[k, POSITION] += lots
    own.words[HELD_LOTS] += abs(own.table[k, POSITION]) - before


@inlined
def tokens(own: Own, now_ns: int) -> int:
    """Messages that the budget lets pass now."""
    w = own.words
    return (w[BURST_NS] - max(w[PAID_UNTIL_NS] - now_ns, 0)) // w[EMISSION_NS]


@inlined
def _meets(own: Own, k: int, side: int, price: int) -> bool:
    """Is this price at or through an own order on the other side, or one of the firm's?"""
    other, unit = own.orders[k, 1 - side], own.table[k, UNIT_E4]
    if side == 0:
        firm = read_word(own.firm, k * own.firm.shape[1] + FIRM_ASK_E4)
        return (
            (other[REF] != 0 and price >= other[PRICE]) or (other[NEXT_REF] != 0 and price >= other[NEXT_PRICE])
            or (firm > 0 and price * unit >= firm)
        )  # fmt: skip
    firm = read_word(own.firm, k * own.firm.shape[1] + FIRM_BID_E4)
    return (
        (other[REF] != 0 and price <= other[PRICE]) or (other[NEXT_REF] != 0 and price <= other[NEXT_PRICE])
        or (firm > 0 and price * unit <= firm)
    )  # fmt: skip


@inlined
def _too_much(own: Own, k: int, side: int, lots: int) -> bool:
    """Would the sums be above their limits, and above what they are?"""
    t, w = own.table[k], own.words
    buying, selling = t[BUYING] + (lots if side == 0 else 0), t[SELLING] + (lots if side == 1 else 0)
    worst = max(abs(t[POSITION] + buying), abs(t[POSITION] - selling))
    if worst <= t[W_LOTS]:
        return False
    cents = worst * t[MID2] * t[UNIT_E4] // 200
    return w[WORST_LOTS] + worst - t[W_LOTS] > w[WORST_LOTS_MAX] or w[WORST_CENTS] + cents - t[W_CENTS] > w[WORST_CENTS_MAX]


@inlined
def may_leave(own: Own, k: int, side: int, price: int, lots: int, kill: int, now_ns: int) -> int:
    """May this order leave? 0, and it is reserved and paid for, or the bits of what forbids it."""
    said, t = _NONE, own.table[k]
    if _meets(own, k, side, price):
        said |= OWN_SIDE
    if (side == 0 and price >= t[BEST_ASK]) or (side == 1 and price <= t[BEST_BID]):
        said |= CROSSING
    if _too_much(own, k, side, lots):
        said |= IN_ALL
    if tokens(own, now_ns) < 1:
        said |= BUDGET
    if said == 0:
        said = risk_kernel.check(
            t[AT_LIMITS : AT_LIMITS + risk_kernel.LIMITS], t[AT_EXPOSURE : AT_EXPOSURE + risk_kernel.EXPOSURES], own.sent_ns[k],
            kill, 1 - 2 * side, price, lots, t[MID2], now_ns,
        )  # fmt: skip
    if said == 0:
        own.words[PAID_UNTIL_NS] = max(own.words[PAID_UNTIL_NS], now_ns) + own.words[EMISSION_NS]
        weigh(own, k)
    return said


@inlined
def release(own: Own, k: int, side: int, lots: int) -> None:
    """Lots that were reserved are open no more."""
    own.table[k, BUYING if side == 0 else SELLING] -= lots
    weigh(own, k)


@inlined
def reserve(own: Own, k: int, side: int, lots: int) -> None:
    """Lots that the venue says are open, whatever we think of it."""
    own.table[k, BUYING if side == 0 else SELLING] += lots
    weigh(own, k)


@inlined
def reserved(own: Own, k: int, side: int) -> int:
    """What is open on a side."""
    return own.table[k, BUYING if side == 0 else SELLING]
