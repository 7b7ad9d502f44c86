"""How likely an order that rests is filled in time: from the forecast of the market's model, or from how fast the market trades.

Both say how fast a queue at the touch is traded away, in shares per nanosecond. The queue's end is taken to come at a constant
rate, so that an order behind `ahead` shares is filled within t with probability 1 - exp(-drained t / (ahead + its own quantity)).

- The model's head says with which probability an order at the back of the best queue is filled within 100 events; with how long
  those last and how long the queue is, that is a rate.
- Without a forecast half of what trades is taken to meet our side. Trading is averaged over about a minute.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from domain.market_state import MarketState
from domain.observation import Observed
from domain.values import Side

AVERAGED_NS: Final = 60_000_000_000
KNOWN_NS: Final = 5_000_000_000  # less than so long watched says nothing
AGE_NS_MAX: Final = 60_000_000_000  # of a forecast
_CERTAIN: Final = 1.0 - 1e-9  # no queue is infinitely fast


class Chance(NamedTuple):
    """Whether an order that rests is filled, and how that is known."""

    probability: float
    source: str  # forecast, volume


class Drains(NamedTuple):
    """How fast the queue on our side is traded away. e9_per_ns: shares at 1e-9 per nanosecond."""

    e9_per_ns: float
    source: str

    def chance(self, ahead_e9: int, quantity_e9: int, rest_ns: int) -> Chance:
        """That quantity_e9 behind ahead_e9 is filled within rest_ns."""
        queue_e9 = max(1, ahead_e9 + quantity_e9)
        return Chance(-math.expm1(-self.e9_per_ns * max(0, rest_ns) / queue_e9), self.source)


class Trading:
    """How much trades per nanosecond in each market. What it remembers is lost with the desk, and soon known again."""

    def __init__(self) -> None:
        self._markets: dict[str, tuple[int, int, float, float]] = {}  # time, volume, then averaged volume and nanoseconds

    def note(self, market: MarketState) -> None:
        """A market is seen; the same again changes nothing."""
        time_ns, volume_e9, traded, lasted = self._markets.get(market.instrument, (market.time_ns, market.volume_e9, 0.0, 0.0))
        passed_ns = market.time_ns - time_ns
        if passed_ns <= 0 and market.instrument in self._markets:
            return
        if market.volume_e9 < volume_e9:  # another day
            traded, lasted, passed_ns, volume_e9 = 0.0, 0.0, 0, market.volume_e9
        kept = math.exp(-passed_ns / AVERAGED_NS)
        traded, lasted = traded * kept + market.volume_e9 - volume_e9, lasted * kept + passed_ns
        self._markets[market.instrument] = (market.time_ns, market.volume_e9, traded, lasted)

    def per_ns(self, instrument: str) -> float | None:
        """None where it is not known yet."""
        _, _, traded, lasted = self._markets.get(instrument, (0, 0, 0.0, 0.0))
        return traded / lasted if lasted >= KNOWN_NS else None


def drains(side: Side, market: MarketState, seen: Observed | None, traded: float | None, now_ns: int) -> Drains | None:
    """What is known of the queue at the near touch; None where neither is. traded: of the market, per nanosecond."""
    if seen is not None and seen.fills is not None and 0 <= now_ns - seen.observation.time_ns <= AGE_NS_MAX:
        filled = min(max(seen.fills[0 if side is Side.BUY else 1], 0.0), _CERTAIN)
        queue_e9 = market.bid_size_e9 if side is Side.BUY else market.ask_size_e9
        # The head is of 100 events, step_ns of ten.
        return Drains(-math.log1p(-filled) * max(1, queue_e9) / (10 * seen.observation.step_ns), "forecast")
    return None if traded is None else Drains(traded / 2, "volume")
