"""Seeded days on which every order waits for a trader: splits, merges and executions by telephone between all that goes wrong."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Sequence

import pytest

from domain.care_rules import CareRule, CareTerms
from tests.simulation.report import Report
from tests.simulation.simulation import simulate

SEEDS = int(os.environ.get("EMS_CARE_SEEDS", "16"))
FIRST_SEED = int(os.environ.get("EMS_CARE_FIRST_SEED", "1"))
CARE = CareTerms(rules=(CareRule(name="all"),))
TOPICS = ("staged", "handled", "allotted", "started")  # a member that leaves a merged order is met in more days


@pytest.fixture(scope="module")
def days() -> Sequence[Report]:
    return [simulate(seed, care=CARE) for seed in range(FIRST_SEED, FIRST_SEED + SEEDS)]


def test_every_invariant_holds_in_every_day(days: Sequence[Report]) -> None:
    assert len(days) == SEEDS
    assert sum(day.crashes for day in days) > SEEDS / 2


def test_every_event_of_care_is_met(days: Sequence[Report]) -> None:
    topics: Counter[str] = sum((day.topics for day in days), Counter())
    assert [name for name in TOPICS if not topics[f"parent_order.{name}.v1"]] == []


def test_a_seed_is_the_same_day_again() -> None:
    assert simulate(FIRST_SEED, care=CARE) == simulate(FIRST_SEED, care=CARE)
