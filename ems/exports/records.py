"""Books and records of a day as tables: orders, executions, decisions, checks, limits, models, algorithms, the kill switch.

A table is a name, its columns, and a function from one event to rows. Those with `history` also take what happened before the
day: a limit or a model is explained by all that was ever decided of it.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final, NamedTuple

from domain import allocation as al
from domain import attention, builds, decision, limits, party, reading, reconciliation
from domain import child_order as co
from domain import clock_reading as ck
from domain import fill as fl
from domain import fix_session as fs
from domain import kill_switch as ks
from domain import model_decision as md
from domain import model_version as mv
from domain import parent_order as po
from domain import risk as rk
from domain.event import Event
from domain.risk_verdicts import Checked
from ems.exports.book import Book, Fact
from ems.exports.formats import decimal, utc

Row = tuple[Any, ...]
Rows = Callable[[Fact, Book], Iterable[Row]]
_HEAD: Final = ("seq", "time", "recorded", "stream", "version", "event", "actor", "causation", "build")


class Table(NamedTuple):
    """One file of rows. history: from the first event of the log on."""

    name: str
    columns: tuple[str, ...]
    rows: Rows
    history: bool = False


def _head(fact: Fact) -> Row:
    meta = fact.meta
    return (
        fact.seq, utc(meta.event_time_ns), utc(fact.recorded_ns), fact.stream, fact.version, fact.topic, meta.actor,
        meta.causation, meta.build,
    )  # fmt: skip


def _parent_rows(fact: Fact, book: Book) -> Iterator[Row]:
    parent = book.parents.get(fact.stream)
    if isinstance(fact.event, po.Rejected):
        told = fact.event
        yield (
            *_head(fact), told.order_id, told.client_session, told.cl_ord_id, "", told.symbol, told.side or "",
            decimal(told.quantity_e9), "", "", "", "rejected", "", "", "", f"{told.reason}: {told.text}",
        )  # fmt: skip
    elif isinstance(fact.event, po.EVENTS) and parent is not None:
        terms = parent.terms
        yield (
            *_head(fact), parent.order_id, parent.client_session, parent.cl_ord_id, parent.account, parent.instrument,
            parent.side.value, decimal(terms.quantity_e9), decimal(terms.limit_price_e9), terms.algo.value,
            terms.time_in_force.value, parent.status.value, decimal(parent.cum_quantity_e9), decimal(parent.average_price_e9),
            decimal(parent.leaves_e9), getattr(fact.event, "text", "") or getattr(fact.event, "reason", ""),
        )  # fmt: skip


def _child_rows(fact: Fact, book: Book) -> Iterator[Row]:
    child = book.children.get(fact.stream)
    if isinstance(fact.event, co.EVENTS) and child is not None:
        yield (
            *_head(fact), child.parent, child.cl_ord_id, child.order_id, child.venue_session, child.account, child.instrument,
            child.side.value, child.ord_type.value, decimal(child.quantity_e9), decimal(child.limit_price_e9),
            child.time_in_force.value, child.tactic, child.status.value, decimal(child.cum_quantity_e9),
            decimal(child.leaves_e9), getattr(fact.event, "text", "") or getattr(fact.event, "reason", ""),
        )  # fmt: skip


def _fill_rows(fact: Fact, book: Book) -> Iterator[Row]:
    event = fact.event
    if isinstance(event, fl.Recorded):
        yield (
            *_head(fact), event.exec_id, event.venue_session, event.trade_date, event.cl_ord_id, event.parent, event.child,
            event.instrument, event.side.value, decimal(event.quantity_e9), decimal(event.price_e9), utc(event.venue_time_ns), "",
        )  # fmt: skip
    elif isinstance(event, fl.Restated):
        first = book.fills.get(fact.stream)
        whose = (
            (first.trade_date, first.cl_ord_id, first.parent, first.child, first.instrument, first.side.value)
            if first
            else ("",) * 6
        )
        yield (
            *_head(fact), event.exec_id, event.venue_session, *whose, decimal(event.quantity_e9), decimal(event.price_e9),
            utc(event.venue_time_ns), f"{event.kind} of {event.exec_ref_id}",
        )  # fmt: skip
    elif isinstance(event, fl.Quarantined):
        yield (
            *_head(fact), event.exec_id, event.venue_session, event.trade_date, event.cl_ord_id, "", "", event.instrument,
            event.side or "", decimal(event.quantity_e9), decimal(event.price_e9), utc(event.venue_time_ns),
            f"quarantined: {event.reason}",
        )  # fmt: skip
    elif isinstance(event, fl.Dismissed | fl.Booked):
        yield (*_head(fact), *("",) * 11, f"{fact.topic}: {event.reason}")


def _decision_rows(fact: Fact, book: Book) -> Iterator[Row]:
    event = fact.event
    if isinstance(event, decision.Planned):
        slices = len(event.schedule.slices)
        yield (*_head(fact), event.request.parent, event.schedule.planner, event.request_sha256, "", f"{slices} slices")
    elif isinstance(event, decision.Failed):
        yield (*_head(fact), event.request.parent, "", event.request_sha256, "", event.error)
    elif isinstance(event, md.Decided | md.Declined):
        what = event.reason.value if isinstance(event, md.Declined) else event.latent_sha256
        yield (*_head(fact), event.subject, event.use.value, event.inputs_sha256, event.weights_sha256, what)
    elif isinstance(event, md.Acted):
        yield (*_head(fact), "", event.plan, "", "", event.refused or " ".join(event.orders))


def _check_rows(fact: Fact, book: Book) -> Iterator[Row]:
    event = fact.event
    if isinstance(event, Checked):
        for v in event.verdicts:
            yield (
                fact.seq, utc(fact.meta.event_time_ns), event.order, event.parent, event.subject.value, v.check.value, v.scope,
                v.limit_version, v.observed, v.limit, v.outcome.value, v.data, event.reference, decimal(event.reference_price_e9),
            )  # fmt: skip


def _whole(*kinds: type[Event]) -> Rows:
    """Events as they are, their content as JSON."""

    def rows(fact: Fact, book: Book) -> Iterator[Row]:
        if isinstance(fact.event, kinds):
            yield (*_head(fact), json.dumps(fact.event.model_dump(mode="json"), separators=(",", ":"), sort_keys=True))

    return rows


class Algorithms:
    """The inventory of algorithms: each name with each build that it decided under, from its first event on."""

    def __init__(self) -> None:
        self._seen: set[tuple[str, str, str]] = set()

    def rows(self, fact: Fact, book: Book) -> Iterator[Row]:
        """One row where an algorithm is met in code that it was not met in before."""
        event = fact.event
        if isinstance(event, decision.Planned):
            key = (event.request.algo.value, event.schedule.planner, fact.meta.build)
            if key not in self._seen:
                self._seen.add(key)
                yield (fact.seq, utc(fact.meta.event_time_ns), *key)


_BODY: Final = (*_HEAD, "content")
_ORDER: Final = ("account", "instrument", "side")
_RISKS: Final = tuple(cls for cls in rk.EVENTS if cls.TOPIC.startswith(("risk.strategy", "risk.override")))


def tables() -> tuple[Table, ...]:
    """All of them, made anew for each export: the inventory remembers what it has told."""
    parent = ("order_id", "client_session", "cl_ord_id", *_ORDER, "quantity", "limit_price", "algo", "time_in_force", "status",
              "filled", "average_price", "leaves", "why")  # fmt: skip
    child = ("parent", "cl_ord_id", "venue_order_id", "venue_session", *_ORDER, "order_type", "quantity", "limit_price",
             "time_in_force", "tactic", "status", "filled", "leaves", "why")  # fmt: skip
    fills = ("exec_id", "venue_session", "trade_date", "cl_ord_id", "parent", "child", "instrument", "side", "quantity", "price",
             "venue_time", "why")  # fmt: skip
    checks = ("seq", "time", "order", "parent", "subject", "check", "scope", "limit_version", "observed", "limit", "outcome",
              "data", "reference", "reference_price")  # fmt: skip
    return (
        Table("orders", (*_HEAD, *parent), _parent_rows),
        Table("children", (*_HEAD, *child), _child_rows),
        Table("executions", (*_HEAD, *fills), _fill_rows),
        Table("decisions", (*_HEAD, "subject", "by", "inputs_sha256", "weights_sha256", "outcome"), _decision_rows),
        Table("risk_checks", checks, _check_rows),
        Table("risk_overrides", _BODY, _whole(*_RISKS)),
        Table("limits", _BODY, _whole(*limits.EVENTS), history=True),
        Table("models", _BODY, _whole(*mv.EVENTS), history=True),
        Table("algorithms", ("seq", "time", "algo", "planner", "build"), Algorithms().rows, history=True),
        Table("codes", _BODY, _whole(*party.EVENTS), history=True),
        Table("builds", _BODY, _whole(*builds.EVENTS), history=True),
        Table("kill_switch", _BODY, _whole(*ks.EVENTS)),
        Table("kill_drills", _BODY, _drills, history=True),
        Table("allocations", _BODY, _whole(*al.EVENTS)),
        Table("sessions", _BODY, _whole(*fs.EVENTS)),
        Table("alerts", _BODY, _whole(*attention.EVENTS)),
        Table("reconciliation", _BODY, _whole(*reconciliation.EVENTS)),
        Table("clocks", _BODY, _whole(*ck.EVENTS)),
        Table("access", _BODY, _whole(*reading.EVENTS)),
    )


def _drills(fact: Fact, book: Book) -> Iterator[Row]:
    """A drill suspends and clears a scope of its own; the proof of a trip's end is told with them."""
    event = fact.event
    drilled = isinstance(event, ks.Suspended | ks.Cleared) and event.source == "drill"
    if drilled or isinstance(event, ks.Reported):
        yield from _whole(*ks.EVENTS)(fact, book)
