"""The tape: one numpy record per normalised market event. Level-2 and order-level feeds both fit.

Prices are whole ticks and sizes whole lots of the instrument; times are nanoseconds UTC. A recorded price on the
half tick (hidden midpoint executions) keeps FLAG_HALF_TICK and the tick below, so nothing is rounded away.

| kind    | order_id | side            | price, size                                                          |
|---------|----------|-----------------|----------------------------------------------------------------------|
| ADD     | new id   | of the order    | joins the queue; FLAG_IOC: what does not trade at once is dropped    |
| MODIFY  | id       | -               | new price and new remaining size of the order                        |
| CANCEL  | id       | of the order    | size taken back; FLAG_ALL: whatever is left of it                    |
| EXECUTE | id       | resting side    | displayed quantity of that order executed at its price               |
| TRADE   | 0        | resting side    | print without a displayed order; FLAG_QUEUE: it ate the level's queue |
| CROSS   | 0        | 0               | auction print: volume only                                           |
| LEVEL   | 0        | of the level    | displayed total at that price from now on; FLAG_UNCOVERED: was there before it was seen |
| CLEAR   | 0        | 0               | all displayed quantity of the instrument is gone                     |
| STATUS  | 0        | 0               | size is a `Status`; LOST: order_id is how many messages, 0 not known |

Feeds that name an order by its id alone (ITCH's E, C, X, D, U) leave side 0 in CANCEL and EXECUTE: the price is then 0
and says nothing, except with FLAG_AT_PRICE, and whoever keeps the book looks both up by the id. A replacement is two
records, one behind the other: CANCEL of the old id with FLAG_ALL and FLAG_REPLACED, then ADD of the new id with side 0,
which has the side of the order just cancelled; when that was not known, the new order's side is not known either.

instrument -1 (only CLEAR and STATUS) means every instrument of the feed. A Status from LOST on speaks of the feed, not of
the market: whether the instrument trades is as it was. After LOST, what is displayed is not to be trusted until RESYNCED.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TAPE: Final = np.dtype(
    [
        ("ts_event_ns", "i8"),
        ("ts_recv_ns", "i8"),
        ("order_id", "i8"),
        ("price_ticks", "i8"),
        ("size_lots", "i8"),
        ("instrument", "i4"),
        ("flags", "u2"),
        ("kind", "u1"),
        ("side", "i1"),  # +1 buy, -1 sell, 0 not known
    ]
)

Tape = NDArray[np.void]


class Kind(IntEnum):
    ADD = 1
    MODIFY = 2
    CANCEL = 3
    EXECUTE = 4
    TRADE = 5
    CROSS = 6
    LEVEL = 7
    CLEAR = 8
    STATUS = 9


class Status(IntEnum):
    """What a STATUS record says: its size."""

    TRADING = 0
    HALTED = 1
    PAUSED = 2  # by the market's own rule, such as a volatility pause
    QUOTING = 3  # orders are taken, nothing trades: an auction comes
    LOST = 16  # messages are missing here
    RESYNCED = 17  # what is displayed is whole again
    DISCONNECTED = 18
    ENDED = 19  # the feed's session is over
    CONFLATED = 20  # order_id records were merged into later ones of the same level, because a burst was beyond capacity


FLAG_HALF_TICK: Final = 1  # the price is half a tick above price_ticks
FLAG_ALL: Final = 2  # CANCEL of all that is left
FLAG_IOC: Final = 4  # ADD that never rests
FLAG_UNCOVERED: Final = 8  # LEVEL that was displayed before it came into sight: it stands ahead of later orders
FLAG_QUEUE: Final = 16  # TRADE that executed against the displayed queue at its price
FLAG_BY_LEVEL: Final = 64  # CANCEL, EXECUTE: the level's total is certain, the order's share of it is not
FLAG_MAY_BE_GONE: Final = 32  # CANCEL of an order that may have traded away: a missing id is no fault
FLAG_AT_PRICE: Final = 128  # EXECUTE: traded at price_ticks, which need not be the order's price
FLAG_NO_PRINT: Final = 256  # EXECUTE that is no volume of its own: a CROSS tells its volume
FLAG_REPLACED: Final = 512  # CANCEL whose order lives on as the ADD that follows

EVERY_INSTRUMENT: Final = -1


def tape_of(rows: list[tuple[Any, ...]]) -> Tape:
    """Records from tuples in the dtype's field order: event ns, receive ns, id, ticks, lots, instrument, flags, kind, side."""
    return np.array(rows, dtype=TAPE)


def empty_tape(size: int = 0) -> Tape:
    """Zeroed records."""
    return np.zeros(size, dtype=TAPE)
