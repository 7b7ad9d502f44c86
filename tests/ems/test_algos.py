"""`ems algos`: what it prints is what the models say, and the documentation's table is current."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.algo_parameters import MODELS, wire_fields
from domain.errors import ConfigError, ReferenceDataError
from ems.bootstrap.algos import broker_algos, published
from ems.cli import app
from tests.adapters.fixatdl.broker import BROKER, line_of

PAGE = Path(__file__).resolve().parents[2] / "docs" / "fix-algos.md"


def ems(*words: str) -> str:
    result = CliRunner().invoke(app, ["algos", *words], catch_exceptions=False)
    assert result.exit_code == 0
    return result.stdout


@pytest.fixture
def broker(tmp_path: Path) -> Path:
    path = tmp_path / "broker.xml"
    path.write_text(BROKER, "utf-8")
    return path


def test_the_documentations_table_is_current() -> None:
    written = re.search(r"<!-- ems algos list --markdown -->\n(.*?)<!-- end -->", PAGE.read_text("utf-8"), re.DOTALL)
    assert written is not None
    assert written[1] == ems("list", "--markdown")


def test_list() -> None:
    told = json.loads(ems("list", "--json"))["algos"]
    assert [(algo["name"], algo["target_strategy"]) for algo in told] == [
        ("twap", "1001"),
        ("vwap", "1"),
        ("pov", "2"),
        ("ac", "1002"),
        ("adaptive", "1003"),
    ]
    for algo, model in zip(told, MODELS.values(), strict=True):
        assert [parameter["name"] for parameter in algo["parameters"]] == [wire.parameter.name for wire in wire_fields(model)]
    assert len(ems("list").splitlines()) == len(MODELS)


def test_show() -> None:
    pov = json.loads(ems("show", "pov", "--json"))
    rate = next(parameter for parameter in pov["parameters"] if parameter["name"] == "ParticipationRate")
    assert rate == {
        "name": "ParticipationRate", "type": "Percentage", "type_code": 11, "unit": "percent", "required": True,
        "minimum": "0.0000001", "maximum": "100", "absent": "refused",
        "description": "The share of the market's volume to aim at.",
    }  # fmt: skip
    assert "EndTime must be after StartTime" in ems("show", "twap")
    with pytest.raises(ConfigError, match="there is no algorithm 'dance'; there are twap, vwap, pov"):
        ems("show", "dance")


def test_atdl_is_printed_or_written(tmp_path: Path) -> None:
    path = tmp_path / "algos.xml"
    assert ems("atdl") == published()
    assert ems("atdl", "--out", str(path), "--provider", "ACME") == f"wrote {path}\n"
    assert path.read_text("utf-8") == published("ACME")
    assert list(broker_algos([path])) == ["algos"]


def test_check_tells_strategies_and_notes(broker: Path) -> None:
    broker.write_text(BROKER.replace('version="3"', 'version="3" colour="red"'), "utf-8")
    assert ems("check", str(broker)).splitlines() == [
        "broker: 1 strategies, identified by tag 7000",
        "  Float (Float with it): 10 parameters, 3 rules",
        f"  note: line {line_of('<Strategy name')}: Strategy has an attribute 'colour' that is not read",
    ]
    told = json.loads(ems("check", str(broker), "--json"))["broker"]
    assert told["strategies"][0]["parameters"][0]["name"] == "Start"


def test_check_tells_the_line_that_is_wrong(broker: Path) -> None:
    broker.write_text(BROKER.replace("Char_t", "Colour_t"), "utf-8")
    where = line_of('<Parameter name="Style"')
    with pytest.raises(ReferenceDataError, match=f"^broker.xml line {where}: xsi:type 'Colour_t'"):
        ems("check", str(broker))


def test_two_files_of_one_name_are_refused(broker: Path) -> None:
    other = broker.parent / "other"
    other.mkdir()
    (other / "broker.xml").write_text(BROKER, "utf-8")
    with pytest.raises(ConfigError, match="two files of broker algorithms are called broker"):
        broker_algos([broker, other / "broker.xml"])
