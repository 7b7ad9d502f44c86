"""`ems kill` with nothing running: no desk, no gateway, no database. And with a log."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, cast

import pytest
from typer.testing import CliRunner

from adapters.shm.latch import SharedLatch
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.values import E9, ScopeKind
from ems.bootstrap.runtime import Runtime
from ems.cli import app
from ems.config import load
from tests.conftest import Database

CONFIGURATION = """
mode = "PAPER"
state_directory = "state"
"""
SECRETS = {"jane": "jane has a secret", "omar": "omar has another"}


@pytest.fixture
def home(tmp_path: Path) -> Path:
    (tmp_path / "ems.toml").write_text(CONFIGURATION)
    for person, secret in SECRETS.items():
        (tmp_path / person).write_text(secret + "\n")
    return tmp_path


def run(home: Path, *words: str) -> tuple[int, dict[str, object]]:
    done = CliRunner().invoke(app, ["kill", *words, "--config", str(home / "ems.toml"), "--json"])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done.exit_code, json.loads(done.stdout)


def person(home: Path, name: str, reason: str = "looked") -> list[str]:
    return ["--person", name, "--secret-file", str(home / name), "--reason", reason]


def level(home: Path, *scopes: Scope) -> Level:
    return SharedLatch(home / "state" / "kill" / "latch").verdict([scope.digest for scope in scopes]).level


def test_it_trips_with_everything_dead(home: Path) -> None:
    SharedLatch(home / "state" / "kill" / "latch").build([])
    code, told = run(home, "hard", "--scope", "client:OMS1", "--reason", "runaway")
    assert (code, told["level"], told["logged"], told["gateways"], told["report"]) == (0, "HARD", False, 0, None)
    client = Scope(ScopeKind.CLIENT, "OMS1")
    assert (level(home, client), level(home)) == (Level.HARD, Level.ARMED)
    code, told = run(home, "status")
    assert (code, told["readable"], told["logged"]) == (1, True, False)
    assert "runaway" in (home / "state" / "kill" / "pending.jsonl").read_text()


def test_without_a_latch_everything_is_stopped_and_a_trip_makes_one_that_arms_nobody(home: Path) -> None:
    code, told = run(home, "status")
    assert (code, told["readable"]) == (1, False)
    run(home, "soft", "--scope", "client:OMS1", "--reason", "r")
    assert level(home) is Level.HARD


@pytest.mark.parametrize("scope", ["", "everything", "client", "firm:X"])
def test_a_scope_that_is_none_is_said(home: Path, scope: str) -> None:
    done = CliRunner().invoke(app, ["kill", "hard", "-s", scope, "-r", "r", "--config", str(home / "ems.toml")])
    assert type(done.exception).__name__ == "ConfigError"
    assert not (home / "state" / "kill" / "latch").exists()


def test_the_status_says_how_old_the_watchdogs_last_beat_is(home: Path) -> None:
    latch = SharedLatch(home / "state" / "kill" / "latch")
    latch.build([])
    _, told = run(home, "status")
    assert told["watchdog"] == {"beats": False, "age_s": None, "beat_max_s": 3.0}
    assert "the watchdog has not beaten yet, and 3 s is allowed: nothing new leaves" in str(told["notes"])
    long_ago = SharedLatch(home / "state" / "kill" / "latch", monotonic_ns=lambda: time.monotonic_ns() - 7 * E9)
    for beating, beats in ((long_ago, False), (latch, True)):
        beating.beat()
        _, told = run(home, "status")
        watchdog = cast("dict[str, Any]", told["watchdog"])
        assert watchdog["beats"] is beats and (watchdog["age_s"] >= 7) is not beats
        assert "the watchdog beat " in str(told["notes"]) and ("nothing new leaves" in str(told["notes"])) is not beats


@pytest.mark.parametrize("level_name", ["soft", "hard", "panic"])
def test_a_reason_is_asked_for_and_the_help_teaches(level_name: str) -> None:
    done = CliRunner().invoke(app, ["kill", level_name, "--help"])
    assert "client:OMS1" in done.stdout
    assert CliRunner().invoke(app, ["kill", level_name]).exit_code == 2


def with_log(home: Path, database: Database) -> None:
    """As a run of the system leaves it."""
    settings = load(home / "ems.toml")
    settings.state_directory.mkdir()
    Runtime(settings=settings, app_dsn=database.app_dsn).save()
    SharedLatch(home / "state" / "kill" / "latch").build([])


def test_two_people_re_arm_and_one_resumes(home: Path, database: Database) -> None:
    with_log(home, database)
    assert run(home, "soft", "--reason", "r")[1]["logged"] is True
    for name in SECRETS:
        done = CliRunner().invoke(
            app, ["kill", "enroll", "-p", name, "--secret-file", str(home / name), "-c", str(home / "ems.toml")]
        )
        assert done.exit_code == 0
    (home / "eve").write_text("jane has a secret\n")
    code, told = run(home, "rearm", *person(home, "eve"))
    assert (code, told["reason"], level(home)) == (1, "not_authenticated", Level.SOFT)
    code, told = run(home, "rearm", *person(home, "jane"))
    assert (code, told["armed"], level(home)) == (0, False, Level.SOFT)
    code, told = run(home, "rearm", *person(home, "jane"))
    assert (code, told["reason"], level(home)) == (1, "second_person_needed", Level.SOFT)
    code, told = run(home, "rearm", *person(home, "omar"))
    assert (code, told["armed"], level(home)) == (0, True, Level.ARMED)
    latch = SharedLatch(home / "state" / "kill" / "latch")
    assert latch.verdict([FIRM.digest]).paused_before_ns > 0
    assert run(home, "resume", *person(home, "omar"))[0] == 0
    assert latch.verdict([FIRM.digest]).paused_before_ns == 0
    code, told = run(home, "status")
    assert (code, told["scopes"], told["logged"]) == (0, [], True)


def test_a_drill_says_who_did_not_answer_and_leaves_nothing_behind(home: Path, database: Database) -> None:
    with_log(home, database)
    code, told = run(home, "drill")
    assert (code, told["ok"], told["gateways"], told["gateways_seen"], told["logged"]) == (1, False, 1, 0, True)
    assert SharedLatch(home / "state" / "kill" / "latch").slots() == ()
