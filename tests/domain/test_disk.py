"""Room on the disks: warned of, stopped at, and more of it needed to go on than it took to stop."""

from __future__ import annotations

import pytest

from domain.disk import MB, DiskTerms, DiskWord, Room, judge

TERMS = DiskTerms(warn_bytes=1_000 * MB, stop_bytes=100 * MB)


@pytest.mark.parametrize(
    ("free_mb", "stopped", "stops", "warns"),
    [(1_000, False, False, False), (999, False, False, True), (100, False, False, True), (99, False, True, False),
     (124, True, True, False), (125, True, False, True)],
)  # fmt: skip
def test_thresholds(free_mb: int, *, stopped: bool, stops: bool, warns: bool) -> None:
    word = judge([Room("/a", free_mb * MB)], TERMS, stopped=stopped)
    assert (bool(word.stops), bool(word.warns)) == (stops, warns)


def test_each_volume_is_named_and_one_that_does_not_answer_stops() -> None:
    word = judge([Room("/a", 50 * MB), Room("/b", 500 * MB), Room("/c", None)], TERMS)
    assert word.stops == "the volume of /a has 50 MB left, 100 are wanted; the volume of /c does not answer"
    assert word.warns == "the volume of /b has 500 MB left, below 1000"


def test_no_volume_says_nothing() -> None:
    assert judge([], TERMS) == DiskWord()
