"""Parent orders: how each stands, against its schedule and against the market."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from domain import decision
from domain import parent_order as po
from domain.event import Event, Recorded
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.trader import trader_of
from domain.values import StreamId
from ems.owners import owner_of
from ems.read_models.table import Table, World, decimal, moment
from ems.read_models.topic import Column, Topic

_BPS: Final = 10_000
_TEXTS = (po.Expired, po.Canceled, po.RequestRefused)
SCOPED: Final = (("client", "client"), ("desk", "desk"), ("symbol", "symbol"), ("account", "account"))


class Parents(Table):
    """Every order that came, also those that were refused."""

    topic: ClassVar[Topic] = Topic(
        "parents",
        "Orders",
        (
            Column("id", "Id", "id", hidden=True),
            Column("order_id", "Order", "id", 140, pin="left"),
            Column("symbol", "Symbol", "symbol", 80, pin="left"),
            Column("side", "Side", "side", 60),
            Column("quantity", "Quantity", "quantity", 90),
            Column("filled", "Filled", "quantity", 90, flash=True),
            Column("done", "Done / schedule", "bar", 150),
            Column("status", "Status", "status", 110),
            Column("worked", "Worked", "status", 80),
            Column("algo", "Algo", "text", 80),
            Column("avg_px", "Average", "price", 90, flash=True),
            Column("arrival_px", "Arrival", "price", 90),
            Column("limit_px", "Limit", "price", 90),
            Column("shortfall_bps", "Shortfall", "bps", 80),
            Column("vwap_bps", "vs VWAP", "bps", 80),
            Column("open", "At venues", "quantity", 90),
            Column("leaves", "Left", "quantity", 90),
            Column("urgency", "Urgency", "text", 70),
            Column("client", "Client", "text", 90),
            Column("account", "Account", "text", 90),
            Column("trader", "Trader", "text", 90),
            Column("owner", "Owner", "text", 90),
            Column("of", "Part of", "list", 120),
            Column("touched_by", "Last touched", "text", 90),
            Column("pending", "Pending", "status", 80),
            Column("children", "Children", "int", 70),
            Column("plans", "Plans", "int", 60),
            Column("start_ns", "Start", "time", 90),
            Column("end_ns", "End", "time", 90),
            Column("created_ns", "Came", "time", 90),
            Column("cl_ord_id", "ClOrdID", "id", 130),
            Column("list_id", "List", "id", 90),
            Column("live", "Live", "flag", hidden=True),
            Column("desk", "Desk", "text", hidden=True),
            Column("text", "Text", "text", 200),
        ),
        link=("children", "parent"),
        scoped=SCOPED,
        filters=("symbol", "status", "algo", "client", "account", "live"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (*po.EVENTS, decision.Planned)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._texts: dict[StreamId, str] = {}
        self._actors: dict[StreamId, str] = {}  # whom it came from
        self._touched_by: dict[StreamId, str] = {}
        self._markets: dict[StreamId, MarketState | None] = {}  # as they were last known, or when it ended
        self._rejected: dict[StreamId, Mapping[str, Any]] = {}
        self._due: list[tuple[int, StreamId]] = []  # when a schedule's next slice begins

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A parent's event, or the plan that was made for one."""
        event, stream = recorded.event, recorded.stream
        if isinstance(event, decision.Planned):
            self._markets.setdefault(StreamId(event.request.parent), None)
            if event.request.market is not None:
                self._markets[StreamId(event.request.parent)] = event.request.market
            return
        if recorded.version == 1:
            self._actors[stream] = recorded.meta.actor
        if recorded.meta.actor.startswith("person:"):
            self._touched_by[stream] = recorded.meta.actor.removeprefix("person:")
        self._noted(stream, event, recorded.meta.event_time_ns)
        self.touch(stream)

    def _noted(self, stream: StreamId, event: Any, at_ns: int) -> None:
        if isinstance(event, po.Rejected):
            self._rejected[stream] = _rejected(stream, event, at_ns, self.world.desk)
        elif isinstance(event, po.Finished):
            self._markets[stream] = event.market or self._markets.get(stream)
        elif isinstance(event, po.PlanFailed):
            self._texts[stream] = event.error
        elif isinstance(event, _TEXTS):
            self._texts[stream] = event.text
        elif isinstance(event, po.Scheduled):
            self._await(stream, at_ns)

    def _await(self, stream: StreamId, now_ns: int) -> None:
        parent = self.world.state.parents.get(stream)
        schedule = parent.schedule if isinstance(parent, ParentOrder) and parent.live else None
        if schedule is not None and (next_ns := schedule.next_start_ns(now_ns)) is not None:
            heapq.heappush(self._due, (next_ns, stream))

    def tick(self, now_ns: int) -> None:
        """A slice has begun: the schedule asks for more."""
        due = set[StreamId]()
        while self._due and self._due[0][0] <= now_ns:
            due.add(heapq.heappop(self._due)[1])
        for stream in due:
            self.touch(stream)
            self._await(stream, now_ns)

    def ids(self) -> Iterable[str]:
        """In the order in which they came."""
        return self.world.state.parents.keys()

    def render(self, key: str) -> Mapping[str, Any] | None:
        """One order."""
        stream = StreamId(key)
        if (rejected := self._rejected.get(stream)) is not None:
            return rejected
        parent = self.world.state.parents.get(stream)
        if not isinstance(parent, ParentOrder):
            return None
        terms, steering = parent.terms, parent.steering
        arrival_e9 = parent.arrival.mid_e9 if parent.arrival is not None else None
        return {
            "id": key,
            "order_id": parent.order_id,
            "symbol": parent.instrument,
            "side": parent.side.value,
            "quantity": decimal(terms.quantity_e9),
            "filled": decimal(parent.cum_quantity_e9),
            "done": _bar(parent, self.world.now_ns),
            "status": parent.status.value,
            "worked": _worked(parent),
            "algo": terms.algo.value,
            "avg_px": decimal(parent.average_price_e9) if parent.cum_quantity_e9 else None,
            "arrival_px": decimal(arrival_e9),
            "limit_px": decimal(terms.limit_price_e9),
            "shortfall_bps": _against(parent, arrival_e9, 1),
            "vwap_bps": _vwap_bps(parent, self._markets.get(stream)),
            "open": decimal(sum(parent.open_e9.values())),
            "leaves": decimal(parent.leaves_e9),
            "urgency": steering.urgency,
            "client": parent.client_session or parent.behalf,
            "account": parent.account,
            "owner": owner_of(self.world.state, parent).removeprefix("person:") or None,
            "of": [po.order_id(share.order) for share in parent.of] or None,
            "trader": trader_of(terms.instructions, self._actors.get(stream, "")).removeprefix("person:"),
            "touched_by": self._touched_by.get(stream),
            "pending": parent.pending.request if parent.pending is not None else None,
            "children": parent.children,
            "plans": parent.plans,
            "start_ns": moment(terms.start_ns),
            "end_ns": moment(terms.end_ns),
            "created_ns": moment(parent.created_ns),
            "cl_ord_id": parent.cl_ord_id,
            "list_id": parent.list_id or None,
            "live": parent.live,
            "desk": self.world.desk,
            "text": self._texts.get(stream),
        }


