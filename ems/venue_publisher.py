"""What the venue publishes: each market's touch and trading, conflated over wall time, and marks in the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from time import monotonic
from typing import Final

from domain.ports_market import Market, Top
from domain.ports_venue import Listing, OrderFront, Snapshot
from domain.values import E9, divide_round
from ems.venue_displays import Displays
from ems.venue_ledger import Ledger

_REPEAT_S: Final = 1.0  # an unchanged market is told again, so that a listener can tell quiet from dead


class Publisher:
    """Publishes changed markets, each at most once in `every_s` of wall time.

    What was published is marked in the ledger first: after a restart the volume that a listener saw never falls.
    """

    def __init__(
        self, listings: Mapping[str, Listing], markets: Mapping[str, Market], ledger: Ledger, every_s: float, displays: Displays
    ) -> None:
        self._listings = listings
        self._markets = markets
        self._ledger = ledger
        self._displays = displays
        self._every_s = every_s
        self._due_s = self._repeat_due_s = 0.0
        self._last: dict[str, Snapshot] = {}
        self._marked: dict[str, list[int]] = {}

    def step(self, front: OrderFront) -> None:
        """Publish what is due."""
        now_s = monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + self._every_s
        repeat = now_s >= self._repeat_due_s
        if repeat:
            self._repeat_due_s = now_s + _REPEAT_S
        states = [self.snapshot(symbol) for symbol in self._markets]
        changed = [state for state in states if repeat or self._differs(state)]
        if changed:
            self._mark(max(state.time_ns for state in changed))
            self._last.update({state.symbol: state for state in changed})
            front.publish(changed)
        if updates := self._displays.updates():
            front.publish_depth(updates)

    def snapshot(self, symbol: str) -> Snapshot:
        """One market's state, in the wire's units."""
        listing, top = self._listings[symbol], self._markets[symbol].top()
        tick, lot = listing.tick_size_e9, listing.lot_size_e9
        return Snapshot(
            symbol=symbol,
            time_ns=top.time_ns,
            bid_e9=top.bid_ticks * tick,
            bid_size_e9=top.bid_lots * lot,
            ask_e9=top.ask_ticks * tick,
            ask_size_e9=top.ask_lots * lot,
            last_e9=top.last_half_ticks * tick // 2,
            last_size_e9=top.last_lots * lot,
            volume_e9=top.volume_lots * lot,
            notional_e9=divide_round(top.notional_half_ticks * tick * lot, 2 * E9),
        )

    def _differs(self, state: Snapshot) -> bool:
        last = self._last.get(state.symbol)
        return last is None or last._replace(time_ns=state.time_ns) != state

    def _mark(self, time_ns: int) -> None:
        trading = {symbol: [top.volume_lots, top.notional_half_ticks] for symbol, top in self._tops().items()}
        if trading != self._marked:
            self._marked = trading
            self._ledger.write([{"k": "mark", "time_ns": time_ns, "trading": trading}])

    def _tops(self) -> dict[str, Top]:
        return {symbol: market.top() for symbol, market in self._markets.items()}
