"""What an export has and what it has not: of every field, how many rows there are and in how many it is filled."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

COLUMNS: Final = ("record", "number", "field", "source", "rows", "filled", "state")


class Coverage:
    """Counts as rows are written. Records are known by name, their fields in order."""

    def __init__(self) -> None:
        self._fields: dict[str, tuple[tuple[str, str], ...]] = {}
        self._rows: dict[str, int] = {}
        self._filled: dict[str, list[int]] = {}

    def know(self, record: str, fields: Sequence[str], sources: Sequence[str]) -> None:
        """A kind of record, with the source of each field; "" where this system has none."""
        self._fields[record] = tuple(zip(fields, sources, strict=True))
        self._rows[record] = 0
        self._filled[record] = [0] * len(fields)

    def row(self, record: str, values: Sequence[Any]) -> None:
        """One row by position."""
        self._rows[record] += 1
        filled = self._filled[record]
        for place, value in enumerate(values):
            if value is not None and value != "" and value != []:
                filled[place] += 1

    def fields(self, record: str, values: Mapping[str, Any]) -> None:
        """One row by name."""
        self.row(record, [values.get(name) for name, _ in self._fields[record]])

    def table(self) -> Iterator[tuple[Any, ...]]:
        """Rows under COLUMNS."""
        for record, fields in self._fields.items():
            rows, filled = self._rows[record], self._filled[record]
            for place, (name, source) in enumerate(fields):
                state = (
                    "no rows" if not rows else "empty" if not filled[place] else "partly" if filled[place] < rows else "filled"
                )
                yield (record, place + 1, name, source or "not known to this system", rows, filled[place], state)
