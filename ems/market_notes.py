"""Writes down what markets the desk works in, so that costs can be told from the log alone (`domain.market_note`).

An instrument is noted while an order of it works, and for some time after its last execution, which markouts are taken from.
A market that has moved is noted once in note_ns at most; one that has not, every ten seconds, so that silence means that
nothing was known. What is remembered here is only about when to look again.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from domain.child_order import Filled
from domain.market_note import Noted, key
from domain.market_state import MarketState
from domain.ports import Reference
from domain.values import E9
from ems.pace import Pace
from ems.turn import Turn

STILL_NS: Final = 10 * E9


class MarketNotes:
    """One for the desk."""

    def __init__(self, reference: Reference, markets: Mapping[str, MarketState], pace: Pace) -> None:
        self._reference = reference
        self._markets = markets
        self._pace = pace
        self._looked_ns = 0
        self._noted: dict[str, tuple[int, MarketState]] = {}  # instrument -> when, and what
        self._until: dict[str, int] = {}  # instrument -> how long it is followed after an execution

    def next_wake_ns(self) -> int | None:
        """When to look without an input: something is followed."""
        return self._looked_ns + STILL_NS if self._until else None

    def work(self, turn: Turn) -> None:
        """Note what is to be noted, at the end of a turn."""
        if not self._pace.note_ns:
            return
        for entry, after in zip(turn.entries, turn.afters, strict=True):
            if type(entry.events[0]) is Filled:  # a turn's entries have one event each
                self._until[after.instrument] = turn.now_ns + self._pace.note_after_ns
        if turn.now_ns - self._looked_ns < self._pace.note_ns:
            return
        for parent in turn.state.working:
            instrument = turn.state.parent(parent).instrument
            self._until[instrument] = max(self._until.get(instrument, 0), turn.now_ns + 1)
        self._until = {instrument: until_ns for instrument, until_ns in self._until.items() if until_ns > turn.now_ns}
        self._looked_ns = turn.now_ns if self._until else 0
        markets = tuple(market for i in self._until if (market := self._markets.get(i)) is not None and self._news(market, turn))
        if markets:
            trade_date = self._reference.trade_date(turn.now_ns)
            turn.begin(actor="system:desk", causation="state")
            turn.apply(key(trade_date), Noted(trade_date=trade_date, markets=markets), correlation=key(trade_date))

    def _news(self, market: MarketState, turn: Turn) -> bool:
        at_ns, before = self._noted.get(market.instrument, (0, None))
        if market == before and turn.now_ns - at_ns < STILL_NS:
            return False
        self._noted[market.instrument] = (turn.now_ns, market)
        return True