def _worked(parent: ParentOrder) -> str:
    """Who or what works it now."""
    if parent.staged:
        return "staged"
    steering = parent.steering
    return "complete" if steering.complete and steering.mode == "algo" else steering.mode


def _bar(parent: ParentOrder, now_ns: int) -> list[float | None]:
    quantity_e9 = parent.terms.quantity_e9
    if quantity_e9 <= 0:
        return [None, None]
    target = parent.schedule.target_e9(now_ns) if parent.schedule is not None and parent.live else None
    done_pct = round(100 * parent.cum_quantity_e9 / quantity_e9, 2)
    return [done_pct, None if target is None else round(min(100.0, 100 * target / quantity_e9), 2)]


def _against(parent: ParentOrder, numerator: int | None, denominator: int) -> float | None:
    """What was paid beyond a benchmark price (a fraction at 1e-9), in basis points; positive is a cost."""
    filled_e9 = parent.cum_quantity_e9
    if not numerator or not filled_e9:
        return None
    cost = parent.notional_e18 * denominator - numerator * filled_e9
    return round(parent.side.sign * _BPS * cost / (numerator * filled_e9), 2)


def _vwap_bps(parent: ParentOrder, market: MarketState | None) -> float | None:
    """Against all that the market has traded since the order came, as far as it is known."""
    if parent.arrival is None or market is None:
        return None
    volume_e9 = market.volume_e9 - parent.arrival.volume_e9
    notional_e9 = market.notional_e9 - parent.arrival.notional_e9
    return _against(parent, notional_e9 * 1_000_000_000, volume_e9) if volume_e9 > 0 and notional_e9 > 0 else None


def _rejected(stream: StreamId, event: po.Rejected, at_ns: int, desk: str) -> Mapping[str, Any]:
    return {
        "id": stream, "order_id": event.order_id, "symbol": event.symbol,
        "side": event.side.value if event.side is not None else None, "quantity": decimal(event.quantity_e9), "filled": "0",
        "done": [0.0, None], "status": "rejected", "client": event.client_session, "account": "", "created_ns": moment(at_ns),
        "cl_ord_id": event.cl_ord_id, "live": False, "desk": desk, "text": event.text,
    }  # fmt: skip
