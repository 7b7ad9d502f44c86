"""Market making: each run of a quoter, and the orders that it has at the venue."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import quote as q
from domain.event import Event, Recorded
from domain.values import StreamId
from ems.read_models.table import Stored, World, decimal, moment
from ems.read_models.topic import LADDER_MS, Column, Role, Topic

WHO: frozenset[Role] = frozenset({"trader", "risk", "quant", "operator", "admin", "auditor"})


class Quoters(Stored):
    """A run each, by instrument: what it holds, what it has traded, whether it quotes."""

    topic: ClassVar[Topic] = Topic(
        "quoters",
        "Quoters",
        (
            Column("id", "Id", "id", hidden=True),
            Column("quoter", "Quoter", "text", 100, pin="left"),
            Column("symbol", "Symbol", "symbol", 80, pin="left"),
            Column("state", "State", "status", 100),
            Column("why", "Stands still because", "text", 220),
            Column("inventory", "Inventory", "quantity", 100, flash=True),
            Column("bought", "Bought", "quantity", 90),
            Column("sold", "Sold", "quantity", 90),
            Column("cash", "Cash", "money", 110),
            Column("fills", "Fills", "int", 70, flash=True),
            Column("orders", "Orders sent", "int", 90),
            Column("version", "Model", "id", 130),
            Column("segment", "Journal sealed", "int", 100),
            Column("opened_ns", "Since", "time", 100),
            Column("session", "Run", "id", hidden=True),
        ),
        flush_ms=LADDER_MS,
        roles=WHO,
        scoped=(("symbol", "symbol"),),
        link=("quotes", "session"),
        filters=("quoter", "symbol", "state"),
    )
    events: ClassVar[tuple[type[Event], ...]] = q.EVENTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._runs: dict[StreamId, dict[str, dict[str, Any]]] = {}

    def fold(self, recorded: Recorded, after: Any) -> None:
        """An event of a run."""
        event: Any = recorded.event
        if isinstance(event, q.Opened):
            self._runs[recorded.stream] = {one.symbol: _opened(recorded, event, one) for one in event.instruments}
        rows = self._runs.get(recorded.stream, {})
        for symbol in _concerned(event, rows):
            _moved(rows[symbol], event)
            self.put(_shown(rows[symbol]))


def _concerned(event: Any, rows: dict[str, dict[str, Any]]) -> list[str]:
    symbol = getattr(event, "symbol", None)
    return [symbol] if symbol in rows else list(rows) if symbol is None and not isinstance(event, q.Answered) else []


def _opened(recorded: Recorded, event: q.Opened, one: q.Quoted) -> dict[str, Any]:
    return {
        "id": f"{recorded.stream} {one.symbol}", "session": recorded.stream, "quoter": event.quoter, "symbol": one.symbol,
        "state": "quoting", "inventory": one.inventory_e9, "bought": 0, "sold": 0, "cash": 0, "fills": 0, "orders": 0,
        "version": event.weights_sha256, "opened_ns": moment(recorded.meta.event_time_ns), "segment": 0,
    }  # fmt: skip


def _moved(row: dict[str, Any], event: Any) -> None:
    match event:
        case q.OrderPlaced():
            row["orders"] += 1
        case q.Filled() if event.side is not None:
            sign = event.side.sign
            row["fills"] += 1
            row["inventory"] += sign * event.quantity_e9
            row["bought" if sign > 0 else "sold"] += event.quantity_e9
            row["cash"] -= sign * event.quantity_e9 * event.price_e9 // 1_000_000_000
        case q.Suspended():
            row.update(state="standing still", why=event.why)
        case q.Resumed():
            row.update(state="quoting", why=None)
        case q.SegmentSealed():
            row["segment"] = event.number
        case q.Stopped():
            row.update(state="stopped" if event.ending is q.Ending.ORDERLY else "died")


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return row | {name: decimal(row[name]) for name in ("inventory", "bought", "sold", "cash")}


class Quotes(Stored):
    """Orders of quoters that rest, or that came to an end of late."""

    keep: ClassVar[int] = 2_000
    topic: ClassVar[Topic] = Topic(
        "quotes",
        "Quotes",
        (
            Column("id", "Id", "id", hidden=True),
            Column("symbol", "Symbol", "symbol", 80, pin="left"),
            Column("side", "Side", "side", 60),
            Column("price", "Price", "price", 90, flash=True),
            Column("quantity", "Quantity", "quantity", 90),
            Column("state", "State", "status", 110),
            Column("filled", "Filled", "quantity", 90),
            Column("ref", "Reference", "int", 90),
            Column("time_ns", "Changed", "time", 100),
            Column("session", "Run", "id", hidden=True),
        ),
        flush_ms=LADDER_MS,
        roles=WHO,
        scoped=(("symbol", "symbol"),),
        filters=("session", "symbol", "state"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (q.OrderPlaced, q.OrderReplaced, q.Answered, q.Filled)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """An order was sent, changed, answered or executed."""
        event: Any = recorded.event
        key = f"{recorded.stream} {event.ref}"
        before = self._made.get(key)
        if isinstance(event, q.OrderPlaced):
            self.put(_order(recorded, event, event.symbol, event.side.value))
        elif isinstance(event, q.OrderReplaced):
            if (replaced := self._made.get(f"{recorded.stream} {event.replaced}")) is not None:
                self.put({**replaced, "state": "replaced", "time_ns": moment(event.at_ns)})
                self.put(_order(recorded, event, replaced["symbol"], replaced["side"]))
        elif before is not None and isinstance(event, q.Answered):
            self.put({**before, "state": event.answer.value, "time_ns": moment(event.at_ns)})
        elif before is not None:
            self.put({**before, "filled": decimal(event.quantity_e9), "state": "filled", "time_ns": moment(event.at_ns)})


def _order(recorded: Recorded, event: q.OrderPlaced | q.OrderReplaced, symbol: str, side: str) -> dict[str, Any]:
    return {
        "id": f"{recorded.stream} {event.ref}", "session": recorded.stream, "symbol": symbol, "side": side,
        "price": decimal(event.price_e9), "quantity": decimal(event.quantity_e9), "state": "sent", "ref": event.ref,
        "time_ns": moment(event.at_ns),
    }  # fmt: skip
