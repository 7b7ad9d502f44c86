"""`ems load` on the command line: what it says, where it says it, and its exit status."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner

from domain.errors import ConfigError, ReferenceDataError
from ems.cli import load as command
from ems.cli.program import app

ON = ("--trade-date", "2026-11-24")


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """No ems.toml but what a test writes."""
    monkeypatch.chdir(tmp_path)
    yield tmp_path
    structlog.reset_defaults()


def ems(*words: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(app, ["load", *words])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.exit_code, done.stdout, done.stderr


def test_the_first_five_minutes(home: Path) -> None:
    code, out, _ = ems("sample", "day", *ON)
    assert (code, out) == (0, "wrote day for 2026-11-24; next: ems load day --check\n")
    code, out, err = ems("day", "--check", *ON)
    assert code == 0 and out.endswith("2026-11-24 can be opened with these files; nothing was loaded\n"), err
    assert "takes effect: id CA-1, symbol IBM, kind dividend" in out and "positions.csv" in out
    assert {path.name for path in home.iterdir()} == {"day"}


def test_a_refusal_names_everything_and_ends_with_2(home: Path) -> None:
    ems("sample", "day", *ON)
    with (home / "day" / "positions.csv").open("a") as file:
        file.write("HOUSE,[red]X,1,2026-11-23\nHOUSE,Y,1,2026-11-23\n")
    code, out, _ = ems("day", "--manifest", *ON)
    assert (code, out) == (0, "wrote the manifest of day for 2026-11-24: 20 files\n")
    code, _, err = ems("day", "--check", *ON)
    assert code == 2
    lines = err.splitlines()
    assert re.fullmatch(r"ems: positions.csv line \d+, column symbol: there is no instrument '\[red\]X'; add it to .*", lines[0])
    assert lines[-1] == "ems: 2026-11-24 does not open with these files; problems: 2"
    code, out, _ = ems("day", "--check", "--json", *ON)
    told = json.loads(out)
    assert code == 2 and told["outcome"] == "refused" and len(told["problems"]) == 2
    assert told["problems"][1]["what"] == "there is no instrument 'Y'" and told["problems"][1]["todo"].startswith("add it to")


def test_only_so_many_problems_are_shown(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "_PROBLEMS_SHOWN", 3)
    ems("sample", "day", *ON)
    with (home / "day" / "positions.csv").open("a") as file:
        file.writelines(f"HOUSE,X{number},1,2026-11-23\n" for number in range(9))
    ems("day", "--manifest", *ON)
    code, _, err = ems("day", "--check", *ON)
    assert code == 2 and err.splitlines()[3:] == [
        "ems: and 6 more",
        "ems: 2026-11-24 does not open with these files; problems: 9",
    ]


def test_what_cannot_be_meant_is_said() -> None:
    with pytest.raises(ConfigError, match="ems load sample needs a new directory to write"):
        ems("sample")
    with pytest.raises(ConfigError, match="there is one directory to load, and b is another"):
        ems("a", "b", "--check")
    with pytest.raises(ConfigError, match=r"--trade-date '24\.11\.2026' is not a date such as 2026-11-27"):
        ems("a", "--check", "--trade-date", "24.11.2026")
    with pytest.raises(ConfigError, match=r"--reason .* holds a character that does not print"):
        ems("a", "--check", "--reason", "late\x1b[2J")
    with pytest.raises(ConfigError, match="--person '=jane' begins like a formula"):
        ems("a", "--check", "--person", "=jane")
    with pytest.raises(ConfigError, match=r"ems.toml cannot be read: No such file or directory \(ems init writes one\)"):
        ems("a")
    with pytest.raises(ReferenceDataError, match="there is no directory a"):
        ems("a", "--manifest")
    code, _, err = ems("a", "--check", *ON)
    assert code == 2 and err.startswith("ems: the manifest: a has no manifest.toml; ems load --manifest writes one; see")


def test_a_user_without_a_name_is_asked_for_one(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nobody() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(command.getpass, "getuser", nobody)
    with pytest.raises(ConfigError, match="this system has no name for you; give --person"):
        ems("day", "--check", *ON)
