"""Secrets, planted in every way that they come, are in nothing that is told."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from adapters.shm.flight import read
from ems.scrub import MASK, scrubbed, scrubbed_fields

PLANTED = "hunter2hunter2"
TEXTS = (
    f"cannot connect to postgresql://ems_app:{PLANTED}@127.0.0.1:5432/ems",
    f"password={PLANTED}", f"Password: {PLANTED}, user jane", f"{{'api_key': '{PLANTED}'}}", f'{{"client_secret": "{PLANTED}"}}',
    f"Authorization: Bearer {PLANTED}", f"basic {PLANTED}", f"8=FIX.4.4\x0135=A\x01554={PLANTED}\x01925={PLANTED}\x0110=1\x01",
    f"8=FIX.4.4|35=A|96={PLANTED}|10=1|", f"host=db user=x password={PLANTED} dbname=ems", f"token = {PLANTED}",
    f"-----BEGIN PRIVATE KEY-----\n{PLANTED}\n-----END PRIVATE KEY-----",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_no_secret_is_left_in_a_text(text: str) -> None:
    assert PLANTED not in scrubbed(text)
    assert MASK in scrubbed(text)


def test_what_is_no_secret_stays() -> None:
    for text in ("event 554 of stream 96", "38=100|44=99.5|1=ACCOUNT|", "http://127.0.0.1:8410/health", "tokens_left 12"):
        assert scrubbed(text) == text
    assert scrubbed_fields({"tokens": 3, "passed": True, "quantity": 1}) == {"tokens": 3, "passed": True, "quantity": 1}


def test_fields_by_name_at_any_depth() -> None:
    planted: dict[str, Any] = {"password": PLANTED, "metrics_token": PLANTED, "deep": [{"cookie": PLANTED}, {"said": TEXTS[0]}]}
    assert PLANTED not in json.dumps(scrubbed_fields(planted))


SCRIPT = """
import logging, pathlib, sys, structlog
from ems.bootstrap.logs import log_json
planted = sys.argv[2]
log_json("desk", state=pathlib.Path(sys.argv[1]))
structlog.contextvars.bind_contextvars(correlation=["p1"])
structlog.get_logger("ours").info("hello", password=planted, inner={"secret": planted}, url=f"postgresql://u:{planted}@h/d")
logging.getLogger("theirs").warning("token=%s", planted)
try:
    raise ValueError(f"password={planted}")
except ValueError:
    structlog.get_logger("ours").exception("bad")
raise RuntimeError(f"Bearer {planted}")
"""


def test_every_log_line_has_one_schema_and_no_secret_and_is_noted(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(tmp_path), PLANTED], cwd=root, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    lines = [json.loads(line) for line in done.stderr.splitlines()]
    assert [line["level"] for line in lines] == ["info", "warning", "error", "critical"]
    for line in lines:
        assert list(line)[:5] == ["time_ns", "time", "level", "process", "logger"]
        assert line["process"] == "desk" and line["correlation"] == ["p1"] and "event" in line
        assert line["time"].endswith(f"{line['time_ns'] % 10**9:09}Z")
    assert "RuntimeError" in lines[-1]["exception"]
    noted = read(tmp_path / "flight" / "desk.ring")
    assert len(noted) == len(lines)
    assert PLANTED not in done.stderr + "".join(note.text for note in noted)


def test_a_person_reads_text_without_secrets() -> None:
    said = f"structlog.get_logger().info('x', password='{PLANTED}')"
    code = f"import structlog; from ems.bootstrap.logs import log_plain; log_plain(); {said}"
    root = Path(__file__).resolve().parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True)
    assert PLANTED not in done.stderr and "password" in done.stderr and not done.stderr.startswith("{")
