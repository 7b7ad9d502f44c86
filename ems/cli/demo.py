"""`ems demo`: the whole system on one machine, one parent order over real FIX, watched until it is done."""

from __future__ import annotations

import asyncio
import json
import logging
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import typer
from rich.console import Console
from rich.live import Live

from domain.errors import ConfigError, EmsError, ProcessFailed
from domain.values import Algo
from ems.bootstrap.demo import Agreement, Follower, judge_venue, open_log, sample_data, tape_open
from ems.bootstrap.logs import log_plain
from ems.bootstrap.people import DemoPerson, make_demo_people
from ems.bootstrap.rerun import compared
from ems.bootstrap.system import System, started
from ems.cli.demo_screen import Screen, summary_panel
from ems.cli.demo_settings import DemoOptions, demo_settings
from ems.cli.running import run_until_signal
from ems.config import Settings

__all__ = ["DemoOptions", "run_demo"]
READY_S: Final = 60.0
PATIENCE_S: Final = 45.0  # of the wall, beyond the order's own time
CL_ORD_ID: Final = "DEMO-1"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of the order."""

    row: dict[str, Any]
    agreement: Agreement
    events: int
    restarts: int
    wall_s: float
    plans: tuple[dict[str, Any], ...] = ()
    compared: dict[str, Any] | None = None  # with TWAP, where the algorithm is one that plans by the market


def run_demo(options: DemoOptions) -> int:
    """Run the demo; its exit status: 0, 1 if the venue's ledger disagrees, 130 if it was interrupted before the end."""
    log_plain(logging.ERROR)
    state = _state_directory(options.keep)
    try:
        data = sample_data()
        begins = tape_open(options.tape) if options.tape is not None else None
        settings = demo_settings(options, state, data, today=datetime.now(UTC).date(), tape_open=begins)
        return run_until_signal(_demo(options, settings))
    finally:
        if options.keep is None:
            shutil.rmtree(state, ignore_errors=True)


def _state_directory(keep: Path | None) -> Path:
    if keep is None:
        return Path(tempfile.mkdtemp(prefix="ems-demo-"))
    if keep.exists() and any(keep.iterdir()):
        raise ConfigError(f"--keep wants a new directory, and {keep} has something in it")
    keep.mkdir(parents=True, exist_ok=True)
    return keep.resolve()


async def _demo(options: DemoOptions, settings: Settings) -> int:
    say: Callable[[str], None] = (lambda _: None) if options.json_output else typer.echo
    began_s = time.monotonic()
    say("starting: database, venue, FIX gateway, desk, console")
    try:
        async with started(settings) as system:
            await _ready(system, options.symbol)
            people = await make_demo_people(system.runtime)
            say(f"console: {system.console_url}  sign in as {_named(people)}")
            outcome = await _work(options, system, began_s)
            _tell(options, outcome)
            if not options.headless:
                say(f"the page stays up: {system.console_url}  sign in as {_named(people)}  (Ctrl-C stops everything)")
                await _stay(system)
            return 0 if outcome.agreement.agrees else 1
    except ProcessFailed:
        if options.keep is None:
            logs = "; ems demo --keep DIRECTORY keeps the logs"
            say(f"a process failed{logs}")
        raise


def _named(people: list[DemoPerson]) -> str:
    return " or ".join(f"{one.user} / {one.password}" for one in people)


async def _stay(system: System) -> None:
    """Until Ctrl-C, which here is the expected end."""
    try:
        await system.supervisor.watch()
    except asyncio.CancelledError:
        typer.echo("stopping")


async def _ready(system: System, symbol: str) -> None:
    """Wait until the desk leads, the venue is logged on and there is a market. Raises ProcessFailed after a minute."""
    deadline = time.monotonic() + READY_S
    while time.monotonic() < deadline:
        status = await system.desk_status()
        if status.get("state") == "leading" and "SIM" in status["sessions_up"] and symbol in status["markets"]:
            return
        await asyncio.sleep(0.05)
    raise ProcessFailed(f"no market for {symbol} within {READY_S:.0f} s")


