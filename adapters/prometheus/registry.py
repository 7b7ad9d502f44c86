"""`domain.measures.Meters` on prometheus-client: one registry a process, made when it is asked for and nowhere else."""

from __future__ import annotations

from collections.abc import Iterable

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from domain.measures import Measure, Sample


class Registry:
    """A process's own. Any thread may count.

    Args:
        measures: those that the process exports; it can count no other.
    """

    def __init__(self, measures: Iterable[Measure]) -> None:
        self._registry = CollectorRegistry(auto_describe=True)
        self._of: dict[str, Counter | Gauge | Histogram] = {one.name: self._made(one) for one in measures}
        self._known: dict[tuple[str, ...], Counter | Gauge | Histogram] = {}

    def add(self, name: str, amount: float = 1.0, *labels: str) -> None:
        """See `domain.measures.Meters`."""
        one = self._one(name, labels)
        assert isinstance(one, Counter), name
        one.inc(amount)

    def put(self, name: str, value: float, *labels: str) -> None:
        """See `domain.measures.Meters`."""
        one = self._one(name, labels)
        assert isinstance(one, Gauge), name
        one.set(value)

    def observe(self, name: str, value: float, *labels: str) -> None:
        """See `domain.measures.Meters`."""
        one = self._one(name, labels)
        assert isinstance(one, Histogram), name
        one.observe(value)

    def samples(self) -> list[Sample]:
        """See `domain.measures.Meters`."""
        found = (sample for family in self._registry.collect() for sample in family.samples)
        return [Sample(one.name, one.labels, one.value) for one in found if not one.name.endswith("_created")]

    def _made(self, measure: Measure) -> Counter | Gauge | Histogram:
        if measure.kind == "histogram":
            return Histogram(measure.name, measure.text, measure.labels, buckets=measure.buckets, registry=self._registry)
        kind = Counter if measure.kind == "counter" else Gauge
        return kind(measure.name, measure.text, measure.labels, registry=self._registry)

    def _one(self, name: str, labels: tuple[str, ...]) -> Counter | Gauge | Histogram:
        if not labels:
            return self._of[name]
        key = (name, *labels)
        one = self._known.get(key)
        if one is None:
            one = self._known[key] = self._of[name].labels(*labels)
        return one
