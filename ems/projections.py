"""Read models: the log's events as rows for screens. Pure; the same events give the same rows.

Prices and quantities are decimal text, exact; times are integer nanoseconds UTC as text, since a browser's numbers
end at 2^53.
"""

from __future__ import annotations

from collections import defaultdict
from typing import Any, NamedTuple

from domain import allocation as al
from domain import attention, decision
from domain import clock_reading as ck
from domain import fill as fl
from domain import fix_session as fs
from domain import parent_order as po
from domain import reconciliation as rc
from domain.attention import Alert
from domain.child_order import ChildOrder
from domain.event import Recorded
from domain.market_state import MarketState
from domain.parent_order import ParentOrder
from domain.values import StreamId, divide_round, from_e9
from ems import alerts
from ems.audit_alerts import AuditAlerts
from ems.desk_state import DeskState
from ems.tca.summary import Summary, summary

PLANS_MAX = 500  # of a parent, that are kept

Row = dict[str, Any]


class Change(NamedTuple):
    """A row that is new or different. table is parents, children, fills or alerts; of an alert that a person has resolved
    its id and `resolved` are left.
    """

    table: str
    row: Row


class Projections:
    """All rows by id, kept up to date one event at a time, in the log's order."""

    def __init__(self) -> None:
        self.state = DeskState()
        self.parents: dict[str, Row] = {}
        self.children: dict[str, Row] = {}
        self.fills: dict[str, Row] = {}
        self.alerts: dict[str, Row] = {}
        self.plans: dict[str, tuple[Row, ...]] = {}  # of each parent, the latest
        self.summaries: dict[str, Summary] = {}
        self._fills_of: defaultdict[StreamId, list[tuple[int, int]]] = defaultdict(list)
        self._ended: dict[StreamId, MarketState | None] = {}
        self._texts: dict[StreamId, str] = {}
        self._audit = AuditAlerts()

    @property
    def seq(self) -> int:
        """The last event that the rows contain."""
        return self.state.seq

    def apply(self, recorded: Recorded) -> list[Change]:
        """Fold one event; the rows that changed."""
        after = self.state.apply(recorded.stream, recorded.event, recorded.meta, seq=recorded.seq)
        match recorded.event:
            case po.Rejected() as event:
                return [self._put("parents", self.parents, rejected_row(recorded.stream, event, recorded.meta.event_time_ns))]
            case fl.Recorded() as event:
                return [self._put("fills", self.fills, fill_row(recorded.stream, event, recorded.seq))]
            case fl.Quarantined() | fs.MessageNoted() | fs.MessageRefused() | al.Acknowledged():
                alert = self.state.attention.open.get(attention.alert_id(recorded.stream, recorded.version))
                return [] if alert is None else [self._put("alerts", self.alerts, alert_row(alert, recorded))]
            case fl.Dismissed() | fl.Booked():
                held = self.state.fills[recorded.stream].quarantined[recorded.event.number - 1]
                return [self._resolved(attention.alert_id(recorded.stream, held.version))]
            case attention.Acknowledged() as event:
                return [self._resolved(event.alert)]
            case rc.BreakFound() | rc.BreakResolved() | ck.Measured():
                opened, closed = self._audit.apply(recorded)
                found = [self._put("alerts", self.alerts, alert_row(opened, recorded))] if opened is not None else []
                return [*found, *([self._resolved(closed)] if closed else [])]
            case decision.Planned() as event:
                self.plans[event.request.parent] = (*self.plans.get(event.request.parent, ()), plan_row(event))[-PLANS_MAX:]
            case po.Filled() as event:
                self._fills_of[recorded.stream].append((event.quantity_e9, event.price_e9))
            case po.Finished() as event:
                self._ended[recorded.stream] = event.market
            case po.Expired() | po.Canceled() | po.RequestRefused() | po.PlanFailed() as event:
                self._texts[recorded.stream] = event.error if isinstance(event, po.PlanFailed) else event.text
            case po.Replaced():  # a filled order that was given more quantity is open again
                self._ended.pop(recorded.stream, None)
        if isinstance(after, ParentOrder):
            return [self._put("parents", self.parents, self._parent(after))]
        if isinstance(after, ChildOrder):
            return [self._put("children", self.children, child_row(after))]
        return []

    def snapshot(self, *, fills_max: int = 500, children_max: int = 1000, alerts_max: int = 200) -> dict[str, Any]:
        """What a screen begins with: all parents, the latest children, fills and alerts."""
        return {
            "seq": self.seq,
            "parents": list(self.parents.values()),
            "children": list(self.children.values())[-children_max:],
            "fills": list(self.fills.values())[-fills_max:],
            "alerts": list(self.alerts.values())[-alerts_max:],
            "alert_counts": self.alert_counts(),
        }

    def alert_counts(self) -> dict[str, int]:
        """How many alerts of each kind are open."""
        return alerts.of(self.state)._asdict()

    def of_parent(self, parent: str) -> dict[str, Any] | None:
        """One parent with its children and fills; None for an unknown id."""
        if (row := self.parents.get(parent)) is None:
            return None
        children = [child for child in self.children.values() if child["parent"] == parent]
        return {"parent": row, "children": children, "fills": [f for f in self.fills.values() if f["parent"] == parent]}

    def _resolved(self, alert: str) -> Change:
        del self.alerts[alert]
        return Change("alerts", {"id": alert, "resolved": True})

    def _put(self, table: str, rows: dict[str, Row], row: Row) -> Change:
        rows[row["id"]] = row
        return Change(table, row)

    def _parent(self, parent: ParentOrder) -> Row:
        row = parent_row(parent) | {"text": self._texts.get(parent.id, "")}
        if parent.id in self._ended:
            found = summary(
                parent.side, parent.terms.quantity_e9, self._fills_of[parent.id], parent.arrival, self._ended[parent.id]
            )
            self.summaries[row["id"]] = found
            row["summary"] = found.figures()
        return row


