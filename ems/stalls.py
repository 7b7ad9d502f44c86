"""Which orders cannot release what is due, and why: an event each time that begins or ends.

Level-triggered like the scheduler. What is gone within `Pace.stalled_ns` is not said. What has been said is remembered here
alone: after a restart it may be said once more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet

from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.stall import Stalled
from domain.values import StreamId
from ems.pace import Pace
from ems.routing import venue_of
from ems.turn import Turn


class Stalls:
    """One for the scheduler. sessions_up: the venue sessions that can be reached now."""

    def __init__(
        self, reference: Reference, markets: Mapping[str, MarketState], pace: Pace, sessions_up: Callable[[], AbstractSet[str]]
    ) -> None:
        self._reference, self._markets, self._pace, self._sessions_up = reference, markets, pace, sessions_up
        self._since: dict[StreamId, tuple[str, int]] = {}  # why, and since when
        self._said: dict[StreamId, str] = {}

    def forget(self, parent: StreamId) -> None:
        """The order is over."""
        self._since.pop(parent, None)
        self._said.pop(parent, None)

    def due_ns(self, parent: StreamId) -> int:
        """When something may have to be said; what is past is no concern of the caller's."""
        return self._since[parent][1] + self._pace.stalled_ns if parent in self._since else 0

    def work(self, turn: Turn, parent: ParentOrder) -> None:
        """Say what has begun or ended. Once everything else of the order is done."""
        why = self._why(turn, parent)
        if why and self._since.get(parent.id, ("", 0))[0] != why:
            self._since[parent.id] = (why, turn.now_ns)
        elif not why:
            self._since.pop(parent.id, None)
        lasts = bool(why) and turn.now_ns - self._since[parent.id][1] >= self._pace.stalled_ns
        said = self._said.get(parent.id, "")
        if (lasts and why != said) or (said and not why):
            self._said[parent.id] = why
            turn.apply(parent.id, Stalled(reason=why), correlation=parent.id)

    def _why(self, turn: Turn, parent: ParentOrder) -> str:
        instrument = self._reference.instrument(parent.instrument)
        if instrument is None or parent.steering.mode != "algo":
            return ""
        left_e9 = parent.terms.quantity_e9 - parent.released_e9
        due_e9 = left_e9 if parent.schedule is None else min(left_e9, parent.schedule.target_e9(turn.now_ns) - parent.released_e9)
        if due_e9 <= 0:
            return ""
        if 0 < left_e9 < instrument.lot_e9 and not parent.open_e9:
            return "less than a lot is left"
        market, session = self._markets.get(parent.instrument), venue_of(parent, self._reference)
        if market is None:
            return f"there is no market data of {parent.instrument}"
        if parent.rejections >= self._pace.rejections_max:
            return f"the venue has rejected {parent.rejections} orders in a row"
        if session not in self._sessions_up():
            return f"the session {session} is down"
        return "" if parent.schedule is None else _unpriced(due_e9, market, instrument)


def _unpriced(due_e9: int, market: MarketState, instrument: Instrument) -> str:
    """Why nothing can be priced although a lot is due: a halted market shows no orders, or those of one side."""
    missing = [name for name, price_e9 in (("bid", market.bid_e9), ("ask", market.ask_e9)) if price_e9 is None]
    return f"the market shows no {' and no '.join(missing)}" if missing and due_e9 >= instrument.lot_e9 else ""
