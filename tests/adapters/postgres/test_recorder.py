"""The log as a persistence module of the `eventsourcing` library: the library's own contract, and one chain for both ways in."""

from __future__ import annotations

import asyncio
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Thread

import pytest
from eventsourcing.application import Application
from eventsourcing.persistence import (
    InfrastructureFactory,
    IntegrityError,
    NotSupportedError,
    StoredEvent,
)

from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.mapper import EventMapper, Placed
from adapters.postgres.recorder import LogRecorder, LogSubscription
from domain.catalogue import TOPICS
from domain.child_order import Filled
from domain.errors import ConfigError, LogError, UnknownTopic
from domain.event import Entry, Meta
from domain.values import stream_id
from tests.adapters.postgres.conftest import environment
from tests.conftest import Database

A, B = stream_id("child", "a"), stream_id("child", "b")


class WallClock:
    def now_ns(self) -> int:
        return time.time_ns()


def filled(number: int = 1) -> Filled:
    return Filled(fill=stream_id("test", str(number)), exec_id=f"E{number}", quantity_e9=10**9, price_e9=10**9)


META = Meta(5, "system:desk", A, "timer", "0ddba11")


def test_the_mapper_works_both_ways() -> None:
    mapper, placed = EventMapper(TOPICS), Placed(A, 3, filled(), META)
    stored = mapper.to_stored_event(placed)
    assert (stored.originator_id, stored.originator_version, stored.topic) == (A, 3, "child_order.filled.v1")
    assert mapper.to_domain_event(stored) == placed


def test_the_mapper_refuses_what_it_does_not_know() -> None:
    mapper = EventMapper(TOPICS)
    with pytest.raises(UnknownTopic):
        mapper.to_domain_event(StoredEvent(A, 1, "domain.child_order:Filled", b"{}"))
    with pytest.raises(LogError):
        mapper.to_domain_event(StoredEvent(A, 1, "child_order.filled.v1", b'{"meta":{},"data":{}}'))
    with pytest.raises(LogError):
        mapper.to_stored_event(filled())


async def test_both_ways_in_make_one_chain(database: Database, recorder: LogRecorder) -> None:
    mapper = EventMapper(TOPICS)
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        for version in range(4):
            await log.append([Entry(A, version, (filled(version),), META)])
            stored = mapper.to_stored_event(Placed(B, version + 1, filled(version), META))
            assert await asyncio.to_thread(recorder.insert_events, [stored]) == [2 * version + 2]
        assert [(e.seq, e.stream) async for page in log.read_pages() for e in page] == [
            (n, B if n % 2 == 0 else A) for n in range(1, 9)
        ]
        assert (await log.verify_chain()).seq == 8


async def test_threads_and_the_async_log_write_together(database: Database, recorder: LogRecorder) -> None:
    mapper = EventMapper(TOPICS)

    def in_thread(number: int) -> None:
        for version in range(10):
            stream = stream_id("thread", str(number))
            recorder.insert_events([mapper.to_stored_event(Placed(stream, version + 1, filled(), META))])

    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:

        async def in_task(number: int) -> None:
            for version in range(10):
                await log.append([Entry(stream_id("task", str(number)), version, (filled(),), META)])

        await asyncio.gather(*map(in_task, range(4)), *(asyncio.to_thread(in_thread, number) for number in range(4)))
        assert (await log.verify_chain()).seq == 80


def test_a_conflict_writes_nothing(recorder: LogRecorder) -> None:
    stored = EventMapper(TOPICS).to_stored_event(Placed(A, 1, filled(), META))
    recorder.insert_events([stored])
    with pytest.raises(IntegrityError):
        recorder.insert_events([EventMapper(TOPICS).to_stored_event(Placed(B, 1, filled(), META)), stored])
    assert recorder.max_notification_id() == 1
    assert recorder.select_events(B) == []


async def test_the_librarys_subscription_follows_the_async_log(database: Database, recorder: LogRecorder) -> None:
    seen: list[int] = []

    def follow() -> None:
        with recorder.subscribe(gt=0) as subscription:
            for notification in subscription:
                seen.append(notification.id)
                if notification.id == 50:
                    return

    reader = Thread(target=follow)
    reader.start()
    async with PostgresEventLog(database.app_dsn, TOPICS, WallClock()) as log:
        for version in range(50):
            await log.append([Entry(A, version, (filled(),), META)])
    await asyncio.to_thread(reader.join, 20)
    assert seen == list(range(1, 51))


def test_the_librarys_application_runs_on_the_log(database: Database) -> None:
    class Fills(Application):
        def note(self, *placed: Placed) -> list[int]:
            return [recording.notification.id for recording in self.save(*placed)]

    with Fills(env=environment(database.app_dsn)) as fills:
        assert fills.note(Placed(A, 1, filled(1), META), Placed(A, 2, filled(2), META)) == [1, 2]
        assert list(fills.events.get(A)) == [Placed(A, 1, filled(1), META), Placed(A, 2, filled(2), META)]
        assert [section.id for section in fills.notification_log.select(start=1, limit=10)] == [1, 2]


def test_what_would_break_the_log_is_refused(database: Database) -> None:
    environ = environment(database.app_dsn)
    with InfrastructureFactory.construct(environ) as factory:
        with pytest.raises(NotSupportedError):
            factory.aggregate_recorder("snapshots")
        with pytest.raises(NotSupportedError):
            factory.process_recorder()
    with InfrastructureFactory.construct(environ | {"COMPRESSOR_TOPIC": "zlib"}) as factory, pytest.raises(ConfigError):
        factory.mapper()


def test_a_subscription_hears_of_what_came_before_it_listened(recorder: LogRecorder) -> None:
    mapper, may_listen = EventMapper(TOPICS), Event()

    class Late(LogSubscription):
        def _listen(self) -> None:
            may_listen.wait()
            super()._listen()

    recorder.insert_events([mapper.to_stored_event(Placed(A, 1, filled(1), META))])
    with ThreadPoolExecutor() as pool, Late(recorder=recorder, gt=0) as subscription:
        try:
            assert next(subscription).id == 1
            recorder.insert_events([mapper.to_stored_event(Placed(A, 2, filled(2), META))])
            may_listen.set()
            assert pool.submit(next, subscription).result(timeout=10).id == 2
        finally:
            may_listen.set()
            subscription.stop()
