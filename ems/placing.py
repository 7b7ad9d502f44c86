"""The desk's side of a tactic: what it sees when a child is priced, and the child that comes of it."""

from __future__ import annotations

from domain import child_order as co
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.values import OrdType, Side, StreamId
from ems import tactic
from ems.auctions import Auctions
from ems.fill_probability import Trading, drains
from ems.pace import Pace
from ems.planning import Planning
from ems.tactic import Proposal, View
from ems.turn import Turn


class Placing:
    """One for the scheduler."""

    def __init__(self, planning: Planning, auctions: Auctions, pace: Pace) -> None:
        self._planning = planning
        self._auctions = auctions
        self._pace = pace
        self._trading = Trading()

    def proposals(
        self, turn: Turn, parent: ParentOrder, market: MarketState | None, instrument: Instrument, *, trade_date: str
    ) -> tuple[Proposal, ...]:
        """What to release now: an auction's order, and what `ems.tactic.propose` makes of the slices that have begun."""
        auction: tuple[Proposal, ...] = ()
        if leg := self._auctions.leg(turn, parent, instrument.lot_e9):
            why = f"{leg.time_in_force.replace('_', ' ')}, before the cut-off"
            limit_e9 = parent.terms.limit_price_e9
            auction = (Proposal(leg.quantity_e9, limit_e9, tactic.AUCTION, why, leg.time_in_force),)
            parent = parent._replace(held_e9=parent.held_e9 + leg.quantity_e9)  # as good as released
        if market is None or turn.now_ns < parent.terms.start_ns:
            return auction
        self._trading.note(market)
        out = self._auctions.closing(turn, parent)
        at_close_e9 = (out.leaves_e9 if out else 0) + sum(each.quantity_e9 for each in auction)
        closing_ns = self._pace.closing_begins_ns(parent)
        view = self._view(parent, market, instrument, turn.now_ns, closing_ns, trade_date)._replace(at_close_e9=at_close_e9)
        return auction + tactic.propose(parent, market, instrument, now_ns=turn.now_ns, closing_ns=closing_ns, view=view)

    def _view(
        self, parent: ParentOrder, market: MarketState, instrument: Instrument, now_ns: int, closing_ns: int, trade_date: str
    ) -> View:
        near_e9 = market.bid_e9 if parent.side is Side.BUY else market.ask_e9
        slices = () if parent.schedule is None else parent.schedule.slices
        ends_ns = [each.end_ns for each in slices if each.start_ns <= now_ns < each.end_ns]
        seen, traded = self._planning.seen(parent.instrument), self._trading.per_ns(parent.instrument)
        return View(
            kind=self._pace.placement,
            tick_e9=0 if near_e9 is None else instrument.tick_e9(near_e9, trade_date),
            rest_ns=max(0, min(self._pace.patience_of(parent), closing_ns - now_ns, *(at_ns - now_ns for at_ns in ends_ns))),
            drains=drains(parent.side, market, seen, traded, now_ns),
        )


def created(
    parent: ParentOrder,
    stream: StreamId,
    proposal: Proposal,
    market: MarketState | None,
    *,
    session: str,
    trade_date: str,
    reckoned_price_e9: int | None,
) -> co.Created:
    """The next child of a parent."""
    return co.Created(
        parent=parent.id,
        number=parent.children + 1,
        venue_session=session,
        trade_date=trade_date,
        cl_ord_id=co.cl_ord_id(stream),
        instrument=parent.instrument,
        side=parent.side,
        quantity_e9=proposal.quantity_e9,
        ord_type=OrdType.MARKET if proposal.limit_price_e9 is None else OrdType.LIMIT,
        limit_price_e9=proposal.limit_price_e9,
        time_in_force=proposal.time_in_force,
        account=parent.account,
        tactic=proposal.tactic,
        bid_e9=market.bid_e9 if market is not None else None,
        ask_e9=market.ask_e9 if market is not None else None,
        reckoned_price_e9=reckoned_price_e9 if proposal.limit_price_e9 is None else None,
        reason=proposal.reason,
    )
