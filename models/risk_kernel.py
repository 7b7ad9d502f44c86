"""The quoter's own risk checks: one compiled function over flat arrays of limits and exposures, once before every order.

Prices are in ticks, quantities in lots, times in nanoseconds. What may leave is written by the desk into the arrays; the kill
word is read by the caller at the very moment and handed in, for a compiled loop would hoist a read out of itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.compiled import hot

Int64s = NDArray[np.int64]

# Places in the limits.
SIZE_MAX, COLLAR_E9, LONG_MAX, SHORT_MAX, MESSAGES_MAX, WINDOW_NS, LIMITS = 0, 1, 2, 3, 4, 5, 6
# Places in the exposure: what is held and reserved, and how many messages were ever sent.
POSITION, BUYING, SELLING, SENT, EXPOSURES = 0, 1, 2, 3, 4
# What a check may say, as bits: 0 passes.
SIZE: Final = 1
COLLAR: Final = 2
POSITION_LIMIT: Final = 4
RATE: Final = 8
KILLED: Final = 16
NO_REFERENCE: Final = 32


def limits(
    *, size_max: int, collar_e9: int, long_max: int, short_max: int, messages_max: int, window_ns: int
) -> tuple[Int64s, Int64s]:
    """The limits of one instrument, (6,), and its ring of sending times, (messages_max,), empty."""
    values = np.array([size_max, collar_e9, long_max, short_max, messages_max, window_ns], np.int64)
    return values, np.full(messages_max, np.iinfo(np.int64).min // 2, np.int64)


@hot
def check(
    limits: Int64s, exposure: Int64s, sent_ns: Int64s, kill_word: int, side: int, price_ticks: int, quantity_lots: int,
    reference_half_ticks: int, now_ns: int,
) -> int:  # fmt: skip
    """May this order leave? 0, or the bits of everything that forbids it. An order that may is reserved and counted.

    Args:
        limits: (6,) of `limits`.
        exposure: (4,) position, reserved buys and sells in lots, messages sent.
        sent_ns: (messages_max,) when the last messages were sent, a ring.
        kill_word: 0 while nothing is tripped.
        side: +1 buy, -1 sell.
        reference_half_ticks: twice the middle of the market; 0 or less: there is none, which forbids everything.
    """
    said = 0
    if kill_word != 0:
        said |= KILLED
    if quantity_lots <= 0 or quantity_lots > limits[SIZE_MAX]:
        said |= SIZE
    if reference_half_ticks <= 0 or price_ticks <= 0:
        said |= NO_REFERENCE
    else:
        worse_half_ticks = side * (2 * price_ticks - reference_half_ticks)
        if worse_half_ticks * 1_000_000_000 > limits[COLLAR_E9] * reference_half_ticks:
            said |= COLLAR
    if side > 0:
        if exposure[POSITION] + exposure[BUYING] + quantity_lots > limits[LONG_MAX]:
            said |= POSITION_LIMIT
    elif exposure[SELLING] - exposure[POSITION] + quantity_lots > limits[SHORT_MAX]:
        said |= POSITION_LIMIT
    place = exposure[SENT] % limits[MESSAGES_MAX]
    if now_ns - sent_ns[place] < limits[WINDOW_NS]:  # the message that many messages ago is still in the window
        said |= RATE
    if said == 0:
        exposure[BUYING if side > 0 else SELLING] += quantity_lots
        exposure[SENT] += 1
        sent_ns[place] = now_ns
    return said
