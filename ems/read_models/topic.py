"""Topics: tables that a browser may look at, each described well enough to be drawn without knowing it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

Kind = Literal[
    "text", "id", "symbol", "side", "price", "quantity", "money", "int", "bps", "pct", "time", "duration", "flag", "status",
    "bar", "list",
]  # fmt: skip
Role = Literal["viewer", "trader", "risk", "quant", "operator", "admin", "auditor"]
ROLES: Final[tuple[Role, ...]] = ("viewer", "trader", "risk", "quant", "operator", "admin", "auditor")
EVERYBODY: Final = frozenset(ROLES)
EntitlementKind = Literal["client", "desk", "symbol", "account"]
BLOTTER_MS: Final = 33
LADDER_MS: Final = 100
MODEL_MS: Final = 1_000


@dataclass(frozen=True, slots=True)
class Column:
    """One column. Prices, quantities and money travel as decimal text, times and durations as text in nanoseconds, pct, bps and
    int as numbers; None is unknown, never 0.
    """

    name: str
    title: str
    kind: Kind = "text"
    width: int | None = None  # pixels
    flash: bool = False
    hidden: bool = False
    pin: Literal["left", "right"] | None = None

    def told(self) -> dict[str, Any]:
        """As the catalogue has it."""
        told: dict[str, Any] = {"name": self.name, "title": self.title, "kind": self.kind}
        for name in ("width", "flash", "hidden", "pin"):
            if value := getattr(self, name):
                told[name] = value
        return told


@dataclass(frozen=True, slots=True)
class Topic:
    """One table.

    Attributes:
        key: the column that names a row.
        flush_ms: how often a subscriber is told of rows that have changed since.
        link: (topic, column): selecting a row here filters there.
        never_conflated: every state of a row is told, not its last alone.
        roles: who may read it.
        scoped: which column holds what an entitlement is of; without any, whoever may read it reads all of it.
        own: the column that says whose a row is: who is neither risk, admin nor auditor sees their own.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    key: str = "id"
    flush_ms: int = BLOTTER_MS
    link: tuple[str, str] | None = None
    never_conflated: bool = False
    roles: frozenset[Role] = EVERYBODY
    scoped: tuple[tuple[EntitlementKind, str], ...] = ()
    own: str = ""
    filters: tuple[str, ...] = ()
    names: list[str] = field(default_factory=list, init=False, repr=False, compare=False)  # of the columns, as rows are
    _places: dict[str, int] = field(default_factory=dict, init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        self.names.extend(column.name for column in self.columns)
        self._places.update((column.name, place) for place, column in enumerate(self.columns))
        assert len(self._places) == len(self.columns) and self.key in self._places, self.name

    def place(self, column: str) -> int:
        """Of a column in a row. Raises KeyError."""
        return self._places[column]

    def has(self, column: str) -> bool:
        """Is there such a column?"""
        return column in self._places

    def told(self, verbs: Sequence[str]) -> dict[str, Any]:
        """As the catalogue has it. verbs: what may be done to a row, in the order of its menu."""
        return {
            "name": self.name,
            "title": self.title,
            "key": self.key,
            "columns": [column.told() for column in self.columns],
            "filters": list(self.filters),
            "flush_ms": self.flush_ms,
            "never_conflated": self.never_conflated,
            "verbs": list(verbs),
            "link": None if self.link is None else {"topic": self.link[0], "column": self.link[1]},
        }


@dataclass(frozen=True, slots=True)
class Screen:
    """What is looked at together. verbs: those without rows that are done from here."""

    name: str
    title: str
    key: str  # on the keyboard
    group: str
    topics: tuple[str, ...]
    pane: str = "grid"
    verbs: tuple[str, ...] = ()

    def told(self, topics: frozenset[str], verbs: frozenset[str] = frozenset()) -> dict[str, Any]:
        """As the catalogue has it for somebody who may read these and do those."""
        return {
            "name": self.name, "title": self.title, "key": self.key, "group": self.group, "pane": self.pane,
            "topics": [topic for topic in self.topics if topic in topics],
            "verbs": [verb for verb in self.verbs if verb in verbs],
        }  # fmt: skip
