"""The lease between hosts: a leader that is silent is over after the lease's time, and one that works keeps the lead."""

from __future__ import annotations

import asyncio

import psycopg
import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import kill_host
from domain.catalogue import TOPICS
from domain.errors import Fenced
from domain.event import Entry, Meta
from domain.lead import Leader
from tests.conftest import Database

LEASE_S = 2.0
_HELD = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 1"
_END = _HELD.replace("pid", "pg_terminate_backend(pid, 5000)", 1)


def log_of(database: Database) -> PostgresEventLog:
    return PostgresEventLog(database.app_dsn, TOPICS, WallClock(), lease_s=LEASE_S)


def entry(version: int = 0) -> Entry:
    meta = Meta(event_time_ns=1, actor="test", correlation=kill_host.key(), causation="test", build="test")
    return Entry(
        stream=kill_host.key(), expected_version=version, events=(kill_host.HostJoined(host=f"a{version}", at_ns=1),), meta=meta
    )


async def test_a_silent_leader_is_over_and_fenced(database: Database) -> None:
    """Its connection stands: nothing tells that the process behind it is stopped."""
    async with log_of(database) as stopped, log_of(database) as standby:
        epoch = await stopped.take_lead("desk/alpha:1")
        watch = stopped._lease._watch
        assert watch is not None
        watch.cancel()  # what a stopped process does not do any more
        async with asyncio.timeout(30):
            assert await standby.take_lead("desk/beta:2") == epoch + 1
        assert await standby.led_by() == Leader(epoch + 1, "desk/beta:2")
        with pytest.raises(Fenced):
            await stopped.append([entry()], epoch=epoch)
        await standby.append([entry()], epoch=epoch + 1)


async def test_a_leader_that_answers_keeps_the_lead(database: Database) -> None:
    async with log_of(database) as leads, log_of(database) as standby:
        await leads.take_lead("desk/alpha:1")
        waits = asyncio.create_task(standby.take_lead("desk/beta:2"))
        await asyncio.sleep(2 * LEASE_S)
        assert not waits.done()
        assert not leads.lead_lost.is_set()
        await leads.close()
        async with asyncio.timeout(10):
            assert await waits == 2


async def test_a_leader_whose_connection_ended_leads_on(database: Database) -> None:
    """As when the database was away for a moment: nobody led in between, so nothing that it knows is wrong."""
    async with (
        await psycopg.AsyncConnection.connect(database.app_dsn, autocommit=True) as administrator,
        log_of(database) as leads,
        log_of(database) as standby,
    ):
        epoch = await leads.take_lead("desk/alpha:1")
        await administrator.execute(_END)
        async with asyncio.timeout(10):
            while not (await (await administrator.execute(_HELD)).fetchall()):  # noqa: ASYNC110 (by the database's word)
                await asyncio.sleep(0.02)
        waits = asyncio.create_task(standby.take_lead("desk/beta:2"))
        await asyncio.sleep(LEASE_S)
        assert not waits.done()
        assert not leads.lead_lost.is_set()
        await leads.append([entry()], epoch=epoch)
        await administrator.execute(_END)  # now one is in line, and is first
        async with asyncio.timeout(10):
            assert await waits == epoch + 1
            await leads.lead_lost.wait()
        with pytest.raises(Fenced):
            await leads.append([entry(1)], epoch=epoch)


async def test_a_leader_that_cannot_watch_its_lock_gives_the_lead_up(
    database: Database, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever was not foreseen: it must not lead on without the lock and without knowing."""

    async def broken(*_: object) -> None:
        raise ZeroDivisionError

    async with (
        await psycopg.AsyncConnection.connect(database.app_dsn, autocommit=True) as administrator,
        log_of(database) as leads,
    ):
        await leads.take_lead("desk/alpha:1")
        monkeypatch.setattr(leads._lease, "_regained", broken)
        await administrator.execute(_END)
        async with asyncio.timeout(10):
            await leads.lead_lost.wait()
        assert "given up" in caplog.text
