"""Errors that CAT would answer a day's records with, found before they are sent.

What is looked for, by the specification's codes: a key that another record has already (3002 to 3021; which number belongs to
which key is to be verified), an order, trade or fulfillment that nothing reported (3501, 3502, 3503), an event before what it is
of (3601, 50 ms of drift are allowed), a route that does not carry the id that crossed the wire or changes a route that was never
reported (9003), a route's key twice (9013), and what ingestion refuses: a required field that is empty (2xxx), a record that is
too long (2132). Feedback of the other side's records cannot be foreseen from ours.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final, NamedTuple

from domain import child_order as co
from domain import parent_order as po
from ems.exports.book import Fact
from ems.exports.cat_layout import LAYOUTS
from ems.exports.cat_text import Record, to_json, too_long
from ems.exports.formats import eastern_date

DRIFT_NS: Final = 50_000_000
DUPLICATE: Final = "3002-3021"
SHOWN_MAX: Final = 100  # of each code, in the report
_ORIGINS: Final = {
    "MENO": ("orderKeyDate", "orderID"), "MEOA": ("orderKeyDate", "orderID"), "MECO": ("orderKeyDate", "orderID"),
    "MEOT": ("tradeKeyDate", "tradeID"), "MEOF": ("fillKeyDate", "fulfillmentID"), "MENQ": ("quoteKeyDate", "quoteID"),
    "MEPA": ("allocationKeyDate", "allocationID"),
}  # fmt: skip
_FAMILY: Final = {"MEOT": "trade", "MEOF": "fulfillment", "MENQ": "quote", "MEPA": "allocation"}
_CORRECTED: Final = {"MEOT": "3502", "MEOF": "3503"}
_OF_ORDER: Final = frozenset({"MEOR", "MEMR", "MECR", "MEOM", "MEOC", "MECOM", "MECOC"})
_REQUIRED: Final = {code: tuple(f.name for f in fields if f.required) for code, fields in LAYOUTS.items()}

Key = tuple[Any, ...]


class Predicted(NamedTuple):
    """One error that is to be expected."""

    code: str
    roe: str
    type: str
    what: str


class Predictor:
    """Holds a day's records against each other. Memory follows the number of orders and routes of the day.

    Args:
        carried: order keys that earlier days have reported: of orders that live on.
    """

    def __init__(self, carried: Iterable[tuple[Key, int]] = ()) -> None:
        self._roes: set[str] = set()
        self._born: dict[Key, int] = dict(carried)
        self._origins: set[Key] = set()
        self._routes: dict[Key, int] = {}
        self._route_keys: set[Key] = set()
        self._wire: set[str] = set()  # ids that crossed the wire
        self.counts: Counter[str] = Counter()
        self.shown: list[Predicted] = []
        self.records = 0

    def crossed(self, fact: Fact) -> None:
        """What an event says of ids on the wire, for records to be held against."""
        match fact.event:
            case po.Accepted(cl_ord_id=sent) | po.Replaced(cl_ord_id=sent) | co.Created(cl_ord_id=sent):
                self._wire.add(sent)
            case co.ReplaceRequested(cl_ord_id=sent):
                self._wire.add(sent)

    def crossed_before(self, ids: Iterable[str]) -> None:
        """Ids of orders that were out when the day began."""
        for sent in ids:
            self._wire.add(sent)

    def check(self, record: Record) -> list[Predicted]:
        """Everything that is wrong with the next record."""
        self.records += 1
        found = [*self._ingestion(record), *self._keys(record), *self._links(record), *self._route(record)]
        for one in found:
            self.counts[one.code] += 1
            if self.counts[one.code] <= SHOWN_MAX:
                self.shown.append(one)
        return found

    def report(self) -> dict[str, Any]:
        """What `regulatory/predicted_errors.json` says."""
        rows = [one._asdict() for one in sorted(self.shown)]
        return {
            "records": self.records,
            "errors": sum(self.counts.values()),
            "by_code": dict(sorted(self.counts.items())),
            "first": rows,
        }

    # --------------------------------------------------------------------------------------------- rules

    def _ingestion(self, record: Record) -> Iterable[Predicted]:
        for name in _REQUIRED[record.type]:
            if record.fields.get(name) in (None, "", [], {}):
                yield _error("2xxx", record, f"{name} is required and empty")
        if record.fields.get("orderType") == "LMT" and record.fields.get("price") is None:
            yield _error("2xxx", record, "price is required of a limit order and empty")
        if too_long(to_json(record)):
            yield _error("2132", record, "longer than a record may be")

    def _keys(self, record: Record) -> Iterable[Predicted]:
        fresh = record.fields.get("actionType") == "NEW"
        if fresh:
            if record.roe in self._roes:
                yield _error(DUPLICATE, record, f"firmROEID {record.roe} is used twice")
            self._roes.add(record.roe)
        names = _ORIGINS.get(record.type)
        if names is None:
            return
        family = _FAMILY.get(record.type, "order")
        key = (family, *_key(record, *names))
        if not fresh:
            if key not in self._origins and record.type in _CORRECTED:
                yield _error(_CORRECTED[record.type], record, f"{family} {record.fields.get(names[1])} was never reported")
        elif key in self._origins:
            yield _error(DUPLICATE, record, f"{family} key {record.fields.get(names[1])} is used twice")
        self._origins.add(key)
        if family == "order":
            self._born.setdefault(key[1:], record.event_ns)

    def _links(self, record: Record) -> Iterable[Predicted]:
        for key in _links_of(record):
            born_ns = self._born.get(key)
            if born_ns is None:
                yield _error("3501", record, f"order {key[-1]} was never reported")
            elif record.event_ns < born_ns - DRIFT_NS and record.fields.get("actionType") == "NEW":
                yield _error("3601", record, f"{(born_ns - record.event_ns) / 1e6:.3f} ms before order {key[-1]}")

    def _route(self, record: Record) -> Iterable[Predicted]:
        fields = record.fields
        if record.type not in ("MEOA", "MEOR", "MEMR", "MECR"):
            return
        routed = fields.get("routedOrderID")
        if record.type != "MECR" and self._wire and routed and not _quoters(routed) and routed not in self._wire:
            yield _error("9003", record, f"no message of the day had the id {routed}")
        place = (fields.get("symbol"), fields.get("destination"), fields.get("session"))
        changed = {"MEMR": fields.get("priorRoutedOrderID"), "MECR": routed}.get(record.type)
        if changed is not None:
            told_ns = self._routes.get((*place, changed))
            if told_ns is None:
                yield _error("9003", record, f"route {changed} was never reported")
            elif record.event_ns < told_ns - DRIFT_NS:
                yield _error("3601", record, f"before route {changed}")
        if record.type == "MECR":
            return
        self._routes[(*place, routed)] = record.event_ns
        if fields.get("routeRejectedFlag"):
            return
        sender, to = fields.get("senderIMID"), fields.get("destination") or fields.get("receiverIMID")
        key = (record.type == "MEOA", sender, to, eastern_date(record.event_ns), *place, routed)
        if key in self._route_keys:
            yield _error("9013", record, f"route key of {routed} is used twice")
        self._route_keys.add(key)

    def carry_routes(self, routes: Iterable[tuple[Key, int]]) -> None:
        """Routes of earlier days that are still out: symbol, destination, session and id; and since when."""
        self._routes.update(routes)


def _quoters(routed: str) -> bool:
    """A quoter's route: its venue knows it by session and number, which no FIX message carries."""
    return "-" in routed


def _key(record: Record, date: str, name: str) -> Key:
    fields = record.fields
    return (fields.get(date), fields.get("CATReporterIMID"), fields.get("symbol"), fields.get(name))


def _links_of(record: Record) -> Iterable[Key]:
    """Keys of the orders that a record is about."""
    fields = record.fields
    if record.type in _OF_ORDER:
        yield _key(record, "orderKeyDate", "orderID")
    if record.type == "MECO":
        yield _key(record, "parentOrderKeyDate", "parentOrderID")
    for name in ("buyDetails", "sellDetails", "clientDetails", "firmDetails"):
        for entry in fields.get(name) or ():
            yield (entry.get("orderKeyDate"), fields.get("CATReporterIMID"), fields.get("symbol"), entry.get("orderID"))


def _error(code: str, record: Record, what: str) -> Predicted:
    return Predicted(code, record.roe, record.type, what)
