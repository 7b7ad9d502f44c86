"""Real captures: the book of snapshot and diffs has the best bid and ask that the exchange's own ticker tells."""

from __future__ import annotations

import gzip
import json
from bisect import bisect_right
from heapq import heappop, heappush
from pathlib import Path

import pytest

from adapters.marketdata.binance import BinanceDay
from adapters.marketdata.binance_captures import read_captures, terms_of
from domain.tape import Kind, Status
from domain.values import to_e9

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "crypto_l2"
CAPTURES = {
    "usdm_btcusdt_20240808": 6_551,
    "spot_btcusdt_20240808": 3_451,
    "spot_ethusdt_20240808": 3_434,
    "coinm_btcusd_perp_20240808": 26_847,
    "usdm_btcusdt_20230404": 4_322,
    "usdm_btcusdt_20230405": 11_788,
}


def paths(name: str) -> list[Path]:
    """The capture, after the one that it continues."""
    names = ["usdm_btcusdt_20230404", name] if name.endswith("20230405") else [name]
    found = [DATA / f"binance_{one}.jsonl.gz" for one in names]
    for path in found:
        if not path.exists():
            pytest.skip(f"recorded market data is not here: {path.name}")
    return found


class Side:
    """One side of a book: its levels, and the best of them through a heap that forgets late."""

    def __init__(self, sign: int) -> None:
        self._sign = sign
        self._levels: dict[int, int] = {}
        self._heap: list[int] = []

    def set(self, ticks: int, lots: int) -> None:
        if lots:
            if ticks not in self._levels:
                heappush(self._heap, -self._sign * ticks)
            self._levels[ticks] = lots
        else:
            self._levels.pop(ticks, None)

    def best(self) -> int:
        while -self._sign * self._heap[0] not in self._levels:
            heappop(self._heap)
        return -self._sign * self._heap[0]


def bests(day: BinanceDay) -> dict[int, tuple[int, int]]:
    """Number of each diff -> best bid and ask in ticks after it."""
    sides, found, begin = {1: Side(1), -1: Side(-1)}, {}, 0
    kinds, ticks, lots, which = (day.tape[name].tolist() for name in ("kind", "price_ticks", "size_lots", "side"))
    for end, number in day.updates.tolist():
        for i in range(begin, end):
            if kinds[i] == Kind.CLEAR:
                sides = {1: Side(1), -1: Side(-1)}
            elif kinds[i] == Kind.LEVEL:
                sides[which[i]].set(ticks[i], lots[i])
        begin = end
        found[number] = sides[1].best(), sides[-1].best()
    return found


def tickers(path: Path, tick_size_e9: int) -> list[tuple[int, int, int]]:
    """(number, bid, ask) of every bookTicker of the file, in order of number."""
    found = []
    with gzip.open(path, "rt") as file:
        for line in file:
            data = json.loads(line.partition(" ")[2]).get("data", {})
            if "A" in data and "B" in data:
                found.append((data["u"], to_e9(data["b"]) // tick_size_e9, to_e9(data["a"]) // tick_size_e9))
    return sorted(found)


@pytest.mark.needs_data
@pytest.mark.slow
@pytest.mark.parametrize("name", CAPTURES)
def test_the_best_prices_are_those_of_the_exchanges_ticker(name: str) -> None:
    files = paths(name)
    day = read_captures(files)
    assert day.faults == {}, "no gap, nothing that cannot be read"
    (symbol,) = day.symbols
    told = tickers(files[-1], terms_of(files)[symbol].tick_size_e9)
    numbers = [number for number, _, _ in told]
    compared = equal = 0
    for number, best in bests(day).items():
        at = bisect_right(numbers, number) - 1
        if at >= 0:
            compared += 1
            equal += told[at][1:] == best
    print(f"{name}: {equal} of {compared} compared updates equal, {equal / compared:.2%}")
    assert compared >= 0.99 * CAPTURES[name]
    assert equal >= 0.995 * compared


@pytest.mark.needs_data
@pytest.mark.parametrize("name", ["usdm_btcusdt_20230404", "spot_ethusdt_20240808"])
def test_a_removed_line_is_a_gap(name: str, tmp_path: Path) -> None:
    lines = gzip.decompress(paths(name)[0].read_bytes()).splitlines(keepends=True)
    diffs = [i for i, line in enumerate(lines) if b"depthUpdate" in line]
    gone = diffs[len(diffs) // 2]
    cut = tmp_path / "cut.jsonl"
    cut.write_bytes(b"".join(lines[:gone] + lines[gone + 1 :]))
    day = read_captures([cut])
    following = diffs[len(diffs) // 2 + 1]
    assert day.faults == {"gap": (1, following)}, "the line after the removed one, counted from 1"
    last = day.tape[day.tape["kind"] != Kind.TRADE][-2:]
    assert last[["kind", "size_lots"]].tolist() == [(Kind.STATUS, Status.LOST), (Kind.CLEAR, 0)]
