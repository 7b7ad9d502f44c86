"""The quality report counts what is wrong with a tape, and nothing else."""

from __future__ import annotations

from domain.tape import EVERY_INSTRUMENT, FLAG_ALL, FLAG_AT_PRICE, FLAG_BY_LEVEL, FLAG_QUEUE, FLAG_REPLACED, Kind, Status, tape_of
from models.tape_quality import Quality

Row = tuple[int, int, int, int, int, int, Kind, int]  # time, id, ticks, lots, instrument, flags, kind, side
INSIDE: list[Row] = [(1, 1, 100, 10, 0, 0, Kind.ADD, 1), (2, 2, 102, 10, 0, 0, Kind.ADD, -1)]


def report(*rows: Row) -> dict[str, int | float]:
    quality = Quality()
    quality.tell(tape_of([(row[0], row[0], *row[1:6], int(row[6]), row[7]) for row in rows]))
    return quality.report()


def wrong(*rows: Row) -> dict[str, int | float]:
    """What is not zero, but for what every tape has."""
    fine = ("records", "instruments", "prints", "prints_judged")
    return {name: value for name, value in report(*rows).items() if value and name not in fine}


def test_nothing_is_wrong_with_a_good_tape() -> None:
    good: list[Row] = [
        *INSIDE,
        (3, 1, 100, 4, 0, 0, Kind.EXECUTE, 1),
        (3, 1, 0, 0, 0, FLAG_ALL | FLAG_REPLACED, Kind.CANCEL, 0),
        (3, 3, 101, 5, 0, 0, Kind.ADD, 0),
        (4, 0, 101, 5, 0, 0, Kind.TRADE, 1),
        (5, 3, 100, 5, 0, 0, Kind.MODIFY, 0),
        (6, 0, 99, 7, 0, 0, Kind.LEVEL, 1),
        (7, 9, 99, 7, 0, FLAG_BY_LEVEL, Kind.CANCEL, 1),
        (8, 2, 0, 0, 0, FLAG_ALL, Kind.CANCEL, 0),
    ]
    assert wrong(*good) == {}
    assert report(*good)["prints"] == 2


def test_lost_messages_and_backward_clocks_are_counted() -> None:
    assert wrong((5, 7, 0, Status.LOST, EVERY_INSTRUMENT, 0, Kind.STATUS, 0), (4, 0, 0, 0, 0, 0, Kind.CLEAR, 0)) == {
        "gaps": 1, "lost": 7, "backward_event": 1, "backward_receive": 1,
    }  # fmt: skip


def test_crossed_and_locked_books_are_shares_of_two_sided_ones() -> None:
    found = report(*INSIDE, (3, 3, 102, 5, 0, 0, Kind.ADD, 1), (4, 4, 101, 5, 0, 0, Kind.ADD, -1))
    assert (found["locked"], found["crossed"]) == (1, 1)
    assert found["locked_share"] == found["crossed_share"] == 1 / 3


def test_prints_outside_the_spread_are_judged_by_the_book_before_them() -> None:
    found = report(
        *INSIDE,
        (3, 0, 103, 1, 0, 0, Kind.TRADE, 0),
        (4, 2, 102, 10, 0, 0, Kind.EXECUTE, -1),
        (5, 5, 102, 10, 0, 0, Kind.ADD, -1),
        (6, 5, 99, 1, 0, FLAG_AT_PRICE, Kind.EXECUTE, -1),
    )
    assert (found["prints_judged"], found["prints_outside"]) == (3, 2)


def test_a_print_that_ate_its_queue_leaves_the_level_without_it() -> None:
    levels: list[Row] = [(1, 0, 100, 10, 0, 0, Kind.LEVEL, 1), (2, 0, 101, 10, 0, 0, Kind.LEVEL, -1)]
    eaten: Row = (3, 0, 101, 10, 0, FLAG_QUEUE, Kind.TRADE, -1)
    assert wrong(*levels, eaten, (4, 0, 101, 5, 0, 0, Kind.LEVEL, 1)) == {}
    assert "locked" in wrong(*levels, (4, 0, 101, 5, 0, 0, Kind.LEVEL, 1))


def test_orders_that_are_not_there_and_negative_prices_are_counted() -> None:
    rows: list[Row] = [
        *INSIDE,
        (3, 9, 100, 1, 0, 0, Kind.CANCEL, 1),
        (4, 1, 100, 11, 0, 0, Kind.EXECUTE, 1),
        (5, 2, 99, 1, 0, 0, Kind.ADD, 1),
        (6, 8, 0, 1, 0, 0, Kind.MODIFY, 0),
        (7, 7, -1, 1, 0, 0, Kind.ADD, 1),
    ]
    assert wrong(*rows) == {"unfitting": 4, "negative_price": 1}


def test_a_clear_of_every_instrument_empties_them_all() -> None:
    other: Row = (3, 1, 50, 10, 1, 0, Kind.ADD, 1)
    clear: Row = (4, 0, 0, 0, EVERY_INSTRUMENT, 0, Kind.CLEAR, 0)
    again: list[Row] = [(5, 1, 100, 10, 0, 0, Kind.ADD, -1), (6, 1, 50, 10, 1, 0, Kind.ADD, -1)]
    assert wrong(*INSIDE, other, clear, *again) == {}
    assert report(*INSIDE, other)["instruments"] == 2
