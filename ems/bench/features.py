"""`ems bench features`: what each feature, and all of them with the book vector, take per record of a real day.

Every call is timed by itself inside compiled code with the system's monotonic clock; the median of an empty timing is taken
off, and printed. The features of trades are timed at trades alone, so that their figure is of the records at which they work.
A figure is the lowest of three runs' percentiles, which leaves out what else the machine did.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from adapters.marketdata.lobster import read_zip
from domain.tape import TAPE, Kind, Tape
from ems.bench.output import emit
from models import feature_arrays as fa
from models import features as ft
from models.compiled import hot
from models.feature_arrays import Features, make_features
from models.hot_clock import clock_cost_ns, now_ns
from models.market.book import vector
from models.market.follow import apply_one
from models.market.layout import Book, make_book

I64 = NDArray[np.int64]
SAMPLE: Final = (
    Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "lobster" / "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"
)
RUNS: Final = 3
BUCKET_LOTS: Final = 16_215  # a fiftieth of the sample day's volume


@hot
def _all(f: Features, b: Book, tape: Tape, out: I64, inputs: I64, ns: I64) -> None:
    """A day: ns[0] of the features and the vector, ns[1] with the book before them. inputs: top and prints, for the others."""
    for i in range(tape.size):
        before = now_ns()
        apply_one(b, tape, i)
        began = now_ns()
        ft.update(f, b, tape, i)
        vector(b, 0, out)
        ended = now_ns()
        ns[0, i] = ended - began
        ns[1, i] = ended - before
        for column in range(4):
            inputs[i, column] = b.ten[0, 0, column]


@hot
def _order_flow(f: Features, inputs: I64, ns: I64) -> None:
    s = f.ints[0]
    for i in range(ns.size):
        began = now_ns()
        ft.order_flow(f, 0, inputs[i, 0], inputs[i, 1], inputs[i, 2], inputs[i, 3])
        ns[i] = now_ns() - began
        for column in range(4):
            s[column] = inputs[i, column]


@hot
def _queue(f: Features, inputs: I64, ns: I64) -> None:
    for i in range(ns.size):
        began = now_ns()
        ft.queue_imbalance(f, 0, inputs[i, 1], inputs[i, 3])
        ns[i] = now_ns() - began


@hot
def _spread(f: Features, inputs: I64, ns: I64) -> None:
    s = f.ints[0]
    for i in range(ns.size):
        began = now_ns()
        ft.spread_average(f, 0, inputs[i, 4])
        ns[i] = now_ns() - began
        for column in range(4):
            s[column] = inputs[i, column]


@hot
def _arrival(f: Features, inputs: I64, ns: I64) -> None:
    for i in range(ns.size):
        began = now_ns()
        ft.arrival_rate(f, 0, inputs[i, 4], inputs[i, 5])
        ns[i] = now_ns() - began


@hot
def _toxicity(f: Features, inputs: I64, ns: I64) -> None:
    for i in range(ns.size):
        began = now_ns()
        ft.toxicity(f, 0, inputs[i, 0], inputs[i, 1])
        ns[i] = now_ns() - began


@hot
def _slope(f: Features, inputs: I64, ns: I64) -> None:
    for i in range(ns.size):
        began = now_ns()
        ft.impact_slope(f, 0, inputs[i, 0] * inputs[i, 1], inputs[i, 2])
        ns[i] = now_ns() - began


def day(path: Path) -> tuple[Tape, str]:
    """The recorded day, or one made by chance where it is not here, and which of them it is."""
    if path.exists():
        return read_zip(path).tape, path.stem
    return _made(), "generated"


def _made(records: int = 100_000) -> Tape:
    """Levels that come, change and go around a middle that stays, and a print in ten records."""
    chance = np.random.default_rng(7)
    tape = np.zeros(records, TAPE)
    side = chance.choice(np.array([1, -1], np.int8), records)
    tape["ts_event_ns"] = tape["ts_recv_ns"] = np.cumsum(chance.exponential(2e8, records)).astype(np.int64)
    tape["kind"] = np.where(chance.random(records) < 0.1, Kind.TRADE, Kind.LEVEL)
    tape["side"], tape["price_ticks"] = side, 10_000 - side.astype(np.int64) * chance.geometric(0.3, records)
    tape["size_lots"] = np.where(
        tape["kind"] == Kind.TRADE, chance.geometric(0.01, records), 100 * chance.integers(0, 5, records)
    )
    return tape


def run(path: Path = SAMPLE, *, records: int | None = None) -> dict[str, Any]:
    """Time everything; what the separate features say at the end must be what the one update says."""
    tape, name = day(path)
    tape = tape[:records]
    cost = clock_cost_ns()
    ns, inputs = np.zeros((2, tape.size), np.int64), np.zeros((tape.size, 6), np.int64)
    figures, books = [], []
    for _ in range(RUNS):
        f, b, out = _fresh(), make_book(None, 1 << 13, 1 << 16), np.zeros(40, np.int64)
        _all(f, b, tape, out, inputs, ns)
        figures.append(_percentiles(ns[0], cost))
        books.append(_percentiles(ns[1], cost))
        assert out.tolist() == b.ten[0].ravel().tolist() and (tape.size < 50_000 or f.ints[0, fa.KNOWN] == (1 << fa.FEATURES) - 1)
    result: dict[str, Any] = {}
    for key, place, loop, rows in _parts(tape, inputs):
        result[f"{key}_p99_us"], result[f"{key}_p50_us"] = _part(f, place, loop, rows, cost)
    result["all_p99_us"], result["all_p50_us"] = min(figures)
    result["with_book_p99_us"], result["with_book_p50_us"] = min(books)
    return result | {"clock_ns": cost, "records": int(tape.size), "tape": name}


def main(json_output: bool) -> int:
    """Run and print."""
    emit(run(), json_output)
    return 0


def _fresh() -> Features:
    return make_features(bucket_lots=BUCKET_LOTS)


def _parts(tape: Tape, inputs: I64) -> list[tuple[str, int, Callable[..., None], I64]]:
    """Each feature's key, place, loop and inputs: the records, or the prints and trades, at which it works."""
    is_print = np.isin(tape["kind"], [Kind.EXECUTE, Kind.TRADE])
    at = np.flatnonzero(is_print)
    side, lots, times = -tape["side"][at].astype(np.int64), tape["size_lots"][at], tape["ts_event_ns"][at]
    begins = np.concatenate([[True], (np.diff(times) != 0) | (np.diff(side) != 0)])
    starts = np.flatnonzero(begins)
    inputs[:, 4], inputs[:, 5] = tape["ts_event_ns"], 0
    inputs[at[starts], 5] = 1
    before = inputs[np.maximum(at[starts] - 1, 0)]
    middle, sided = before[:, 0] + before[:, 2], (before[:, 1] > 0) & (before[:, 3] > 0) & (at[starts] > 0)
    trades = np.column_stack([side[starts], np.add.reduceat(lots, starts)])[:-1]
    pairs = np.column_stack([trades, np.diff(middle)])[sided[1:] & sided[:-1]].astype(np.int64)
    return [
        ("ofi", fa.OFI, _order_flow, inputs),
        ("qi", fa.QUEUE, _queue, inputs),
        ("vpin", fa.VPIN, _toxicity, np.column_stack([side, lots]).astype(np.int64)),
        ("spread", fa.SPREAD, _spread, inputs),
        ("arrival", fa.ARRIVAL, _arrival, inputs),
        ("slope", fa.SLOPE, _slope, pairs),
    ]


def _part(whole: Features, place: int, loop: Callable[..., None], rows: I64, cost: float) -> tuple[float, float]:
    ns, figures = np.zeros(len(rows), np.int64), []
    for _ in range(RUNS):
        f = _fresh()
        loop(f, rows, ns)
        figures.append(_percentiles(ns, cost))
        assert f.values[0, place] == whole.values[0, place], "alone it is what it is among the others"
    return min(figures)


def _percentiles(ns: I64, cost: float) -> tuple[float, float]:
    return tuple(round(max(0.0, float(np.percentile(ns, p)) - cost) / 1000, 4) for p in (99, 50))  # type: ignore[return-value]
