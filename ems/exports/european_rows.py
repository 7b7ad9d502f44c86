"""Rows of the European records, event by event."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from domain import child_order as co
from domain import fill as fl
from domain import parent_order as po
from domain.child_order import ChildOrder
from domain.event import Meta
from domain.parent_order import ParentOrder
from domain.values import Side
from ems.exports.book import Book, Fact
from ems.exports.european import CAPACITY, EVENTS, PRICE_DIGITS, QUANTITY_DIGITS, RTS6_IN, RTS6_OUT, RTS24, Asked, Told
from ems.exports.formats import rounded, utc
from ems.exports.parties import Models, Who, who
from ems.exports.settings import AccountTerms, Destination, ReportingSettings

Row = tuple[str, ...]
_RECEIVED: Final = (po.Accepted, po.Replaced)
RTS22_COLUMNS: Final = (
    "transaction reference", "executing entity (LEI)", "buyer or seller", "client identification code", "instrument", "venue",
    "trading date and time", "trading capacity", "quantity", "price", "currency", "investment decision within firm (57)",
    "execution within firm (59)", "venue transaction identification", "cancelled or corrected", "initial order designation",
    "sequence number",
)  # fmt: skip
RTS22_SOURCES: Final = (
    "fill stream", "configuration", "fill", "configuration, parties, account", "fill: symbol", "configuration, else the session",
    "the venue's time, else event time", "configuration", "fill", "fill", "instructions (15)", "parties (452=122)",
    "algorithm and build, parties (452=12)", "ExecID (17)", "fill.restated", "parent order", "log sequence",
)  # fmt: skip


class European:
    """All of them for one day. Give it each event after the book has it."""

    def __init__(self, settings: ReportingSettings, book: Book, models: Models) -> None:
        self._settings, self._book, self._models = settings, book, models

    def orders(self, fact: Fact) -> Iterator[Row]:
        """RTS 24: every event of an order at a venue."""
        if (told := self._told(fact)) is not None:
            yield tuple(column.value(told) for column in RTS24)

    def outgoing(self, fact: Fact) -> Iterator[Row]:
        """RTS 6, Annex II, table 3: what was sent, and what became of it."""
        if (told := self._told(fact)) is not None:
            yield tuple(column.value(told) for column in RTS6_OUT)

    def incoming(self, fact: Fact) -> Iterator[Row]:
        """RTS 6, Annex II, table 2: decisions to deal and orders from clients."""
        parent = self._book.parents.get(fact.stream)
        if isinstance(fact.event, _RECEIVED) and parent is not None:
            asked = Asked(fact, parent, self._who(parent, None, fact.meta), self._settings, self._account(parent))
            yield tuple(column.value(asked) for column in RTS6_IN)

    def transactions(self, fact: Fact) -> Iterator[Row]:
        """RTS 22: what an execution system knows of a transaction; a bust or correction is a row of its own."""
        event = fact.event
        first = event if isinstance(event, fl.Recorded) else self._book.fills.get(fact.stream)
        if not isinstance(event, fl.Recorded | fl.Restated) or first is None:
            return
        parent, child = self._book.parents.get(first.parent), self._book.children.get(first.child)
        if parent is None or child is None:
            return
        named, account = self._who(parent, child, fact.meta), self._account(parent)
        to = self._settings.destinations.get(first.venue_session, Destination(id=""))
        said = child.instructions
        yield (
            fact.stream.replace("-", ""), self._settings.lei, "BUYI" if first.side is Side.BUY else "SELL",
            account.lei or named.client, first.instrument, to.mic or first.venue_session,
            utc(event.venue_time_ns or fact.meta.event_time_ns), CAPACITY.get(account.capacity, ""),
            rounded(event.quantity_e9, QUANTITY_DIGITS), rounded(event.price_e9, PRICE_DIGITS), said.currency if said else "",
            named.decider, named.executor, event.exec_id, event.kind if isinstance(event, fl.Restated) else "",
            parent.order_id, str(fact.seq),
        )  # fmt: skip

    def _told(self, fact: Fact) -> Told | None:
        if type(fact.event) not in EVENTS:
            return None
        child = self._book.children.get(fact.stream)
        parent = self._book.parents.get(child.parent) if child is not None else None
        if child is None or parent is None or not isinstance(fact.event, co.EVENTS):
            return None
        to = self._settings.destinations.get(child.venue_session, Destination(id=""))
        return Told(fact, parent, child, self._who(parent, child, fact.meta), self._settings, self._account(parent), to)

    def _account(self, parent: ParentOrder) -> AccountTerms:
        return self._settings.accounts.get(parent.account, AccountTerms())

    def _who(self, parent: ParentOrder, child: ChildOrder | None, meta: Meta) -> Who:
        model = self._models.of_plan(self._book.plans.get(parent.id, ""))
        digits = self._settings.algorithm_digits
        return who(parent, child, build=meta.build, model=model, digits=digits, actor=meta.actor)
