"""What every table is: events in, rows out. Pure: the same events and moments give the same rows, live and in replay.

A table folds an event into no more than the keys of the rows that it changes; a row is made when somebody looks at it, and
kept until it changes again. So a row that changes a hundred times between two looks is made once.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from typing import Any, ClassVar

import orjson

from domain.event import Event, Recorded
from domain.values import E9
from ems.desk_state import DeskState
from ems.read_models.topic import Topic

Row = list[Any]


class World:
    """What all tables see: everything the desk knows, and the time.

    Attributes:
        now_ns: live the desk's clock, in replay the moment that is looked at.
        desk: its name, which orders are entitled by.
    """

    def __init__(self, desk: str = "") -> None:
        self.state = DeskState()
        self.now_ns = 0
        self.desk = desk


class Table:
    """One topic's rows. Subclasses say which events they fold, what is touched, and what a row is."""

    topic: ClassVar[Topic]
    events: ClassVar[tuple[type[Event], ...]] = ()

    def __init__(self, world: World) -> None:
        self.world = world
        self.changed: dict[str, None] = {}
        self._rows: dict[str, Row | None] = {}
        self._encoded: dict[str, orjson.Fragment] = {}

    def fold(self, recorded: Recorded, after: Any) -> None:
        """Take one event; after: the state of its stream."""

    def tick(self, now_ns: int) -> None:
        """Time has passed: touch what it changes."""

    def ids(self) -> Iterable[str]:
        """Of all rows, the oldest first."""
        raise NotImplementedError

    def render(self, key: str) -> Mapping[str, Any] | None:
        """A row by column, None where there is none any more. A column that is not in it is None."""
        raise NotImplementedError

    def touch(self, key: str) -> None:
        """A row is another than it was."""
        self._rows.pop(key, None)
        self._encoded.pop(key, None)
        self.changed[key] = None

    def row(self, key: str) -> Row | None:
        """A row in the order of its topic's columns, None where there is none."""
        if key in self._rows:
            return self._rows[key]
        made = self.render(key)
        row = None if made is None else list(map(made.get, self.topic.names))
        self._rows[key] = row
        return row

    def encoded(self, key: str) -> orjson.Fragment | None:
        """The same as JSON, made once for everybody who looks."""
        found = self._encoded.get(key)
        if found is None:
            row = self.row(key)
            if row is None:
                return None
            found = self._encoded[key] = orjson.Fragment(orjson.dumps(row))
        return found

    def named(self, key: str) -> dict[str, Any] | None:
        """A row by column."""
        row = self.row(key)
        return None if row is None else dict(zip(self.topic.names, row, strict=True))

    def take(self) -> dict[str, None]:
        """The keys that have changed since the last time."""
        changed, self.changed = self.changed, {}
        return changed


class Stored(Table):
    """A table whose rows are put and dropped whole, the oldest dropped beyond `keep`."""

    keep: ClassVar[int] = 100_000

    def __init__(self, world: World) -> None:
        super().__init__(world)
        self._made: dict[str, Mapping[str, Any]] = {}

    def put(self, row: Mapping[str, Any]) -> None:
        """A row as it is from now on."""
        key = row[self.topic.key]
        self._made[key] = row
        self.touch(key)
        if len(self._made) > self.keep:
            self.drop(next(iter(self._made)))

    def drop(self, key: str) -> None:
        """A row is no more."""
        if self._made.pop(key, None) is not None:
            self.touch(key)

    def replace(self, rows: Iterable[Mapping[str, Any]]) -> None:
        """All rows, as they were asked for just now; only those that differ are touched."""
        fresh = {row[self.topic.key]: row for row in rows}
        for key in [key for key in self._made if key not in fresh]:
            self.drop(key)
        for key, row in fresh.items():
            if self._made.get(key) != row:
                self.put(row)

    def ids(self) -> Iterable[str]:
        """Of all rows, the oldest first."""
        return self._made.keys()

    def render(self, key: str) -> Mapping[str, Any] | None:
        """As it was put."""
        return self._made.get(key)


@lru_cache(maxsize=1 << 16)  # a table says the same few thousand numbers over and over
def decimal(value_e9: int | None) -> str | None:
    """A number at 1e-9 as exact decimal text; None stays unknown."""
    if value_e9 is None:
        return None
    whole, fraction = divmod(abs(value_e9), E9)
    text = f"{whole}.{fraction:09d}".rstrip("0") if fraction else str(whole)
    return f"-{text}" if value_e9 < 0 else text


def moment(time_ns: int | None) -> str | None:
    """A time as text; 0 and None are unknown."""
    return str(time_ns) if time_ns else None
