"""Bounds within which a version may take a place on its own: two people, how far, how often, until when."""

from __future__ import annotations

import pytest

from domain import model_update as mu
from domain.comparison import BETTER, DAY_NS, OPEN, WORSE, Comparison, Sums
from domain.model_update import Refused, Updating

OLD, NEW = "a" * 64, "b" * 64
HOUR_NS = 3_600 * 10**9


def proposed(**changed: object) -> mu.EnvelopeProposed | Refused:
    said = {"distance_max": 0.01, "per_day": 2, "until_ns": 100 * HOUR_NS, "person": "jane", "reason": "why", "at_ns": 1}
    return mu.propose("world-model", OLD, **said | changed)


def holding() -> Updating:
    one = proposed()
    assert isinstance(one, mu.EnvelopeProposed)
    two = mu.agree(mu.fold([one]), person="omar", reason="why", at_ns=2)
    assert isinstance(two, mu.EnvelopeAgreed)
    return mu.fold([one, two])


@pytest.mark.parametrize(
    "changed",
    [{"person": ""}, {"reason": " "}, {"distance_max": 0.0}, {"distance_max": float("nan")}, {"per_day": 0}, {"until_ns": 1}],
    ids=str,
)
def test_an_envelope_needs_a_person_a_reason_and_bounds(changed: dict[str, object]) -> None:
    assert isinstance(proposed(**changed), Refused)


def test_nobody_agrees_with_themselves_or_to_nothing() -> None:
    one = proposed()
    assert isinstance(one, mu.EnvelopeProposed)
    told = mu.agree(mu.fold([one]), person="jane", reason="why", at_ns=2)
    assert isinstance(told, Refused) and "second, different person" in told.text
    for state, at_ns in ((Updating(), 2), (holding(), 2), (mu.fold([one]), 101 * HOUR_NS)):
        assert isinstance(mu.agree(state, person="omar", reason="why", at_ns=at_ns), Refused)


def test_one_person_ends_it() -> None:
    ended = mu.revoke(holding(), person="omar", reason="why", at_ns=3)
    assert isinstance(ended, mu.EnvelopeRevoked)
    assert "no two people" in mu.outside(mu.evolve(holding(), ended), OLD, 0.0, 4)
    assert isinstance(mu.revoke(Updating(), person="omar", reason="why", at_ns=3), Refused)


def test_a_new_proposal_holds_nothing_until_it_is_agreed_to() -> None:
    again = proposed(distance_max=1.0)
    assert isinstance(again, mu.EnvelopeProposed)
    assert "no two people" in mu.outside(mu.evolve(holding(), again), OLD, 0.0, 4)


def test_inside_and_outside() -> None:
    state = holding()
    assert mu.outside(state, OLD, 0.01, 5) == ""
    assert "no two people" in mu.outside(Updating(), OLD, 0.0, 5)
    assert "ended" in mu.outside(state, OLD, 0.0, 100 * HOUR_NS)
    assert "away" in mu.outside(state, OLD, 0.011, 5)
    assert "away" in mu.outside(state, OLD, float("nan"), 5)
    taken = mu.TookPlace(digest=NEW, replaces=OLD, distance=0.0, persons=("jane", "omar"), low=1.0, sharpe_gain=1.0, at_ns=5)
    assert "watched" in mu.outside(mu.evolve(state, taken), NEW, 0.0, 6)
    assert mu.outside(mu.evolve(state, taken), OLD, 0.0, 6) == "", "people have given the place to another"
    twice = state._replace(taken_ns=(5, 6))
    assert "as many as" in mu.outside(twice, OLD, 0.0, 7)
    assert mu.outside(twice, OLD, 0.0, 6 + 24 * HOUR_NS) == ""


def test_a_comparison_grows_window_by_window_as_if_it_were_one() -> None:
    one, other = [0.1 * (n % 7) for n in range(80)], [0.1 * (n % 5) for n in range(80)]
    whole = Comparison().more(one, other, 2 * HOUR_NS)
    parts = Comparison().more(one[:33], other[:33], HOUR_NS).more(one[33:], other[33:], HOUR_NS)
    for name in ("gain", "one", "other"):
        assert getattr(parts, name) == pytest.approx(getattr(whole, name))
    assert parts.sharpe_gain == pytest.approx(whole.sharpe_gain)


def test_a_verdict_needs_an_interval_and_for_better_a_gain_that_matters() -> None:
    few = Comparison(gain=Sums(29, 1.0, 0.29), one=Sums(29, 2.0, 29.0), other=Sums(29, 1.0, 29.0), lasted_ns=DAY_NS)
    assert (few.interval, few.verdict) == (None, OPEN)
    names = ("gain", "one", "other")
    clear = few.model_copy(update={name: getattr(few, name)._replace(blocks=300, squares=300.0) for name in names})
    low, high = clear.interval or (0.0, 0.0)
    assert 0 < low < 1.0 < high
    assert (clear.verdict, clear.model_copy(update={"gain": clear.gain._replace(mean=-1.0)}).verdict) == (BETTER, WORSE)
    alike = clear.model_copy(update={"other": clear.one})
    assert (alike.sharpe_gain, alike.verdict) == (0.0, OPEN), "certain, but not worth it"
    assert Comparison().verdict == OPEN
