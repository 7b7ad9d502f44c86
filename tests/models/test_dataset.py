"""Examples from tapes: labels as told by the states, splits that do not touch, changes by chance that mean what they say."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from domain.errors import TapeError
from models import dataset as ds
from models.augment import augmented
from models.dataset import Examples, Session, examples
from models.sequences import PATH, STRIDE, _parts, draw, fit_normalisation, split, starts
from models.world_model import Normalisation
from tests.models.made_tapes import NOON_NS, made_tape, stored


@pytest.fixture(scope="module")
def one(tmp_path_factory: pytest.TempPathFactory) -> Examples:
    return examples(stored(tmp_path_factory.mktemp("tapes") / "made", made_tape(20_000)))


def test_moves_are_those_of_the_states_at_half_the_median_spread(one: Examples) -> None:
    assert one.half_spread_ticks == 1.0
    for column, events in enumerate((10, 20, 50, 100)):
        moved = (one.states[one.at + events, ds.MIDDLE] - one.states[one.at, ds.MIDDLE]) / 2
        np.testing.assert_array_equal(one.moves[:, column], np.where(moved >= 1, 2, np.where(moved <= -1, 0, 1)))
    assert set(np.unique(one.moves)) == {0, 1, 2}


def test_what_is_seen_never_depends_on_what_comes(tmp_path: Path, one: Examples) -> None:
    """The same tape, ending in the middle: the same observations up to there."""
    half = examples(stored(tmp_path / "half", made_tape(10_000)))
    n = len(half)
    assert 100 < n < len(one)
    for part in ("book", "tape", "context", "at", "units", "toxic", "filled_bid", "filled_ask", "volatility"):
        np.testing.assert_array_equal(getattr(half, part), getattr(one, part)[:n])


def test_toxic_and_volatile_are_what_the_states_say(one: Examples) -> None:
    moved = one.states[one.at + ds.TOXIC_EVENTS, ds.MIDDLE] - one.states[one.at, ds.MIDDLE]
    np.testing.assert_array_equal(one.toxic, moved * one.states[one.at, ds.LAST_WAY] >= 2)
    grid = one.states[one.at[:, None] + 10 * np.arange(11), ds.MIDDLE]
    np.testing.assert_allclose(one.volatility, np.abs(np.diff(grid, axis=1)).mean(axis=1) / 2)
    assert 0 < one.filled_bid.mean() < 1


def test_an_order_fills_when_its_queue_has_traded_and_not_before(tmp_path: Path) -> None:
    tape = made_tape(8_000)
    plain = examples(stored(tmp_path / "plain", tape))
    heavy = tape.copy()
    heavy["size_lots"][heavy["kind"] == 5] = 1_000_000
    dry = tape[tape["kind"] != 5]
    assert examples(stored(tmp_path / "dry", dry)).filled_bid.max() == 0
    assert examples(stored(tmp_path / "heavy", heavy)).filled_bid.mean() > plain.filled_bid.mean()


def test_regimes_come_from_the_session(tmp_path: Path) -> None:
    s = 10**9
    day = Session(NOON_NS, NOON_NS + 20 * s, NOON_NS + 60 * s, NOON_NS + 90 * s, NOON_NS + 95 * s)
    found = examples(stored(tmp_path / "day", made_tape(20_000)), session=day)
    assert (found.context[:, 12:].sum(axis=1) == 1).all()
    assert found.context[:, 12:].any(axis=0).tolist() == [False, False, True, True, False, False]


def test_levels_that_the_feed_does_not_tell_are_not_seen(tmp_path: Path, one: Examples) -> None:
    shallow = examples(stored(tmp_path / "shallow", made_tape(6_000)), levels=1)
    assert not shallow.book[:, 4:].any()
    assert one.book[:, 4:8].any()


def test_tapes_that_teach_nothing_are_refused(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="too short"):
        examples(stored(tmp_path / "short", made_tape(500)))
    with pytest.raises(TapeError, match="no events"):
        examples(stored(tmp_path / "other", made_tape(500)), instrument=3)


def test_no_label_reaches_from_what_is_learnt_into_what_is_judged(one: Examples) -> None:
    parts = split([one], 18)
    last = parts.learn[0].max() + 17 * STRIDE
    assert one.at[parts.judge[0].min()] - one.at[last] >= ds.AHEAD
    assert parts.judge[0].max() + 17 * STRIDE < len(one)


def test_sequences_have_no_hole(one: Examples) -> None:
    holed = replace(one, at=np.concatenate([one.at[:500], one.at[500:] + 5]))
    begins = starts(holed, 18, 0, len(one))
    assert not np.isin(np.arange(500 - 17 * STRIDE, 500), begins).any()
    assert 500 in begins


def test_long_tapes_do_not_drown_short_ones() -> None:
    drawn = draw(np.random.default_rng(1), [np.arange(10), np.arange(100_000), np.arange(0)], 1_100)
    assert {n: len(rows) for n, rows in drawn}[0] == pytest.approx(100, abs=40)


def test_a_mirror_twice_is_nothing_and_units_cancel(one: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import augment

    rows = np.arange(40).reshape(2, 20)
    parts = _parts(one, rows)
    monkeypatch.setattr(augment, "_SCALES", 0.0)
    monkeypatch.setattr(augment, "_SHALLOW", 0.0)
    monkeypatch.setattr(augment, "_MIRRORED", 1.1)
    mirror = augmented(parts, np.random.default_rng(1))
    assert (mirror.book[..., ::4] >= -1e-6).sum() < mirror.book[..., ::4].size
    np.testing.assert_allclose(mirror.book[..., 0], -parts.book[..., 2], atol=1e-5)
    np.testing.assert_array_equal(mirror.moves, 2 - parts.moves)
    np.testing.assert_allclose(mirror.path[..., 0], -parts.path[..., 0])
    for name, again in augmented(mirror, np.random.default_rng(1))._asdict().items():
        np.testing.assert_allclose(again, getattr(parts, name), atol=1e-5, err_msg=name)


def test_other_lots_show_the_same_market(one: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    from models import augment

    monkeypatch.setattr(augment, "_SHALLOW", 0.0)
    monkeypatch.setattr(augment, "_MIRRORED", -1.0)
    parts = _parts(one, np.arange(40).reshape(2, 20))
    other = augmented(parts, np.random.default_rng(1))
    assert not np.allclose(other.units, parts.units)

    def lots(part: augment.Parts) -> np.ndarray:
        return np.expm1(np.abs(part.book[..., 1::2]) * np.log(2)) * part.units[..., 1:]

    np.testing.assert_allclose(lots(other), lots(parts), rtol=1e-4)
    np.testing.assert_array_equal(other.book[..., ::2], parts.book[..., ::2])
    np.testing.assert_array_equal(other.path, parts.path)
    assert other.path.shape[-1] == PATH


def test_statistics_are_of_what_is_there(one: Examples) -> None:
    norm = Normalisation()
    fit_normalisation(norm, [one], [np.arange(len(one))])
    assert norm.book_mean[0] == pytest.approx(one.book[:, 0].mean(), abs=0.05)
    assert (norm.book_mean[8:] == 0).all() and (norm.book_scale[8:] == 1).all()
    padded = one.tape[:, 1] > 0
    assert norm.tape_mean[1] == pytest.approx(one.tape[:, 1][padded].mean(), abs=0.05)
