"""Limits in force, what people propose of them, orders let pass once, and strategies that may not trade."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from domain import limits
from domain import parent_order as po
from domain.event import Event, Recorded
from domain.limits import LimitProposed, LimitRetired, LimitSet
from domain.risk import Outcome, OverrideGranted, StrategyDisabled, StrategyEnabled, Subject
from domain.risk_verdicts import Checked
from domain.values import StreamId
from ems.read_models.table import Stored, Table, World, decimal, moment
from ems.read_models.topic import Column, Topic

_WHAT = (
    Column("id", "Id", "id", hidden=True),
    Column("check", "Check", "text", 150, pin="left"),
    Column("scope", "Scope", "text", 150),
    Column("applies", "Of", "text", 70),
    Column("level", "Level", "status", 70),
    Column("value", "Value", "quantity", 120),
    Column("unit", "Unit", "text", 80),
    Column("window_ns", "Window", "duration", 80),
    Column("until_ns", "Until", "time", 100),
)


class Limits(Table):
    """Those that hold now, and those that will."""

    topic: ClassVar[Topic] = Topic(
        "limits",
        "Limits",
        (
            *_WHAT,
            Column("from_ns", "From", "time", 100),
            Column("state", "State", "status", 80),
            Column("approver", "Approved by", "text", 110),
            Column("reason", "Reason", "text", 240),
            Column("version", "Version", "int", 60),
        ),
        filters=("check", "scope", "level", "state"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (LimitSet, LimitRetired)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A version."""
        self.touch(recorded.stream)

    def tick(self, now_ns: int) -> None:
        """Some begin and end by the clock."""
        for key, row in list(self._rows.items()):
            if row is not None and row[self.topic.place("state")] != _state(self._content(key), now_ns):
                self.touch(key)

    def ids(self) -> Iterable[str]:
        """In the order in which they were first set."""
        return self.world.state.risk.limits.limits.keys()

    def _content(self, key: str) -> LimitSet | None:
        limit = self.world.state.risk.limits.limits.get(StreamId(key))
        held = limit.in_force(self.world.now_ns) if limit is not None else None
        return held[1] if held is not None else limit.versions[-1][1] if limit is not None else None

    def render(self, key: str) -> Mapping[str, Any] | None:
        """One limit; None for one that was retired."""
        content = self._content(key)
        if content is None:
            return None
        version = self.world.state.risk.limits.limits[StreamId(key)].version
        return _what(key, content) | {
            "from_ns": moment(content.from_ns), "state": _state(content, self.world.now_ns),
            "approver": content.approver.removeprefix("person:"), "reason": content.reason, "version": version,
        }  # fmt: skip


def _state(content: LimitSet | None, now_ns: int) -> str:
    if content is None:
        return "retired"
    if now_ns < content.from_ns:
        return "to come"
    return "in force" if content.until_ns is None or now_ns < content.until_ns else "over"


def _what(key: str, content: LimitSet | LimitProposed) -> dict[str, Any]:
    value_e9 = content.value_e9
    value = None if value_e9 is None else str(value_e9) if content.unit == "ns" else decimal(value_e9)
    return {
        "id": key, "check": content.check.value, "applies": content.applies, "level": content.level, "value": value,
        "scope": f"{content.scope.value}:{content.scope_id}" if content.scope_id else content.scope.value,
        "unit": content.unit, "window_ns": moment(content.window_ns), "until_ns": moment(content.until_ns),
    }  # fmt: skip


