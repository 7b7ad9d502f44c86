"""`ems risk` and `ems build` with nothing running: what cannot be meant is said, and nobody is taken at his word."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from domain.errors import ConfigError
from ems.cli import app
from tests.ems.test_kill_cli import home

__all__ = ["home"]
WHO = ("--person", "jane", "--approver", "omar", "--reason", "why")


def invoke(home: Path, *words: str) -> tuple[int, str, BaseException | None]:
    secrets = (
        "--secret-file",
        str(home / "jane"),
        *(("--approver-secret-file", str(home / "omar")) if "--approver" in words else ()),
    )
    done = CliRunner().invoke(app, [*words, *secrets, "--config", str(home / "ems.toml"), "--json"])
    return done.exit_code, done.stdout, done.exception


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("set", "no_such_check", "--value", "1"), "there is no check 'no_such_check': lot, tick"),
        (("set", "max_quantity", "--value", "many"), "--value 'many' is not a number"),
        (("set", "max_quantity", "--value", "NaN"), "--value 'NaN' is not a number"),
        (("set", "max_quantity", "--value", "1e99"), "--value '1e99' is not a number"),
        (("set", "message_rate", "--value", "1", "--window-s", "nan"), "a window is a number of seconds, not nan"),
        (("set", "message_rate", "--value", "1", "--window-s", "inf"), "a window is a number of seconds, not inf"),
        (("set", "max_quantity", "--value", "1", "--scope", "planet:mars"), "'planet:mars' is no scope"),
        (("set", "max_quantity", "--value", "1", "--scope", "firm:us"), "the firm has no id"),
        (("set", "max_quantity", "--value", "1", "--until", "tomorrow"), "'tomorrow' is not a time"),
        (("set", "max_quantity", "--value", "1", "--from", "9999-99-99"), "'9999-99-99' is not a time"),
    ],
)
def test_what_cannot_be_meant_is_said(home: Path, words: tuple[str, ...], said: str) -> None:
    _, _, error = invoke(home, "risk", *words, *WHO)
    assert isinstance(error, ConfigError)
    assert said in str(error)


def test_a_desk_that_is_not_there_is_said(home: Path) -> None:
    words = ("risk", "set", "max_quantity", "--value", "1", *WHO)
    code, out, _ = invoke(home, *words)
    assert (code, json.loads(out)["text"]) == (1, "the desk does not answer")
    code, out, _ = invoke(home, "risk", "enable", "twap", "--person", "jane", "--reason", "why")
    assert (code, json.loads(out)["text"]) == (1, "the desk does not answer")
    limits = CliRunner().invoke(app, ["risk", "limits", "--config", str(home / "ems.toml"), "--json"])
    assert (limits.exit_code, json.loads(limits.stdout)["text"]) == (1, "the desk does not answer")


def test_what_is_no_build_is_said(home: Path) -> None:
    _, _, error = invoke(home, "build", "approve", "latest", "--person", "jane", "--reason", "why")
    assert str(error) == "'latest' is no build: 16 hexadecimal digits, as `ems build show` prints them"


def test_a_build_is_approved_by_people_with_secrets_alone(home: Path) -> None:
    code, out, _ = invoke(home, "build", "approve", "0123456789abcdef", "--person", "jane", "--reason", "why")
    assert (code, json.loads(out)["reason"]) == (1, "not_authenticated")
