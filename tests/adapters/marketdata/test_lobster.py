"""LOBSTER samples: with no order of ours, a book that applies the tape is the orderbook file, row by row."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.marketdata.lobster import LobsterDay, read_pair, read_zip
from domain.errors import ReferenceDataError
from domain.tape import FLAG_HALF_TICK, Kind
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "lobster"


def day(name: str) -> LobsterDay:
    path = DATA / f"LOBSTER_SampleFile_{name}.zip"
    if not path.exists():
        pytest.skip(f"recorded market data is not here: {path.name}")
    return read_zip(path)


@pytest.mark.needs_data
@pytest.mark.parametrize(
    ("name", "messages", "volume"),
    [("AMZN_2012-06-21_1", 57_515, 810_755), pytest.param("AMZN_2012-06-21_5", 155_935, 810_755, marks=pytest.mark.slow)],
)
def test_the_book_equals_the_orderbook_file_after_every_message(name: str, messages: int, volume: int) -> None:
    recorded = day(name)
    assert len(recorded.rows) == messages
    market, begin, levels = ContinuousMarket(RecordedFlow(recorded.tape)), 0, recorded.book.shape[1]
    shown = market.book.levels["qty"][0]
    for end, row in zip(recorded.rows.tolist(), recorded.book.tolist(), strict=True):
        assert market.apply(recorded.tape[begin:end]) == []
        begin = end
        top = market.top()
        assert [top.ask_ticks, top.ask_lots, top.bid_ticks, top.bid_lots] == row[0]
        for level in row[1:levels]:
            assert shown[1, level[0]] == level[1] and shown[0, level[2]] == level[3]
    assert set(market.counters().values()) == {0}
    assert market.top().volume_lots == volume


@pytest.mark.needs_data
def test_most_of_the_book_follows_from_the_messages_alone() -> None:
    recorded = day("AMZN_2012-06-21_5")
    assert recorded.corrections < 0.1 * len(recorded.rows)
    halves = recorded.tape[(recorded.tape["flags"] & FLAG_HALF_TICK) > 0]
    assert len(halves) == 63 and set(halves["kind"]) == {Kind.TRADE}


MESSAGES = b"""34200.017459617,5,0,1,2238250,-1
34200.18960767,1,11885113,21,2238100,1
34200.190226476,4,11885113,21,2238100,1
34200.5,7,0,0,-1,-1
34201.25,7,0,0,1,-1
"""
BOOK = b"""2239500,100,2231800,100
2239500,100,2238100,21
2239500,100,2231800,60
2239500,100,2231800,60
9999999999,0,2231800,60
"""


def test_a_small_file_by_hand() -> None:
    recorded = read_pair(MESSAGES, BOOK, "XYZ_2012-06-21_34200000_57600000_message_1.csv")
    got = recorded.tape[["kind", "side", "price_ticks", "size_lots"]].tolist()
    assert got == [
        (Kind.TRADE, -1, 22382, 1),
        (Kind.LEVEL, -1, 22395, 100),
        (Kind.LEVEL, 1, 22318, 100),
        (Kind.ADD, 1, 22381, 21),
        (Kind.EXECUTE, 1, 22381, 21),
        (Kind.LEVEL, 1, 22318, 60),
        (Kind.STATUS, 0, 0, 1),
        (Kind.STATUS, 0, 0, 0),
        (Kind.LEVEL, -1, 22395, 0),
    ]
    first = np.datetime64("2012-06-21T13:30:00.017459617", "ns").astype(np.int64)
    assert recorded.tape["ts_event_ns"][0] == first, "New York's half past nine, to the nanosecond"


@pytest.mark.parametrize(
    ("messages", "book", "name"),
    [
        (MESSAGES, BOOK.splitlines(keepends=True)[0], "XYZ_2012-06-21_message_1.csv"),
        (b"no,numbers\n", BOOK, "XYZ_2012-06-21_message_1.csv"),
        (MESSAGES, BOOK, "XYZ_message_1.csv"),
    ],
)
def test_what_does_not_parse_is_named(messages: bytes, book: bytes, name: str) -> None:
    with pytest.raises(ReferenceDataError, match="XYZ"):
        read_pair(messages, book, name)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("34200.1,8,1,21,2238100,1", "no such type"),
        ("34199.9,1,1,21,2238100,1", "a time before"),
        ("86400.0,1,1,21,2238100,1", "a time after the day"),
        ("34200.1,1,1,0,2238100,1", "no size"),
        ("34200.1,1,1,-5,2238100,1", "no size"),
        ("34200.1,1,1,21,-2238100,1", "no price or a negative one"),
        ("34200.1,1,-1,21,2238100,1", "a negative id"),
        ("34200.1,1,1,21,2238100,0", "neither buy nor sell"),
        ("34200.1,1,nan,21,2238100,1", "a number that is none"),
        ("34200.1,1,1e300,21,2238100,1", "a number that is none"),
    ],
)
def test_a_message_that_no_market_says_is_refused_by_its_row(row: str, says: str) -> None:
    first, *rest = MESSAGES.splitlines(keepends=True)
    messages = b"".join([first, f"{row}\n".encode(), *rest[1:]])
    with pytest.raises(ReferenceDataError, match=f"XYZ_2012-06-21 row 2: {says}"):
        read_pair(messages, BOOK, "XYZ_2012-06-21")


@pytest.mark.parametrize(("messages", "book"), [(b"", b""), (b"\n", BOOK), (MESSAGES, b" ")])
def test_an_empty_file_is_refused(messages: bytes, book: bytes) -> None:
    with pytest.raises(ReferenceDataError, match="is empty"):
        read_pair(messages, book, "XYZ_2012-06-21")


def test_a_missing_or_broken_zip_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.zip"
    broken.write_bytes(b"PK no")
    with pytest.raises(ReferenceDataError, match=r"broken\.zip"):
        read_zip(broken)
    with pytest.raises(ReferenceDataError, match=r"none\.zip"):
        read_zip(tmp_path / "none.zip")
