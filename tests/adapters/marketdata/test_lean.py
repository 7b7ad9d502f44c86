"""Lean tick files: the inside follows the quotes, trades keep their volume."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from adapters.marketdata.lean import read_day
from domain.errors import ReferenceDataError
from domain.tape import FLAG_QUEUE, FLAG_UNCOVERED, Kind
from models.market.continuous import ContinuousMarket
from models.market.flow import RecordedFlow

DATA = Path(__file__).resolve().parents[3] / ".." / "shared" / "data" / "equity_ticks"


def write(path: Path, text: str) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("ticks.csv", text)
    return path


def test_quotes_and_trades_by_hand(tmp_path: Path) -> None:
    quotes = """34190000,100000,100,0,0,P,1,0
34200000,0,0,100200,200,P,1,0
34200001,99900,300,0,0,P,1,0
34200002,100200,50,0,0,Q,1,0
34200003,0,0,100300,70,Q,1,0
34200004,0,0,100500,70,Q,1,1
34200006,100200,50,0,0,Q,1,0
"""
    trades = """34200001,100000,40,P,20,0
34200003,100250,10,P,20,0
34200003,100200,10,P,20,1
34200004,100300,25,D,20,0
34200005,100300,70,Q,20,0
57600000,100250,10,P,20,0
"""
    tape = read_day(write(tmp_path / "20131007_quote.zip", quotes), write(tmp_path / "20131007_trade.zip", trades))
    assert tape[["kind", "side", "price_ticks", "size_lots", "flags"]].tolist() == [
        (Kind.LEVEL, 1, 1000, 100, 0),  # stood before the open
        (Kind.LEVEL, -1, 1002, 200, 0),
        (Kind.TRADE, 1, 1000, 40, FLAG_QUEUE),  # a print and the quote that tells its effect
        (Kind.LEVEL, 1, 1000, 0, 0),
        (Kind.LEVEL, 1, 999, 300, FLAG_UNCOVERED),
        (Kind.LEVEL, -1, 1002, 0, 0),  # locked: only the side that spoke last is displayed
        (Kind.LEVEL, 1, 999, 0, 0),
        (Kind.LEVEL, 1, 1002, 50, 0),
        (Kind.TRADE, 0, 1002, 10, 1),
        (Kind.LEVEL, -1, 1003, 70, 0),
        (Kind.TRADE, 0, 1003, 25, 0),  # off exchange: volume only
        (Kind.TRADE, -1, 1003, 70, FLAG_QUEUE),
        (Kind.LEVEL, -1, 1003, 70, 0),  # the quote still stands
    ]


@pytest.mark.needs_data
def test_a_real_day_is_never_crossed_and_keeps_its_volume() -> None:
    quotes, trades = DATA / "ibm" / "20131008_quote.zip", DATA / "ibm" / "20131008_trade.zip"
    if not quotes.exists():
        pytest.skip("recorded market data is not here: equity_ticks/ibm")
    tape = read_day(quotes, trades)
    market = ContinuousMarket(RecordedFlow(tape))
    both = 0
    for second in range(23_400):
        market.advance(int(tape["ts_event_ns"][0]) + second * 10**9)
        top = market.top()
        if top.bid_lots and top.ask_lots:
            both += 1
            assert top.bid_ticks < top.ask_ticks
    assert both > 0.97 * 23_400, "both sides are there but for locked moments"
    market.advance(int(tape["ts_event_ns"][-1]))
    assert market.top().volume_lots == int(tape["size_lots"][tape["kind"] == Kind.TRADE].sum())
    assert market.counters()["unknown"] == 0


def test_two_days_do_not_belong_together(tmp_path: Path) -> None:
    with pytest.raises(ReferenceDataError, match="different days"):
        read_day(tmp_path / "20131007_quote.zip", tmp_path / "20131008_trade.zip")


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ("34200000,-1,100,0,0,P,1,0", "a negative number"),
        ("34200000,100000,-100,0,0,P,1,0", "a negative number"),
        ("86400000,100000,100,0,0,P,1,0", "a time after the day"),
        ("34189999,100000,100,0,0,P,1,0", "a time before the row above"),
        ("34200000,9223372036854775807,100,0,0,P,1,0", "a number beyond"),
    ],
)
def test_a_quote_that_no_market_says_is_refused_by_its_row(tmp_path: Path, row: str, says: str) -> None:
    quotes = write(tmp_path / "20131007_quote.zip", f"34190000,100000,100,0,0,P,1,0\n{row}\n")
    trades = write(tmp_path / "20131007_trade.zip", "")
    with pytest.raises(ReferenceDataError, match=rf"20131007_quote\.zip row 2: {says}"):
        read_day(quotes, trades)
