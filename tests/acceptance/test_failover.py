"""Loss of the database, of the leading desk, and a leader that is stopped between commit and send: nothing is lost or doubled.

Two hosts on one log, each with its own gateway, files and latch; one venue behind both, and one OMS that knows both addresses.
What is judged is the venue's own ledger against the OMS's (`kill9/judge.py`) and the log. How long it took until new orders
were answered and others filled, and which host led then, is printed and asserted nowhere.
EMS_FAILOVER_ORDERS_S is the load in orders a second, EMS_FAILOVER_KEEP keeps the directory.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import kill_host
from domain.catalogue import TOPICS
from domain.errors import Fenced
from domain.event import Entry, Meta
from tests.acceptance.failover.hosts import SYMBOL, Door, Site, patiently
from tests.acceptance.kill9 import judge
from tests.acceptance.kill9.fix_session import Ledger
from tests.acceptance.kill9.oms import Oms

ORDERS_S = float(os.environ.get("EMS_FAILOVER_ORDERS_S", "8"))
UP_S, BACK_S, QUIET_S = 240.0, 90.0, 90.0
CHILDREN = "SELECT count(*) FROM events WHERE topic = 'child_order.created.v1'"


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    home = Path(tempfile.mkdtemp(prefix="ems-failover-"))
    os.chmod(home, 0o711)  # noqa: PTH101 (the embedded server's account must be able to pass)
    made = await asyncio.to_thread(Site, home)
    try:
        await made.start()
        yield made
    finally:
        await made.stop()
        if "EMS_FAILOVER_KEEP" in os.environ:
            print(f"ledgers, logs and database are kept in {home}")
        else:
            shutil.rmtree(home)


@pytest.mark.slow
async def test_nothing_is_lost_or_doubled(site: Site) -> None:
    alpha, beta = site.hosts["alpha"], site.hosts["beta"]
    alpha.start()
    await asyncio.to_thread(patiently, lambda: alpha.desk == "leading", UP_S, "alpha's lead")
    beta.start("--standby")
    await asyncio.to_thread(patiently, lambda: beta.desk == "standing by", UP_S, "beta's readiness")
    assert not beta.holds_sessions
    await asyncio.to_thread(patiently, lambda: site.venue_open, UP_S, "the venue")
    ledger = Ledger(site.home / "oms.jsonl")
    oms = Oms(0, ledger, Random(1), symbol=SYMBOL, every_s=1 / ORDERS_S, seconds=(0.5, 5.0))
    oms.session = Door(0, "OMS1", "EMS", ledger, oms._told)
    oms.session.doors = (beta.oms_port, alpha.oms_port)
    session, flow = asyncio.create_task(oms.session.run()), asyncio.create_task(oms.flow())
    resumed: dict[str, float] = {}
    led: dict[str, str] = {}
    try:
        await asyncio.wait_for(oms.session.up.wait(), UP_S)
        oms.flowing.set()
        await works(oms)
        resumed["postgres"] = await lose_postgres(site, oms)
        led["postgres"] = site.leader()
        await asyncio.to_thread(patiently, lambda: _paired(site), BACK_S, "a leader and a standby")
        resumed["stopped_leader"] = await stop_between_commit_and_send(site, oms)
        led["stopped_leader"] = site.leader()
        resumed["desk"] = await lose_desk(site, oms)
        led["desk"] = site.leader()
        oms.flowing.clear()
        await oms.until(lambda: not oms.open, QUIET_S, "the end of the last orders")
        async with PostgresEventLog(site.server.app_dsn, TOPICS, WallClock()) as log:
            head = await log.verify_chain()
    finally:
        flow.cancel()
        session.cancel()
        ledger.close()
    verdict = judged(site)
    print(json.dumps({"resumed_s": resumed, "led": led, "events": head.seq, **verdict}))
    assert verdict["faults"] == []
    assert verdict["fills"] > 5
    assert resumed.keys() == {"postgres", "stopped_leader", "desk"}


async def works(oms: Oms) -> None:
    """Until orders that are sent from now on are answered, and then others are executed."""
    before = set(oms.orders)
    await oms.until(lambda: len(set(oms.orders) - before - oms.unanswered) >= 3, BACK_S, "answers")
    fills = oms.fills + 3
    await oms.until(lambda: oms.fills >= fills, BACK_S, "fills")


async def resumes(oms: Oms, began_s: float) -> float:
    """Seconds from began_s until orders that were sent since are answered and others fill."""
    await works(oms)
    return round(time.monotonic() - began_s, 2)


async def lose_postgres(site: Site, oms: Oms) -> float:
    """kill -9 of the server; what keeps it starts it again."""
    postmaster = await asyncio.to_thread(site.postmaster)
    began_s = time.monotonic()
    postmaster.kill()
    await asyncio.to_thread(site.server.start)
    return await resumes(oms, began_s)


async def stop_between_commit_and_send(site: Site, oms: Oms) -> float:
    """The leader is stopped when an order is in the log and not at the venue; another leads; then it goes on."""
    old = site.hosts[site.leader()]
    new = next(host for host in site.hosts.values() if host is not old)
    assert new.numbers == [], "its gateway has held no session: there is nothing in its file store"
    oms.flowing.clear()
    await oms.until(lambda: not oms.open, QUIET_S, "a quiet moment")
    desk, epoch = old.child("desk"), site.query("SELECT epoch FROM log_head")
    before, sent, proxy = site.query(CHILDREN), site.sent(), site.proxies[old.name]
    proxy.hold(b"child_order.created.v1")
    while not proxy.holds:
        oms.new_order()  # some strategies find nothing to send before such a short order ends
        await asyncio.sleep(0.5)
    await asyncio.to_thread(patiently, lambda: site.query(CHILDREN) > before, BACK_S, "a child order in the log")
    desk.suspend()
    began_s = time.monotonic()
    proxy.release()  # the answer lies in the socket of a process that does not run
    assert site.sent() == sent, "it is in the log and not at the venue"
    oms.flowing.set()
    took_s = await resumes(oms, began_s)
    assert site.leader() == new.name
    assert new.holds_sessions
    assert len(new.numbers) == 2
    assert all("(store 1)" in line for line in new.numbers), "it went by the log's numbers alone"
    desk.send_signal(signal.SIGCONT)
    await asyncio.to_thread(patiently, lambda: not _runs(desk), BACK_S, "the old leader's end")
    await asyncio.to_thread(patiently, lambda: old.desk == "standing by", BACK_S, "the old leader's return as a standby")
    assert [str(line["event"]) for line in old.said("desk") if line["level"] == "critical"][-1] in (
        f"epoch {epoch} has ended, the log is at epoch {epoch + 1}",  # whichever it meets first
        f"the gateway has seen epoch {epoch + 1}: another desk leads",
        "another desk leads",
    )
    await late_append(site, epoch)
    assert not old.holds_sessions, "its late send found no gateway that would take it"
    await works(oms)
    assert site.leader() == new.name
    assert site.query("SELECT epoch FROM log_head") == epoch + 1
    return took_s


async def late_append(site: Site, epoch: int) -> None:
    """What the stopped leader may have had to append when it went on: the log takes nothing of its epoch."""
    meta = Meta(event_time_ns=1, actor="test", correlation=kill_host.key(), causation="test", build="test")
    async with PostgresEventLog(site.server.app_dsn, TOPICS, WallClock()) as log:
        version = max((one.version for one in await log.read(kill_host.key())), default=0)
        late = Entry(
            stream=kill_host.key(), expected_version=version, events=(kill_host.HostJoined(host="x", at_ns=1),), meta=meta
        )
        with pytest.raises(Fenced):
            await log.append([late], epoch=epoch)


def _paired(site: Site) -> bool:
    return sorted(host.desk for host in site.hosts.values()) == ["leading", "standing by"]


async def lose_desk(site: Site, oms: Oms) -> float:
    """kill -9 of the leading desk; its gateway is there and has to leave the sessions to the other host's."""
    epoch = site.query("SELECT epoch FROM log_head")
    victim = site.hosts[site.leader()].child("desk")
    began_s = time.monotonic()
    victim.kill()
    took_s = await resumes(oms, began_s)
    assert site.query("SELECT epoch FROM log_head") > epoch
    return took_s


def _runs(process: psutil.Process) -> bool:
    return bool(process.is_running() and process.status() != psutil.STATUS_ZOMBIE)


def judged(site: Site) -> dict[str, Any]:
    """The stand-alone judge, isolated from our packages."""
    command = [sys.executable, "-I", str(Path(judge.__file__)), str(site.home / "oms.jsonl"), str(site.venue_ledger)]
    done = subprocess.run(command, cwd=site.home, capture_output=True, text=True, check=False)
    assert done.stdout, done.stderr
    verdict: dict[str, Any] = json.loads(done.stdout)
    return verdict
