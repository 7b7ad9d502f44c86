"""The wall: a quoter's process reaches no database, no FIX session and no order of a client; its journal reads its own events."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from pathlib import Path

import pytest

from adapters.clock import WallClock
from adapters.postgres.event_log import PostgresEventLog
from domain import quote as q
from domain.catalogue import TOPICS
from domain.errors import UnknownTopic
from domain.event import Entry, Event, Meta
from domain.fill import Recorded
from domain.values import stream_id
from ems.bootstrap.runtime import Runtime
from ems.config import check

REACHED = """
import sys
import ems.bootstrap.quoter
print([name for name in sorted(sys.modules) if name.startswith((
    "adapters.postgres", "adapters.fix", "psycopg", "quickfix", "ems.desk.", "ems.client_desk", "ems.recovery", "ems.projections",
    "domain.catalogue",
)) or name == "ems.desk"])
"""


def test_the_process_loads_nothing_that_could_read_the_log_or_a_session() -> None:
    done = subprocess.run([sys.executable, "-c", REACHED], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_it_is_told_no_database_no_session_and_no_broker(tmp_path: Path) -> None:
    session = {"role": "client", "kind": "acceptor", "sender_comp_id": "EMS", "target_comp_id": "OMS", "port": 9}
    values = {
        "state_directory": str(tmp_path), "database_url": "postgresql://app:secret@db/ems", "routes": {"*": "V"},
        "database_owner_url": "postgresql://owner:secret@db/ems",
        "sessions": [{"name": "OMS", **session}, {**session, "name": "V", "role": "venue", "kind": "initiator", "port": 8}],
    }  # fmt: skip
    runtime = Runtime(settings=check(values, name="test", folder=tmp_path), app_dsn="postgresql://x", owner_dsn="postgresql://y")
    text = runtime.walled().save("runtime-quoter.json").read_text()
    told = json.loads(text)
    assert "postgresql" not in text
    assert told["settings"]["sessions"] == [] and told["settings"]["brokers"] == [] and told["settings"]["routes"] == {}
    assert json.loads(runtime.save().read_text())["app_dsn"] == "postgresql://x"


def test_its_journal_cannot_read_what_is_not_its_own(app_dsn: str) -> None:
    other = stream_id("fill", "VENUE", "2026-11-27", "1")
    sample = Path(__file__).resolve().parents[2] / "golden" / f"{Recorded.TOPIC}.json"

    async def walk() -> list[Event]:
        meta = Meta(1, "system:desk", other, "test", "build")
        async with PostgresEventLog(app_dsn, TOPICS, WallClock()) as log:
            await log.append([Entry(other, 0, (Recorded.model_validate_json(sample.read_text()),), meta)])
        async with PostgresEventLog(app_dsn, q.topics(), WallClock()) as log:
            return [recorded.event for recorded in await log.read(other)]

    with pytest.raises(UnknownTopic):
        asyncio.run(walk())


def test_its_catalogue_has_the_quoters_events_and_no_other() -> None:
    assert sorted(q.topics()) == [topic for topic in TOPICS if topic.startswith("quote.")]
