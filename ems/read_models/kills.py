"""The kill switch by scope: at which level, since when, on whose word, what is suspended and why, and the proof of flat."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import kill_switch as ks
from domain.event import Event, Recorded
from domain.kill_scope import read
from domain.kill_switch import NOTHING, Switch
from domain.kill_table import Level
from ems.read_models.table import Stored, World, decimal, moment
from ems.read_models.topic import Column, Topic


class Kills(Stored):
    """Every scope that anything was ever said of; the firm's, always."""

    topic: ClassVar[Topic] = Topic(
        "kills",
        "Kill switch",
        (
            Column("scope", "Scope", "text", 150, pin="left"),
            Column("level", "Level", "status", 80),
            Column("tripped", "Tripped", "flag", hidden=True),
            Column("since_ns", "Since", "time", 100),
            Column("who", "Who", "text", 100),
            Column("why", "Why", "text", 260),
            Column("suspended", "Suspended by", "list", 140),
            Column("paused", "Orders wait", "flag", 80),
            Column("asked_by", "Re-arm asked by", "text", 110),
            Column("live_at_trip", "Live at the trip", "int", 90),
            Column("open_orders", "Still open", "int", 80),
            Column("filled_anyway", "Filled anyway", "quantity", 100),
            Column("flat", "Proof of flat", "status", 120),
            Column("flattening", "Flattening", "text", 240),
            Column("trip", "Trip", "id", 140),
        ),
        key="scope",
        filters=("level",),
    )
    events: ClassVar[tuple[type[Event], ...]] = ks.EVENTS

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._state = NOTHING
        self._reports: dict[str, ks.Reported] = {}  # by trip
        self.put(_row(Switch(read("firm")), None))

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One act."""
        event: Any = recorded.event
        self._state = ks.evolve(self._state, event, actor=recorded.meta.actor)
        if isinstance(event, ks.Reported):
            self._reports[event.trip] = event
        switch = self._state.of(read(event.scope))
        self.put(_row(switch, self._reports.get(switch.trip)))


def _row(switch: Switch, report: ks.Reported | None) -> dict[str, Any]:
    tripped = switch.level > Level.ARMED
    level = switch.level if tripped else Level.SUSPENDED if switch.suspended else Level.ARMED
    row = {
        "scope": switch.scope.text,
        "level": level.name.lower(),
        "tripped": tripped,
        "since_ns": moment(switch.tripped_ns) if tripped else None,
        "who": switch.actor.removeprefix("person:") if tripped else None,
        "why": switch.reason if tripped else None,
        "suspended": sorted(switch.suspended),
        "paused": bool(switch.paused_before_ns) and not tripped,
        "asked_by": switch.request.person if switch.request is not None else None,
        "trip": switch.trip or None,
    }
    if report is None:
        return row
    anyway = [order.filled_anyway_e9 for order in report.orders]
    return row | {
        "live_at_trip": report.live_at_trip,
        "open_orders": report.open_orders,
        "filled_anyway": None if None in anyway else decimal(sum(one for one in anyway if one is not None)),
        "flat": "flat" if report.complete else "not flat",
        "flattening": report.flattening or None,
    }


class Suspensions(Stored):
    """What is missing now, and since when nothing new leaves because of it."""

    topic: ClassVar[Topic] = Topic(
        "suspensions",
        "Suspended",
        (
            Column("id", "Id", "id", hidden=True),
            Column("scope", "Scope", "text", 150),
            Column("source", "What is missing", "status", 110),
            Column("why", "Why", "text", 300),
            Column("since_ns", "Since", "time", 100),
        ),
    )
    events: ClassVar[tuple[type[Event], ...]] = (ks.Suspended, ks.Cleared)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """It is missing, or there again."""
        event: Any = recorded.event
        key = f"{event.scope} {event.source}"
        if isinstance(event, ks.Cleared):
            self.drop(key)
        else:
            row = {"id": key, "scope": event.scope, "source": event.source, "why": event.reason}
            self.put(row | {"since_ns": moment(event.at_ns)})
