"""The desk's side of a tactic: what it sees when a child is priced, and the child that comes of it."""

from __future__ import annotations

from domain import child_order as co
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.values import OrdType, Side, StreamId, TimeInForce
from ems import tactic
from ems.fill_probability import Trading, drains
from ems.pace import Pace
from ems.planning import Planning
from ems.tactic import Proposal, View


class Placing:
    """One for the scheduler."""

    def __init__(self, planning: Planning, pace: Pace) -> None:
        self._planning = planning
        self._pace = pace
        self._trading = Trading()

    def proposals(
        self, parent: ParentOrder, market: MarketState, instrument: Instrument, *, now_ns: int, trade_date: str
    ) -> tuple[Proposal, ...]:
        """What to release now, see `ems.tactic.propose`."""
        self._trading.note(market)
        closing_ns = self._pace.closing_begins_ns(parent)
        near_e9 = market.bid_e9 if parent.side is Side.BUY else market.ask_e9
        slices = () if parent.schedule is None else parent.schedule.slices
        ends_ns = [each.end_ns for each in slices if each.start_ns <= now_ns < each.end_ns]
        view = View(
            kind=self._pace.placement,
            tick_e9=0 if near_e9 is None else instrument.tick_e9(near_e9, trade_date),
            rest_ns=max(0, min(self._pace.patience_of(parent), closing_ns - now_ns, *(at_ns - now_ns for at_ns in ends_ns))),
            drains=drains(
                parent.side, market, self._planning.seen(parent.instrument), self._trading.per_ns(parent.instrument), now_ns
            ),
        )
        return tactic.propose(parent, market, instrument, now_ns=now_ns, closing_ns=closing_ns, view=view)


def created(
    parent: ParentOrder, stream: StreamId, proposal: Proposal, market: MarketState, *, session: str, trade_date: str
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
        ord_type=OrdType.LIMIT,
        limit_price_e9=proposal.limit_price_e9,
        time_in_force=TimeInForce.DAY,
        account=parent.account,
        tactic=proposal.tactic,
        bid_e9=market.bid_e9,
        ask_e9=market.ask_e9,
        reason=proposal.reason,
    )
