"""`ems basket`: a file in, a front and a plan out, and what is said of a file that is wrong."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import ConfigError
from ems.bootstrap.baskets import read
from ems.cli import app

PAGE = Path(__file__).resolve().parents[3] / "docs" / "execution-baskets.md"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """The file that the page shows."""
    path = tmp_path / "basket.toml"
    path.write_text(PAGE.read_text("utf-8").partition("```toml\n")[2].partition("```")[0], "utf-8")
    return path


def test_the_page_s_basket_is_planned_and_drawn(file: Path, tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["basket", str(file), "--risk", "2", "--plot", str(tmp_path / "front.png"), "--json"])
    assert done.exit_code == 0, done.output
    told = json.loads(done.output)
    assert told["chosen"]["weights"] == {"cost": 1.0, "risk": 2.0, "completion": 1.0}
    figures = [(each["cost_bps"], each["risk_bps"], -each["completion"]) for each in told["front"]]
    assert len(figures) > 10
    assert not any(all(a <= b for a, b in zip(one, two, strict=True)) for one in figures for two in figures if one is not two)
    by_name = {each["symbol"]: each for each in told["chosen"]["orders"]}
    for name, quantity, lot in (("AMZN", 20_000, 1), ("MSFT", 9_000, 1), ("XOM", 12_300, 100)):
        assert sum(by_name[name]["slices"]) + by_name[name]["left"] == quantity
        assert all(each % lot == 0 for each in by_name[name]["slices"])
    assert sum(by_name["XOM"]["slices"]) >= 0.6 * 12_300
    assert max(by_name["AMZN"]["slices"]) <= 0.15 * 900_000 * 120 / 390 / 20
    assert (tmp_path / "front.png").read_bytes().startswith(b"\x89PNG")
    table = CliRunner().invoke(app, ["basket", str(file), "--risk", "2"]).output
    assert f"{told['chosen']['cost_bps']:.2f}" in table and "buy AMZN: " in table and "each order by itself" in table


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('side = "sell"', 'side = "short"', "orders.1.side"),
        ("quantity = 9_000", 'quantity = "many"', "many"),
        ("quantity = 9_000", "quantity = 0", "above 0"),
        ("price = 415.0", "price = nan", "orders.1.price"),
        ("correlation = 0.4", "correlation = [[1.0]]", "correlation is of shape"),
        ("correlation = 0.4", "correlation = -0.9", "no prices have this correlation matrix"),
        ('name = "tech"', 'name = "oil"', "there is no group tech; there are oil"),
        ("minutes = 120", "minutes = 120\nspeed = 3", "speed"),
        ("minutes = 120", "minutes = ", "Invalid value"),
        ("max_participation = 15", "max_participation = 1", "AMZN: the limits let at most"),
    ],
)
def test_what_is_wrong_with_a_file_is_named(file: Path, old: str, new: str, said: str) -> None:
    text = file.read_text("utf-8")
    assert old in text
    file.write_text(text.replace(old, new), "utf-8")
    done = CliRunner().invoke(app, ["basket", str(file)])
    assert done.exit_code != 0 and done.exception is not None
    assert said in str(done.exception)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml"):
        read(tmp_path / "none.toml")