def parent_row(parent: ParentOrder) -> Row:
    """A parent order as it stands."""
    terms = parent.terms
    arrival_e9 = parent.arrival.mid_e9 if parent.arrival is not None else None
    return {
        "id": str(parent.id),
        "session": parent.client_session,
        "cl_ord_id": parent.cl_ord_id,
        "order_id": parent.order_id,
        "symbol": parent.instrument,
        "side": parent.side.value,
        "algo": terms.algo.value,
        "quantity": _text(terms.quantity_e9),
        "filled": _text(parent.cum_quantity_e9),
        "open": _text(sum(parent.open_e9.values())),
        "avg_px": _text(parent.average_price_e9) if parent.cum_quantity_e9 else None,
        "limit_px": _text(terms.limit_price_e9),
        "arrival_px": _text(arrival_e9),
        "status": parent.status.value,
        "pending": parent.pending.request if parent.pending is not None else None,
        "finished": parent.finished,
        "start_ns": str(terms.start_ns),
        "end_ns": str(terms.end_ns),
        "created_ns": str(parent.created_ns),
        "children": parent.children,
        "plans": parent.plans,
        "schedule": _schedule(parent),
        "text": "",
    }


def rejected_row(stream: StreamId, event: po.Rejected, at_ns: int) -> Row:
    """A refused order: what it asked for and why it was refused."""
    return {
        "id": str(stream),
        "session": event.client_session,
        "cl_ord_id": event.cl_ord_id,
        "order_id": event.order_id,
        "symbol": event.symbol,
        "side": event.side.value if event.side is not None else None,
        "quantity": _text(event.quantity_e9),
        "filled": "0",
        "open": "0",
        "status": "rejected",
        "finished": True,
        "created_ns": str(at_ns),
        "text": event.text,
    }


def child_row(child: ChildOrder) -> Row:
    """A child order as it stands."""
    return {
        "id": str(child.id),
        "parent": str(child.parent),
        "cl_ord_id": child.cl_ord_id,
        "venue": child.venue_session,
        "symbol": child.instrument,
        "side": child.side.value,
        "tactic": child.tactic,
        "quantity": _text(child.quantity_e9),
        "limit_px": _text(child.limit_price_e9),
        "filled": _text(child.cum_quantity_e9),
        "avg_px": _text(divide_round(child.notional_e18, child.cum_quantity_e9)) if child.cum_quantity_e9 else None,
        "status": child.status.value,
        "live": child.live,
        "changed_ns": str(child.changed_ns),
    }


def fill_row(stream: StreamId, event: fl.Recorded, seq: int) -> Row:
    """An execution."""
    return {
        "id": str(stream),
        "seq": seq,
        "parent": str(event.parent),
        "child": str(event.child),
        "venue": event.venue_session,
        "exec_id": event.exec_id,
        "symbol": event.instrument,
        "side": event.side.value,
        "quantity": _text(event.quantity_e9),
        "price": _text(event.price_e9),
        "time_ns": str(event.venue_time_ns),
    }


def plan_row(event: decision.Planned) -> Row:
    """A plan: when, why, by what, and instead of what."""
    request, schedule = event.request, event.schedule
    return {
        "number": request.plan_number,
        "time_ns": str(request.now_ns),
        "reason": request.reason,
        "planner": schedule.planner,
        "fallback": schedule.fallback,
    }


def alert_row(alert: Alert, recorded: Recorded) -> Row:
    """What a person must look at; its id is what people call it, at the command line too."""
    return {
        "id": alert.id,
        "seq": recorded.seq,
        "time_ns": str(alert.at_ns),
        "kind": alert.kind,
        "session": alert.session,
        "what": alert.what,
        "why": alert.why,
        "raw": getattr(recorded.event, "raw", ""),
    }


def target_e9(parent: ParentOrder, now_ns: int) -> int | None:
    """Where its schedule says that a parent should be by now, None without one."""
    return parent.schedule.target_e9(now_ns) if parent.schedule is not None else None


def _schedule(parent: ParentOrder) -> Row | None:
    schedule = parent.schedule
    if schedule is None:
        return None
    slices = [[str(s.start_ns), str(s.end_ns), _text(s.quantity_e9)] for s in schedule.slices]
    made = {"planner": schedule.planner, "fallback": schedule.fallback}
    return {**made, "filled": _text(schedule.filled_e9), "slices": slices}


def _text(value_e9: int | None) -> str | None:
    return None if value_e9 is None else str(from_e9(value_e9))
