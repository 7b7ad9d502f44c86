"""A process counts, another writes the text that is scraped, and a parser of the format's own reads it back."""

from __future__ import annotations

import pytest
from prometheus_client.parser import text_string_to_metric_families

from adapters.prometheus.registry import Registry
from adapters.prometheus.text import measure_of, written
from domain.measures import Measure, Sample

MEASURES = (
    Measure("ems_things_total", "counter", "Things", ("desk",), ("kind",)),
    Measure("ems_way_seconds", "histogram", "A way", ("desk",), (), (0.1, 1.0)),
    Measure("ems_level", "gauge", "A level", ("desk",)),
)
BY_NAME = {one.name: one for one in MEASURES}


def test_what_two_processes_counted_is_one_text_that_declares_each_metric_once() -> None:
    registries = {name: Registry(MEASURES) for name in ("desk", "desk-2")}
    for registry in registries.values():
        registry.add("ems_things_total", 2, "a")
        registry.add("ems_things_total", 1, "a")
        registry.observe("ems_way_seconds", 0.5)
        registry.put("ems_level", -1)
    text = written(BY_NAME, {name: registry.samples() for name, registry in registries.items()}).decode()
    assert text.count("# TYPE ems_way_seconds histogram") == text.count("# TYPE ems_things_total counter") == 1
    samples = {(s.name, *sorted(s.labels.items())): s.value for f in text_string_to_metric_families(text) for s in f.samples}
    for process in registries:
        assert samples["ems_things_total", ("kind", "a"), ("process", process)] == 3
        assert samples["ems_way_seconds_bucket", ("le", "0.1"), ("process", process)] == 0
        assert samples["ems_way_seconds_bucket", ("le", "1.0"), ("process", process)] == 1
        assert samples["ems_way_seconds_sum", ("process", process)] == 0.5
        assert samples["ems_level", ("process", process)] == -1


def test_a_registry_counts_nothing_that_was_not_declared() -> None:
    registry = Registry(MEASURES)
    with pytest.raises(KeyError):
        registry.add("ems_unheard_total")
    with pytest.raises(AssertionError):
        registry.put("ems_way_seconds", 1)
    assert written(BY_NAME, {"desk": [Sample("ems_unheard_total", {}, 1)]}) == b""


def test_a_sample_belongs_to_the_measure_that_declares_it() -> None:
    assert measure_of(BY_NAME, "ems_way_seconds_bucket") is BY_NAME["ems_way_seconds"]
    assert measure_of(BY_NAME, "ems_level") is BY_NAME["ems_level"]
    assert measure_of(BY_NAME, "ems_level_sum") is None
