"""`ems train world-model` and `ems evaluate forecast`, from stored tapes to files and figures."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import ConfigError, TapeError
from ems.bootstrap import forecasts
from ems.cli import app
from models import drift_reference
from models.sight import sight
from models.tape_store import StoredTape
from models.weights_store import read_weights
from tests.models.made_tapes import NOON_NS, less_of_it, made_tape, stored

DAY_NS = 86_400 * 10**9


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    less_of_it(monkeypatch)


@pytest.fixture(scope="module")
def tapes(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("tapes")
    return [stored(folder / f"day{n}", made_tape(12_000, n, NOON_NS + n * DAY_NS)).path for n in range(2)]


def ems(*words: object) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_training_writes_weights_a_card_and_curves_the_same_ones_twice(tapes: list[Path], tmp_path: Path) -> None:
    named = [word for tape in tapes for word in ("--tapes", tape)]
    told = [
        json.loads(ems("train", "world-model", *named, "--seed", 5, "--batches", 2, "--out", tmp_path / name, "--json"))
        for name in ("a", "b")
    ]
    assert told[0]["digest"] == told[1]["digest"]
    made = read_weights(tmp_path / "a" / "world-model.safetensors", told[0]["digest"])
    assert made.metadata["seed"] == "5"
    assert json.loads(made.metadata["data"]).keys() == {"day0", "day1"}
    text = (tmp_path / "a" / "world-model.md").read_text("utf-8")
    assert told[0]["digest"] in text and "Not evaluated." in text
    assert sorted(path.name for path in (tmp_path / "a").iterdir()) == [
        f"world-model.{end}" for end in ("md", "png", "safetensors")
    ]


def test_a_version_has_a_reference_where_its_days_are_enough_of_one_market(
    tapes: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    named = [word for tape in tapes for word in ("--tapes", tape)]
    with pytest.raises(ConfigError, match="10 days of one market or more; these are 2 of MADE"):
        ems("train", "drift-reference", *named, "--out", tmp_path / "a.drift.json")
    few = json.loads(ems("train", "world-model", *named, "--batches", 1, "--out", tmp_path, "--json"))
    assert "these are 2 of MADE" in few["unmonitored"] and not list(tmp_path.glob("*.drift.json"))
    monkeypatch.setattr(drift_reference, "DAYS_LEAST", 2)
    made = json.loads(ems("train", "drift-reference", *named, "--out", tmp_path / "a.drift.json", "--json"))
    assert (made["market"], made["days"]) == ("MADE", 2) and made["forecasts"] > 200
    assert drift_reference.Reference.read(tmp_path / "a.drift.json", made["digest"]).forecasts == made["forecasts"]
    enough = json.loads(ems("train", "world-model", *named, "--batches", 1, "--out", tmp_path, "--json"))
    weights = tmp_path / "world-model.safetensors"
    seen = sight(weights)
    assert enough["unmonitored"] == seen.unmonitored == "" and seen.reference is not None and seen.reference.market == "MADE"
    by_hand = ems("train", "drift-reference", *named, "--weights", weights, "--out", tmp_path / "b.drift.json")
    assert (
        enough["digest"][:12] in by_hand
        and (tmp_path / "b.drift.json").read_bytes() == drift_reference.beside(weights).read_bytes()
    )


def test_evaluation_prints_one_object_and_writes_it_with_its_picture(tapes: list[Path], tmp_path: Path) -> None:
    named = [word for tape in tapes for word in ("--tapes", tape)]
    told = json.loads(ems("evaluate", "forecast", *named, "--batches", 2, "--out", tmp_path, "--json"))
    assert {"k10", "k20", "k50", "k100", "files", "coverage_50", "coverage_80", "coverage_95"} <= told.keys()
    assert told == json.loads((tmp_path / "forecast.json").read_text("utf-8"))
    assert (tmp_path / "forecast.png").stat().st_size > 1_000


def test_what_is_no_tape_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(TapeError, match="no stored tape"):
        ems("train", "world-model", "--tapes", tmp_path, "--out", tmp_path / "out")
    with pytest.raises(ConfigError, match="cannot be read"):
        ems("train", "world-model", "--tapes", tmp_path, "--figures", tmp_path / "none.json", "--out", tmp_path / "out")


def test_without_recorded_data_it_says_how_to_name_some(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EMS_DATA", str(tmp_path))
    with pytest.raises(ConfigError, match="--tapes"):
        forecasts.recorded_tapes(lambda *_: None, tmp_path / "kept")


@pytest.mark.parametrize(
    ("feed", "name", "levels"),
    [
        ("lobster", "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip", 5),
        ("lobster", "LOBSTER_SampleFile_AAPL_2012-06-21_1.zip", 1),
        ("lean", "20131007_quote.zip 20131007_trade.zip", 1),
        ("binance", "binance_usdm_btcusdt_20240808.jsonl.gz", 10),
    ],
)
def test_how_deep_a_feed_sees_and_when_its_market_is_open(tmp_path: Path, feed: str, name: str, levels: int) -> None:
    tape: StoredTape = stored(tmp_path / "one", made_tape(100), feed, name)
    assert forecasts.levels_of(tape) == levels
    session = forecasts.session_of(tape)
    if feed == "binance":
        assert session is None
    else:
        assert session is not None
        told = [datetime.fromtimestamp(ns // 10**9, UTC).strftime("%H:%M") for ns in session]
        assert told == ["13:25", "13:30", "19:45", "20:00", "20:05"]
