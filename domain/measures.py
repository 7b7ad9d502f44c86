"""What a process measures of itself: the words in which it is declared, counted and handed on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

MeasureKind = Literal["counter", "gauge", "histogram"]


@dataclass(frozen=True, slots=True)
class Measure:
    """One metric as it is declared.

    Attributes:
        name: by Prometheus' conventions: unit last, a counter ends in _total.
        of: which processes export it; "door": whoever gathers them all.
        labels: beside `process`, which every sample gets when it is gathered.
        buckets: upper bounds of a histogram, in the unit of its name.
    """

    name: str
    kind: MeasureKind
    text: str
    of: tuple[str, ...]
    labels: tuple[str, ...] = ()
    buckets: tuple[float, ...] = ()


class Sample(NamedTuple):
    """One number. name: the measure's, with _bucket, _sum or _count for a histogram's."""

    name: str
    labels: Mapping[str, str]
    value: float


class Meters(Protocol):
    """Where a process counts. Names and labels are those of its measures; calls are cheap enough for a commit, not for a tick."""

    def add(self, name: str, amount: float = 1.0, *labels: str) -> None:
        """Count up. labels: values, in the order of the measure's."""
        ...

    def put(self, name: str, value: float, *labels: str) -> None:
        """As it stands now."""
        ...

    def observe(self, name: str, value: float, *labels: str) -> None:
        """One more of a distribution."""
        ...

    def samples(self) -> Sequence[Sample]:
        """All of it now."""
        ...
