"""The features: each is what its definition says, after every record of made and of real tapes."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adapters.marketdata.lobster import read_zip
from domain.tape import FLAG_HALF_TICK, TAPE, Kind, Tape, tape_of
from models import feature_arrays as fa
from models.decay import half_lives
from models.feature_arrays import Features, make_features, reset
from models.features import impact_slope, update
from models.market.follow import apply
from models.market.layout import Book, make_book
from tests.models import features_reference as reference

BUCKET, BUCKETS, HALF_LIFE_NS = 7, 4, 1_000
DATA = Path(__file__).resolve().parents[2] / ".." / "shared" / "data" / "lobster"

sides = st.sampled_from([1, -1])
price = st.integers(95, 105)
record = st.one_of(
    st.tuples(st.just(Kind.LEVEL), sides, price, st.integers(0, 9), st.just(0)),
    st.tuples(st.just(Kind.LEVEL), sides, price, st.integers(0, 9), st.just(0)),
    st.tuples(st.just(Kind.EXECUTE), sides, price, st.integers(1, 40), st.just(0)),
    st.tuples(
        st.just(Kind.TRADE), st.sampled_from([1, 0, 0, -1]), price, st.integers(0, 9), st.sampled_from([0, FLAG_HALF_TICK])
    ),
    st.tuples(st.sampled_from([Kind.CLEAR, Kind.CROSS]), st.just(0), price, st.integers(0, 9), st.just(0)),
)
tapes = st.lists(st.tuples(record, st.sampled_from([0, 0, 1, 10, 700, 100_000, -5])), min_size=25, max_size=60)


def features(instruments: int = 1) -> Features:
    return make_features(instruments, bucket_lots=BUCKET, buckets=BUCKETS, half_life_ns=HALF_LIFE_NS, arrival_s=1e-6)


def run(f: Features, b: Book, tape: Tape, k: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Values (n, 7), known bits (n,) and tops (n, 4) of instrument k after each record."""
    values, known, tops = np.zeros((tape.size, fa.FEATURES)), np.zeros(tape.size, np.int64), np.zeros((tape.size, 4), np.int64)
    for i in range(tape.size):
        apply(b, tape, i, i + 1)
        update(f, b, tape, i)
        values[i], known[i], tops[i] = f.values[k], f.ints[k, fa.KNOWN], b.ten[k, 0]
    return values, known, tops


def same(got: float, known: int, place: int, expected: reference.Value) -> None:
    assert bool(known >> place & 1) == expected[1], place
    assert math.isfinite(got) and got == pytest.approx(expected[0], rel=1e-9, abs=1e-9), place


def judge(values: np.ndarray, known: int, tape: Tape, tops: np.ndarray) -> None:
    same(values[fa.OFI], known, fa.OFI, reference.order_flow(tops))
    same(values[fa.QUEUE], known, fa.QUEUE, reference.queue(tops))
    same(values[fa.VPIN], known, fa.VPIN, reference.toxicity(tape, tops, BUCKET, BUCKETS))
    same(values[fa.SPREAD], known, fa.SPREAD, reference.spread(tape, tops, HALF_LIFE_NS))
    same(values[fa.ARRIVAL], known, fa.ARRIVAL, reference.arrival(tape, tops, 1_000))
    same(values[fa.SLOPE], known, fa.SLOPE, reference.slope(tape, tops))


@settings(max_examples=150, deadline=None)
@given(tapes)
def test_every_value_is_its_definition_after_every_record(script: list[tuple[tuple[Kind, int, int, int, int], int]]) -> None:
    now, rows = 10**6, []
    for (kind, side, ticks, lots, flags), passed in script:
        now += passed
        rows.append((now, now, 0, ticks, lots, 0, flags, kind, side))
    tape = tape_of(rows)
    values, known, tops = run(features(), make_book(0, 256, 256), tape)
    for i in range(tape.size):
        judge(values[i], int(known[i]), tape[: i + 1], tops[: i + 1])


