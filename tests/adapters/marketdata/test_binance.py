"""Binance's streams to the tape: sequence rules of each market, snapshots, and what cannot be read."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from adapters.marketdata.binance import BinanceReader, Terms
from adapters.marketdata.binance_captures import read_captures, terms_of
from domain.errors import ReferenceDataError
from domain.tape import Kind, Status

NS = 1_723_161_256_000_000_000
TERMS = {"BTC": Terms(100_000_000, 1_000_000)}  # a tick of 0.1, a lot of 0.001


def diff(first: int, last: int, before: int | None, bids: Any = (), asks: Any = (), symbol: str = "BTC") -> dict[str, Any]:
    data = {"e": "depthUpdate", "E": 5, "T": 4, "s": symbol, "U": first, "u": last, "b": list(bids), "a": list(asks)}
    return {"stream": "btc@depth", "data": data if before is None else data | {"pu": before}}


def snapshot(number: int, bids: Any = (("10.0", "1"),), asks: Any = (("10.2", "2"),)) -> dict[str, Any]:
    return {"lastUpdateId": number, "E": 5, "T": 4, "bids": list(bids), "asks": list(asks)}


def read(*messages: dict[str, Any]) -> BinanceReader:
    reader = BinanceReader(TERMS)
    for i, message in enumerate(messages):
        reader.line(f"{NS + i} {json.dumps(message)}")
    return reader


def said(reader: BinanceReader) -> list[tuple[int, int, int, int]]:
    """(kind, ticks, lots, side) of every record."""
    return [tuple(row) for row in reader.day().tape[["kind", "price_ticks", "size_lots", "side"]].tolist()]


WHOLE = [
    (Kind.CLEAR, 0, 0, 0),
    (Kind.LEVEL, 100, 1_000, 1),
    (Kind.LEVEL, 102, 2_000, -1),
    (Kind.STATUS, 0, Status.RESYNCED, 0),
]


def test_diffs_before_the_snapshot_wait_and_those_it_holds_are_passed_over() -> None:
    held = [diff(1, 5, 0, [["9.0", "1"]]), diff(6, 11, 5, [["9.1", "1"]]), diff(12, 14, 11, [["9.2", "1"]])]
    reader = read(*held, snapshot(10), diff(15, 16, 14, [["9.3", "1"]]))
    assert said(reader) == [*WHOLE, *((Kind.LEVEL, ticks, 1_000, 1) for ticks in (91, 92, 93))]
    assert reader.faults == {}
    assert reader.day().updates.tolist() == [[5, 11], [6, 14], [7, 16]]
    assert set(reader.day().tape["ts_recv_ns"][:6]) == {NS + 3}, "what waited became known with the snapshot"


def test_spot_numbers_are_consecutive() -> None:
    reader = read(diff(5, 10, None, [["9.0", "1"]]), snapshot(10), diff(11, 12, None, [["9.1", "1"]]), diff(14, 15, None))
    assert said(reader) == [*WHOLE, (Kind.LEVEL, 91, 1_000, 1), (Kind.STATUS, 0, Status.LOST, 0), (Kind.CLEAR, 0, 0, 0)]
    assert reader.faults == {"gap": (1, 4)}


@pytest.mark.parametrize("before", [9, 13], ids=["overlapping", "missing"])
def test_after_a_gap_nothing_is_displayed_until_the_next_snapshot(before: int) -> None:
    reader = read(
        snapshot(10), diff(11, 12, 10), diff(13, 14, before), diff(15, 16, 14), snapshot(14), diff(17, 18, 16, [["9.3", "1"]])
    )
    lost = [(Kind.STATUS, 0, Status.LOST, 0), (Kind.CLEAR, 0, 0, 0)]
    assert said(reader) == [*WHOLE, *lost, *WHOLE, (Kind.LEVEL, 93, 1_000, 1)]
    assert reader.faults == {"gap": (1, 3)}


def test_a_snapshot_older_than_what_waits_is_a_gap() -> None:
    reader = read(diff(20, 21, 19), snapshot(10))
    assert said(reader)[-2:] == [(Kind.STATUS, 0, Status.LOST, 0), (Kind.CLEAR, 0, 0, 0)]
    assert reader.faults == {"gap": (1, 2)}


def test_what_leaves_goes_before_what_comes() -> None:
    reader = read(snapshot(10), diff(11, 12, 10, [["10.2", "1"], ["10.0", "0"]], [["10.2", "0"], ["10.3", "1"]]))
    rows = said(reader)[4:]
    assert [row[2] for row in rows] == [0, 0, 1_000, 1_000]


def test_trades_name_the_resting_side() -> None:
    trade = {"e": "trade", "E": 6, "T": 5, "s": "BTC", "p": "10.1", "q": "0.5", "m": True}
    reader = read(trade, trade | {"m": False}, trade | {"q": "0"}, trade | {"p": "-1"}, trade | {"p": "10.15"})
    assert said(reader) == [(Kind.TRADE, 101, 500, 1), (Kind.TRADE, 101, 500, -1)]
    assert reader.faults == {"bad_number": (2, 3), "off_tick": (1, 5)}
    assert reader.day().tape["ts_event_ns"].tolist() == [5_000_000] * 2


def test_microseconds_are_told_by_their_magnitude() -> None:
    reader = BinanceReader(TERMS)
    reader.line(f"{NS // 1000} {json.dumps(snapshot(10))}")
    assert set(reader.day().tape["ts_recv_ns"]) == {NS}


MALFORMED = [
    '', 'x', '5 {}', f'{NS}', f'{NS} {{', f'{NS} []', f'{NS} 1', f'{NS}{"9" * 50} {{}}', f'{NS} {"[" * 100_000}',
    f'{NS} {{"data": 5}}', f'{NS} {{"e": "trade", "s": "BTC"}}', f'{NS} {{"lastUpdateId": "x"}}', f'{NS} {{"lastUpdateId": 11}}',
    f'{NS} {{"e": "depthUpdate", "s": "BTC", "U": 11, "u": 12, "pu": 10, "E": 5, "b": [5], "a": []}}',
]  # fmt: skip
BAD = {
    "malformed": MALFORMED,
    "unknown_symbol": [f"{NS} {json.dumps(diff(1, 2, 0, symbol='ETH'))}", f'{NS} {{"lastUpdateId": 5, "symbol": "ETH"}}'],
    "unknown_type": [f'{NS} {{"e": "kline", "s": "BTC"}}'],
}


@pytest.mark.parametrize(("kind", "line"), [(kind, line) for kind, lines in BAD.items() for line in lines])
def test_a_line_that_says_nothing_is_counted_and_passed_over(kind: str, line: str) -> None:
    reader = read(snapshot(10))
    reader.line(line)
    reader.line(f"{NS} {json.dumps(diff(11, 12, 10, [['9.1', '1']]))}")
    assert reader.faults == {kind: (1, 2)}
    assert said(reader) == [*WHOLE, (Kind.LEVEL, 91, 1_000, 1)]


@pytest.mark.parametrize("number", ["-1", "", ".", "1e5", "nan", "1" * 10, "0.0000000001", "٣", None, 5])
def test_a_level_whose_number_is_none_is_left_out(number: Any) -> None:
    reader = read(snapshot(10), diff(11, 12, 10, [[number, "1"], ["9.1", "1"]]))
    if isinstance(number, str):
        assert reader.faults == {"bad_number": (1, 2)}
        assert said(reader) == [*WHOLE, (Kind.LEVEL, 91, 1_000, 1)]
    else:
        assert reader.faults == {"malformed": (1, 2)}


def test_a_lost_connection_clears_every_symbol() -> None:
    reader = read(snapshot(10))
    reader.lost(NS + 5)
    reader.line(f"{NS + 6} {json.dumps(diff(11, 12, 10))}")
    assert said(reader) == [*WHOLE, (Kind.STATUS, 0, Status.DISCONNECTED, 0), (Kind.CLEAR, 0, 0, 0)]


def test_a_backward_clock_a_repeat_and_too_much_waiting_are_counted() -> None:
    reader = BinanceReader(TERMS, held_max=1)
    for number in (1, 2):
        reader.line(f"{NS} {json.dumps(diff(number, number, number - 1))}")
    reader.line(f"{NS - 1} {json.dumps(snapshot(2))}")
    for _ in range(2):
        reader.line(f"{NS} {json.dumps(diff(3, 3, 2))}")
    assert reader.faults == {"held_too_long": (1, 2), "backward_time": (1, 3), "repeated": (1, 5)}


def test_a_capture_cut_within_its_compression_is_read_to_there(tmp_path: Path) -> None:
    lines = [f"{NS + i} {json.dumps(message)}\n" for i, message in enumerate([snapshot(10), diff(11, 12, 10, [["9.1", "1"]])])]
    packed = gzip.compress("".join(lines * 300).encode())
    cut = tmp_path / "cut.jsonl.gz"
    cut.write_bytes(packed[: len(packed) - 20])
    day = read_captures([cut], TERMS)
    assert day.faults["truncated"][0] == 1 and len(day.tape) >= 5
    with pytest.raises(ReferenceDataError, match=r"none\.gz cannot be read"):
        read_captures([tmp_path / "none.gz"], TERMS)
    broken = tmp_path / "broken.gz"
    broken.write_bytes(packed[:10] + b"\xff" * 50)
    with pytest.raises(ReferenceDataError, match=r"broken\.gz cannot be read"):
        read_captures([broken], TERMS)


def test_ticks_and_lots_are_the_largest_that_fit(tmp_path: Path) -> None:
    path = tmp_path / "capture.jsonl"
    path.write_text(f"{NS} {json.dumps(diff(1, 2, 0, [['10.25', '0.004']], [['10.50', '0.010']]))}\nnot a line\n")
    assert terms_of([path]) == {"BTC": Terms(250_000_000, 2_000_000)}
