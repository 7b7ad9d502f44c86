"""Which builds may be mixed: none without two people's word, and not longer than they said."""

from __future__ import annotations

import pytest

from domain.builds import HOURS_MAX, NOTHING, BuildApproved, approve, fold, refusal
from domain.kill_refusal import KillReason, KillRefusal

HOUR_NS = 3_600 * 10**9
OLD, NEW = "aaaaaaaaaaaaaaaa", "bbbbbbbbbbbbbbbb"


def said(person: str, digest: str = NEW, *, at_ns: int = 0, hours: int = 1) -> BuildApproved:
    return BuildApproved(digest=digest, person=person, reason="why", at_ns=at_ns, until_ns=at_ns + hours * HOUR_NS)


@pytest.mark.parametrize(
    ("beside", "approved", "opens"),
    [
        ({}, (), True),  # alone: a sequential upgrade
        ({"desk/1": NEW}, (), True),
        ({"desk/1": OLD}, (), False),
        ({"desk/1": OLD}, (NEW,), True),
        ({"desk/1": OLD}, (OLD,), False),  # the word is for who opens, or a stale build could
        ({"desk/1": NEW, "desk/2": OLD}, (), False),
    ],
)
def test_a_build_opens_alone_beside_its_like_or_approved(beside: dict[str, str], approved: tuple[str, ...], opens: bool) -> None:
    why = refusal(NEW, beside, approved)
    assert (why == "") is opens
    if why:
        assert NEW in why and OLD in why, "both are named"


def test_two_different_people_approve_and_for_a_while() -> None:
    assert fold([said("jane")]).approved(1) == frozenset()
    assert fold([said("jane"), said("jane")]).approved(1) == frozenset()
    both = fold([said("jane"), said("omar", hours=2)])
    assert both.approved(HOUR_NS - 1) == {NEW}
    assert both.approved(HOUR_NS) == frozenset()
    assert fold([said("jane"), said("omar", OLD)]).approved(1) == frozenset()


@pytest.mark.parametrize(
    ("person", "reason", "hours", "wanted"),
    [
        ("omar", "why", 1, None), ("omar", " ", 1, KillReason.REASON_MISSING), ("omar", "why", 0, KillReason.REASON_MISSING),
        ("omar", "why", HOURS_MAX + 1, KillReason.REASON_MISSING), ("jane", "why", 1, KillReason.SECOND_PERSON_NEEDED),
    ],
)  # fmt: skip
def test_what_is_refused(person: str, reason: str, hours: int, wanted: KillReason | None) -> None:
    decided = approve(fold([said("jane")]), NEW, person=person, reason=reason, hours=hours, at_ns=5)
    assert (decided.reason if isinstance(decided, KillRefusal) else None) is wanted
    if isinstance(decided, BuildApproved):
        assert (decided.until_ns, decided.person, decided.digest) == (5 + hours * HOUR_NS, person, NEW)


def test_the_first_word_is_taken_from_nothing_and_after_it_has_ended() -> None:
    assert isinstance(approve(NOTHING, NEW, person="jane", reason="why", hours=1, at_ns=0), BuildApproved)
    ended = approve(fold([said("jane")]), NEW, person="jane", reason="why", hours=1, at_ns=HOUR_NS)
    assert isinstance(ended, BuildApproved)
