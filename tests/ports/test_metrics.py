"""The contract of `domain.ports.Metrics`: the shared file and its in-memory twin both keep it."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

from adapters.memory.metrics import MemoryMetrics
from adapters.shm.metrics import SharedMetrics
from domain.internal_errors import InternalErrors
from domain.ports import Metrics
from domain.readings import NAME_BYTES_MAX, Reading


@pytest.fixture(params=["shm", "memory"])
def metrics(request: pytest.FixtureRequest, tmp_path: Path) -> Metrics:
    return MemoryMetrics() if request.param == "memory" else SharedMetrics(tmp_path / "kill" / "metrics")


def test_nothing_was_ever_published(metrics: Metrics) -> None:
    assert metrics.read() == {}


def test_the_last_reading_of_each_name(metrics: Metrics) -> None:
    metrics.publish("errors.desk", Reading(0, 100, 1))
    metrics.publish("tick_to_quote_ms.mm", Reading(4.75, 2**62, 2**63))
    metrics.publish("errors.desk", Reading(3, 200))
    assert metrics.read() == {"errors.desk": Reading(3.0, 200, 0), "tick_to_quote_ms.mm": Reading(4.75, 2**62, 2**63)}


def test_what_is_no_number_stays_none(metrics: Metrics) -> None:
    metrics.publish("a", Reading(math.nan, 1))
    metrics.publish("b", Reading(-math.inf, -1))
    found = metrics.read()
    assert math.isnan(found["a"].value)
    assert (found["b"].value, found["b"].at_ns) == (-math.inf, -1)


@pytest.mark.parametrize("name", ["", "x" * (NAME_BYTES_MAX + 1), "\u00e4" * NAME_BYTES_MAX])
def test_a_name_that_cannot_be_held_is_refused(metrics: Metrics, name: str) -> None:
    with pytest.raises(OSError, match="name"):
        metrics.publish(name, Reading(1, 1))
    assert metrics.read() == {}


def test_the_longest_name(metrics: Metrics) -> None:
    metrics.publish("x" * NAME_BYTES_MAX, Reading(1, 1))
    assert list(metrics.read()) == ["x" * NAME_BYTES_MAX]


def test_what_is_read_does_not_change_afterwards(metrics: Metrics) -> None:
    metrics.publish("a", Reading(1, 1))
    before = metrics.read()
    metrics.publish("a", Reading(2, 2))
    metrics.publish("b", Reading(3, 3))
    assert before == {"a": Reading(1.0, 1)}


# --------------------------------------------------------------------------- internal errors on top of it


def test_internal_errors_are_counted_over_restarts_and_an_end_without_a_word_is_one(metrics: Metrics) -> None:
    first = InternalErrors(metrics, "desk")
    first.publish(1)
    first.add()
    first.add()
    first.close(2)
    assert metrics.read()["errors.desk"] == Reading(2.0, 2, 0)
    second = InternalErrors(metrics, "desk")
    second.publish(3)
    assert metrics.read()["errors.desk"] == Reading(2.0, 3, 1)
    third = InternalErrors(metrics, "desk")  # the second was killed
    third.publish(4)
    assert metrics.read()["errors.desk"] == Reading(3.0, 4, 1)
    assert InternalErrors(metrics, "gateway").total == 0
