"""Breaks for people: listed, given an owner, resolved; and a venue's end-of-day file held against the log."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain.attention import alert_id
from domain.catalogue import TOPICS
from domain.errors import ConfigError
from domain.event import Entry, Meta
from domain.ports import EventLog
from domain.reconciliation import Break
from ems.bootstrap import kill
from ems.bootstrap.audit_watch import caught_up, reconcile_day
from ems.bootstrap.build import build_digest
from ems.bootstrap.database import log_to_append
from ems.config import Settings
from ems.reconciler import Reconciler, Terms, decided, open_ones


async def of_day(settings: Settings, session: str, day: str, file: Path) -> dict[str, Any]:
    """A venue's file of a day against the log. Raises ConfigError, LogError."""
    now_ns = kill.runtime_of(settings).clock().now_ns()
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            found, whole = await reconcile_day(log, settings, session, day, file, now_ns=now_ns)
    mine = [one for one in found.breaks.values() if (one.found.venue_session, one.found.trade_date) == (session, day)]
    return {**found.status(), "whole": whole, "open": [row(one) for one in open_ones(mine)]}


async def open_breaks(settings: Settings) -> list[dict[str, Any]]:
    """Every break that nobody has resolved. Raises ConfigError, LogError."""
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            return [row(one) for one in open_ones((await _known(log)).breaks.values())]


async def decide(settings: Settings, name: str, *, person: str, reason: str, owner: str) -> dict[str, Any]:
    """What a person says of a break; owner "": it is resolved. Raises ConfigError, LogError."""
    now_ns = kill.runtime_of(settings).clock().now_ns()
    with log_to_append(settings) as dsn:
        async with PostgresEventLog(dsn, TOPICS, WallClock()) as log:
            known = await _known(log)
            found = next((one for one in known.breaks.values() if alert_id(one.id, 1) == name.upper()), None)
            if found is None:
                raise ConfigError(f"no break is called {name}")
            event = decided(found, person=person, reason=reason, owner=owner, now_ns=now_ns)
            meta = Meta(now_ns, f"person:{person}", found.id, "command:reconcile", build_digest())
            await log.append([Entry(found.id, found.version, (event,), meta)])
            await caught_up(known, log)
            return row(known.breaks[found.id])


async def _known(log: EventLog) -> Reconciler:
    found = Reconciler(Terms("", ""), build_digest())
    await caught_up(found, log)
    return found


def row(one: Break) -> dict[str, Any]:
    """For people and machines."""
    told = one.found.model_dump(mode="json")
    return {"break": alert_id(one.id, 1), "resolved": one.resolved, **told, "owner": one.owner}
