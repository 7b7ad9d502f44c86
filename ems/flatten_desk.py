"""PANIC in the desk: orders that bring the house positions of what is tripped to zero, each with the trip's id.

Level-triggered like the scheduler: it looks at positions, at what is out and at the latch as they are, so a restart repeats
nothing. It does nothing blind: what is not known for certain is not flattened, and the proof of flat says why.
"""

from __future__ import annotations

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from typing import Final, NamedTuple

from domain import child_order as co
from domain import parent_order as po
from domain import parent_rules
from domain.instrument import Instrument
from domain.kill_flatten import limit_e9, to_trade
from domain.kill_scope import Scope
from domain.kill_switch import Unflattened
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.terms import Terms
from domain.trading_day import TradingDay
from domain.values import E9, Algo, OrdType, Side, StreamId, TimeInForce, from_e9, short_id, stream_id
from ems.desk_state import DeskState
from ems.house import House, HouseParts, HouseTerms, Target
from ems.kill_scopes import touches
from ems.turn import Turn

ORDERS_MAX: Final = 5  # of one trip for one position
CANCELS_NS: Final = 2 * E9  # cancels have so long to be answered; then only what is certain to reduce is sent
AGAIN_NS: Final = E9  # from the end of one order to the next
NOTHING_IS_THE_HOUSES: Final = "no account is the house's own ([kill] house_accounts): nothing is flattened"


class _Order(NamedTuple):
    """What would be sent now."""

    side: Side
    quantity_e9: int
    limit_price_e9: int
    venue: str
    day: TradingDay
    market: MarketState


