"""Start of day: which files each trade date began with, and who amended them. And who read the log."""

from __future__ import annotations

from typing import Any, ClassVar

from domain import access, day_load
from domain.event import Event, Recorded
from ems.read_models.table import Stored, moment
from ems.read_models.topic import Column, Topic


class Days(Stored):
    """A file each."""

    keep: ClassVar[int] = 5_000
    topic: ClassVar[Topic] = Topic(
        "days",
        "Start of day",
        (
            Column("id", "Id", "id", hidden=True),
            Column("trade_date", "Trade date", "text", 100, pin="left"),
            Column("table", "Table", "text", 130),
            Column("file", "File", "text", 150),
            Column("rows", "Rows", "int", 80),
            Column("as_of", "As of", "text", 100),
            Column("source", "Source", "text", 150),
            Column("person", "Loaded by", "text", 100),
            Column("loaded_ns", "Loaded", "time", 100),
            Column("amends", "Amends", "int", 70),
            Column("reason", "Reason", "text", 220),
            Column("sha256", "SHA-256", "id", 150),
        ),
        filters=("trade_date", "table"),
    )
    events: ClassVar[tuple[type[Event], ...]] = day_load.EVENTS

    def fold(self, recorded: Recorded, after: Any) -> None:
        """A date begins, or goes on with other files."""
        event: Any = recorded.event
        for file in event.files:
            told = file.model_dump(include={"table", "file", "rows", "as_of", "source", "sha256"})
            self.put(told | {
                "id": f"{event.trade_date} {file.table}", "trade_date": event.trade_date, "person": event.person,
                "loaded_ns": moment(recorded.meta.event_time_ns), "amends": event.amends, "reason": event.reason or None,
            })  # fmt: skip


class Reads(Stored):
    """Who came in, who was turned away, who read what."""

    keep: ClassVar[int] = 10_000
    topic: ClassVar[Topic] = Topic(
        "reads",
        "Access",
        (
            Column("id", "Id", "id", hidden=True),
            Column("seq", "Offset", "int", 80, pin="left"),
            Column("time_ns", "Time", "time", 100),
            Column("what", "What", "status", 110),
            Column("user", "Who", "text", 100),
            Column("by", "By", "text", 100),
            Column("text", "Of what", "text", 320),
            Column("address", "From", "text", 120),
            Column("count", "Times", "int", 60),
        ),
        roles=frozenset({"admin", "auditor", "risk"}),
        filters=("what", "user"),
    )
    events: ClassVar[tuple[type[Event], ...]] = access.EVENTS

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One event of who comes and goes."""
        event: Any = recorded.event
        row = {
            "id": str(recorded.seq), "seq": recorded.seq, "time_ns": moment(recorded.meta.event_time_ns), "user": event.user,
            "by": recorded.meta.actor.removeprefix("person:"), "what": event.TOPIC.split(".")[1].replace("_", " "),
        }  # fmt: skip
        match event:
            case access.SignedIn():
                row |= {"text": f"by {event.by}", "address": event.address}
            case access.Refused():
                row |= {"text": f"{event.what}: {event.why}", "address": event.address, "count": event.count}
            case access.AccountChanged():
                row |= {"text": f"{event.act}: {', '.join(event.roles)}"}
            case access.LogRead():
                row |= {"text": event.what, "count": event.rows}
        self.put(row)
