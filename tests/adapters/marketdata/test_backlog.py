"""A burst beyond capacity: what is displayed at the end is the same, or the loss is told."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from adapters.marketdata.backlog import Backlog
from domain.tape import EVERY_INSTRUMENT, Kind, Status, Tape, tape_of

Step = tuple[int, int, int, int, int]  # kind, instrument, side, ticks, lots


def tape(*steps: Step) -> Tape:
    return tape_of([(i, i, 0, ticks, lots, k, 0, kind, side) for i, (kind, k, side, ticks, lots) in enumerate(steps, start=1)])


def displayed(records: Tape) -> dict[tuple[int, int, int], int]:
    found: dict[tuple[int, int, int], int] = {}
    for row in records:
        k = int(row["instrument"])
        if row["kind"] == Kind.LEVEL:
            found[k, int(row["side"]), int(row["price_ticks"])] = int(row["size_lots"])
        elif row["kind"] == Kind.CLEAR:
            found = {at: lots for at, lots in found.items() if k not in (at[0], EVERY_INSTRUMENT)}
    return {at: lots for at, lots in found.items() if lots}


LEVEL = st.tuples(st.just(Kind.LEVEL), st.integers(0, 2), st.sampled_from([-1, 1]), st.integers(1, 3), st.integers(0, 9))
CLEAR = st.tuples(st.just(Kind.CLEAR), st.sampled_from([0, 1, EVERY_INSTRUMENT]), st.just(0), st.just(0), st.just(0))
TRADE = st.tuples(st.just(Kind.TRADE), st.integers(0, 2), st.just(0), st.integers(1, 3), st.integers(1, 9))
STEPS = st.lists(st.one_of(LEVEL, LEVEL, LEVEL, CLEAR, TRADE), max_size=80)


@given(STEPS, st.integers(2, 60), st.integers(1, 20))
def test_what_is_displayed_in_the_end_is_the_same_or_the_loss_is_told(steps: list[Step], capacity: int, piece: int) -> None:
    whole, backlog, kept = tape(*steps), Backlog(capacity), True
    for at in range(0, len(whole), piece):
        kept &= backlog.offer(whole[at : at + piece])
    assert backlog.waiting <= max(capacity, 2)
    found = backlog.take()
    said = found[(found["kind"] == Kind.STATUS) & np.isin(found["size_lots"], [Status.CONFLATED, Status.LOST])]
    assert int(said["order_id"].sum()) == backlog.conflated + backlog.lost, "whatever went is told, once"
    if kept:
        assert displayed(found) == displayed(whole)
        trades = [records[records["kind"] == Kind.TRADE].tolist() for records in (found, whole)]
        assert trades[0] == trades[1], "no trade ever goes"
        told = found[(found["kind"] == Kind.STATUS) & (found["size_lots"] == Status.CONFLATED)]
        assert len(found) - len(told) + int(told["order_id"].sum()) >= len(whole)
        assert int(told["order_id"].sum()) == backlog.conflated
        assert backlog.lost == 0
    else:
        assert backlog.lost > 0


def test_within_capacity_nothing_changes_and_the_most_is_measured() -> None:
    backlog, steps = Backlog(3), [(Kind.LEVEL, 0, 1, 5, lots) for lots in (1, 2, 3)]
    assert backlog.offer(tape(*steps)) and backlog.take().tolist() == tape(*steps).tolist()
    assert (backlog.most, backlog.conflated, backlog.lost, backlog.waiting, len(backlog.take())) == (3, 0, 0, 0, 0)


def test_a_burst_of_one_level_is_its_last_and_says_how_many_went() -> None:
    backlog = Backlog(3)
    assert backlog.offer(tape(*[(Kind.LEVEL, 0, 1, 5, lots) for lots in range(1, 11)]))
    assert backlog.take()[["kind", "order_id", "size_lots", "instrument"]].tolist() == [
        (Kind.STATUS, 9, Status.CONFLATED, EVERY_INSTRUMENT), (Kind.LEVEL, 0, 10, 0),
    ]  # fmt: skip
    assert (backlog.most, backlog.conflated) == (10, 9)


def test_orders_cannot_be_merged_so_their_loss_is_told_and_everything_cleared() -> None:
    backlog = Backlog(3)
    assert not backlog.offer(tape(*[(Kind.ADD, 0, 1, 5, 1)] * 4))
    assert backlog.take()[["kind", "order_id", "size_lots", "instrument"]].tolist() == [
        (Kind.STATUS, 4, Status.LOST, EVERY_INSTRUMENT), (Kind.CLEAR, 0, 0, EVERY_INSTRUMENT),
    ]  # fmt: skip
    assert backlog.lost == 4


def test_what_was_conflated_before_a_loss_is_told_with_it() -> None:
    backlog = Backlog(3)
    assert backlog.offer(tape(*[(Kind.LEVEL, 0, 1, 5, lots) for lots in range(1, 11)]))
    assert not backlog.offer(tape(*[(Kind.ADD, 0, 1, 5, 1)] * 4))
    assert backlog.take()["order_id"].tolist() == [14, 0] and (backlog.conflated, backlog.lost) == (9, 5)
