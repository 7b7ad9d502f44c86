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

from adapters.postgres.embedded import EmbeddedPostgres
from tests.acceptance.conftest import ROOT, Program

pytestmark = pytest.mark.slow
FULL = "EMS_DEMO_FULL" in os.environ  # the campaign: the whole half hour of tape, and the kills
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


def check_replay(program: Program, figures: dict[str, Any]) -> None:
    """The log that it leaves gives the state at any place."""
    (program.home / "ems.toml").write_text('state_directory = "kept"\n')
    early = json.loads(program.run("replay", "--to", "20", "--json").stdout)
    server = EmbeddedPostgres(program.home / "kept" / "postgres")
    server.start()  # for the others it runs already
    try:
        late = json.loads(program.run("replay", "--to", str(figures["events"]), "--json").stdout)
        beyond = program.run("replay", "--to", "999999")
    finally:
        server.stop()
    assert (early["seq"], late["seq"]) == (20, figures["events"])
    assert early["digest"] != late["digest"]
    (parent,) = late["parents"]
    assert float(parent["filled"]) == figures["filled"]
    assert len(late["fills"]) == figures["fills"] and len(late["children"]) == figures["children"]
    assert beyond.returncode == 2 and "there is no event 999999 yet" in beyond.stderr


def test_an_order_is_worked_whole_from_one_command(program: Program) -> None:
    done = program.run("demo", "--headless", "--json", "--minutes", "8", "--speed", "60", "--qty", "2000", "--keep", "kept")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    figures = json.loads(done.stdout)
    check_figures(figures, program.home / "kept", 2000)
    assert program.left_over() == []
    check_replay(program, figures)


def test_the_recorded_day_of_the_issue(program: Program) -> None:
    if not TAPE.exists():
        pytest.skip(f"no recorded market data: {TAPE.name} is not beside this clone")
    quantity = 5000 if FULL else 1000
    done = program.run(
        "demo", "--headless", "--tape", str(TAPE), "--symbol", "AMZN", "--side", "buy", "--qty", str(quantity),
        "--algo", "vwap", "--minutes", "30" if FULL else "6", "--speed", "60", "--json", "--keep", "kept", timeout_s=240,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    check_figures(figures, program.home / "kept", quantity)
    assert 220 < figures["arrival_px"] < 226, "AMZN stood there on that morning"


def pid_of(program: Program, word: str) -> int | None:
    return next((int(line.split()[0]) for line in program.left_over() if word in line), None)


def wait_for_pid(program: Program, word: str) -> int:
    deadline = time.monotonic() + 60
    while (pid := pid_of(program, word)) is None and time.monotonic() < deadline:
        time.sleep(0.05)
    assert pid is not None, f"{word} is not there"
    return pid


@pytest.mark.skipif(not FULL, reason="runs in the campaign (EMS_DEMO_FULL); test_kill9.py kills in every run")
def test_every_process_is_killed_once_and_the_order_is_still_filled(program: Program) -> None:
    demo = program.start("demo", "--headless", "--json", "--minutes", "40", "--speed", "60", "--qty", "3000", "--keep", "kept")
    assert demo.stdout is not None
    killed = {word: wait_for_pid(program, f"ems {word} ") for word in ("_venue", "_gateway", "_desk", "_api", "_postgres")}
    ledger = program.home / "kept" / "venue" / "ledger.jsonl"
    deadline = time.monotonic() + 60
    while not (ledger.exists() and '"k":"exec"' in ledger.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)  # until the first fill: the order is being worked
    for word, pid in {**killed, "postmaster": wait_for_pid(program, "bin/postgres -D")}.items():
        os.kill(pid, signal.SIGKILL)
        if word in killed:
            deadline = time.monotonic() + 60
            while pid_of(program, f"ems {word} ") in (None, pid) and time.monotonic() < deadline:
                time.sleep(0.05)
            assert pid_of(program, f"ems {word} ") not in (None, pid), f"{word} did not come back"
    output = demo.stdout.read()
    assert demo.wait(60) == 0, output
    demo.stdout.close()
    figures = json.loads(output.splitlines()[-1])
    assert figures["restarts"] == len(killed)
    assert figures["status"] == "filled" and figures["venue_ledger_agrees"]
    check_figures(figures | {"restarts": 0}, program.home / "kept", 3000)


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
        (["--algo", "magic"], "--algo must be one of twap, vwap, pov"),
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
