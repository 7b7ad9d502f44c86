"""A new order of a client's, or entered at the desk: its terms, or the first refusal that applies."""

from __future__ import annotations

from domain import order_checks
from domain import parent_order as po
from domain.algo_parameters import MODELS, AlgoParameters, parse
from domain.instrument import Instrument
from domain.market_state import MarketState
from domain.messages import NewOrder
from domain.refusal import Reason, Refusal
from domain.terms import Terms
from domain.trading_day import TradingDay
from domain.values import Algo, OrdType, StreamId, TimeInForce, from_e9


def place(
    order: NewOrder,
    *,
    stream: StreamId,
    duplicate: bool,
    instrument: Instrument | None,
    day: TradingDay | None,
    trade_date: str,
    now_ns: int,
    arrival: MarketState | None,
) -> po.Accepted | Refusal:
    """A new order from a client: accepted with its terms, or the first refusal that applies.

    Args:
        stream: the order's key.
    """
    if duplicate:
        return Refusal(Reason.DUPLICATE_CL_ORD_ID, f"ClOrdID {order.cl_ord_id} was used before in this session today")
    sized = order_checks.size(order, instrument, arrival)
    if isinstance(sized, Refusal):
        return sized
    order = sized
    terms = read_terms(order, instrument=instrument, day=day, now_ns=now_ns)
    if isinstance(terms, Refusal):
        return terms
    assert instrument is not None and order.side is not None
    return po.Accepted(
        client_session=order.ref.session,
        trade_date=trade_date,
        cl_ord_id=order.cl_ord_id,
        order_id=po.order_id(stream),
        account=order.account,
        instrument=instrument.symbol,
        side=order.side,
        terms=terms,
        arrival=arrival,
    )


def read_terms(order: NewOrder, *, instrument: Instrument | None, day: TradingDay | None, now_ns: int) -> Terms | Refusal:
    """Check every term in a fixed order: what is traded, how much, at what price, when, by which algorithm."""
    if order.refusal is not None:
        return order.refusal
    if instrument is None:
        return Refusal(Reason.UNKNOWN_SYMBOL, f"symbol {order.symbol!r} is not in the instrument table")
    if order.side is None:
        return Refusal(Reason.UNKNOWN_SIDE, "Side must be 1 (buy) or 2 (sell)")
    refusal = order_checks.quantity(order, instrument)
    if refusal is None and day is None:
        refusal = Refusal(Reason.MARKET_CLOSED, f"{instrument.symbol} does not trade today")
    if refusal is None and day is not None:
        refusal = order_checks.price(order, instrument, day.trade_date)
    if refusal is not None:
        return refusal
    assert day is not None
    if order.strategy_refusal is not None:
        return order.strategy_refusal
    try:
        algo = Algo(order.algo) if order.algo else Algo.DIRECT
    except ValueError:
        known = ", ".join(MODELS)
        said = f"the algorithm {order.algo!r} is neither ours ({known}) nor a broker's"
        return Refusal(Reason.UNKNOWN_ALGO, said)
    refusal = order_checks.handling(order, algo)
    if refusal is not None:
        return refusal
    parameters = parse(algo, order.parameters) if algo is not Algo.DIRECT else AlgoParameters()
    if isinstance(parameters, Refusal):
        return parameters
    return _window(order, algo, parameters, instrument, day, now_ns)


def _window(
    order: NewOrder, algo: Algo, parameters: AlgoParameters, instrument: Instrument, day: TradingDay, now_ns: int
) -> Terms | Refusal:
    start_ns = max(parameters.start_ns or now_ns, now_ns, day.open_ns)
    end_ns = parameters.end_ns
    if end_ns is None:
        end_ns = start_ns + parameters.duration_ns if parameters.duration_ns else day.close_ns
    end_ns = min(end_ns, day.close_ns)
    if start_ns >= day.close_ns:
        return Refusal(Reason.MARKET_CLOSED, f"{instrument.symbol} has closed for {day.trade_date}")
    if end_ns <= start_ns:
        return Refusal(Reason.END_NOT_AFTER_START, "EndTime must be after now and after StartTime")
    if parameters.would_price_e9 is not None and not instrument.on_tick(parameters.would_price_e9, day.trade_date):
        return Refusal(Reason.PRICE_OFF_TICK, f"WouldPrice {from_e9(parameters.would_price_e9)} is off the tick")
    if refusal := order_checks.auctions(order, parameters, day, now_ns, end_ns) or order_checks.basket(parameters):
        return refusal
    if order.time_in_force is TimeInForce.AT_THE_CLOSE:
        end_ns = max(end_ns, day.close_auction_ns)
    return Terms(
        quantity_e9=order.quantity_e9,
        limit_price_e9=order.limit_price_e9 if order.ord_type is not OrdType.MARKET else None,
        algo=algo,
        start_ns=start_ns,
        end_ns=end_ns,
        participation_e9=parameters.participation_e9,
        max_participation_e9=parameters.max_participation_e9,
        would_price_e9=parameters.would_price_e9,
        urgency_e9=parameters.urgency_e9,
        at_open_e9=parameters.at_open_e9,
        at_close_e9=parameters.at_close_e9,
        tail_aversion_e9=parameters.tail_aversion_e9,
        basket_correlation_e9=parameters.basket_correlation_e9,
        basket_cash_e9=parameters.basket_cash_e9,
        parameters=order.parameters,
        ord_type=order.ord_type if algo is Algo.DIRECT else None,
        time_in_force=order.time_in_force or TimeInForce.DAY,
        instructions=order.instructions,
    )
