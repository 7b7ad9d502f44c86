"""The detectors: on their reference they are quiet, beyond it they ring, and what they say is what its definition says."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.errors import WeightsError
from domain.trigger_metrics import information_coefficient
from models.drift import WARM, WINDOW, DriftWatch, Forecast, Judge, judged, looks, rank_correlation
from models.drift_days import generated, observed
from models.drift_drill import USUAL, alarms, first_after, latency, reference_of, turned
from models.drift_reference import DETECTORS, Bins, Day, Reference, bare, beside, places, psi, smoothed, standard
from models.latency import LatencyWindow
from models.sight import sight, sights
from models.weights_store import CHAMPION


def a_day(seed: int, size: int = 3_000, *, skill: float = 0.6, shift: float = 0.0, wide: float = 1.0) -> Day:
    """Forecasts of known skill: outcome = mean + noise, and features that follow each other a little."""
    chance = np.random.default_rng(seed)
    mean = chance.normal(size=size) * skill
    outcome = mean + wide * chance.normal(size=size)
    features = chance.normal(size=(size, 6)) + shift
    for n in range(1, size):
        features[n] = 0.5 * features[n - 1] + features[n]
    zeros = np.zeros(size)
    return Day(np.arange(size), mean, zeros, zeros - 30.0, outcome, features, np.ones((size, 6), np.bool_))


@pytest.fixture(scope="module")
def reference() -> Reference:
    return reference_of([a_day(seed) for seed in range(8)], sight().digest, "made")


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), min_size=2, max_size=60))
def test_the_correlation_is_the_one_that_the_watchdog_s_threshold_is_of(pairs: list[tuple[int, int]]) -> None:
    xs, ys = (np.array(column, np.float64) for column in zip(*pairs, strict=True))
    ours, theirs = rank_correlation(xs, ys), information_coefficient(xs.tolist(), ys.tolist())
    assert ours == (None if theirs is None else pytest.approx(theirs, abs=1e-12))


def test_no_number_is_no_correlation() -> None:
    assert rank_correlation(np.array([1.0, np.nan]), np.array([1.0, 2.0])) is None


def test_bins_are_the_reference_s_deciles_and_never_move() -> None:
    values, known = np.arange(1_000).astype(np.float64), np.arange(1_000) % 10 > 0
    bins = Bins.of(values, known)
    assert len(bins.edges) == 9 and len(bins.shares) == 11
    assert bins.shares[-1] == pytest.approx(0.1, abs=0.001), "what is not known has a share of its own"
    far = np.bincount(places(bins.edges, values + 1e6, known), minlength=11)
    assert far[9] == known.sum(), "all beyond the last edge"
    again = np.bincount(places(bins.edges, values, known), minlength=11)
    assert psi(again, np.array(bins.shares)) == pytest.approx(0.0, abs=1e-9)
    p, q = smoothed(far), np.array(bins.shares)
    assert psi(far, q) == pytest.approx(sum(a * np.log(a / b) - b * np.log(a / b) for a, b in zip(p, q, strict=True)))
    assert np.isfinite(psi(far, q)) and psi(far, q) > 1, "an empty bin has half a count"
    assert Bins.of(np.zeros(50), np.ones(50, np.bool_)).edges == (0.0,), "equal deciles are one edge"


def test_a_score_is_what_the_forecast_s_distribution_makes_of_a_normal() -> None:
    n, mean, log_scale, tail = np.linspace(-2, 2, 9), np.full(9, 0.3), np.full(9, -1.0), np.full(9, 0.7)
    k = np.log1p(np.exp(tail))
    drawn = mean + np.exp2(log_scale) * np.sinh(k * n) / k
    assert standard(mean, log_scale, tail, drawn) == pytest.approx(n)


def test_undisturbed_days_stay_quiet_and_shifts_are_found_within_the_window(reference: Reference) -> None:
    assert not [ring for seed in range(100, 106) for ring in alarms(a_day(seed), reference)]
    before, at = a_day(200), 3_000

    def joined(after: Day) -> Day:
        return Day(*(np.concatenate(pair) for pair in zip(before, after, strict=True)))  # type: ignore[arg-type]

    for after, by in (
        (a_day(201, shift=1.5), "psi."), (a_day(202, wide=3.0), "coverage"), (a_day(203, wide=0.3), "coverage"),
        (turned(a_day(204), 0), "ic"),
    ):  # fmt: skip
        delay, _ = first_after(alarms(joined(after), reference), at)
        assert delay is not None and delay <= WINDOW
        assert any(name.startswith(by) for _, name in alarms(joined(after), reference))


def test_nothing_is_said_before_there_are_enough(reference: Reference) -> None:
    watch = DriftWatch(reference)
    rows = judged(a_day(1), reference)
    for seen in rows[: WARM - 1]:
        watch.take(seen)
    short = {name for name in DETECTORS if "long" not in name}
    assert set(watch.standing().ratios) == short and not any(v is not None for v in watch.standing().ratios.values())
    watch.take(rows[WARM - 1])
    ratios = watch.standing().ratios
    assert ratios["ic"] is not None and ratios["coverage"] is not None and ratios["psi.ofi"] is None
    for seen in rows[WARM:WINDOW]:
        watch.take(seen)
    assert watch.standing().ratios["psi.ofi"] is not None and "psi.long_ofi" not in watch.standing().ratios


def test_levels_are_the_specification_s_or_further_out(reference: Reference) -> None:
    assert reference.alert["ic"] <= 0.02 and all(reference.alert[n] >= 0.2 for n in DETECTORS if n.startswith("psi."))
    assert reference.ratio("ic", reference.usual["ic"]) == pytest.approx(0) and reference.ratio("ic", None) is None
    assert reference.ratio("psi.ofi", reference.alert["psi.ofi"]) == pytest.approx(1)


def test_a_reference_belongs_to_its_version(reference: Reference, tmp_path: Path) -> None:
    reference.write(tmp_path / "a.drift.json")
    assert Reference.read(tmp_path / "a.drift.json", reference.weights_sha256) == reference
    for digest, words in (("f" * 64, "not of ffff"), ("", "not of")):
        with pytest.raises(WeightsError, match=words):
            Reference.read(tmp_path / "a.drift.json", digest)
    with pytest.raises(WeightsError, match="has no drift reference"):
        Reference.read(tmp_path / "b.drift.json", "f" * 64)
    (tmp_path / "b.drift.json").write_text("{}")
    with pytest.raises(WeightsError, match="is no drift reference"):
        Reference.read(tmp_path / "b.drift.json", "f" * 64)
    with pytest.raises(WeightsError, match="a day at least"):
        bare([], "f" * 64, "made")


def test_a_version_is_unmonitored_until_somebody_keeps_a_reference_of_it(reference: Reference, tmp_path: Path) -> None:
    assert not beside(CHAMPION).exists(), "its training has no ten days of one market"
    bare_one = sights(tmp_path)("")
    assert bare_one.reference is None and "has no drift reference" in bare_one.unmonitored
    reference.write(tmp_path / f"{bare_one.digest}.drift.json")
    found = sights(tmp_path)("")
    assert found.reference == reference and not found.unmonitored
    reference._replace(weights_sha256="f" * 64).write(tmp_path / f"{bare_one.digest}.drift.json")
    assert sights(tmp_path)("").reference is None and "not of" in sights(tmp_path)("").unmonitored


def test_a_live_judge_says_what_the_detectors_say_of_the_same_forecasts(reference: Reference) -> None:
    day, judge = a_day(300, 700), Judge(reference)
    middle = 0.0
    for n in range(day.size):
        forecast = Forecast(day.mean[n], day.log_scale[n], day.tail[n], middle, 0.5)
        judge.step(forecast, day.features[n].astype(np.float32), day.known[n].astype(np.float32))
        middle += 0.5 * day.outcome[n]
    assert judge.standing().forecasts == 690
    offline = {name: value for name, value in looks(day.part(0, 690), reference)[-1].items() if "long" not in name}
    told = judge.standing().figures
    assert told == {name: value if value is None else pytest.approx(value, abs=0.02) for name, value in offline.items()}
    nobody, middle = Judge(None, "no reference"), 0.0
    assert nobody.standing() == (0, {}, {}, "no reference")
    for n in range(day.size):
        nobody.step(Forecast(day.mean[n], 0.0, 0.0, middle, 0.5), np.zeros(6, np.float32), np.zeros(6, np.float32))
        middle += 0.5 * day.outcome[n]
    alone = nobody.standing()
    assert not alone.monitored and alone.forecasts == 690 and alone.why == "no reference"
    assert alone.figures == {"ic": pytest.approx(told["ic"])}, "what needs no reference is told without one"


def test_a_generated_market_shifts_when_it_is_told_to() -> None:
    quiet = generated(1, USUAL, seconds=600)
    busy = generated(1, USUAL, seconds=600, after=replace(USUAL, limit_rate=48.0), at_s=300)
    half = 300 * 10**9
    assert (quiet[quiet["ts_event_ns"] < half] == busy[busy["ts_event_ns"] < half]).all()
    assert (busy["ts_event_ns"] >= half).sum() > 2 * (quiet["ts_event_ns"] >= half).sum()
    day = observed(sight(), busy)
    assert day.size > 300 and np.isfinite(day.mean).all() and day.known[-1].all() and (np.diff(day.at_ns) >= 0).all()


def test_latency_above_its_sla_is_found_within_its_window_and_not_before() -> None:
    found = [latency(seed, 20_000) for seed in range(3)]
    assert all(delay is not None and delay <= 10_000 and before == 0 for delay, before in found)
    window = LatencyWindow(4)
    assert np.isnan(window.p99_us()) and window.size == 0
    for took in (1_000, 9_000, 3_000, 4_000, 5_000, 2_000):
        window.take(took)
    assert (window.size, window.p99_us()) == (4, 5.0)
