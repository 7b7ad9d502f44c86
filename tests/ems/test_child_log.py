"""A child's log: what it said last, and that it does not grow for ever."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ems import child_log
from ems.child_log import last_line, open_log


def test_what_a_child_said_last(tmp_path: Path) -> None:
    log = tmp_path / "a.jsonl"
    assert last_line(log) == ""
    log.write_text(json.dumps({"event": "first"}) + "\n" + json.dumps({"event": "second"}) + "\n\n")
    assert last_line(log) == "second"
    with log.open("a") as file:
        file.write("fix gateway: cannot listen\n")
    assert last_line(log) == "fix gateway: cannot listen"


def test_a_log_that_has_grown_too_long_is_put_aside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child_log, "LOG_BYTES_MAX", 5)
    log = tmp_path / "logs" / "a.jsonl"
    for text in ("first\n", "second\n", "third\n"):
        with open_log(log) as file:
            file.write(text.encode())
    assert log.read_text() == "third\n"
    assert (tmp_path / "logs" / "a.jsonl.1").read_text() == "second\n"
