"""`ems bench log`: what the event log's group commit gives, beside the library's own recorder and beside a bare COPY.

All three write the same events, on one durable server, in alternating rounds, so that a slow disk or a busy
machine slows all of them. What is measured is checked afterwards: rows, versions, hash chain.
"""

from __future__ import annotations

import asyncio
import gc
import statistics
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import psycopg
from eventsourcing.persistence import StoredEvent
from eventsourcing.postgres import PostgresApplicationRecorder, PostgresDatastore

from adapters.postgres.embedded import EmbeddedPostgres
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.migrate import migrate
from adapters.postgres.packed_rows import COPY_EVENTS, pack_rows
from domain.catalogue import TOPICS
from domain.errors import InvariantBroken
from domain.event import Entry
from domain.stored import encode_states
from ems.bench.log_events import Work, columns_of, rows_of
from ems.bench.log_sealing import compared
from ems.bench.output import emit

CALLERS: Final = 64
STREAMS: Final = 1000
ROUNDS: Final = 5
EVENTS_A_ROUND: Final = 12_800
LIBRARY_EVENTS_A_ROUND: Final = 640
LONE_COMMITS: Final = 200

_LIKE_EVENTS: Final = (
    "CREATE TABLE {} (seq bigint PRIMARY KEY, stream uuid NOT NULL, version bigint NOT NULL, topic text NOT NULL, "
    "recorded_time_ns bigint NOT NULL, state bytea NOT NULL, prev_hash bytea NOT NULL, hash bytea NOT NULL, "
    "UNIQUE (stream, version))"
)


class _WallClock:
    def now_ns(self) -> int:
        return time.time_ns()


@dataclass
class _Timed:
    """Events written and the time they took, over all rounds."""

    events: int = 0
    elapsed_s: float = 0.0

    @property
    def eps(self) -> float:
        """Events a second."""
        return self.events / self.elapsed_s


async def _group_commit(log: PostgresEventLog, work: Work, timed: _Timed, latencies_s: list[float], events: int) -> None:
    calls = work.entries(events)
    gc.freeze()  # what is to be written was made before: it is not the log's to collect

    async def caller(entries: Sequence[Entry]) -> None:
        for entry in entries:
            began = time.perf_counter()
            await log.append([entry])
            latencies_s.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*map(caller, calls))
    timed.elapsed_s += time.perf_counter() - began
    timed.events += events


async def _with_sealing(log: PostgresEventLog, work: Work, dsn: str, directory: Path) -> dict[str, Any]:
    """The same again, beside a sealer and without."""

    async def run(events: int) -> tuple[float, list[float]]:
        timed, latencies_s = _Timed(), list[float]()
        await _group_commit(log, work, timed, latencies_s, events)
        return timed.elapsed_s, latencies_s

    return await compared(dsn, directory, run)


async def _lone(log: PostgresEventLog, work: Work) -> list[float]:
    latencies_s: list[float] = []
    for entry in (entry for entries in work.entries(LONE_COMMITS) for entry in entries):
        began = time.perf_counter()
        await log.append([entry])
        latencies_s.append(time.perf_counter() - began)
    return latencies_s


async def _bare(connection: psycopg.AsyncConnection[Any], work: Work) -> list[float]:
    """One row, one commit, nothing else: what a lone append is measured against."""
    latencies_s: list[float] = []
    for row in rows_of([entry for entries in work.entries(LONE_COMMITS) for entry in entries], after=work.number):
        began = time.perf_counter()
        await connection.execute("INSERT INTO raw_insert VALUES (%s, %s, %s, %s, %s, %s, %s, %s)", columns_of(row))
        latencies_s.append(time.perf_counter() - began)
    return latencies_s


def _library(recorder: PostgresApplicationRecorder, work: Work, timed: _Timed) -> None:
    """The library's own recorder as its documentation uses it: one event a save, one thread a caller."""
    calls = [
        [
            StoredEvent(entry.stream, entry.expected_version + 1, event.TOPIC, encode_states(entry.meta, [event])[0])
            for entry in entries
            for event in entry.events
        ]
        for entries in work.entries(LIBRARY_EVENTS_A_ROUND)
    ]

    def caller(events: Sequence[StoredEvent]) -> None:
        for event in events:
            recorder.insert_events([event])

    threads = [threading.Thread(target=caller, args=(events,)) for events in calls]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    timed.elapsed_s += time.perf_counter() - began
    timed.events += LIBRARY_EVENTS_A_ROUND


def _copy(connection: psycopg.Connection[Any], work: Work, timed: _Timed, batch: int) -> None:
    """The same bytes by COPY, in batches of the size that the group commit had, each committed."""
    after = work.number
    entries = [entry for round_ in zip(*work.entries(EVENTS_A_ROUND), strict=True) for entry in round_]
    rows = rows_of(entries, after)
    packed = [pack_rows(rows[start : start + batch]) for start in range(0, len(rows), batch)]
    statement = COPY_EVENTS.replace("events", "raw_copy", 1)
    began = time.perf_counter()
    for data in packed:
        with connection.cursor() as cursor, cursor.copy(statement) as copy:
            copy.write(data)
    timed.elapsed_s += time.perf_counter() - began
    timed.events += EVENTS_A_ROUND


