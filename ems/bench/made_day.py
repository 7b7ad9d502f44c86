"""A day of orders made without sockets: the events that a desk would write for many parents, for benches and drills.

Nothing here is random: the n-th day of a size is always the same day.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from domain import child_order as co
from domain import decision
from domain import fill as fl
from domain import parent_order as po
from domain.market_state import MarketState
from domain.order_life import OrdStatus
from domain.schedule import PlanRequest, Schedule, Slice
from domain.terms import Terms
from domain.values import E9, Algo, OrdType, Side, StreamId, TimeInForce
from ems.desk_state import DeskState
from ems.turn import Turn

CLIENT, VENUE, TRADE_DATE, SYMBOL = "OMS", "XSIM", "2012-06-21", "AMZN"
OPEN_NS = 1_340_285_400_000_000_000  # 2012-06-21 13:30 UTC
HALF_HOUR_NS = 1_800_000_000_000
CHILDREN, FILLS = 3, 2  # of each finished parent
CHILD_E9 = 100 * E9
PARENTS_PER_TURN = 64


@dataclass(slots=True)
class MadeDay:
    """Parents that are worked to their end, then parents left with one child working each."""

    finished: int
    working: int

    def turns(self, state: DeskState) -> Iterator[Turn]:
        """The day in turns, already applied to state; each is to be appended whole."""
        for first in range(0, self.finished + self.working, PARENTS_PER_TURN):
            turn = Turn(state=state, now_ns=OPEN_NS + first * 1_000_000, build="bench")
            for number in range(first, min(first + PARENTS_PER_TURN, self.finished + self.working)):
                _parent(turn, number, ends=number < self.finished)
            yield turn


def events_of_working() -> int:
    """How many events a parent has that is left with one child working."""
    return 6


def events_per_parent() -> int:
    """How many events a finished parent has."""
    return 4 + CHILDREN * (4 + 3 * FILLS)


def _parent(turn: Turn, number: int, *, ends: bool) -> None:
    turn.begin(actor=f"client:{CLIENT}", causation=f"fix:{CLIENT}/0/{number + 2}")
    cl_ord_id = f"ORD{number:08d}"
    stream = po.key(CLIENT, TRADE_DATE, cl_ord_id)
    market = MarketState(
        instrument=SYMBOL, time_ns=turn.now_ns, bid_e9=221_000_000_000, bid_size_e9=300 * E9,
        ask_e9=221_040_000_000, ask_size_e9=200 * E9, volume_e9=number * E9,
    )  # fmt: skip
    terms = Terms(
        quantity_e9=CHILDREN * CHILD_E9, limit_price_e9=None, algo=Algo.TWAP, start_ns=OPEN_NS, end_ns=OPEN_NS + HALF_HOUR_NS
    )
    accepted = po.Accepted(
        client_session=CLIENT, trade_date=TRADE_DATE, cl_ord_id=cl_ord_id, order_id=po.order_id(stream), account="A1",
        instrument=SYMBOL, side=Side.BUY, terms=terms, arrival=market,
    )  # fmt: skip
    turn.parent(stream, accepted)
    _plan(turn, stream, terms, market)
    for child in range(1, CHILDREN + 1 if ends else 2):
        _child(turn, stream, child, market, number, ends=ends)
    if ends:
        finished = po.Finished(status=OrdStatus.FILLED, cum_quantity_e9=terms.quantity_e9, average_price_e9=0, market=market)
        turn.parent(stream, finished)


def _plan(turn: Turn, stream: StreamId, terms: Terms, market: MarketState) -> None:
    slices = tuple(Slice(OPEN_NS + i * HALF_HOUR_NS // 3, OPEN_NS + (i + 1) * HALF_HOUR_NS // 3, CHILD_E9) for i in range(3))
    schedule = Schedule(planner="twap/1", filled_e9=0, slices=slices)
    request = PlanRequest(
        parent=str(stream), parent_version=1, plan_number=1, reason="accepted", instrument=SYMBOL, side=Side.BUY,
        algo=terms.algo, remaining_e9=terms.quantity_e9, filled_e9=0, lot_e9=E9, now_ns=turn.now_ns, start_ns=terms.start_ns,
        end_ns=terms.end_ns, participation_e9=None, market=market, started_volume_e9=0,
    )  # fmt: skip
    key = decision.key(str(stream), 1)
    digest = decision.request_sha256(request)
    turn.apply(key, decision.Planned(request=request, request_sha256=digest, schedule=schedule), correlation=stream)
    turn.parent(stream, po.Scheduled(decision=key, plan_number=1, schedule=schedule, started_volume_e9=0))


def _child(turn: Turn, parent: StreamId, number: int, market: MarketState, order: int, *, ends: bool) -> None:
    stream = co.key(parent, number)
    turn.parent(parent, po.ChildReleased(child=stream, number=number, quantity_e9=CHILD_E9, late_e9=0))
    created = co.Created(
        parent=parent, number=number, venue_session=VENUE, trade_date=TRADE_DATE, cl_ord_id=co.cl_ord_id(stream),
        instrument=SYMBOL, side=Side.BUY, quantity_e9=CHILD_E9, ord_type=OrdType.LIMIT, limit_price_e9=market.ask_e9,
        time_in_force=TimeInForce.DAY, account="A1", tactic="aggressive", bid_e9=market.bid_e9, ask_e9=market.ask_e9,
    )  # fmt: skip
    turn.apply(stream, created, correlation=parent)
    turn.apply(stream, co.Acknowledged(order_id=f"V{order}-{number}"), correlation=parent)
    if not ends:
        return
    for part in range(FILLS):
        _fill(turn, parent, stream, f"X{order}-{number}-{part}", market.ask_e9 or 0)
    turn.parent(parent, po.ChildClosed(child=stream, status=OrdStatus.FILLED))


def _fill(turn: Turn, parent: StreamId, child: StreamId, exec_id: str, price_e9: int) -> None:
    stream = fl.key(VENUE, TRADE_DATE, exec_id)
    quantity_e9 = CHILD_E9 // FILLS
    turn.apply(
        stream,
        fl.Recorded(
            venue_session=VENUE, trade_date=TRADE_DATE, exec_id=exec_id, cl_ord_id=co.cl_ord_id(child), child=child,
            parent=parent, instrument=SYMBOL, side=Side.BUY, quantity_e9=quantity_e9, price_e9=price_e9,
            venue_time_ns=turn.now_ns,
        ),
        correlation=parent,
    )  # fmt: skip
    turn.apply(child, co.Filled(fill=stream, exec_id=exec_id, quantity_e9=quantity_e9, price_e9=price_e9), correlation=parent)
    turn.parent(parent, po.Filled(child=child, fill=stream, quantity_e9=quantity_e9, price_e9=price_e9))
