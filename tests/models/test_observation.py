"""Observations against their definition in plain numpy, after made tapes and along a real day."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from adapters.marketdata.lobster import read_zip
from domain.tape import Kind, Tape
from models import feature_arrays as fa
from models.compiled import hot, i64
from models.dataset import event
from models.feature_arrays import Features, make_features
from models.logarithm import compress
from models.market.layout import Book, make_book
from models.observation import Watch, make_watch, observe
from tests.models.made_tapes import made_tape

DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "lobster"


@hot
def look(b: Book, f: Features, w: Watch, book: np.ndarray, tape: np.ndarray, context: np.ndarray) -> bool:
    return observe(w, f, b, 0, book, tape, context)


@hot
def compressed(x: np.ndarray, out: np.ndarray) -> None:
    for i in range(x.size):
        out[i] = compress(x[i])


class Following:
    """The compiled side, and beside it what the definition needs: all tops, all trades."""

    def __init__(self, tape: Tape, levels: int = 10) -> None:
        self.tape, self.at = tape, 0
        self.b, self.f = make_book(None, 1 << 13, 1 << 16), make_features(bucket_lots=100)
        self.w, self.levels = make_watch(1, levels), levels
        self.tops: list[tuple[int, ...]] = []
        self.trades: list[list[int]] = []

    def event(self) -> None:
        """All records of the next time."""
        times = self.tape["ts_event_ns"]
        stop = int(np.searchsorted(times, times[self.at], side="right"))
        event(self.b, self.f, self.w, self.tape, i64(self.at), i64(stop), np.zeros((stop - self.at, 4), np.int64))
        for one in self.tape[self.at : stop]:
            if one["kind"] in (Kind.TRADE, Kind.EXECUTE) and one["size_lots"] > 0:
                self._trade(one)
        self.at = stop
        top = self.b.ten[0, 0].tolist()
        if top[1] > 0 and top[3] > 0 and top[2] >= top[0]:
            self.tops.append(tuple(top))

    def _trade(self, one: np.void) -> None:
        now, way = int(one["ts_event_ns"]), -int(one["side"])
        price = 2 * int(one["price_ticks"]) + (int(one["flags"]) & 1)
        if self.trades and self.trades[-1][0] == now and self.trades[-1][3] == way:
            self.trades[-1][1:3] = [price, self.trades[-1][2] + int(one["size_lots"])]
        else:
            self.trades.append([now, price, int(one["size_lots"]), way])

    def seen(self) -> tuple[np.ndarray, np.ndarray, np.ndarray] | None:
        parts = np.full(40, 9, np.float32), np.full((3, 50), 9, np.float32), np.full(18, 9, np.float32)
        return parts if look(self.b, self.f, self.w, *parts) else None

    def units(self) -> tuple[float, float]:
        middles = [top[0] + top[2] for top in self.tops]
        moved = size = 0.0
        for n, top in enumerate(self.tops):
            size += ((top[1] + top[3]) / 2 - size) / min(n + 1, 1024)
            if n >= 10:
                moved += (abs(middles[n] - middles[n - 10]) / 2 - moved) / min(n - 9, 1024)
        return 1 / 16 + moved, size


def squeezed(x: np.ndarray) -> np.ndarray:
    return np.sign(x) * np.log2(1 + np.abs(x))


def judge(one: Following) -> None:
    found, (price, size) = one.seen(), one.units()
    assert found is not None
    book, tape, context = found
    middle = (one.tops[-1][0] + one.tops[-1][2]) / 2
    ten = one.b.ten[0].copy().astype(float)
    ten[one.levels :] = 0
    there = ten[:, 1::2] > 0
    expected = np.zeros((10, 4))
    expected[:, ::2] = np.where(there, squeezed((ten[:, ::2] - middle) / price), 0)
    expected[:, 1::2] = squeezed(ten[:, 1::2] / size)
    np.testing.assert_allclose(book, expected.ravel(), atol=2e-6)
    last = np.zeros((50, 4))
    if one.trades:
        last[-len(one.trades[-50:]) :] = np.array(one.trades[-50:], float)
    traded = last[:, 2] > 0
    np.testing.assert_allclose(tape[0], np.where(traded, squeezed((last[:, 1] / 2 - middle) / price), 0), atol=2e-6)
    np.testing.assert_allclose(tape[1], squeezed(last[:, 2] / size), atol=2e-6)
    np.testing.assert_array_equal(tape[2], last[:, 3])
    values, known = one.f.values[0], int(one.f.ints[0, fa.KNOWN])
    slope = values[fa.SLOPE] * size / price
    np.testing.assert_allclose(
        context[:6],
        [*values[:3], squeezed(values[fa.SPREAD] / price), squeezed(values[fa.ARRIVAL]), slope / (1 + abs(slope))],
        atol=2e-6,
    )
    assert context[6:12].tolist() == [float(known >> j & 1) for j in range(6)]
    assert context[12:].tolist() == [float(values[fa.REGIME] == j) for j in range(6)]


def test_a_made_tape_from_its_first_trade_to_a_full_window() -> None:
    one = Following(made_tape(4_000))
    for n in range(700):
        one.event()
        if n in (110, 150, 320, 699):
            judge(one)
    assert len(one.trades) > 60


@pytest.mark.needs_data
def test_a_real_day_of_one_level_behind_which_the_book_is_out_of_date() -> None:
    path = DATA / "LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"
    if not path.exists():
        pytest.skip(f"recorded market data is not here: {path.name}")
    one = Following(read_zip(path).tape[:12_000], levels=1)
    for n in range(2_000):
        one.event()
        if n % 400 == 399:
            judge(one)
    found = one.seen()
    assert found is not None and one.b.ten[0, 1:].any()
    assert found[0][:4].all() and not found[0][4:].any()


def test_nothing_is_seen_before_the_warm_up_nor_without_two_sides_nor_in_a_crossed_book() -> None:
    one = Following(made_tape(2_000))
    for _ in range(99):
        one.event()
    assert one.seen() is None
    for _ in range(30):
        one.event()
    assert one.seen() is not None
    kept = one.b.ten[0].copy()
    for column, value in ((1, 0), (3, 0), (0, kept[0, 2] + 1)):
        one.b.ten[0, 0, column] = value
        assert one.seen() is None
        one.b.ten[0] = kept


def test_the_logarithm_is_one() -> None:
    x = np.concatenate([[0.0], np.exp2(np.linspace(-40, 60, 2_001))])
    out = np.zeros(2 * x.size)
    compressed(np.concatenate([x, -x]), out)
    np.testing.assert_allclose(out[: x.size], np.log2(1 + x), atol=2e-8)
    np.testing.assert_array_equal(out[x.size :], -out[: x.size])