def _datastore(dsn: str) -> PostgresDatastore:
    parts = psycopg.conninfo.conninfo_to_dict(dsn)
    host, name, user, password = (str(parts[key]) for key in ("host", "dbname", "user", "password"))
    return PostgresDatastore(name, host, str(parts["port"]), user, password, pool_size=CALLERS, connect_timeout=30)


async def measure(directory: Path) -> dict[str, Any]:
    """Run the bench on an embedded server of its own in directory.

    Returns:
        The figures: events a second (_eps), times (_ms, _us), counts, and the server's settings as it states them.

    Raises:
        InvariantBroken: what the log holds afterwards is not what was appended.
    """
    server = EmbeddedPostgres(directory)
    migrate(server.start())
    try:
        return await _measure(server, directory / "sealing")
    finally:
        server.stop()


async def _measure(server: EmbeddedPostgres, directory: Path) -> dict[str, Any]:
    ours, copies, inserts, theirs = (Work(way, CALLERS, STREAMS) for way in ("group", "copy", "insert", "library"))
    group, copy, library = _Timed(), _Timed(), _Timed()
    latencies_s: list[float] = []
    lone_s: list[float] = []
    bare_s: list[float] = []
    datastore = _datastore(server.dsn)
    recorder = PostgresApplicationRecorder(datastore, events_table_name="library_events")
    recorder.create_table()
    with psycopg.connect(server.dsn, autocommit=True) as connection:
        for table in ("raw_copy", "raw_insert"):
            connection.execute(_LIKE_EVENTS.format(table))
        async with (
            PostgresEventLog(server.app_dsn, TOPICS, _WallClock()) as log,
            await psycopg.AsyncConnection.connect(server.dsn, autocommit=True) as bare,
        ):
            await _group_commit(log, ours, _Timed(), [], EVENTS_A_ROUND)  # warm: code, caches, connections
            log.commits = 0
            for _ in range(ROUNDS):
                await _group_commit(log, ours, group, latencies_s, EVENTS_A_ROUND)
                batch = round(group.events / log.commits)
                _copy(connection, copies, copy, batch)
                _library(recorder, theirs, library)
            commits = log.commits
            for _ in range(2):
                lone_s += await _lone(log, ours)
                bare_s += await _bare(bare, inserts)
            sealing = await _with_sealing(log, ours, server.app_dsn, directory)
            rows = await _check(connection, log, ours, theirs, copies)
        settings = {
            key: str(connection.execute(f"SHOW {key}").fetchall()[0][0]) for key in ("synchronous_commit", "full_page_writes")
        }
    datastore.close()
    latencies_s.sort()
    lone_us, bare_us = statistics.median(lone_s) * 1e6, statistics.median(bare_s) * 1e6
    return {
        "group_commit_eps": round(group.eps),
        "library_eps": round(library.eps),
        "copy_eps": round(copy.eps),
        "p50_ms": round(latencies_s[len(latencies_s) // 2] * 1e3, 3),
        "p99_ms": round(latencies_s[len(latencies_s) * 99 // 100] * 1e3, 3),
        **settings,
        **sealing,
        "times_library": round(group.eps / library.eps, 1),
        "share_of_copy": round(group.eps / copy.eps, 3),
        "lone_p50_us": round(lone_us),
        "bare_commit_p50_us": round(bare_us),
        "lone_ratio": round(lone_us / bare_us, 2),
        "batch_events": round(group.events / commits, 1),
        "callers": CALLERS,
        "streams": len(ours.versions),
        "events": group.events,
        "rows": rows,
    }


async def _check(connection: psycopg.Connection[Any], log: PostgresEventLog, ours: Work, theirs: Work, copies: Work) -> int:
    """What was measured is in the tables: every row, every version of every stream, one unbroken chain."""
    head = await log.verify_chain()
    stored = dict(
        connection.execute("SELECT stream::text, count(*) FROM events GROUP BY stream HAVING count(*) = max(version)").fetchall()
    )
    counts = {
        table: connection.execute(f"SELECT count(*) FROM {table}").fetchall()[0][0]  # noqa: S608, our own tables
        for table in ("events", "library_events", "raw_copy")
    }
    if head.seq != ours.number or stored != ours.versions:
        raise InvariantBroken(f"{ours.number} events were appended, the log holds {head.seq}")
    if counts != {"events": ours.number, "library_events": theirs.number, "raw_copy": copies.number}:
        raise InvariantBroken(f"the tables hold {counts}")
    return head.seq


def main(json_output: bool) -> int:
    """Run the bench and print it.

    Args:
        json_output: print one JSON object rather than a line for each figure.

    Returns:
        The exit code: 0 when what was measured was also found in the log.
    """
    with tempfile.TemporaryDirectory(prefix="ems-bench-log-") as directory:
        figures = asyncio.run(measure(Path(directory)))
    emit(figures, json_output)
    return 0
