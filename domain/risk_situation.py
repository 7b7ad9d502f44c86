"""What an order is judged by: the desk's own state, the market, the reference data, at one moment."""

from __future__ import annotations

from typing import Final

from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.ports import RiskData
from domain.risk import Outcome, RiskOrder
from domain.risk_binding import Binding, Bound, Seen
from domain.risk_state import RiskState
from domain.trading_day import TradingDay
from domain.values import E9, Side

_E18: Final = E9 * E9
_BUY: Final = Side.BUY
_HARD: Final = Outcome.HARD
_MISSING: Final = Outcome.MISSING


class Situation:
    """Made for one order, asked by every check. Prices are those of the market seen, None where nothing tells. kind: what the
    order is under, from when it is judged.
    """

    __slots__ = (
        "adds_e9", "buys", "data", "day", "facts", "instrument", "kind", "market", "money_e9", "notional_e9", "now_ns",
        "price_e9", "rate_e9", "reference", "reference_e9", "state", "symbol", "trade_date",
    )  # fmt: skip

    kind: Binding

    def __init__(
        self, order: RiskOrder, state: RiskState, data: RiskData, instrument: Instrument | None, market: MarketState | None,
        day: TradingDay | None, trade_date: str, now_ns: int,
    ) -> None:  # fmt: skip
        self.state, self.data, self.instrument, self.market = state, data, instrument, market
        self.day, self.trade_date, self.now_ns = day, trade_date, now_ns
        self.facts = data.facts()
        state.totals.settle()
        self.symbol = symbol = order.scopes.instrument
        side = order.side
        self.buys = side is _BUY
        self.reference_e9, self.reference = _reference(market, data, symbol)
        limit_e9 = order.limit_price_e9
        self.price_e9 = price_e9 = limit_e9 if limit_e9 is not None else _price_e9(order, market, self.reference_e9)
        self.rate_e9 = rate_e9 = state.totals.rates_e9.get(symbol)
        open_e9 = order.open_e9
        adds_e9 = open_e9 - order.held_e9
        self.adds_e9 = adds_e9 if adds_e9 > 0 else 0  # quantity that is reserved beyond what is already
        self.notional_e9: int | None = order.value_e9  # of the whole order, in the firm's currency
        self.money_e9: int | None = order.value_e9  # of what it adds
        if side is not None and price_e9 is not None and rate_e9 is not None:
            quantity_e9 = order.quantity_e9
            self.notional_e9 = notional_e9 = quantity_e9 * price_e9 * rate_e9 // _E18
            if open_e9 == quantity_e9 and not order.held_e18:
                self.money_e9 = notional_e9 if notional_e9 > 0 else 0
            else:
                self.money_e9 = max(0, open_e9 * price_e9 - order.held_e18) * rate_e9 // _E18

    def reduces(self, limit: Bound) -> bool:
        """Does it only bring a position nearer to nothing, together with what works in its direction?"""
        row = self.state.totals.row(limit.of, self.symbol)
        if self.buys:
            return row.position_e9 + row.buying_e9 + self.adds_e9 <= 0
        return row.position_e9 - row.selling_e9 - self.adds_e9 >= 0

    def opening_known(self, account: str, instrument: str) -> bool:
        """Is it known what the account held as the day began?"""
        return (account, instrument) in self.state.opened or self.data.start_position_e9(account, instrument) == 0


def _reference(market: MarketState | None, data: RiskData, symbol: str) -> tuple[int | None, str]:
    if market is not None:
        bid_e9, ask_e9 = market.bid_e9, market.ask_e9
        if bid_e9 is not None and ask_e9 is not None:
            return (bid_e9 + ask_e9) // 2, "mid"
        if market.last_e9 is not None:
            return market.last_e9, "last"
    price_e9 = data.reference_price_e9(symbol)
    return price_e9, "reference" if price_e9 is not None else ""


def _price_e9(order: RiskOrder, market: MarketState | None, reference_e9: int | None) -> int | None:
    """What an order without a limit would trade at: its stop price, the far touch, else the reference price."""
    if order.stop_price_e9 is not None:
        return order.stop_price_e9
    if market is not None and order.side is not None:
        far_e9 = market.ask_e9 if order.side is _BUY else market.bid_e9
        if far_e9 is not None:
            return far_e9
    return reference_e9


def never(breach: bool, data: str = "") -> Seen | None:
    """A verdict that nobody may override, whatever the limit's level, and that nothing was measured for."""
    return (None, None, _HARD, data) if breach else None


def missing(what: str) -> Seen:
    """It cannot be judged, which refuses it."""
    return (None, None, _MISSING, what)
