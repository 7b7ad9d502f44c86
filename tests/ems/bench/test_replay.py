"""The replay bench tells the truth: as many events as it says, and a state that differs is a failure."""

from __future__ import annotations

import pytest

from ems.bench import replay
from ems.bench.made_day import MadeDay, events_of_working, events_per_parent
from ems.desk_state import DeskState


def test_a_made_day_has_the_events_that_its_parts_announce() -> None:
    state = DeskState()
    turns = list(MadeDay(finished=5, working=3).turns(state))
    assert sum(len(turn.entries) for turn in turns) == 5 * events_per_parent() + 3 * events_of_working() == state.seq
    assert len(state.working) == 3
    assert len(list(state.live_children())) == 3


@pytest.mark.slow
def test_a_small_run_folds_to_the_live_state() -> None:
    figures = replay.run(events=3_000, working=20)
    assert figures["events"] >= 3_000
    assert figures["digest_equal"] == 1
    assert (
        min(figures["events_per_s"], figures["verify_per_s"], figures["explain_ms"], figures["rss_mb"], figures["restart_s"]) > 0
    )