async def _work(options: DemoOptions, system: System, began_s: float) -> Outcome:
    """Send the order and follow the log until the parent is finished."""
    async with open_log(system.runtime) as log:
        feed = Follower(log)
        following = asyncio.create_task(feed.run())
        oms = await _send(options, system)
        try:
            row = await _watch(options, system, feed, oms)
            agreement = judge_venue(system.runtime, feed.rows, row["id"])
            events = (await log.head()).seq
            plans = feed.rows.plans.get(row["id"], ())
            weighed = options.algo in (Algo.AC, Algo.ADAPTIVE)
            beside = await asyncio.to_thread(compared, system.runtime, feed.rows, row["id"]) if weighed else None
        finally:
            following.cancel()
            if oms.returncode is None:
                oms.terminate()
            await oms.wait()
    restarts = sum(system.supervisor.restarts().values())
    return Outcome(row, agreement, events, restarts, time.monotonic() - began_s, plans, beside)


async def _send(options: DemoOptions, system: System) -> asyncio.subprocess.Process:
    """The OMS is a process of its own and knows the EMS by its FIX session alone."""
    words = [
        "oms", "send", "--config", str(system.runtime.state / "runtime.json"), "--symbol", options.symbol, "--side", options.side,
        "--qty", str(options.quantity), "--algo", options.algo, "--minutes", f"{options.minutes:g}", "--cl-ord-id", CL_ORD_ID,
        "--wait", "--json",
    ]  # fmt: skip
    if options.algo == "pov":
        words += ["--param", "ParticipationRate=20"]
    with (system.runtime.logs / "oms.jsonl").open("ab") as log:
        return await asyncio.create_subprocess_exec(
            sys.executable,
            "-P",
            "-m",
            "ems",
            *words,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )


async def _watch(options: DemoOptions, system: System, feed: Follower, oms: asyncio.subprocess.Process) -> dict[str, Any]:
    """Show the order until it is over; its last row. Raises EmsError where it never arrives or never ends."""
    deadline = time.monotonic() + options.minutes * 60 / options.speed + PATIENCE_S
    screen = Screen(options, system.runtime, system.console_url)
    quiet = options.headless or not sys.stdout.isatty()
    with Live(screen, console=Console(quiet=quiet), refresh_per_second=8, transient=True):
        while time.monotonic() < deadline:
            row = next((r for r in feed.rows.parents.values() if r["cl_ord_id"] == CL_ORD_ID), None)
            screen.show(feed.rows, row)
            if row is not None and row["finished"]:
                await asyncio.wait_for(oms.wait(), 10)  # the OMS has been told, too
                return row
            if oms.returncode not in (None, 0) and row is None:
                raise ProcessFailed(f"the OMS could not send the order: {_last_words(system)}")
            await asyncio.sleep(0.05)
    raise EmsError(f"the order was not over {PATIENCE_S:.0f} s after its time")


def _last_words(system: System) -> str:
    lines = (system.runtime.logs / "oms.jsonl").read_text().strip().splitlines()
    return lines[-1] if lines else "it said nothing"


def _tell(options: DemoOptions, outcome: Outcome) -> None:
    if options.json_output:
        typer.echo(json.dumps(figures(options, outcome)))
    else:
        Console().print(summary_panel(figures(options, outcome)))


def figures(options: DemoOptions, outcome: Outcome) -> dict[str, Any]:
    """The demo's result as one flat object. What has no basis is null."""
    row = outcome.row
    found: dict[str, Any] = {
        "filled": None, "avg_px": None, "arrival_px": None, "is_bps": None, "vwap_slippage_bps": None, "fill_rate": None,
        "market_vwap": None, "participation": None, **(row.get("summary") or {}),
    }  # fmt: skip
    found["filled"] = _whole(float(row["filled"]))
    agreement = outcome.agreement
    return found | {
        "events": outcome.events,
        "status": row["status"],
        "reason": row["text"] if row["status"] != "filled" else "",
        "symbol": options.symbol,
        "side": options.side,
        "quantity": options.quantity,
        "algo": options.algo,
        "children": agreement.children,
        "fills": agreement.fills,
        "venue_filled": _whole(float(agreement.venue_quantity)),
        "venue_ledger_agrees": agreement.agrees,
        "restarts": outcome.restarts,
        "plans": len(outcome.plans),
        "plans_by_reason": dict(Counter(each["reason"].partition(" ")[0] for each in outcome.plans)),
        "plans_fallen_back": sum(bool(each["fallback"]) for each in outcome.plans),
        "twap": outcome.compared,
        "speed": options.speed,
        "seed": None if options.tape is not None else options.seed,
        "wall_s": round(outcome.wall_s, 1),
    }


def _whole(number: float) -> float | int:
    return int(number) if number == int(number) else number
