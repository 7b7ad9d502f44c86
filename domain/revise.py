"""A changed copy of a named tuple: what `_replace` does, in half the time and less, as folding a log does little else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

_T = TypeVar("_T", bound=tuple[Any, ...])


class _Places(dict[type[tuple[Any, ...]], dict[str, int]]):
    """By named tuple, where each of its fields stands."""

    def __missing__(self, cls: type[tuple[Any, ...]]) -> dict[str, int]:
        names: tuple[str, ...] = cls._fields  # type: ignore[attr-defined]
        places = self[cls] = {name: place for place, name in enumerate(names)}
        return places


_PLACES = _Places()
_new = tuple.__new__


def revise(state: _T, **changes: Any) -> _T:
    """A copy of a named tuple with some of its fields changed. Raises KeyError for a field it does not have."""
    return revised(state, changes)


def revised(state: _T, changes: Mapping[str, Any]) -> _T:
    """As `revise`, for changes that lie in a mapping already: handing them on as keywords would cost as much again."""
    cls = type(state)
    places = _PLACES[cls]
    values = [*state]
    for name, value in changes.items():
        values[places[name]] = value
    return _new(cls, values)


def places(cls: type[tuple[Any, ...]], *names: str) -> tuple[int, ...]:
    """Where fields of a named tuple stand, for code that runs too often to ask by name. Raises KeyError."""
    return tuple(_PLACES[cls][name] for name in names)
