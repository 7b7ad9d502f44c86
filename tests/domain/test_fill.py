"""A fill: one execution under the venue's key, counted once; anything else under that key is quarantined."""

from __future__ import annotations

from typing import Any, Literal

import pytest

from domain import fill as fl
from domain.values import E9, Side, stream_id

STREAM = fl.key("VENUE", "2026-03-02", "E1")


def recorded(quantity_e9: int = 100 * E9) -> fl.Recorded:
    return fl.Recorded(
        venue_session="VENUE",
        trade_date="2026-03-02",
        exec_id="E1",
        cl_ord_id="C1",
        child=stream_id("test", "1"),
        parent=stream_id("test", "2"),
        instrument="ABC",
        side=Side.BUY,
        quantity_e9=quantity_e9,
        price_e9=10 * E9,
        venue_time_ns=5,
    )


def quarantined(quantity_e9: int, reason: Literal["conflict", "unknown_order"] = "conflict") -> fl.Quarantined:
    return fl.Quarantined(
        venue_session="VENUE",
        trade_date="2026-03-02",
        exec_id="E1",
        cl_ord_id="C1",
        quantity_e9=quantity_e9,
        price_e9=10 * E9,
        reason=reason,
        raw="35=8",
    )


def fold(*events: Any) -> fl.Fill:
    state: fl.Fill | None = None
    for event in events:
        state = fl.evolve(state, event, stream=STREAM, at_ns=1)
    assert state is not None
    return state


def test_the_key_is_session_date_and_exec_id() -> None:
    assert fl.key("VENUE", "2026-03-02", "E1") == STREAM
    others = {fl.key("OTHER", "2026-03-02", "E1"), fl.key("VENUE", "2026-03-03", "E1"), fl.key("VENUE", "2026-03-02", "E2")}
    assert len(others | {STREAM}) == 4


@pytest.mark.parametrize(
    ("events", "told", "seen"),
    [
        ((), ("C1", 100 * E9, 10 * E9), False),
        ((recorded(),), ("C1", 100 * E9, 10 * E9), True),
        ((recorded(),), ("C1", 200 * E9, 10 * E9), False),
        ((recorded(),), ("C2", 100 * E9, 10 * E9), False),
        ((recorded(),), ("C1", 100 * E9, 11 * E9), False),
        ((recorded(), quarantined(200 * E9)), ("C1", 200 * E9, 10 * E9), True),
        ((quarantined(0),), ("C1", 0, 10 * E9), True),
        ((quarantined(0),), ("C1", 100 * E9, 10 * E9), False),
    ],
)
def test_told_again_word_for_word(events: tuple[Any, ...], told: tuple[str, int, int], seen: bool) -> None:
    assert fl.seen(fold(*events) if events else None, *told) is seen


def test_a_conflict_changes_nothing_of_what_was_recorded() -> None:
    state = fold(recorded(), quarantined(200 * E9), quarantined(300 * E9))
    assert state.content == ("C1", 100 * E9, 10 * E9)
    assert state.version == 3
    assert [held.told.quantity_e9 for held in state.quarantined] == [200 * E9, 300 * E9]


def test_one_key_records_one_execution() -> None:
    with pytest.raises(AssertionError):
        fold(recorded(), recorded())
