"""What finished orders cost against the market that they met: figures of the log alone, by `ems.tca.summary`."""

from __future__ import annotations

from collections import defaultdict
from typing import Any, ClassVar

from domain import parent_order as po
from domain.event import Event, Recorded
from domain.parent_order import ParentOrder
from domain.values import StreamId
from ems.read_models.parents import SCOPED
from ems.read_models.table import Stored, World, decimal, moment
from ems.read_models.topic import Column, Topic
from ems.tca.summary import summary


class Tca(Stored):
    """An order each, when it is over; one that was given more quantity leaves until it is over again."""

    topic: ClassVar[Topic] = Topic(
        "tca",
        "Costs",
        (
            Column("id", "Id", "id", hidden=True),
            Column("order_id", "Order", "id", 140, pin="left"),
            Column("symbol", "Symbol", "symbol", 80),
            Column("side", "Side", "side", 60),
            Column("algo", "Algo", "text", 80),
            Column("quantity", "Quantity", "quantity", 90),
            Column("filled", "Filled", "quantity", 90),
            Column("fill_pct", "Fill rate", "pct", 80),
            Column("avg_px", "Average", "price", 90),
            Column("arrival_px", "Arrival", "price", 90),
            Column("market_vwap", "Market VWAP", "price", 100),
            Column("is_bps", "Against arrival", "bps", 100),
            Column("shortfall_bps", "Shortfall", "bps", 90),
            Column("vwap_bps", "vs VWAP", "bps", 90),
            Column("participation_pct", "Participation", "pct", 100),
            Column("client", "Client", "text", 90),
            Column("account", "Account", "text", 90),
            Column("ended_ns", "Ended", "time", 100),
            Column("desk", "Desk", "text", hidden=True),
        ),
        scoped=SCOPED,
        filters=("symbol", "algo", "client", "side"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (po.Filled, po.FillRestated, po.Finished, po.Replaced)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._fills: defaultdict[StreamId, dict[StreamId, tuple[int, int]]] = defaultdict(dict)  # as each is now

    def fold(self, recorded: Recorded, after: ParentOrder) -> None:
        """A fill, what became of one, or the end."""
        event: Any = recorded.event
        if isinstance(event, po.Filled | po.FillRestated):
            self._fills[after.id][event.fill] = (event.quantity_e9, event.price_e9)
        elif isinstance(event, po.Replaced):
            self.drop(after.id)
        else:
            self.put(_row(after, event, list(self._fills[after.id].values()), recorded, self.world.desk))


def _row(parent: ParentOrder, ended: po.Finished, fills: list[tuple[int, int]], recorded: Recorded, desk: str) -> dict[str, Any]:
    executed = [fill for fill in fills if fill[0] > 0 and fill[1] > 0]
    found = summary(parent.side, parent.terms.quantity_e9, executed, parent.arrival, ended.market)
    return {
        "id": parent.id, "order_id": parent.order_id, "symbol": parent.instrument, "side": parent.side.value,
        "algo": parent.terms.algo.value, "quantity": decimal(parent.terms.quantity_e9), "filled": decimal(found.filled_e9),
        "fill_pct": round(100 * found.fill_rate, 2), "avg_px": decimal(found.avg_price_e9),
        "arrival_px": decimal(found.arrival_price_e9), "market_vwap": decimal(found.market_vwap_e9),
        "is_bps": _rounded(found.is_bps), "shortfall_bps": _rounded(found.shortfall_bps),
        "vwap_bps": _rounded(found.vwap_slippage_bps),
        "participation_pct": None if found.participation is None else round(100 * found.participation, 3),
        "client": parent.client_session, "account": parent.account, "ended_ns": moment(recorded.meta.event_time_ns), "desk": desk,
    }  # fmt: skip


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