class FlattenDesk:
    """One for the desk. `work` changes the turn, `left` nothing.

    Args:
        sessions_up: venue sessions that take orders now.
    """

    def __init__(self, parts: HouseParts, terms: HouseTerms, sessions_up: Callable[[], AbstractSet[str]]) -> None:
        self._parts = parts
        self._sessions_up = sessions_up
        self._terms = terms
        self._house = House(parts, terms)

    def work(self, turn: Turn) -> None:
        """Send what is due."""
        panics = self._house.panics()
        if not panics or not self._terms.accounts:
            return
        turn.begin(actor="system:kill", causation="kill switch")
        self._house.open_positions(turn)
        for target in self._house.targets(turn.state, panics):
            now = target._replace(position=self._house.position(turn.state, target))  # what this turn has sent before counts too
            order = self._order(turn.state, now, turn.now_ns)
            if isinstance(order, _Order):
                self._send(turn, now, order)

    def left(self, state: DeskState, scope: Scope, now_ns: int) -> tuple[str, tuple[Unflattened, ...]]:
        """What of a scope under PANIC is not flat yet, in words and one by one."""
        if not self._terms.accounts:
            return NOTHING_IS_THE_HOUSES, ()
        panics = self._house.panics()
        found = [*self._house.unknown(state, panics, scope)]
        for target in self._house.targets(state, panics):
            if not touches(target.scopes, scope):
                continue
            order = self._order(state, target, now_ns)
            why = order if isinstance(order, str) else "an order is due"
            position_e9 = target.position.scope_e9
            found.append(Unflattened(account=target.account, instrument=target.instrument, position_e9=position_e9, why=why))
        told = f"not flat: {len(found)} positions of the house" if found else "the house is flat"
        return told, tuple(sorted(found, key=lambda one: (one.account, one.instrument)))

    # --------------------------------------------------------------------------------------------- orders

    def _order(self, state: DeskState, target: Target, now_ns: int) -> _Order | str:
        """The order that is due now, or why none is."""
        reference, symbol = self._parts.reference, target.instrument
        instrument = reference.instrument(symbol)
        if instrument is None:
            return "the instrument is not known"
        day = reference.day(instrument, now_ns)
        if day is None or not day.open_ns <= now_ns < day.close_ns:
            return "its market is closed"
        if self._parts.data.halted(symbol, now_ns):
            return "its market is halted"
        venue = reference.venue_session(instrument)
        if venue not in self._sessions_up():
            return f"the session {venue} to its venue is down" if venue else "it has no venue"
        if waits := self._waits(state, target, now_ns):
            return waits
        market = self._parts.markets.get(symbol)
        price_e9 = _price_e9(market)
        if market is None or price_e9 is None:
            return "no price is known"
        if now_ns - market.time_ns > self._terms.price_age_ns:
            return f"its price is {from_e9(now_ns - market.time_ns):.1f} s old"
        return self._priced(state, target, instrument, _Order(Side.BUY, 0, price_e9, venue, day, market))

    def _of_trip(self, state: DeskState, target: Target) -> list[ParentOrder]:
        """The trip's orders for a position so far."""
        return [p for p in self._house.sent(state, target) if p.flattens is not None and p.flattens[1] == target.trip.id]

    def _waits(self, state: DeskState, target: Target, now_ns: int) -> str:
        """Why the next order waits, "" if it need not."""
        sent = self._of_trip(state, target)
        if any(parent.open_e9 for parent in sent):
            return "an order is out"
        if len(sent) >= ORDERS_MAX:
            return f"{len(sent)} orders have not flattened it"
        ended_ns = max((state.children[co.key(parent.id, 1)].changed_ns for parent in sent), default=0)
        out_e9 = target.position.buying_e9 + target.position.selling_e9
        if out_e9 and now_ns - target.trip.since_ns < CANCELS_NS:
            return "orders of the account are being canceled"
        return "the next order is due in a moment" if sent and now_ns - ended_ns < AGAIN_NS else ""

    def _priced(self, state: DeskState, target: Target, instrument: Instrument, order: _Order) -> _Order | str:
        """The collar is around the price that the trip's first order saw: it does not walk with the market."""
        side, quantity_e9 = to_trade(target.position, instrument.lot_e9)
        if not quantity_e9:
            return _why_none(target)
        first = next(iter(self._of_trip(state, target)), None)
        reference_e9 = (_price_e9(first.arrival) if first is not None else None) or order.limit_price_e9
        worst_e9 = limit_e9(reference_e9, side, self._terms.collar_bps)
        tick_e9 = instrument.tick_e9(worst_e9, order.day.trade_date)
        price_e9 = worst_e9 // tick_e9 * tick_e9 if side is Side.BUY else -(-worst_e9 // tick_e9) * tick_e9
        if price_e9 <= 0:
            return "there is no price within its collar"
        return order._replace(side=side, quantity_e9=quantity_e9, limit_price_e9=price_e9)

    def _send(self, turn: Turn, target: Target, order: _Order) -> None:
        """The house's order and its one child, in one turn: nobody else decides on it."""
        trip, number = target.trip, len(self._house.sent(turn.state, target)) + 1
        trade_date = self._parts.reference.trade_date(turn.now_ns)
        name = short_id(stream_id("flatten", trip.id, target.account, target.instrument, str(number)), 12)
        cl_ord_id = f"FLAT{name}"
        stream = po.key("", trade_date, cl_ord_id)
        terms = Terms(
            quantity_e9=order.quantity_e9, limit_price_e9=order.limit_price_e9, algo=Algo.DIRECT, start_ns=turn.now_ns,
            end_ns=order.day.close_ns, ord_type=OrdType.LIMIT, time_in_force=TimeInForce.IOC,
        )  # fmt: skip
        parent = turn.parent(
            stream,
            po.Accepted(
                client_session="", trade_date=trade_date, cl_ord_id=cl_ord_id, order_id=po.order_id(stream),
                account=target.account, instrument=target.instrument, side=order.side, terms=terms, arrival=order.market,
                flattens=(trip.scope, trip.id),
            ),
        )  # fmt: skip
        child = co.key(stream, 1)
        turn.parent(stream, parent_rules.release(parent, child, order.quantity_e9))
        turn.apply(child, _child(stream, child, target, order, trade_date), correlation=stream)


def _child(parent: StreamId, child: StreamId, target: Target, order: _Order, trade_date: str) -> co.Created:
    return co.Created(
        parent=parent,
        number=1,
        venue_session=order.venue,
        trade_date=trade_date,
        cl_ord_id=co.cl_ord_id(child),
        instrument=target.instrument,
        side=order.side,
        quantity_e9=order.quantity_e9,
        ord_type=OrdType.LIMIT,
        limit_price_e9=order.limit_price_e9,
        time_in_force=TimeInForce.IOC,
        account=target.account,
        tactic="flatten",
        bid_e9=order.market.bid_e9,
        ask_e9=order.market.ask_e9,
        trip=target.trip.id,
    )


def _why_none(target: Target) -> str:
    """Why nothing is certain to reduce a position."""
    position = target.position
    if position.scope_e9 * position.account_e9 <= 0:
        return "the account as a whole does not hold it"
    out_e9 = position.selling_e9 if position.scope_e9 > 0 else position.buying_e9
    return "what is out or in doubt may reduce it" if out_e9 else "it is less than a lot"


def _price_e9(market: MarketState | None) -> int | None:
    """The middle where both sides are there and do not cross, else the last trade."""
    if market is None:
        return None
    if market.bid_e9 is not None and market.ask_e9 is not None and market.bid_e9 > market.ask_e9:
        return None
    price_e9 = market.mid_e9 or market.last_e9
    return price_e9 if price_e9 is not None and price_e9 > 0 else None
