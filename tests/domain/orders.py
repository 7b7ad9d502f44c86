"""Orders to test with: one instrument, one trading day, one parent and one child, and how to fold events on them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

from domain import child_life, parent_life
from domain import child_order as co
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event, InboundRef
from domain.instrument import Instrument, TickBand, TickTable
from domain.messages import CancelOrder, NewOrder, ReplaceOrder, VenueReport
from domain.parent_order import ParentOrder, Terms
from domain.trading_day import TradingDay
from domain.values import E9, Algo, OrdType, Side, TimeInForce, stream_id

MINUTE_NS = 60 * E9
NOW_NS = 1_772_463_600 * E9  # 2026-03-02 15:00 UTC
DAY = TradingDay("2026-03-02", NOW_NS - 30 * MINUTE_NS, NOW_NS + 360 * MINUTE_NS)
ABC = Instrument(
    symbol="ABC",
    currency="USD",
    mic="XNAS",
    lot_e9=10 * E9,
    tick_tables=(TickTable(valid_from=date(2020, 1, 1), bands=(TickBand(0, E9 // 100),)),),
)
REF = InboundRef("OMS", 0, 1)
PARENT = po.key("OMS", DAY.trade_date, "A1")
CHILD = co.key(PARENT, 1)
FILL = stream_id("test", "99")


def new_order(**changes: Any) -> NewOrder:
    """A good order, changed."""
    return replace(
        NewOrder(
            ref=REF, cl_ord_id="A1", symbol="ABC", side=Side.BUY, quantity_e9=1000 * E9, ord_type=OrdType.LIMIT,
            limit_price_e9=100 * E9, time_in_force=TimeInForce.DAY, account="ACC", algo="twap",
            parameters=(("DurationMinutes", "30"),),
        ),
        **changes,
    )  # fmt: skip


def replace_order(**changes: Any) -> ReplaceOrder:
    """The same order again under a new ClOrdID, changed."""
    order = new_order(cl_ord_id="A2")
    values = {name: getattr(order, name) for name in NewOrder.__dataclass_fields__}
    return ReplaceOrder(**{**values, "orig_cl_ord_id": "A1", **changes})


def cancel_order(cl_ord_id: str = "A2") -> CancelOrder:
    return CancelOrder(ref=REF, cl_ord_id=cl_ord_id, orig_cl_ord_id="A1")


def terms(quantity: int = 1000, **changes: Any) -> Terms:
    values = {"limit_price_e9": 100 * E9, "algo": Algo.TWAP, "start_ns": NOW_NS, "end_ns": NOW_NS + 30 * MINUTE_NS}
    return Terms(quantity_e9=quantity * E9, **{**values, **changes})


def accepted(**changes: Any) -> po.Accepted:
    values: dict[str, Any] = {
        "client_session": "OMS", "trade_date": DAY.trade_date, "cl_ord_id": "A1", "order_id": po.order_id(PARENT),
        "account": "ACC", "instrument": "ABC", "side": Side.BUY, "terms": terms(), "arrival": None,
    }  # fmt: skip
    return po.Accepted(**{**values, **changes})


def released(quantity: int, number: int = 1, late: int = 0) -> po.ChildReleased:
    return po.ChildReleased(child=co.key(PARENT, number), number=number, quantity_e9=quantity * E9, late_e9=late * E9)


def filled(quantity: int, price: int = 100, number: int = 1) -> po.Filled:
    return po.Filled(child=co.key(PARENT, number), fill=FILL, quantity_e9=quantity * E9, price_e9=price * E9)


def closed(number: int = 1, status: str = "canceled") -> po.ChildClosed:
    return po.ChildClosed.sample(child=co.key(PARENT, number), status=status)


def parent(*events: Event) -> ParentOrder:
    """The accepted order after these events."""
    state: Any = None
    for event in (accepted(), *events):
        state = parent_life.evolve(state, event, stream=PARENT, at_ns=NOW_NS)
    assert isinstance(state, ParentOrder)
    return state


def created(**changes: Any) -> co.Created:
    values: dict[str, Any] = {
        "parent": PARENT, "number": 1, "venue_session": "VENUE", "trade_date": DAY.trade_date, "cl_ord_id": co.cl_ord_id(CHILD),
        "instrument": "ABC", "side": Side.BUY, "quantity_e9": 100 * E9, "ord_type": OrdType.LIMIT, "limit_price_e9": 100 * E9,
        "time_in_force": TimeInForce.DAY, "account": "ACC", "tactic": "passive", "bid_e9": None, "ask_e9": None,
    }  # fmt: skip
    return co.Created(**{**values, **changes})


def child(*events: Event) -> ChildOrder:
    """The created child after these events."""
    state: ChildOrder | None = None
    for event in (created(), *events):
        state = child_life.evolve(state, event, stream=CHILD, at_ns=NOW_NS)
    assert state is not None
    return state


def child_filled(quantity: int, price: int = 100) -> co.Filled:
    return co.Filled(fill=FILL, exec_id="E1", quantity_e9=quantity * E9, price_e9=price * E9)


def venue_report(exec_kind: str, **changes: Any) -> VenueReport:
    """A venue's report about the child."""
    values: dict[str, Any] = {
        "ref": InboundRef("VENUE", 0, 1), "cl_ord_id": co.cl_ord_id(CHILD), "orig_cl_ord_id": "", "order_id": "V1",
        "exec_id": "R1", "exec_kind": exec_kind, "ord_status": "new", "symbol": "ABC", "side": Side.BUY, "last_quantity_e9": 0,
        "last_price_e9": 0, "cum_quantity_e9": 0, "leaves_quantity_e9": 100 * E9, "transact_time_ns": NOW_NS,
    }  # fmt: skip
    return VenueReport(**{**values, **changes})
