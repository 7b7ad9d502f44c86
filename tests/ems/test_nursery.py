"""Processes forked by a nursery, by an owner of one thread: the test's own process has more."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.ems.nursery_owner import CHILD, ENVIRONMENT

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a nursery needs Linux")
ROOT = Path(__file__).resolve().parents[2]


def owner(does: str, log: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.ems.nursery_owner", does, str(log)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, timeout=60)
    return dict(json.loads(done.stdout.splitlines()[-1]))


def test_a_forked_process_is_what_its_command_would_have_started(tmp_path: Path) -> None:
    told = owner("one", tmp_path / "log")
    found = told["found"]
    assert told["status"] == 3
    assert told["last"] == "it is over"
    assert found["main"] == CHILD
    assert found["words"] == ["end", str(told["passed"])]
    assert found["parent"] == told["me"]
    assert found["leads"]
    assert found["environment"] == ENVIRONMENT
    assert found["stdin"] == ""
    assert found["read"] == ["a word"]
    assert found["open"] == [0, 1, 2, told["passed"]]
    assert (found["interrupt"], found["terminate"]) == (True, True)
    assert found["loaded"], "it has what the nursery had loaded"


def test_it_outlives_the_nursery_and_is_its_owners_to_end(tmp_path: Path) -> None:
    told = owner("killed", tmp_path / "log")
    assert (told["status"], told["again"]) == (-9, -9)
    assert told["title"].split() == ["python", "-m", CHILD, "wait"]


def test_without_its_nursery_a_process_is_started_by_its_command(tmp_path: Path) -> None:
    assert owner("gone", tmp_path / "log") == {"status": 3, "forked": False, "loaded": False, "main": CHILD}


def test_how_a_process_failed_is_told(tmp_path: Path) -> None:
    assert owner("failed", tmp_path / "c.jsonl") == {"error": "ProcessFailed", "text": "it is over"}


def test_a_process_that_nobody_waits_for_any_more_ends_and_the_next_is_not_taken_for_it(tmp_path: Path) -> None:
    assert owner("canceled", tmp_path / "log") == {"canceled": True, "status": 3, "left": []}


def test_a_process_of_several_threads_opens_none(tmp_path: Path) -> None:
    assert owner("threads", tmp_path / "log") == {"opened": False}
