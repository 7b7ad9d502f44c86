"""CAT records of the quoter and of allocations: proprietary orders or quotes, and the parts that accounts get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from domain import allocation as al
from domain import quote as q
from domain.values import Side, StreamId, short_id
from ems.exports.book import Fact
from ems.exports.cat_terms import CatTerms, side_of
from ems.exports.cat_text import Fields, Record, number
from ems.exports.formats import eastern_date, text
from ems.exports.settings import AccountTerms


class _Quoted(NamedTuple):
    """An order of the quoter. root: its first ref, which names it while replaces give it others."""

    root: int
    symbol: str
    side: Side
    quantity_e9: int
    price_e9: int
    born_ns: int


class CatDesks:
    """Of one day. A quoter is an account of the configuration by its own name; its venue a destination by the same."""

    def __init__(self, terms: CatTerms) -> None:
        self._terms = terms
        self._quoters: dict[StreamId, str] = {}
        self._quotes: dict[tuple[StreamId, int], _Quoted] = {}
        self._allocations: dict[StreamId, al.Accepted] = {}

    def records(self, fact: Fact) -> Iterator[Record]:
        """What one event makes reportable."""
        match fact.event:
            case q.Opened(quoter=quoter):
                self._quoters[fact.stream] = quoter
            case q.OrderPlaced() as placed:
                made = _Quoted(
                    placed.ref, placed.symbol, placed.side, placed.quantity_e9, placed.price_e9, fact.meta.event_time_ns
                )
                self._quotes[fact.stream, placed.ref] = made
                yield from self._placed(fact, made, placed.ref)
            case q.OrderReplaced() as replaced:
                yield from self._replaced(fact, replaced)
            case q.CancelSent() as cancel:
                yield from self._cancel(fact, cancel)
            case q.Answered(answer=q.Answer.CANCELED) as answered:
                if (order := self._quotes.pop((fact.stream, answered.ref), None)) is not None and not self._as_quotes(fact):
                    left = {"cancelQty": number(answered.quantity_e9), "leavesQty": number(0), "initiator": "F"}
                    yield self._terms.record("MEOC", fact, self._key(fact, order) | {"manualFlag": False} | left)
            case al.Accepted() as accepted:
                self._allocations[fact.stream] = accepted
            case al.Reported() as reported:
                yield from self._parts(fact, reported)

    # -------------------------------------------------------------------------------------------- quoter

    def _as_quotes(self, fact: Fact) -> bool:
        """Does the firm say that this quoter's prices are quotes of an inter-dealer system, not orders at an exchange?"""
        return self._terms.destination(self._quoters.get(fact.stream, "")).type == "O"

    def _key(self, fact: Fact, order: _Quoted) -> Fields:
        name = f"{short_id(fact.stream, 16)}Q{order.root}"
        return {"orderKeyDate": self._terms.times.of(order.born_ns), "orderID": name, "symbol": text(order.symbol, 14)}

    def _account(self, fact: Fact) -> AccountTerms:
        return self._terms.settings.accounts.get(self._quoters.get(fact.stream, ""), AccountTerms())

    def _placed(self, fact: Fact, order: _Quoted, ref: int) -> Iterator[Record]:
        account, key = self._account(fact), self._key(fact, order)
        if self._as_quotes(fact):
            yield self._quote(fact, key, order)
            return
        whose = {"firmDesignatedID": account.fdid, "accountHolderType": account.holder, "representativeInd": "N"}
        plain = {"manualFlag": False, "electronicDupFlag": False}
        fields = key | self._terms.flags() | self._said(order) | whose | plain
        yield self._terms.record("MENO", fact, fields)
        yield self._terms.record("MEOR", fact, key | self._said(order) | plain | self._route(fact, ref))

    def _quote(self, fact: Fact, key: Fields, order: _Quoted) -> Record:
        bid = order.side is Side.BUY
        account = self._account(fact)
        names = ("bidPrice", "bidQty") if bid else ("askPrice", "askQty")
        fields = {
            "quoteKeyDate": key["orderKeyDate"], "quoteID": key["orderID"], "symbol": key["symbol"], "onlyOneQuoteFlag": True,
            names[0]: number(order.price_e9), names[1]: number(order.quantity_e9), "firmDesignatedID": account.fdid,
            "accountHolderType": account.holder,
        }  # fmt: skip
        return self._terms.record("MENQ", fact, fields)

    def _said(self, order: _Quoted) -> Fields:
        return {
            "side": side_of(order.side), "price": number(order.price_e9), "quantity": number(order.quantity_e9),
            "orderType": "LMT", "timeInForce": {"DAY": int(eastern_date(order.born_ns))},
            "tradingSession": self._terms.cat.trading_session or None,
        }  # fmt: skip

    def _route(self, fact: Fact, ref: int) -> Fields:
        to, cat = self._terms.destination(self._quoters.get(fact.stream, "")), self._terms.cat
        return {
            "senderIMID": cat.imid, "destination": to.id, "destinationType": to.type if to.id else None,
            "routedOrderID": f"{q.session_number(fact.stream):x}-{ref}", "session": to.session or None,
            "affiliateFlag": cat.affiliate, "isoInd": "NA", "routeRejectedFlag": False, "dupROIDCond": False,
            "multiLegInd": False,
        }  # fmt: skip

    def _replaced(self, fact: Fact, event: q.OrderReplaced) -> Iterator[Record]:
        before = self._quotes.pop((fact.stream, event.replaced), None)
        if before is None:
            return
        after = before._replace(quantity_e9=event.quantity_e9, price_e9=event.price_e9)
        self._quotes[fact.stream, event.ref] = after
        if self._as_quotes(fact):
            named = after._replace(root=event.ref, born_ns=fact.meta.event_time_ns)
            self._quotes[fact.stream, event.ref] = named
            yield self._quote(fact, self._key(fact, named), named)
            return
        key, plain = self._key(fact, after), {"manualFlag": False, "electronicDupFlag": False}
        fields = key | self._terms.flags() | self._said(after) | plain
        fields |= {"initiator": "F", "leavesQty": number(after.quantity_e9), "representativeInd": "N"}
        yield self._terms.record("MEOM", fact, fields)
        prior = {"priorRoutedOrderID": f"{q.session_number(fact.stream):x}-{event.replaced}"}
        yield self._terms.record("MEMR", fact, key | self._said(after) | plain | self._route(fact, event.ref) | prior)

    def _cancel(self, fact: Fact, event: q.CancelSent) -> Iterator[Record]:
        order = self._quotes.get((fact.stream, event.ref))
        if order is None or self._as_quotes(fact):
            return
        fields = self._key(fact, order) | {"manualFlag": False, "electronicDupFlag": False} | self._route(fact, event.ref)
        gone = number(order.quantity_e9 - event.quantity_e9)
        yield self._terms.record("MECR", fact, fields | {"cancelQty": gone})

    # --------------------------------------------------------------------------------------- allocations

    def _parts(self, fact: Fact, event: al.Reported) -> Iterator[Record]:
        accepted = self._allocations.get(fact.stream)
        if accepted is None:
            return
        terms, at_ns = accepted.terms, fact.meta.event_time_ns
        for nth, part in enumerate(event.parts, 1):
            account = self._terms.settings.accounts.get(part.account, AccountTerms())
            fields: Fields = {
                "allocationKeyDate": self._terms.times.of(at_ns),
                "allocationID": f"{al.report_id(fact.stream, event.number)}-{nth}",
                "symbol": text(terms.instrument, 14), "cancelFlag": event.action == "cancel",
                "quantity": number(part.quantity_e9), "price": number(event.average_price_e9), "side": side_of(terms.side),
                "firmDesignatedID": account.fdid, "accountHolderType": account.holder,
                "tradeDate": int(accepted.trade_date.replace("-", "")),
            }  # fmt: skip
            if event.action == "cancel":
                fields["cancelTimestamp"] = self._terms.times.of(at_ns)
            yield self._terms.record("MEPA", fact, fields, nth)
