"""What is scraped: the samples of all processes as one text, each metric declared once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from prometheus_client import CONTENT_TYPE_LATEST
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector, CollectorRegistry

from domain.measures import Measure, Sample

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SUFFIXES: Final = ("_bucket", "_count", "_sum")


def written(measures: Mapping[str, Measure], samples: Mapping[str, Iterable[Sample]]) -> bytes:
    """The text.

    Args:
        measures: by name; a sample of none of them is left out.
        samples: by process, whose name becomes a label.
    """
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Gathered(measures, samples))
    return generate_latest(registry)


def measure_of(measures: Mapping[str, Measure], name: str) -> Measure | None:
    """The measure that a sample's name belongs to."""
    if (found := measures.get(name)) is not None:
        return found
    stem = next((name.removesuffix(suffix) for suffix in _SUFFIXES if name.endswith(suffix)), "")
    found = measures.get(stem)
    return found if found is not None and found.kind == "histogram" else None


class _Gathered(Collector):
    """Families of samples that were counted elsewhere."""

    def __init__(self, measures: Mapping[str, Measure], samples: Mapping[str, Iterable[Sample]]) -> None:
        self._measures, self._samples = measures, samples

    def collect(self) -> Iterator[Metric]:
        """By the order of the measures."""
        families: dict[str, Metric] = {}
        for process, samples in self._samples.items():
            for sample in samples:
                if (measure := measure_of(self._measures, sample.name)) is not None:
                    kind = measure.kind
                    family = families.get(measure.name)
                    if family is None:
                        family = families[measure.name] = Metric(measure.name.removesuffix("_total"), measure.text, kind)
                    family.add_sample(sample.name, {"process": process, **sample.labels}, sample.value)
        yield from (families[name] for name in self._measures if name in families)
