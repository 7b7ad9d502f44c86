"""When an order's auction orders leave, how long they may stand, and what becomes of what an auction did not take.

An opening order leaves before the market's cut-off by the order's terms alone; what it does not get is planned for the day.
A closing order leaves by the schedule (`Schedule.at_close_e9`), and until then its quantity is kept from the slices. Where its
venue turns it down, or the cut-off passes before it is out, the auction is missed: the rest is planned for the time that is
left. What the closing auction itself did not take is not done when the order ends.
"""

from __future__ import annotations

from typing import NamedTuple

from domain.child_order import ChildOrder
from domain.parent_order import ParentOrder
from domain.ports import Reference
from domain.trading_day import TradingDay
from domain.values import E9, StreamId, TimeInForce
from ems.pace import Pace
from ems.turn import Turn

MISSED = "the closing auction was missed"


class Leg(NamedTuple):
    """An auction order to create."""

    quantity_e9: int
    time_in_force: TimeInForce


class Auctions:
    """One for the desk. It remembers which orders it was asked to send, so that none goes twice to one that turned it down."""

    def __init__(self, reference: Reference, pace: Pace) -> None:
        self._reference = reference
        self._pace = pace
        self._sent: set[StreamId] = set()

    def forget(self, parent: StreamId) -> None:
        """The order is over, or has other terms."""
        self._sent.discard(parent)

    def max_e9(self, turn: Turn, parent: ParentOrder, lot_e9: int) -> int:
        """How much of what is left may be planned for the closing auction."""
        share_e9, day = parent.terms.at_close_e9, self._day(parent, turn.now_ns)
        if parent.schedule is None:
            self.forget(parent.id)
        if not share_e9 or day is None or not day.close_auction_ns:
            return 0
        if out := self.closing(turn, parent):
            return out.leaves_e9
        if parent.id in self._sent or turn.now_ns >= self._close_cut_ns(day):
            return 0
        whole_e9 = parent.terms.quantity_e9 * share_e9 // E9
        return min(whole_e9, parent.terms.quantity_e9 - parent.cum_quantity_e9) // lot_e9 * lot_e9

    def missed(self, turn: Turn, parent: ParentOrder) -> bool:
        """Has the schedule left something to an auction that it will not get to?"""
        day = self._day(parent, turn.now_ns)
        if parent.schedule is None or not parent.schedule.at_close_e9 or day is None or self.closing(turn, parent):
            return False
        return parent.id in self._sent or turn.now_ns >= self._close_cut_ns(day)

    def leg(self, turn: Turn, parent: ParentOrder, lot_e9: int) -> Leg | None:
        """The auction order to send now."""
        day, now_ns = self._day(parent, turn.now_ns), turn.now_ns
        if day is None or parent.steering.mode != "algo":
            return None
        left_e9 = parent.terms.quantity_e9 - parent.released_e9
        if parent.terms.at_open_e9 and day.open_auction_ns and not parent.children:
            cut_ns = day.open_auction_ns - self._pace.at_open_cutoff_ns
            share_e9 = parent.terms.quantity_e9 * parent.terms.at_open_e9 // E9
            if cut_ns - self._pace.auction_lead_ns <= now_ns < cut_ns:
                return self._sized(Leg(min(share_e9, left_e9), TimeInForce.AT_THE_OPENING), lot_e9)
        if parent.schedule is None or parent.id in self._sent or self.closing(turn, parent):
            return None
        cut_ns = self._close_cut_ns(day)
        if day.close_auction_ns and cut_ns - self._pace.auction_lead_ns <= now_ns < cut_ns:
            return self._sized(Leg(min(parent.schedule.at_close_e9, left_e9), TimeInForce.AT_THE_CLOSE), lot_e9)
        return None

    def sent(self, parent: StreamId, time_in_force: TimeInForce) -> None:
        """The order is out."""
        if time_in_force is TimeInForce.AT_THE_CLOSE:
            self._sent.add(parent)

    def closing(self, turn: Turn, parent: ParentOrder) -> ChildOrder | None:
        """The closing order that is out."""
        children = turn.state.children_of(parent)
        return next((child for child in children if child.time_in_force is TimeInForce.AT_THE_CLOSE), None)

    def stands_until_ns(self, parent: ParentOrder, child: ChildOrder, now_ns: int) -> int | None:
        """Until when an auction order is left alone; None for any other."""
        day = self._day(parent, now_ns)
        if day is None or child.time_in_force not in (TimeInForce.AT_THE_OPENING, TimeInForce.AT_THE_CLOSE):
            return None
        opens = child.time_in_force is TimeInForce.AT_THE_OPENING
        return (day.open_auction_ns if opens else day.close_auction_ns) + self._pace.close_grace_ns

    def due_ns(self, parent: ParentOrder, now_ns: int) -> list[int]:
        """When there may be something to do; what is past is no concern of the caller's."""
        day, pace = self._day(parent, now_ns), self._pace
        if day is None or not (parent.terms.at_open_e9 or parent.terms.at_close_e9):
            return []
        cuts_ns = (day.open_auction_ns - pace.at_open_cutoff_ns, self._close_cut_ns(day))
        ends_ns = [at_ns + pace.close_grace_ns for at_ns in (day.open_auction_ns, day.close_auction_ns)]
        return [at_ns for cut_ns in cuts_ns for at_ns in (cut_ns - pace.auction_lead_ns, cut_ns)] + ends_ns

    def _sized(self, leg: Leg, lot_e9: int) -> Leg | None:
        quantity_e9 = leg.quantity_e9 // lot_e9 * lot_e9
        return leg._replace(quantity_e9=quantity_e9) if quantity_e9 > 0 else None

    def _close_cut_ns(self, day: TradingDay) -> int:
        return day.close_ns - self._pace.at_close_cutoff_ns

    def _day(self, parent: ParentOrder, now_ns: int) -> TradingDay | None:
        if not (parent.terms.at_open_e9 or parent.terms.at_close_e9):
            return None
        instrument = self._reference.instrument(parent.instrument)
        return self._reference.day(instrument, now_ns) if instrument is not None else None