@pytest.mark.needs_data
def test_a_real_day_at_a_thousand_moments() -> None:
    path = DATA / "LOBSTER_SampleFile_AMZN_2012-06-21_1.zip"
    if not path.exists():
        pytest.skip(f"recorded market data is not here: {path.name}")
    tape = read_zip(path).tape[:12_000]
    f = make_features(bucket_lots=BUCKET, buckets=BUCKETS, half_life_ns=10**9)
    values, known, tops = run(f, make_book(None, 1 << 13, 1 << 16), tape)
    assert known[-1] == (1 << fa.FEATURES) - 1 and np.isfinite(values).all()
    for i in np.linspace(10, tape.size - 1, 40).astype(int).tolist():
        part, top = tape[: i + 1], tops[: i + 1]
        same(values[i, fa.OFI], int(known[i]), fa.OFI, reference.order_flow(top))
        same(values[i, fa.VPIN], int(known[i]), fa.VPIN, reference.toxicity(part, top, BUCKET, BUCKETS))
        same(values[i, fa.SPREAD], int(known[i]), fa.SPREAD, reference.spread(part, top, 10**9))
        same(values[i, fa.ARRIVAL], int(known[i]), fa.ARRIVAL, reference.arrival(part, top, 1e9))
        same(values[i, fa.SLOPE], int(known[i]), fa.SLOPE, reference.slope(part, top))


def test_the_slope_does_not_drift() -> None:
    chance = np.random.default_rng(5)
    f = features()
    lots, moves = chance.integers(-(2**31), 2**31, 20_050), chance.integers(-9, 10, 20_050)
    for x, y in zip(lots.tolist(), moves.tolist(), strict=True):
        impact_slope(f, 0, x, y)
    expected = np.polyfit(lots[-100:].astype(float), moves[-100:] / 2, 1)[0]
    assert f.values[0, fa.SLOPE] == pytest.approx(expected, rel=1e-9)


def test_regimes_of_a_day_and_a_halt() -> None:
    f, b = features(), make_book(0, 256, 16)
    f.session[0], f.end_ns[0] = [100, 200, 300, 400], 500
    found = []
    for now, kind, lots in [
        (99, 8, 0),
        (100, 8, 0),
        (200, 8, 0),
        (250, 9, 1),
        (260, 9, 0),
        (300, 8, 0),
        (400, 8, 0),
        (500, 8, 0),
    ]:
        tape = tape_of([(now, now, 0, 0, lots, 0, 0, kind, 0)])
        apply(b, tape, 0, 1)
        update(f, b, tape, 0)
        found.append(int(f.values[0, fa.REGIME]))
    assert found == [fa.CLOSED, fa.OPENING, fa.CONTINUOUS, fa.HALT, fa.CONTINUOUS, fa.PRE_CLOSE, fa.CLOSING, fa.CLOSED]


def test_instruments_do_not_touch_each_other_and_a_reset_begins_anew() -> None:
    rows = [
        (10 * i, 10 * i, 0, 100 - (i % 2), 5 + i % 3, i % 2, 0, Kind.LEVEL if i % 3 else Kind.TRADE, 1 - 2 * (i // 2 % 2))
        for i in range(80)
    ]
    mixed = tape_of(rows)
    f, b = features(2), make_book(0, 256, 256, 2)
    run(f, b, mixed)
    for k in (0, 1):
        alone = mixed[mixed["instrument"] == k].copy()
        alone["instrument"] = 0
        g = features()
        run(g, make_book(0, 256, 256), alone)
        assert g.values[0].tolist() == f.values[k].tolist() and g.values.any()
    reset(f, 0)
    assert not f.values[0].any() and not f.ints[0].any() and f.values[1].any()


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=TAPE.itemsize * 30))
def test_any_bytes_give_finite_values(noise: bytes) -> None:
    tape = np.frombuffer(noise[: len(noise) // TAPE.itemsize * TAPE.itemsize], TAPE).copy()
    tape["instrument"] %= 2
    tape["kind"] %= 10
    f, b = features(), make_book(0, 256, 64)
    values, _, _ = run(f, b, tape)
    assert np.isfinite(values).all()


def test_powers_of_one_half() -> None:
    ages = np.concatenate([np.arange(0, 2_000), np.geomspace(1, 63_999, 500)]).astype(np.int64)
    got = np.array([half_lives(age, 1_000.0) for age in ages.tolist()])
    assert np.allclose(got, np.exp2(-ages / 1_000), rtol=1e-14, atol=0)
    assert half_lives(0, 5.0) == 1.0 and half_lives(64_000, 1_000.0) == 0.0 and half_lives(2**62, 1.0) == 0.0