class LimitProposals(Stored):
    """What waits for a second person's word."""

    topic: ClassVar[Topic] = Topic(
        "limit_proposals",
        "Proposed limits",
        (
            *_WHAT,
            Column("ends", "Ends it", "flag", 70),
            Column("by", "By", "text", 100),
            Column("reason", "Reason", "text", 240),
            Column("expires_ns", "Expires", "time", 100),
        ),
    )
    events: ClassVar[tuple[type[Event], ...]] = (LimitProposed, LimitSet, LimitRetired)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Proposed, or decided."""
        event: Any = recorded.event
        key = limits.key_of(event)
        if not isinstance(event, LimitProposed):
            self.drop(key)
            return
        by = recorded.meta.actor.removeprefix("person:")
        more = {"ends": event.value_e9 is None, "by": by, "reason": event.reason, "expires_ns": moment(event.expires_ns)}
        self.put(_what(key, event) | more)

    def tick(self, now_ns: int) -> None:
        """A word that nobody has joined expires."""
        for key in [key for key, row in self._made.items() if int(row["expires_ns"]) <= now_ns]:
            self.drop(key)


class Overrides(Stored):
    """Orders that a second person let pass their soft limits, once."""

    keep: ClassVar[int] = 5_000
    topic: ClassVar[Topic] = Topic(
        "overrides",
        "Overrides",
        (
            Column("id", "Id", "id", hidden=True),
            Column("order", "Order", "id", 150),
            Column("checks", "Checks", "list", 200),
            Column("by", "Asked by", "text", 100),
            Column("approver", "Approved by", "text", 100),
            Column("reason", "Reason", "text", 240),
            Column("granted_ns", "Granted", "time", 100),
            Column("until_ns", "Until", "time", 100),
        ),
    )
    events: ClassVar[tuple[type[Event], ...]] = (OverrideGranted,)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One was granted."""
        event: Any = recorded.event
        self.put({
            "id": f"{recorded.stream} {recorded.version}", "order": event.order, "checks": [c.value for c in event.checks],
            "by": recorded.meta.actor.removeprefix("person:"), "approver": event.approver.removeprefix("person:"),
            "reason": event.reason, "granted_ns": moment(recorded.meta.event_time_ns), "until_ns": moment(event.until_ns),
        })  # fmt: skip


class Strategies(Stored):
    """Strategies that a check has stopped, until a person says otherwise."""

    topic: ClassVar[Topic] = Topic(
        "strategies",
        "Stopped strategies",
        (
            Column("strategy", "Strategy", "text", 120),
            Column("check", "Check", "text", 140),
            Column("text", "Why", "text", 320),
            Column("since_ns", "Since", "time", 100),
        ),
        key="strategy",
    )
    events: ClassVar[tuple[type[Event], ...]] = (StrategyDisabled, StrategyEnabled)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Stopped, or let go."""
        event: Any = recorded.event
        if isinstance(event, StrategyEnabled):
            self.drop(event.strategy)
            return
        row = {"strategy": event.strategy, "check": event.check.value, "text": event.text}
        self.put(row | {"since_ns": moment(recorded.meta.event_time_ns)})


class Refusals(Stored):
    """Orders that risk has refused: what an override would be of."""

    keep: ClassVar[int] = 5_000
    topic: ClassVar[Topic] = Topic(
        "risk_refusals",
        "Refused by risk",
        (
            Column("id", "Order", "id", 150),
            Column("time_ns", "Time", "time", 100),
            Column("client", "Client", "text", 100),
            Column("account", "Account", "text", 100),
            Column("cl_ord_id", "ClOrdID", "id", 130),
            Column("symbol", "Symbol", "symbol", 80),
            Column("soft", "May be overridden", "flag", 110),
            Column("verdicts", "Verdicts", "list", 400),
            Column("desk", "Desk", "text", hidden=True),
        ),
        scoped=(("client", "client"), ("desk", "desk"), ("symbol", "symbol"), ("account", "account")),
        filters=("client", "symbol", "soft"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (Checked, po.Rejected)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._verdicts: dict[StreamId, Checked] = {}  # that refused an order whose own event comes next

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A check that did not pass, then the order's own refusal."""
        event: Any = recorded.event
        if isinstance(event, Checked):
            if not event.passed and event.subject is Subject.PARENT:
                self._verdicts[event.order] = event
            return
        checked = self._verdicts.pop(recorded.stream, None)
        if checked is None:
            return
        refused = [verdict for verdict in checked.verdicts if verdict.outcome is not Outcome.PASS]
        self.put({
            "id": checked.order, "time_ns": moment(recorded.meta.event_time_ns), "client": event.client_session,
            "account": checked.scopes.account, "cl_ord_id": event.cl_ord_id, "symbol": event.symbol, "desk": self.world.desk,
            "soft": all(verdict.outcome is Outcome.SOFT for verdict in refused),
            "verdicts": [f"{verdict.check.value}: {verdict.outcome.value}" for verdict in refused],
        })  # fmt: skip
