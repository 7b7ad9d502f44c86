"""CAT records from the log's events: new and accepted orders, children, routes, changes, ends, trades, fulfillments.

Obliged: members of FINRA and of national securities exchanges that receive, originate or route orders in NMS and OTC equity
securities (SEC Rule 613). A record is a function of events and of the firm's own words (`ReportingSettings`); what neither says
is left empty. A route says whether it was rejected, so it is told when its venue has answered: `finish` tells the rest.
Quotes and allocations are in `ems.exports.cat_desks`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Event
from domain.parent_order import ParentOrder
from domain.values import Algo, StreamId, short_id
from ems.exports.book import Book, Fact
from ems.exports.cat_desks import CatDesks
from ems.exports.cat_terms import CatTerms, details
from ems.exports.cat_text import Fields, Record, number
from ems.exports.formats import text
from ems.exports.settings import ReportingSettings

_ROUTE_KINDS: Final = {"new": "MEOR", "replace": "MEMR", "cancel": "MECR"}
_ENDED: Final = (co.Canceled, co.Rejected, co.Expired, co.ProvedUnknown)


class Cat:
    """Records of one day. Give it every event of the day, each after the book has it."""

    def __init__(self, settings: ReportingSettings, book: Book) -> None:
        self._terms = CatTerms(settings, book)
        self._book = book
        self._desks = CatDesks(self._terms)
        self._open: dict[StreamId, dict[str, Record]] = {}  # routes that no venue has answered, by child and kind
        self._asked_ns: dict[StreamId, int] = {}  # when a client last asked for a change
        self._trades: dict[StreamId, list[Record]] = {}  # as they were reported first

    def records(self, fact: Fact) -> Iterator[Record]:
        """What one event makes reportable."""
        event = fact.event
        if isinstance(event, po.EVENTS):
            parent = self._book.parents.get(fact.stream)
            if parent is not None:
                yield from self._parent(fact, parent)
        elif isinstance(event, co.EVENTS):
            child = self._book.children.get(fact.stream)
            parent = self._book.parents.get(child.parent) if child is not None else None
            if child is not None and parent is not None:
                yield from self._child(fact, parent, child)
        elif isinstance(event, fl.Recorded):
            yield from self._fill(fact, event)
        elif isinstance(event, fl.Restated):
            yield from self._restated(fact, event)
        else:
            yield from self._desks.records(fact)

    def finish(self) -> Iterator[Record]:
        """Routes that are still without an answer at the end of the day."""
        for routes in self._open.values():
            yield from routes.values()
        self._open.clear()

    # ------------------------------------------------------------------------------------ of earlier days

    def carried(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Order keys that earlier days have reported, of orders that live on; and when they were new."""
        for parent, child in self._orders():
            key, born_ns = self._terms.key(parent, child), self._book.born_ns.get((child or parent).id, 0)
            yield (key["orderKeyDate"], self._terms.cat.imid, key["symbol"], key["orderID"]), born_ns

    def carried_ids(self) -> Iterator[str]:
        """Their ids on the wire."""
        for parent, child in self._orders():
            yield parent.cl_ord_id if child is None else child.cl_ord_id

    def carried_routes(self) -> Iterator[tuple[tuple[Any, ...], int]]:
        """Routes that are out, as later changes name them; and since when."""
        for parent, child in self._orders():
            if child is not None:
                route = self._terms.route(child)
                place = (text(parent.instrument, 14), route["destination"], route["session"], text(child.cl_ord_id))
                yield place, self._book.born_ns.get(child.id, 0)

    def _orders(self) -> Iterator[tuple[ParentOrder, ChildOrder | None]]:
        for parent in self._book.parents.values():
            yield parent, None
        for child in self._book.children.values():
            if child.parent in self._book.parents:
                yield self._book.parents[child.parent], child

    # ------------------------------------------------------------------------------------------ parents

    def _parent(self, fact: Fact, parent: ParentOrder) -> Iterator[Record]:
        event, before = fact.event, self._book.before
        match event:
            case po.Accepted():
                yield self._new(fact, parent)
            case po.RequestQueued() | po.CancelRequested() | po.ReplaceRequested():
                self._asked_ns.setdefault(fact.stream, fact.meta.event_time_ns)
            case po.RequestRefused():
                self._asked_ns.pop(fact.stream, None)
            case po.Replaced():
                yield self._modified(fact, parent)
            case po.Canceled() | po.Expired() | po.TurnedDown():
                assert isinstance(before, ParentOrder)
                asked = isinstance(event, po.Canceled) and event.cl_ord_id not in ("", before.cl_ord_id)
                yield self._ended(fact, parent, before.leaves_e9, "C" if asked else "F")

    def _new(self, fact: Fact, parent: ParentOrder) -> Record:
        terms, sender = self._terms, self._terms.cat.clients.get(parent.client_session)
        account = terms.account(parent)
        fields = terms.key(parent, None) | terms.flags() | terms.of_parent(parent)
        fields |= {
            "manualFlag": False, "electronicDupFlag": False, "firmDesignatedID": account.fdid,
            "accountHolderType": account.holder, "representativeInd": "N",
        }  # fmt: skip
        if sender is None:
            return self._terms.record("MENO", fact, fields)
        fields |= {"receiverIMID": terms.cat.imid, "senderIMID": sender, "senderType": "F", "isoInd": "NA"}
        fields["routedOrderID"] = text(parent.cl_ord_id)
        return self._terms.record("MEOA", fact, fields)

    def _modified(self, fact: Fact, parent: ParentOrder) -> Record:
        terms = self._terms
        fields = terms.key(parent, None) | terms.flags() | terms.of_parent(parent)
        fields |= {
            "manualFlag": False, "electronicDupFlag": False, "initiator": "C", "leavesQty": number(parent.leaves_e9),
            "requestTimestamp": terms.times.of(self._asked_ns.pop(fact.stream, None)), "representativeInd": "N",
        }  # fmt: skip
        if (sender := terms.cat.clients.get(parent.client_session)) is not None:
            fields |= {"receiverIMID": terms.cat.imid, "senderIMID": sender, "senderType": "F"}
            fields["routedOrderID"] = text(parent.cl_ord_id)
        return self._terms.record("MEOM", fact, fields)

    def _ended(self, fact: Fact, parent: ParentOrder, left_e9: int, initiator: str) -> Record:
        asked_ns = self._asked_ns.pop(fact.stream, None)
        fields = self._terms.key(parent, None) | {
            "manualFlag": False, "cancelQty": number(left_e9), "leavesQty": number(0), "initiator": initiator,
            "requestTimestamp": self._terms.times.of(asked_ns) if initiator == "C" else None,
        }  # fmt: skip
        return self._terms.record("MEOC", fact, fields)

    # ----------------------------------------------------------------------------------------- children

    def _child(self, fact: Fact, parent: ParentOrder, child: ChildOrder) -> Iterator[Record]:
        event, before = fact.event, self._book.before
        if isinstance(event, co.Created):
            if self._terms.bearer(parent, child) is not None:
                yield self._born(fact, parent, child)
            self._hold(fact, parent, child, "new", child.cl_ord_id)
            return
        assert isinstance(before, ChildOrder)
        yield from self._answered(fact.stream, event)
        match event:
            case co.ReplaceRequested():
                self._hold(fact, parent, _asked(child), "replace", event.cl_ord_id, priorRoutedOrderID=before.cl_ord_id)
            case co.CancelRequested():
                self._hold(fact, parent, child, "cancel", before.cl_ord_id, cancelQty=number(before.leaves_e9))
            case co.Replaced() if self._terms.bearer(parent, child) is not None:
                fields = self._terms.key(parent, child) | self._terms.of_child(parent, child)
                yield self._terms.record("MECOM", fact, fields | {"leavesQty": number(child.leaves_e9)})
            case _ if isinstance(event, _ENDED) and before.leaves_e9 and self._terms.bearer(parent, child) is not None:
                fields = self._terms.key(parent, child) | {"side": self._terms.of_child(parent, child)["side"]}
                yield self._terms.record("MECOC", fact, fields | {"cancelQty": number(before.leaves_e9), "leavesQty": number(0)})

    def _born(self, fact: Fact, parent: ParentOrder, child: ChildOrder) -> Record:
        above = self._terms.key(parent, None)
        links = {"parentOrderKeyDate": above["orderKeyDate"], "parentOrderID": above["orderID"]}
        return self._terms.record("MECO", fact, self._terms.key(parent, child) | links | self._terms.of_child(parent, child))

    def _hold(
        self, fact: Fact, parent: ParentOrder, child: ChildOrder, kind: str, routed: str, **more: Any
    ) -> None:  # fmt: skip
        """A route, until its venue has answered."""
        terms = self._terms
        fields = terms.key(parent, terms.bearer(parent, child)) | terms.of_child(parent, child) | terms.route(child)
        fields |= {
            "manualFlag": False, "electronicDupFlag": False, "routedOrderID": text(routed), "isoInd": "NA",
            "affiliateFlag": terms.cat.affiliate, "routeRejectedFlag": False, "dupROIDCond": False, "multiLegInd": False, **more,
        }  # fmt: skip
        if parent.terms.algo is Algo.DIRECT and kind == "new":
            fields["handlingInstructions"] = {"RAR": True, **(fields["handlingInstructions"] or {})}
        self._open.setdefault(child.id, {})[kind] = self._terms.record(_ROUTE_KINDS[kind], fact, fields)

    def _answered(self, child: StreamId, event: Event) -> Iterator[Record]:
        """Routes that an event is the answer to, and whether it was no."""
        routes = self._open.get(child)
        if routes is None or isinstance(event, co.CancelRequested | co.ReplaceRequested | co.Doubted | co.RequestPending):
            return
        rejected = _REFUSES.get(type(event), ())
        closes = {"new", *rejected, *_ANSWERS.get(type(event), ())}
        for kind in sorted(closes & routes.keys(), key=list(_ROUTE_KINDS).index):
            record = routes.pop(kind)
            record.fields["routeRejectedFlag"] = kind in rejected
            yield record
        if not routes:
            del self._open[child]

    # -------------------------------------------------------------------------------------------- trades

    def _fill(self, fact: Fact, event: fl.Recorded) -> Iterator[Record]:
        parent, child = self._book.parents.get(event.parent), self._book.children.get(event.child)
        if parent is None or child is None:
            return
        made = list(self._trade_records(fact, event, parent, child))
        if made:
            self._trades[fact.stream] = made
        yield from made

    def _trade_records(self, fact: Fact, event: fl.Recorded, parent: ParentOrder, child: ChildOrder) -> Iterator[Record]:
        terms, account = self._terms, self._terms.account(parent)
        of_route = details(terms.key(parent, terms.bearer(parent, child)), event.side)
        at, trade = terms.times.of(fact.meta.event_time_ns), short_id(fact.stream, 20)
        common: Fields = {
            "symbol": text(event.instrument, 14), "manualFlag": False, "cancelFlag": False, "quantity": number(event.quantity_e9),
            "price": number(event.price_e9), "capacity": account.capacity,
        }  # fmt: skip
        if terms.destination(event.venue_session).internal:
            which = "BUY" if of_route["side"] == "B" else "SELL"
            fields: Fields = {
                "tradeKeyDate": at,
                "tradeID": trade,
                "tapeTradeID": text(event.exec_id, 40),
                "sideDetailsInd": which,
            }
            fields[f"{which.lower()}Details"] = [of_route]
            yield self._terms.record("MEOT", fact, common | fields | {"multiLegInd": False})
        if account.fulfilled:
            fields = {"fillKeyDate": at, "fulfillmentID": trade, "fulfillmentLinkType": "Y"}
            fields |= {"clientDetails": [details(terms.key(parent, None), event.side)], "firmDetails": [of_route]}
            yield self._terms.record("MEOF", fact, common | fields)

    def _restated(self, fact: Fact, event: fl.Restated) -> Iterator[Record]:
        """A bust or correction restates the trade under its own firmROEID."""
        for told in self._trades.get(fact.stream, ()):
            fields = told.fields | {"actionType": "COR"}
            if event.kind == "cancel":
                fields |= {"cancelFlag": True, "cancelTimestamp": self._terms.times.of(fact.meta.event_time_ns)}
            else:
                fields |= {"quantity": number(event.quantity_e9), "price": number(event.price_e9)}
            yield Record(told.type, fact.seq, told.event_ns, fields)


def _asked(child: ChildOrder) -> ChildOrder:
    """The order as its venue was asked to make it."""
    asked = child.replacing
    if asked is None:
        return child
    return child._replace(
        quantity_e9=asked.quantity_e9, ord_type=asked.ord_type, limit_price_e9=asked.limit_price_e9,
        time_in_force=asked.time_in_force, instructions=asked.instructions,
    )  # fmt: skip


_REFUSES: Final[dict[type[Event], tuple[str, ...]]] = {
    co.Rejected: ("new",), co.ProvedUnknown: ("new",), co.ReplaceRefused: ("replace",), co.CancelRefused: ("cancel",),
}  # fmt: skip
_ANSWERS: Final[dict[type[Event], tuple[str, ...]]] = {
    co.Canceled: ("replace", "cancel"), co.Replaced: ("replace",), co.Expired: ("replace", "cancel"),
    co.Rejected: ("replace", "cancel"), co.ProvedUnknown: ("replace", "cancel"),
}  # fmt: skip
