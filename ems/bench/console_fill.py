"""A venue's execution at the gateway to its row painted in the browser, over everything that lies between.

The whole system runs: the simulated venue executes children, its reports come over real FIX, the gateway notes in its wire
journal when each arrived, the desk decides and appends, the api follows, and the page shows the new row of the fills. Both ends
are read on this machine's one clock.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

from adapters.fix.wire_reader import Fault, read
from adapters.fix.wire_record import Kind
from adapters.fix.wire_segments import WIRE_FOLDER, folder
from adapters.postgres.event_log import PostgresEventLog
from domain import fill as fl
from domain.errors import EmsError
from ems.bench.console_browser import SIZE
from ems.bench.console_page import probed
from ems.bench.console_room import Room
from ems.bootstrap.system import System, started
from ems.config import Settings, check
from ems.loopback import free_ports

CLIENT, VENUE, SYMBOL = "OMS", "SIM", "DEMO"
ORDER_QUANTITY, MINUTES = 4_000, 0.5
PATIENCE_S: Final = 120.0
READY_S: Final = 60.0


async def measure(chromium: Any, fills: int) -> dict[str, Any]:
    """`fill_to_paint_p50_ms` and its like over at least so many executions, and how many of them never came on screen."""
    with tempfile.TemporaryDirectory(prefix="ems-bench-fills-") as directory:
        async with started(_settings(Path(directory))) as system:
            there = Room(system.runtime, system.supervisor)
            await _ready(system)
            async with probed(chromium, there, SIZE, "#/fills") as page:
                await page.tab.wait_for_selector('[data-topic="fills"] [role="grid"], [data-topic="fills"] [role="treegrid"]')
                await page.probe_start()
                async with there.log() as log:
                    recorded = await _fills(system, log, fills)
                    await page.until_seen((await log.head()).seq)
                told = await page.probe_stop()
            arrived = _arrivals(system)
    painted = {exec_id: told["firsts"][row] for row, exec_id in recorded.items() if row in told["firsts"]}
    sorted_ms = sorted((painted[each] - arrived[each]) / 1e6 for each in painted.keys() & arrived.keys())
    if not sorted_ms:
        raise EmsError(f"of {len(recorded)} executions none was seen to be painted")
    return {
        "fill_to_paint_p50_ms": round(sorted_ms[len(sorted_ms) // 2], 1),
        "fill_to_paint_p99_ms": round(sorted_ms[len(sorted_ms) * 99 // 100], 1),
        "fills": len(recorded),
        "fills_painted": len(sorted_ms),
    }


def _settings(state: Path) -> Settings:
    client_port, venue_port, console_port = free_ports(3)
    own = {"port": venue_port, "kind": "initiator", "target_comp_id": VENUE}
    values: dict[str, Any] = {
        "name": "bench",
        "state_directory": str(state),
        "sessions": [
            {"name": CLIENT, "role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": CLIENT,
             "port": client_port},
            {"name": VENUE, "role": "venue", "sender_comp_id": "EMS", **own},
            {"name": f"{VENUE}-MD", "role": "marketdata", "sender_comp_id": "EMS-MD", "symbols": [SYMBOL], **own},
        ],
        "routes": {"*": VENUE},
        "venue": {"comp_id": VENUE, "port": venue_port, "symbols": [SYMBOL], "prices": {SYMBOL: 100.0}},
        "console": {"port": console_port},
    }  # fmt: skip
    return check(values, name="the bench's settings")


async def _ready(system: System) -> None:
    deadline_s = time.monotonic() + READY_S
    while time.monotonic() < deadline_s:
        status = await system.desk_status()
        if status.get("state") == "leading" and VENUE in status["sessions_up"] and SYMBOL in status["markets"]:
            return
        await asyncio.sleep(0.05)
    raise EmsError(f"no market for {SYMBOL} within {READY_S:.0f} s")


async def _fills(system: System, log: PostgresEventLog, count: int) -> dict[str, str]:
    """Orders over the client's session, one after the other, until there were so many executions: their rows and ExecIDs."""
    deadline_s, number = time.monotonic() + PATIENCE_S, 0
    found: dict[str, str] = {}
    seq = 0
    while len(found) < count and time.monotonic() < deadline_s:
        number += 1
        async with _order(system, f"BENCH-{number}") as sent:
            while sent.returncode is None and len(found) < count and time.monotonic() < deadline_s:
                await asyncio.sleep(0.5)
                async for page in log.read_pages(after_seq=seq):
                    for recorded in page:
                        seq = recorded.seq
                        if isinstance(recorded.event, fl.Recorded):
                            found[str(recorded.stream)] = recorded.event.exec_id
    return found


@asynccontextmanager
async def _order(system: System, cl_ord_id: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """An order from a client of its own process, which knows the system by its FIX session alone."""
    words = [
        "oms", "send", "--config", str(system.runtime.state / "runtime.json"), "--symbol", SYMBOL, "--qty", str(ORDER_QUANTITY),
        "--algo", "twap", "--minutes", str(MINUTES), "--cl-ord-id", cl_ord_id, "--wait", "--json",
    ]  # fmt: skip
    with (system.runtime.logs / "oms.jsonl").open("ab") as log:
        sent = await asyncio.create_subprocess_exec(
            sys.executable, "-P", "-m", "ems", *words, stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        yield sent
    finally:
        if sent.returncode is None:
            sent.terminate()
        await sent.wait()


def _arrivals(system: System) -> dict[str, int]:
    """When the gateway took each execution off the wire, by ExecID, in nanoseconds."""
    found: dict[str, int] = {}
    for item in read(folder(system.runtime.gateway_directory() / WIRE_FOLDER, VENUE)):
        if isinstance(item, Fault) or item.record.kind != Kind.IN:
            continue
        fields = dict(part.split(b"=", 1) for part in item.record.raw.split(b"\x01") if b"=" in part)
        if fields.get(b"35") == b"8" and b"17" in fields:
            found.setdefault(fields[b"17"].decode(), item.record.time_ns)
    return found
