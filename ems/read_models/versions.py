"""Versions of our models: which decides, which only says what it would, on whose word, and how each fares."""

from __future__ import annotations

from collections import Counter
from typing import Any, ClassVar

from domain import model_decision as md
from domain import model_version as mv
from domain.event import Event, Recorded
from ems.read_models.table import Stored, World, moment
from ems.read_models.topic import MODEL_MS, Column, Topic


class Models(Stored):
    """Every version that was ever registered."""

    topic: ClassVar[Topic] = Topic(
        "models",
        "Models",
        (
            Column("digest", "Version", "id", 140, pin="left"),
            Column("model", "Kind", "text", 110),
            Column("aliases", "Is", "list", 150),
            Column("state", "State", "status", 90),
            Column("person", "Registered by", "text", 110),
            Column("at_ns", "Registered", "time", 100),
            Column("decided", "Decisions", "int", 90),
            Column("declined", "Declined", "int", 80),
            Column("explained", "Explained", "int", 80),
            Column("metrics", "Measured", "list", 320),
            Column("why", "Why retired", "text", 200),
        ),
        key="digest",
        flush_ms=MODEL_MS,
        filters=("model", "state"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (*mv.EVENTS, *md.EVENTS)

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._registry = mv.NOTHING
        self._log: list[Event] = []
        self._counts: dict[str, Counter[str]] = {}
        self._of: dict[str, str] = {}  # a decision's stream -> its version

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Of the registry, or of a decision."""
        event: Any = recorded.event
        if isinstance(event, md.Decided | md.Declined):
            self._of[recorded.stream] = event.weights_sha256
            self._count(event.weights_sha256, "decided" if isinstance(event, md.Decided) else "declined")
        elif isinstance(event, md.Explained):
            self._count(self._of.get(recorded.stream, ""), "explained")
        elif not isinstance(event, md.Acted):
            self._log.append(event)
            self._registry = mv.fold(self._log)
            for digest in self._registry.versions:
                self.touch(digest)

    def _count(self, digest: str, what: str) -> None:
        self._counts.setdefault(digest, Counter())[what] += 1
        if digest in self._registry.versions:
            self.touch(digest)

    def ids(self) -> Any:
        """In the order of their registration."""
        return self._registry.versions.keys()

    def render(self, key: str) -> dict[str, Any] | None:
        """One version."""
        version = self._registry.versions.get(key)
        if version is None:
            return None
        counts, aliases = self._counts.get(key, Counter()), [alias.value for alias in self._registry.aliases(key)]
        return {
            "digest": key, "model": version.card.model, "aliases": aliases, "at_ns": moment(version.at_ns),
            "state": "retired" if version.retired else aliases[0] if aliases else "registered",
            "person": version.person, "decided": counts["decided"], "declined": counts["declined"],
            "explained": counts["explained"], "metrics": [f"{name} {value:.4g}" for name, value in version.card.metrics],
            "why": version.retired or None,
        }  # fmt: skip


class Decisions(Stored):
    """The latest decisions of nets, whether they led to anything, and why not."""

    keep: ClassVar[int] = 1_000
    topic: ClassVar[Topic] = Topic(
        "model_decisions",
        "Model decisions",
        (
            Column("id", "Decision", "id", hidden=True),
            Column("time_ns", "Time", "time", 100, pin="left"),
            Column("use", "By", "text", 90),
            Column("subject", "Of", "text", 150),
            Column("digest", "Version", "id", 130),
            Column("outcome", "Outcome", "status", 90),
            Column("return_mean", "Expected move", "text", 110),
            Column("low", "95 % from", "text", 90),
            Column("high", "to", "text", 90),
            Column("acted", "Led to", "text", 220),
            Column("why", "Why not", "text", 220),
        ),
        flush_ms=MODEL_MS,
        roles=frozenset({"quant", "risk", "operator", "admin", "auditor"}),
        filters=("use", "digest", "outcome"),
    )
    events: ClassVar[tuple[type[Event], ...]] = (md.Decided, md.Declined, md.Acted)

    def fold(self, recorded: Recorded, after: Any) -> None:
        """One decision, or what came of it."""
        event: Any = recorded.event
        if isinstance(event, md.Acted):
            if (before := self._made.get(recorded.stream)) is not None:
                led = event.plan or ", ".join(event.orders)
                self.put({**before, "acted": led or None, "why": event.refused or None})
            return
        row: dict[str, Any] = {
            "id": recorded.stream, "time_ns": moment(event.at_ns), "use": event.use.value, "subject": event.subject,
            "digest": event.weights_sha256 or None,
        }  # fmt: skip
        if isinstance(event, md.Declined):
            self.put(row | {"outcome": "declined", "why": f"{event.reason.value}: {event.text}"})
            return
        figures = {"return_mean": event.return_mean, "low": event.return_low, "high": event.return_high}
        self.put(row | {"outcome": "decided"} | {name: f"{value:.6g}" for name, value in figures.items()})
