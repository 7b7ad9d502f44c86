"""Checks of what an order says about itself: how much, at what price, for how long. Each gives the refusal or None."""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from domain import parent_order as po
from domain.algo_parameters import AlgoParameters
from domain.instructions import PLAIN
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.refusal import Reason, Refusal
from domain.trading_day import TradingDay
from domain.values import E9, Algo, OrdType, StreamId, TimeInForce, from_e9

_Order = TypeVar("_Order", bound=NewOrder)


def rejected(order: NewOrder, stream: StreamId, trade_date: str, refusal: Refusal, *, list_id: str = "") -> po.Rejected:
    """What is written of a new order that was refused."""
    return po.Rejected(
        client_session=order.ref.session,
        trade_date=trade_date,
        cl_ord_id=order.cl_ord_id,
        order_id=po.order_id(stream),
        symbol=order.symbol,
        side=order.side,
        quantity_e9=order.quantity_e9,
        reason=refusal.reason,
        text=refusal.text,
        list_id=list_id,
    )


def size(order: _Order, instrument: Instrument | None, market: MarketState | None) -> _Order | Refusal:
    """An order for an amount of money as an order for a quantity: whole lots at its limit, or at the market's middle."""
    cash_e9 = order.instructions.cash_quantity_e9 if order.instructions is not None else None
    if cash_e9 is None or order.quantity_e9 or instrument is None:
        return order
    price_e9 = order.limit_price_e9 or (market.mid_e9 if market is not None else None)
    if not price_e9 or price_e9 <= 0:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, "CashOrderQty needs a limit price, or a market to take a price from")
    quantity_e9 = cash_e9 * E9 // price_e9
    return replace(order, quantity_e9=quantity_e9 - quantity_e9 % instrument.lot_e9)


def handling(order: NewOrder, algo: Algo) -> Refusal | None:
    """Order type and time in force: a direct order may have any, an algorithm works market and limit orders of the day."""
    instructions = order.instructions or PLAIN
    if order.time_in_force is None:
        return Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, "this TimeInForce is not known here")
    if algo is not Algo.DIRECT:
        if order.time_in_force is not TimeInForce.DAY:
            return Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, f"an order for {algo} is for the day (TimeInForce 0)")
        if order.ord_type not in (OrdType.MARKET, OrdType.LIMIT):
            return Refusal(Reason.ORDER_TYPE_UNSUPPORTED, f"{algo} works market and limit orders only")
        return None
    if order.parameters:
        return Refusal(Reason.UNKNOWN_PARAMETER, "an order without TargetStrategy has no strategy parameters")
    if order.time_in_force is TimeInForce.GTD and instructions.expire_ns is None:
        return Refusal(Reason.TIME_IN_FORCE_UNSUPPORTED, "a GTD order needs ExpireTime or ExpireDate")
    return None


def quantity(order: NewOrder, instrument: Instrument) -> Refusal | None:
    if order.quantity_e9 <= 0:
        return Refusal(Reason.QUANTITY_NOT_POSITIVE, f"quantity must be positive, not {from_e9(order.quantity_e9)}")
    if order.quantity_e9 % instrument.lot_e9:
        lot = from_e9(instrument.lot_e9)
        return Refusal(Reason.QUANTITY_OFF_LOT, f"quantity {from_e9(order.quantity_e9)} is not a multiple of the lot {lot}")
    return None


def price(order: NewOrder, instrument: Instrument, trade_date: str) -> Refusal | None:
    if order.ord_type is None:
        return Refusal(Reason.ORDER_TYPE_UNSUPPORTED, "this OrdType is not known here")
    stop_price_e9 = order.instructions.stop_price_e9 if order.instructions is not None else None
    if order.ord_type.held and (stop_price_e9 is None or stop_price_e9 <= 0):
        return Refusal(Reason.LIMIT_MISSING, "a stop order needs a positive StopPx")
    if not order.ord_type.priced and (order.ord_type is not OrdType.PEGGED or order.limit_price_e9 is None):
        return None
    if order.limit_price_e9 is None:
        return Refusal(Reason.LIMIT_MISSING, "a limit order needs a Price")
    if order.limit_price_e9 <= 0:
        return Refusal(Reason.PRICE_NOT_POSITIVE, f"the limit must be positive, not {from_e9(order.limit_price_e9)}")
    if not instrument.on_tick(order.limit_price_e9, trade_date):
        return Refusal(Reason.PRICE_OFF_TICK, f"the limit {from_e9(order.limit_price_e9)} is off the tick")
    return None


def auctions(order: NewOrder, parameters: AlgoParameters, day: TradingDay, now_ns: int, end_ns: int) -> Refusal | None:
    """What an order wants of auctions that it cannot have."""
    if order.time_in_force is TimeInForce.AT_THE_OPENING and 0 < day.open_auction_ns <= now_ns:
        return Refusal(Reason.MARKET_CLOSED, f"the opening auction of {day.trade_date} is over")
    if (parameters.at_open_e9 or 0) + (parameters.at_close_e9 or 0) > E9:
        return Refusal(Reason.BAD_PARAMETER, "AtOpen and AtClose are more than the whole order")
    if parameters.at_open_e9 and not day.open_auction_ns:
        return Refusal(Reason.BAD_PARAMETER, "AtOpen: the market holds no opening auction")
    if parameters.at_close_e9 and not day.close_auction_ns:
        return Refusal(Reason.BAD_PARAMETER, "AtClose: the market holds no closing auction")
    if parameters.at_close_e9 and end_ns < day.close_ns:
        return Refusal(Reason.BAD_PARAMETER, "AtClose needs an order that lasts until the close")
    return None


def basket(parameters: AlgoParameters) -> Refusal | None:
    """A bound on a basket that is none."""
    if parameters.basket_cash_e9 is not None and parameters.basket_correlation_e9 is None:
        return Refusal(Reason.BAD_PARAMETER, "BasketCash needs BasketCorrelation, which says what is planned together")
    return None
