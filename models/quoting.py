"""From an action to quotes: what the quoter wants to show, and what the controller sees of its own quotes. Compiled.

One function for training and for the quoter, so that what was learnt is what is done. Everything comes from the action: there
is no skew, spread or size rule beside it. What is left here is arithmetic on ticks and what a venue would refuse anyway:

1. a price is the reference's middle less (plus) the offset, rounded to the tick further away from it;
2. post-only: a bid stays below the best ask and an ask above the best bid, at most one tick from it;
3. the two never meet: where they would, both step back by one tick;
4. a quote nearer to the middle than the least edge is not shown, nor one whose size rounds to nothing.

The **reference** is the market without our own quotes (`outside`). Had they a part in it, a bid that improves the market
would move the middle, which moves the bid, and a skewed pair would climb by itself.
"""

from __future__ import annotations

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.compiled import i64, inlined
from models.net_contract import LEVELS

I64 = NDArray[np.int64]
F32 = NDArray[np.float32]

DISTANCE_MAX: Final = 8.0  # price units that the controller is told of an own quote's distance, at most
_NONE: Final = i64(0)
_FAR: Final = 1e15  # beyond every price: what is no number is not within it either


@inlined
def _floor(x: float) -> int:
    whole = i64(int(x))
    return whole - 1 if x < whole else whole


@inlined
def wanted(
    mid2_ticks: int, bid_ticks: int, ask_ticks: int, price_unit_ticks: float, action: F32, size_lots: int, edge_half_ticks: int
) -> tuple[int, int, int, int]:
    """The quotes that an action asks for.

    Args:
        mid2_ticks: best bid + best ask of the reference: twice its middle.
        bid_ticks, ask_ticks: the reference's best prices, above 0; what is at or through them would cross.
        price_unit_ticks: what an offset of 1 is, `models.observation.Watch.units`.
        action: (4,), [bid offset, ask offset, bid size factor, ask size factor].
        size_lots: the configured size; a factor of 1 asks for it.
        edge_half_ticks: the least distance from the middle, in half ticks.

    Returns:
        (bid, ask, bid_lots, ask_lots): prices in ticks; 0 lots, and price 0, where there is to be no quote.
    """
    middle = 0.5 * mid2_ticks
    low, high = middle - action[0] * price_unit_ticks, middle + action[1] * price_unit_ticks
    bid = _floor(low) if abs(low) < _FAR else _NONE
    ask = -_floor(-high) if abs(high) < _FAR else _NONE
    bid, ask = min(bid, ask_ticks - 1), max(ask, bid_ticks + 1) if ask > 0 else _NONE
    if 0 < ask <= bid:
        bid, ask = bid - 1, ask + 1
    bid_lots, ask_lots = _lots(action[2], size_lots), _lots(action[3], size_lots)
    if bid <= 0 or mid2_ticks - 2 * bid < edge_half_ticks or bid_lots == 0:
        bid, bid_lots = _NONE, _NONE
    if ask <= 0 or 2 * ask - mid2_ticks < edge_half_ticks or ask_lots == 0:
        ask, ask_lots = _NONE, _NONE
    return bid, ask, bid_lots, ask_lots


@inlined
def _lots(factor: float, size_lots: int) -> int:
    """To the nearest lot; no number is none."""
    lots = factor * size_lots
    return i64(int(lots + 0.5)) if 0.0 <= lots < _FAR else _NONE


@inlined
def outside(ten: I64, own_bid: int, own_bid_lots: int, own_ask: int, own_ask_lots: int) -> tuple[int, int]:
    """The best bid and ask that are not ours alone: a level that shows our price and exactly our lots is passed over.

    Args:
        ten: (10, 4), the ten best levels as `models.market.layout.Book.ten` has them of one instrument, ticks and lots.
        own_bid, own_ask: our prices in ticks; lots 0 without a quote.

    Returns:
        (bid, ask) in ticks, 0 where there is none among the ten.
    """
    bid, ask = _NONE, _NONE
    for level in range(LEVELS):
        if bid == 0 and ten[level, 1] > 0 and not (ten[level, 0] == own_bid and ten[level, 1] == own_bid_lots):
            bid = ten[level, 0]
        if ask == 0 and ten[level, 3] > 0 and not (ten[level, 2] == own_ask and ten[level, 3] == own_ask_lots):
            ask = ten[level, 2]
        if bid > 0 and ask > 0:
            break
    return bid, ask


@inlined
def own_state(
    inventory_lots: int, limit_lots: int, mid2_ticks: int, own_bid: int, own_ask: int, price_unit_ticks: float, left: float,
    own: F32, at: int,
) -> None:  # fmt: skip
    """What the controller sees of ourselves, four numbers from own[at] on.

    Inventory over its limit; the distance of our bid and of our ask from the reference's middle in price units, at most
    DISTANCE_MAX, positive away from it, 0 without a quote (price 0); the share of the time that is left, 0 .. 1.
    """
    rate = 0.5 / price_unit_ticks
    own[at] = inventory_lots / limit_lots if limit_lots > 0 else 0.0
    own[at + 1] = _distance((mid2_ticks - 2 * own_bid) * rate) if own_bid > 0 else 0.0
    own[at + 2] = _distance((2 * own_ask - mid2_ticks) * rate) if own_ask > 0 else 0.0
    own[at + 3] = left


@inlined
def _distance(units: float) -> float:
    return min(max(units, -DISTANCE_MAX), DISTANCE_MAX)
