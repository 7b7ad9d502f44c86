"""Impact from what the market shows, until a model of our own orders has learnt it: one function, one stated formula.

Peak impact of Q shares in a time in which V trade and the price moves sigma: Y sigma sqrt(Q / V), the square-root law with
Y = 0.75, in the middle of what is published (0.5 to 1). A program of squares needs it as price per share, so it is taken where
a tenth of the volume is traded: Y sigma sqrt(0.1) / (0.1 V), where both agree. Of it 30 % is temporary, 50 % transient with a
half-life of five intervals, and 20 % stays. Every share more also walks into the book: half the spread for what stands there.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

F64 = NDArray[np.float64]
PREFACTOR: Final = 0.75
PARTICIPATION: Final = 0.1
TEMPORARY: Final = 0.3
TRANSIENT: Final = 0.5
PERMANENT: Final = 0.2
HALF_LIFE: Final = 5.0  # intervals


class Impact(NamedTuple):
    """As an outlook has it: eta, kappa, decay (n,), gamma; price per share."""

    eta: F64
    kappa: F64
    decay: F64
    gamma: float


def impact(volatility: F64, volume: F64, spread: F64, depth: F64) -> Impact:
    """What buying moves the price.

    Args:
        volatility: (n,) of the price over each interval, price units. volume: (n,) shares that trade in it, > 0.
        spread: (n,) price units. depth: (n,) shares on the side that is taken, > 0.
    """
    whole = PREFACTOR * volatility / (np.sqrt(PARTICIPATION) * volume)  # price per share
    eta = TEMPORARY * whole + 0.5 * spread / (depth + volume)
    decay = np.full(len(volatility), 0.5 ** (1.0 / HALF_LIFE))
    return Impact(eta, TRANSIENT * whole, decay, float(PERMANENT * whole.mean()))
