"""Verdicts as columns: read back one by one, and from the version of the event that held them so."""

from __future__ import annotations

from pathlib import Path

import pytest

from domain.catalogue import TOPICS
from domain.errors import LogError
from domain.event import Meta
from domain.risk import Check, Outcome
from domain.risk_binding import SETTLED
from domain.risk_checks import JUDGES
from domain.risk_verdicts import Checked, CheckedV1, Term, term_of
from domain.risk_windows import Window
from domain.stored import Decoder, encode_states
from domain.values import stream_id

SAMPLE = Path(__file__).resolve().parents[1] / "golden" / "risk.checked.v1.json"


def test_an_earlier_versions_verdicts_are_the_same_one_by_one() -> None:
    earlier = CheckedV1.model_validate_json(SAMPLE.read_text("utf-8"))
    assert earlier.upcast().verdicts == earlier.verdicts


def test_a_log_of_the_earlier_version_is_read_as_todays() -> None:
    earlier = CheckedV1.model_validate_json(SAMPLE.read_text("utf-8"))
    meta = Meta(event_time_ns=1, actor="system:desk", correlation=stream_id("a"), causation="test", build="test")
    (state,) = encode_states(meta, (earlier,))
    event, _ = Decoder(TOPICS).decode(CheckedV1.TOPIC, state)
    assert type(event) is Checked
    assert event == earlier.upcast()


@pytest.mark.parametrize("scope", ["firm", "account:FUND 7", "trader:", "client:a\nb "])
def test_a_term_is_read_back_whatever_its_scope_is_called(scope: str) -> None:
    term = Term(Check.MESSAGE_RATE, 7, 60, scope)
    assert term_of(term.text) == term


@pytest.mark.parametrize("text", ["", "lot 1 0", "no_such_check 1 0 firm", "lot one 0 firm"])
def test_what_is_no_term_is_named(text: str) -> None:
    with pytest.raises(LogError, match="says no check"):
        term_of(text)


def test_a_verdict_that_did_not_pass_keeps_its_outcome_and_its_words() -> None:
    checked = CheckedV1.model_validate_json(SAMPLE.read_text("utf-8")).upcast()
    *_, soft, missing = checked.verdicts
    assert (soft.outcome, soft.observed, soft.limit) == (Outcome.SOFT, 1_100_000_000_000, 1_000_000_000_000)
    assert (missing.outcome, missing.data) == (Outcome.MISSING, "no average daily volume")


def test_limits_that_look_back_differently_far_share_a_window() -> None:
    window = Window()
    for at_ns in (10, 20, 30):
        window.add(at_ns, at_ns, 100)
    window.add(40, 40, 15)  # a shorter look back forgets nothing that a longer one still sees
    assert (window.total(40, 15), window.total(40, 100)) == (70, 100)
    assert (window.first(40, 15), window.first(40, 100)) == (30, 10)
    assert (window.total(111, 100), window.first(111, 100)) == (90, 20)
    assert (window.total(1000, 100), window.first(1000, 100), window.first(1000, 15)) == (0, None, None)


def test_what_is_settled_for_a_kind_of_order_looks_at_nothing_that_an_order_or_the_market_may_change() -> None:
    for check in SETTLED:
        looks = {"quantity_e9", "limit_price_e9", "open_e9", "market", "kind", "totals", "model", "time_in_force"}
        assert not looks & set(JUDGES[check].__code__.co_names), check
