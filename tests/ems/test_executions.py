"""`ems evaluate execution` as a person runs it: what it prints, writes and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import ConfigError
from ems.bootstrap import executions
from ems.cli import app

SMALL = ("--world", "lq", "--regime", "no_alpha", "--orders", "60", "--judge", "static")


@pytest.fixture(autouse=True)
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fewer orders for choosing, which has a test of its own."""
    monkeypatch.setitem(executions.WORLDS, "lq", executions.WORLDS["lq"]._replace(choosing=20))


def test_one_json_object_with_the_promised_keys_and_three_files(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["evaluate", "execution", *SMALL, "--json", "--out", str(tmp_path)], catch_exceptions=False)
    told = json.loads(done.stdout)
    assert {"ratio_twap", "ratio_twap_low", "ratio_twap_high", "sd_ratio_twap", "no_alpha_ratio", "fallback_share"} <= told.keys()
    assert told["no_alpha_ratio"] == pytest.approx(0.99, abs=0.01)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["execution.json", "execution.png", "execution.txt"]
    assert json.loads((tmp_path / "execution.json").read_text("utf-8")) == told
    assert told["config_sha256"][:12] in (tmp_path / "execution.txt").read_text("utf-8")


@pytest.mark.parametrize(
    ("world", "regimes", "why"),
    [("moon", (), "no world 'moon'; there are lq, chapter"), ("lq", ("sunny",), "no regime 'sunny' in world lq")],
)
def test_what_is_not_there_is_refused_by_name(world: str, regimes: tuple[str, ...], why: str) -> None:
    with pytest.raises(ConfigError, match=why):
        executions.evaluate_execution(world, lambda *_: None, judged="twap", regimes=regimes)
