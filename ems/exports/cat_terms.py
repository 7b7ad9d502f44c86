"""What every CAT record of an order says of it: material terms, keys, flags. See `ems.exports.cat`."""

from __future__ import annotations

from typing import Any, Final

from domain.child_order import ROOT_LENGTH, ChildOrder
from domain.instructions import PLAIN, Instructions
from domain.parent_order import ParentOrder
from domain.terms import Terms
from domain.values import Algo, OrdType, Side, TimeInForce
from ems.exports.book import Book, Fact
from ems.exports.cat_layout import LAYOUTS
from ems.exports.cat_text import Fields, Record, Times, number, roe_id
from ems.exports.formats import eastern, eastern_date, text
from ems.exports.settings import AccountTerms, Destination, ReportingSettings

_TIF: Final = {
    TimeInForce.IOC: "IOC", TimeInForce.FOK: "FOK", TimeInForce.GTC: "GTC", TimeInForce.AT_THE_OPENING: "OPG",
    TimeInForce.AT_THE_CLOSE: "CLO",
}  # fmt: skip
SELF: Final = Destination(id="")
_NAMES: Final = {code: frozenset(field.name for field in fields) for code, fields in LAYOUTS.items()}


class CatTerms:
    """The firm's words and an order's, put together. What neither has is None and stays empty."""

    def __init__(self, settings: ReportingSettings, book: Book) -> None:
        self.settings, self.cat, self.book = settings, settings.cat, book
        self.times = Times(settings.cat.timestamps == "epoch")

    # ------------------------------------------------------------------------------------------ keys

    def key(self, parent: ParentOrder, child: ChildOrder | None) -> Fields:
        """Order key: date, reporter, symbol and id together are no other order's."""
        stream = parent.id if child is None else child.id
        born_ns = self.book.born_ns.get(stream)
        return {"orderKeyDate": self.times.of(born_ns), "orderID": order_id(parent, child), "symbol": text(parent.instrument, 14)}

    def bearer(self, parent: ParentOrder, child: ChildOrder | None) -> ChildOrder | None:
        """Whose order key a route has: an algorithm's child its own; what is sent as it came, its order's."""
        return None if parent.terms.algo is Algo.DIRECT else child

    def account(self, parent: ParentOrder) -> AccountTerms:
        """What the firm says of the order's account."""
        return self.settings.accounts.get(parent.account, AccountTerms())

    def destination(self, session: str) -> Destination:
        """Where a venue session leads; nothing is known where the firm has not said."""
        return self.settings.destinations.get(session, SELF)

    def route(self, child: ChildOrder) -> Fields:
        """Where a child is sent: what a route's key has beside its id."""
        to = self.destination(child.venue_session)
        session = text(to.session or child.venue_session, 40) if to.type == "E" else None
        return {
            "senderIMID": self.cat.imid, "destination": to.id, "destinationType": to.type if to.id else None, "session": session
        }  # fmt: skip

    # ----------------------------------------------------------------------------------------- terms

    def of_parent(self, parent: ParentOrder) -> Fields:
        """Material terms of a client's order."""
        terms = parent.terms
        return self._terms(
            parent.side, terms.quantity_e9, terms.limit_price_e9, _kind(terms), terms.time_in_force, terms.instructions,
            self.book.born_ns.get(parent.id, 0),
        ) | {"handlingInstructions": handling(terms.instructions, algorithm=terms.algo is not Algo.DIRECT)}  # fmt: skip

    def of_child(self, parent: ParentOrder, child: ChildOrder) -> Fields:
        """Material terms of what is sent to a venue."""
        return self._terms(
            child.side, child.quantity_e9, child.limit_price_e9, child.ord_type, child.time_in_force, child.instructions,
            self.book.born_ns.get(child.id, 0),
        ) | {"handlingInstructions": handling(child.instructions, algorithm=False)}  # fmt: skip

    def _terms(
        self, side: Side, quantity_e9: int, limit_e9: int | None, kind: OrdType, tif: TimeInForce, said: Instructions | None,
        born_ns: int,
    ) -> Fields:  # fmt: skip
        said = said or PLAIN
        priced = kind in (OrdType.LIMIT, OrdType.STOP_LIMIT)
        return {
            "side": side_of(side), "price": number(limit_e9) if priced else None, "quantity": number(quantity_e9),
            "minQty": number(said.min_quantity_e9), "orderType": "LMT" if priced else "MKT",
            "timeInForce": in_force(tif, said, born_ns), "tradingSession": self.cat.trading_session or None,
        }  # fmt: skip

    def flags(self) -> Fields:
        """What the firm says of all its orders; None where it has not."""
        return {
            "deptType": self.cat.department or None, "solicitationFlag": self.cat.solicited,
            "custDspIntrFlag": self.cat.display_instruction, "affiliateFlag": self.cat.affiliate,
            "negotiatedTradeFlag": self.cat.negotiated,
        }  # fmt: skip

    def record(self, code: str, fact: Fact, fields: Fields, nth: int = 0) -> Record:
        """A record with its head. nth: among records of one type that an event makes, 0 where it makes one."""
        at_ns = fact.meta.event_time_ns
        head = {
            "actionType": "NEW", "firmROEID": roe_id(at_ns, fact.seq, code, nth), "type": code,
            "CATReporterIMID": self.cat.imid,
        }  # fmt: skip
        told = head | fields | {"eventTimestamp": self.times.of(at_ns)}
        return Record(code, fact.seq, at_ns, {name: value for name, value in told.items() if name in _NAMES[code]})


def order_id(parent: ParentOrder, child: ChildOrder | None) -> str:
    """The reporter's own id of an order: of its stream, so that two orders cannot share one."""
    return parent.order_id if child is None else child.cl_ord_id[:ROOT_LENGTH]


def side_of(side: Side) -> str:
    """The log knows no short sale: a sell is reported long, and the coverage table says so."""
    return "B" if side is Side.BUY else "SL"


def in_force(tif: TimeInForce, said: Instructions, born_ns: int) -> dict[str, Any]:
    """``DAY=yyyymmdd`` and its like: one name, and a value where it has one."""
    if tif is TimeInForce.DAY:
        return {"DAY": int(eastern_date(born_ns))}
    if tif is TimeInForce.GTD:
        return {"GTT": eastern(said.expire_ns)} if said.expire_ns else {"GTC": True}
    return {_TIF[tif]: True}


def handling(said: Instructions | None, *, algorithm: bool) -> dict[str, Any] | None:
    """ALG: to be worked by an algorithm that decides price or time; a stop price; what is displayed."""
    said = said or PLAIN
    found: dict[str, Any] = {}
    if algorithm:
        found["ALG"] = True
    if said.stop_price_e9 is not None:
        found["STP"] = number(said.stop_price_e9)
    if said.max_floor_e9 is not None:
        found["RSV"] = True
    return found or None


def _kind(terms: Terms) -> OrdType:
    return terms.ord_type or (OrdType.LIMIT if terms.limit_price_e9 is not None else OrdType.MARKET)


def details(key: Fields, side: Side) -> Fields:
    """One side of a trade or fulfillment: the order that it is of."""
    return {"orderKeyDate": key["orderKeyDate"], "orderID": key["orderID"], "side": side_of(side)}
