"""A real day: the book that follows the messages is LOBSTER's own order book file, in every cell that the messages determine.

A message file of n levels says only what happened at the n best prices. What the messages determine is decided here, from the
two files alone and before any book is made. A side's sight after message i reaches to its worst price in row i. A price that
was in sight after message i - 1 and still is after message i, is determined: what happened there is message i or nothing. A
price that comes into sight with message i is not: whatever happened before was out of sight. The book is told those prices
once, empty ones as empty, as it is told the first row; everything else it must know by itself, in every row and cell.
"""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from numpy.typing import NDArray

from domain.tape import FLAG_BY_LEVEL, FLAG_UNCOVERED, TAPE, Kind, Tape
from models.market import layout as at
from models.market.follow import apply
from models.market.layout import make_book

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "lobster"
KINDS = {1: Kind.ADD, 2: Kind.CANCEL, 3: Kind.CANCEL, 4: Kind.EXECUTE, 5: Kind.TRADE}
I64 = NDArray[np.int64]


class Day(NamedTuple):
    """messages: (n, 5) kind, id, size, price, direction. book: (n, levels, 4) bid price and size, ask price and size. Cents."""

    messages: I64
    book: I64


class Oracle(NamedTuple):
    """told: rows of the tape that tell what came into sight, and the message after which; cells (n, levels, 2) by side."""

    told: Tape
    after: I64
    uncovered: NDArray[np.bool_]  # came into sight with this very message
    standing: NDArray[np.bool_]  # came into sight once, and has stayed there since


def read(name: str) -> Day:
    """The two files of a sample, by numpy alone. Both samples quote in whole cents, and neither has an empty side."""
    path = DATA / f"LOBSTER_SampleFile_{name}.zip"
    if not path.exists():
        pytest.skip(f"recorded market data is not here: {path.name}")
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        texts = [archive.read(next(n for n in names if f"_{kind}_" in n)) for kind in ("message", "orderbook")]
    messages = np.loadtxt(io.BytesIO(texts[0]), delimiter=",", usecols=range(1, 6)).astype(np.int64)
    book = np.loadtxt(io.BytesIO(texts[1]), delimiter=",", dtype=np.int64).reshape(len(messages), -1, 4)[:, :, [2, 3, 0, 1]]
    assert not (messages[messages[:, 0] < 5, 3] % 100).any() and (np.abs(book) < 9_999_999_999).all()
    messages[:, 3] //= 100
    book[:, :, [0, 2]] //= 100
    return Day(messages, book)


def oracle(day: Day) -> Oracle:
    """What each message determines. Reads the files; knows no book."""
    rows: list[tuple[int, ...]] = []
    after: list[int] = []
    shape = (len(day.book), day.book.shape[1], 2)
    uncovered, standing = np.zeros(shape, np.bool_), np.zeros(shape, np.bool_)
    for side, sign in ((0, 1), (1, -1)):
        prices, sizes = day.book[:, :, 2 * side], day.book[:, :, 2 * side + 1]
        sight = prices[:, -1]
        before = np.concatenate([[prices[0, 0] + sign], sight[:-1]])  # of the first row nothing was in sight
        uncovered[:, :, side] = (before[:, None] - prices) * sign > 0
        for i in np.flatnonzero((before - sight) * sign > 0).tolist():
            shown = dict(zip(prices[i].tolist(), sizes[i].tolist(), strict=True))
            for price in range(int(before[i]) - sign, int(sight[i]) - sign, -sign):
                rows.append((0, 0, 0, price, shown.get(price, 0), 0, FLAG_UNCOVERED, Kind.LEVEL, sign))
                after.append(i)
        since: set[int] = set()
        for i, (row, new) in enumerate(zip(prices.tolist(), uncovered[:, :, side].tolist(), strict=True)):
            since = {price for price, fresh in zip(row, new, strict=True) if fresh or price in since}
            standing[i, :, side] = [price in since for price in row]
    order = np.argsort(np.array(after), kind="stable")
    return Oracle(np.array(rows, TAPE)[order], np.array(after)[order], uncovered, standing)


def tape_of_day(day: Day, seen: Oracle) -> tuple[Tape, I64]:
    """Messages, each followed by what came into sight with it; and for each message the rows up to and with that."""
    n = len(day.messages)
    own = np.zeros(n, TAPE)
    kind = day.messages[:, 0]
    own["kind"] = np.vectorize(KINDS.get)(kind)
    own["order_id"], own["size_lots"] = np.where(kind == 5, 0, day.messages[:, 1]), day.messages[:, 2]
    own["price_ticks"], own["side"] = day.messages[:, 3], day.messages[:, 4]
    own["flags"] = np.where((kind > 1) & (kind < 5), FLAG_BY_LEVEL, 0)
    at_message = np.concatenate([np.arange(n), seen.after])
    order = np.argsort(at_message, kind="stable")
    return np.concatenate([own, seen.told])[order], np.searchsorted(at_message[order], np.arange(n), side="right")


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "rows", "levels"),
    [
        ("AMZN_2012-06-21_5", 155_935, 5),
        ("AMZN_2012-06-21_1", 57_515, 1),
        ("AAPL_2012-06-21_1", 118_497, 1),
    ],
)
def test_every_cell_that_the_messages_determine_is_the_order_book_files(name: str, rows: int, levels: int) -> None:
    day = read(name)
    assert day.book.shape == (rows, levels, 4)
    seen = oracle(day)
    tape, ends = tape_of_day(day, seen)
    b, begin = make_book(None, 1 << 13, 1 << 16), 0
    shown = b.ten[0, :levels]
    got = np.zeros_like(day.book)
    for i, end in enumerate(ends.tolist()):
        apply(b, tape, begin, end)
        begin = end
        got[i] = shown
    wrong = got != day.book
    assert not wrong.any(), f"{int(wrong.sum())} cells differ, the first after message {int(np.argwhere(wrong)[0, 0])}"
    unknown = {name_: int(b.meta[0, place]) for name_, place in (("unknown", at.N_UNKNOWN), ("crossed", at.N_CROSSED))}
    assert unknown == {"unknown": 0, "crossed": 0} and b.meta[0, at.N_OUTSIDE] == b.meta[0, at.N_OVERFLOW] == 0
    told, stands = float(seen.uncovered.mean()), float(seen.standing.mean())
    assert told < 0.2, "the messages determine nearly all"
    print(
        f"\n{name}: {day.book.size:,} cells equal; undetermined: {told:.2%} came into sight with their message,"
        f" {stands:.2%} stand on a level that once did"
    )


def test_the_oracle_by_hand() -> None:
    book = np.array(
        [
            [[100, 5, 102, 5], [99, 5, 104, 5]],
            [[101, 1, 102, 5], [100, 5, 104, 5]],  # 99 goes out of sight
            [[100, 5, 102, 5], [97, 3, 104, 5]],  # 101 is gone: 97 comes into sight, and 99 is empty by now
            [[100, 5, 102, 5], [98, 2, 104, 5]],  # a new price between them: it was in sight, and empty
        ],
        np.int64,
    )
    seen = oracle(Day(np.zeros((4, 5), np.int64), book))
    assert seen.uncovered[:, :, 0].tolist() == [[True, True], [False, False], [False, True], [False, False]]
    assert seen.standing[:, :, 0].tolist() == [[True, True], [False, True], [True, True], [True, False]]
    assert not seen.uncovered[1:, :, 1].any() and seen.standing[:, :, 1].all()
    later = seen.told[seen.after == 2]
    assert later[["price_ticks", "size_lots", "side"]].tolist() == [(99, 0, 1), (98, 0, 1), (97, 3, 1)]
