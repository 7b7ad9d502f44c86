"""`ems demo` as a user runs it: every process real, the order filled over FIX, the venue's ledger in agreement, nothing left."""

from __future__ import annotations

import json
import os
import re
import signal
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.conftest import ROOT, Program

KEYS = {"filled", "avg_px", "arrival_px", "is_bps", "vwap_slippage_bps", "fill_rate", "events"}
TAPE = ROOT.parent / "shared" / "data" / "lobster" / "LOBSTER_SampleFile_AMZN_2012-06-21_5.zip"


def judged_by_the_ledger(state: Path) -> tuple[int, int]:
    """(quantity, quantity x price) of everything that the venue says it executed, at 1e-9 and 1e-18."""
    lines = [json.loads(line) for line in (state / "venue" / "ledger.jsonl").read_text().splitlines()]
    fills = {line["exec_id"]: line for line in lines if line["k"] == "exec"}
    return sum(f["quantity_e9"] for f in fills.values()), sum(f["quantity_e9"] * f["price_e9"] for f in fills.values())


def check_figures(figures: dict[str, Any], state: Path, quantity: int) -> None:
    assert figures.keys() >= KEYS
    assert figures["status"] == "filled" and figures["filled"] == quantity and figures["fill_rate"] == 1.0, figures["reason"]
    assert figures["venue_ledger_agrees"] is True and figures["restarts"] == 0
    quantity_e9, notional_e18 = judged_by_the_ledger(state)
    assert quantity_e9 == quantity * 10**9
    assert figures["avg_px"] == pytest.approx(notional_e18 / quantity_e9 / 1e9, abs=1e-9)
    assert figures["is_bps"] == pytest.approx((figures["avg_px"] / figures["arrival_px"] - 1) * 1e4, abs=1e-3)
    assert figures["vwap_slippage_bps"] == pytest.approx((figures["avg_px"] / figures["market_vwap"] - 1) * 1e4, abs=1e-3)
    assert figures["children"] > 3 and figures["fills"] >= figures["children"] // 2 and figures["events"] > 50


def test_an_order_is_worked_whole_from_one_command(program: Program) -> None:
    done = program.run("demo", "--headless", "--json", "--minutes", "8", "--speed", "60", "--qty", "2000", "--keep", "kept")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    check_figures(json.loads(done.stdout), program.home / "kept", 2000)
    assert program.left_over() == []


def test_the_recorded_day_of_the_issue(program: Program) -> None:
    if not TAPE.exists():
        pytest.skip(f"no recorded market data: {TAPE.name} is not beside this clone")
    done = program.run(
        "demo", "--headless", "--tape", str(TAPE), "--symbol", "AMZN", "--side", "buy", "--qty", "5000", "--algo", "vwap",
        "--minutes", "30", "--speed", "60", "--json", "--keep", "kept", timeout_s=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    check_figures(figures, program.home / "kept", 5000)
    assert 220 < figures["arrival_px"] < 226, "AMZN stood there on that morning"


def test_the_log_that_it_leaves_replays_to_any_place(program: Program) -> None:
    done = program.run("demo", "--headless", "--json", "--minutes", "2", "--speed", "60", "--qty", "300", "--keep", "kept")
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    (program.home / "ems.toml").write_text('state_directory = "kept"\n')
    states = [json.loads(program.run("replay", "--to", to, "--json").stdout) for to in ("20", str(figures["events"]))]
    assert [state["seq"] for state in states] == [20, figures["events"]]
    assert states[0]["digest"] != states[1]["digest"]
    (parent,) = states[1]["parents"]
    assert float(parent["filled"]) == figures["filled"] == 300
    again = json.loads(program.run("replay", "--json").stdout)
    assert again["seq"] >= figures["events"], "the sessions' logouts may follow"
    beyond = program.run("replay", "--to", "999999")
    assert beyond.returncode == 2 and "there is no event 999999 yet" in beyond.stderr


def read_until(lines: Any, pattern: str) -> re.Match[str]:
    for line in lines:
        if (found := re.search(pattern, line)) is not None:
            return found
    raise AssertionError(f"ended without {pattern}")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_stops_every_process_and_removes_what_was_made(program: Program, number: signal.Signals) -> None:
    demo = program.start("demo", "--minutes", "60", "--speed", "10")
    assert demo.stdout is not None
    url = read_until(demo.stdout, r"console: (http://\S+)")[1]
    with urllib.request.urlopen(url.partition("?")[0] + "health", timeout=10) as answer:
        assert json.load(answer)["status"] == "ok"
    assert len(program.left_over()) > 5
    os.kill(demo.pid, number)
    demo.stdout.read()
    assert demo.wait(60) == 130
    demo.stdout.close()
    assert program.left_over() == []
    assert list(program.home.glob("ems-demo-*")) == []


def test_when_the_supervisor_is_killed_everything_else_ends_too(program: Program) -> None:
    demo = program.start("demo", "--minutes", "60", "--speed", "10")
    assert demo.stdout is not None
    read_until(demo.stdout, r"console: http://\S+")
    assert len(program.left_over()) > 5
    demo.kill()
    demo.wait(10)
    demo.stdout.close()
    deadline = time.monotonic() + 60
    while program.left_over() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert program.left_over() == []


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["--algo", "magic"], "--algo must be one of twap, vwap, pov, not 'magic'"),
        (["--side", "hold"], "--side must be buy or sell"),
        (["--symbol", "NONE"], "--symbol NONE is not in the built-in sample"),
        (["--tape", "nowhere.zip"], "there is no tape nowhere.zip"),
        (["--keep", "full"], "--keep wants a new directory"),
    ],
)
def test_what_cannot_be_run_is_one_sentence_and_exit_2(program: Program, words: list[str], told: str) -> None:
    (program.home / "full").mkdir()
    (program.home / "full" / "file").touch()
    done = program.run("demo", "--headless", *words)
    assert done.returncode == 2
    assert told in done.stderr and done.stderr.count("\n") == 1
