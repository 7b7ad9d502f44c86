"""The contract of `domain.ports.EventLog`: the log on Postgres and its in-memory twin both keep it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from itertools import count

import pytest

from adapters.memory.event_log import MemoryEventLog
from adapters.postgres.event_log import PostgresEventLog
from domain.catalogue import TOPICS
from domain.child_order import Canceled, Filled
from domain.errors import Fenced, UnknownTopic, VersionConflict
from domain.event import GENESIS_HASH, UNREAD, Entry, Event, InboundRef, Meta, Topics, chain_hash
from domain.stored import encode_states
from domain.values import StreamId, event_id, stream_id

A, B, C = (stream_id("child", "VENUE", "2026-11-20", key) for key in "abc")
TIME_NS = 1_700_000_000_000_000_000

Log = PostgresEventLog | MemoryEventLog


class StepClock:
    """A clock that moves one nanosecond at each reading."""

    def __init__(self) -> None:
        self._ticks = count(TIME_NS)

    def now_ns(self) -> int:
        return next(self._ticks)


@pytest.fixture(params=["postgres", "postgres, by COPY alone", "memory"])
async def log(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Log]:
    if request.param == "memory":
        yield MemoryEventLog(TOPICS, StepClock())
        return
    if request.param != "postgres":
        monkeypatch.setattr("adapters.postgres.writer.INSERT_MAX", 0)
    async with PostgresEventLog(request.getfixturevalue("app_dsn"), TOPICS, StepClock()) as log:
        yield log


def filled(number: int = 1) -> Filled:
    return Filled(
        fill=stream_id("test", str(number)), exec_id=f"E{number}", quantity_e9=number * 10**11, price_e9=187_010_000_000
    )


def meta(inbound: InboundRef | None = None) -> Meta:
    return Meta(TIME_NS - 5, "system:desk", B, "fix:VENUE/1/4711", "0ddba11", inbound)


def entry(stream: StreamId, expected_version: int, *events: Event) -> Entry:
    return Entry(stream, expected_version, events or (filled(expected_version + 1),), meta())


async def collect(log: Log, after_seq: int = 0, until_seq: int | None = None) -> list[int]:
    return [recorded.seq async for page in log.read_pages(after_seq=after_seq, until_seq=until_seq) for recorded in page]


async def test_a_fold_gets_every_event_in_order_and_what_it_has_no_use_for_unread_in_its_place(log: Log) -> None:
    appended = await log.append([Entry(A, 0, (filled(1), Canceled(text="x"), filled(2)), meta())])
    facts = [fact async for page in log.read_facts() for fact in page]
    assert facts == [(e.seq, e.stream, e.recorded_time_ns, (e.event, e.meta)) for e in appended]
    read = [(seq, content) async for page in log.read_facts(until_seq=2, unread=[Filled]) for seq, _, _, content in page]
    assert read == [(1, (UNREAD, meta())), (2, (Canceled(text="x"), meta()))]


async def test_what_is_appended_is_read_back_equal(log: Log) -> None:
    first = Entry(A, 0, (filled(1), Canceled(text="äöü \x00 end of day")), meta(InboundRef("VENUE", 2, 4711)))
    appended = await log.append([first])
    assert [(e.seq, e.stream, e.version, e.event, e.meta) for e in appended] == [
        (1, A, 1, first.events[0], first.meta),
        (2, A, 2, first.events[1], first.meta),
    ]
    assert await log.read(A) == list(appended)
    assert [e async for page in log.read_pages() for e in page] == list(appended)
    assert appended[0].event_id == event_id(A, 1)
    assert appended[0].recorded_time_ns >= TIME_NS


async def test_an_empty_log_is_empty(log: Log) -> None:
    assert tuple(await log.head()) == (0, GENESIS_HASH, 0)
    assert await log.read(A) == []
    assert await collect(log) == []


async def test_appending_nothing_is_nothing(log: Log) -> None:
    assert await log.append([]) == ()
    assert await log.append([Entry(A, 0, (), meta())]) == ()
    assert (await log.head()).seq == 0


async def test_every_event_chains_to_the_one_before(log: Log) -> None:
    appended = [e for i in range(3) for e in await log.append([entry(A, 2 * i, filled(1), filled(2)), entry(B, i)])]
    previous = GENESIS_HASH
    for e in appended:
        (state,) = encode_states(e.meta, [e.event])
        assert e.prev_hash == previous
        assert e.hash == chain_hash(previous, e.seq, e.stream, e.version, e.recorded_time_ns, e.event.TOPIC, state)
        previous = e.hash
    assert tuple(await log.head()) == (9, previous, 0)
    assert await log.verify_chain() == await log.head()
    assert await log.verify_chain(after_seq=4) == await log.head()


@pytest.mark.parametrize("expected_version", [0, 1, 3, 4])
async def test_a_stale_or_early_version_is_a_conflict_and_writes_nothing(log: Log, expected_version: int) -> None:
    await log.append([entry(A, 0, filled(1), filled(2))])
    with pytest.raises(VersionConflict):
        await log.append([entry(B, 0), entry(A, expected_version)])
    assert await log.read(B) == []
    assert (await log.head()).seq == 2
    await log.append([entry(A, 2)])
    assert (await log.head()).seq == 3


async def test_a_new_stream_cannot_start_later(log: Log) -> None:
    with pytest.raises(VersionConflict):
        await log.append([entry(A, 1)])
    assert (await log.head()).seq == 0


async def test_entries_of_one_append_follow_one_another(log: Log) -> None:
    appended = await log.append([entry(A, 0), entry(B, 0), entry(A, 1)])
    assert [(e.seq, e.stream, e.version) for e in appended] == [(1, A, 1), (2, B, 1), (3, A, 2)]
    with pytest.raises(VersionConflict):
        await log.append([entry(A, 2), entry(A, 2)])
    assert (await log.head()).seq == 3


async def test_one_stale_caller_does_not_sink_its_neighbours(log: Log) -> None:
    await log.append([entry(A, 0)])
    results = await asyncio.gather(
        log.append([entry(B, 0)]), log.append([entry(A, 0)]), log.append([entry(C, 0)]), return_exceptions=True
    )
    assert [type(result) for result in results] == [tuple, VersionConflict, tuple]
    assert [len(await log.read(stream)) for stream in (A, B, C)] == [1, 1, 1]
    await log.verify_chain()


async def test_of_two_rivals_for_one_version_one_wins(log: Log) -> None:
    results = await asyncio.gather(*(log.append([entry(A, 0, filled(n))]) for n in range(1, 9)), return_exceptions=True)
    assert sorted(type(result).__name__ for result in results) == ["VersionConflict"] * 7 + ["tuple"]
    assert len(await log.read(A)) == 1


async def test_a_caller_may_build_on_what_is_still_being_appended(log: Log) -> None:
    results = await asyncio.gather(*(log.append([entry(A, n)]) for n in range(5)))
    assert [e.version for result in results for e in result] == [1, 2, 3, 4, 5]


async def test_many_callers_leave_no_gap_and_one_chain(log: Log) -> None:
    async def caller(number: int) -> None:
        for version in range(20):
            await log.append([entry(stream_id("s", str(number)), version)])

    await asyncio.gather(*map(caller, range(25)))
    assert await collect(log) == list(range(1, 501))
    assert (await log.verify_chain()).seq == 500


async def test_reading_from_and_to_a_place(log: Log) -> None:
    await log.append([entry(A, 0, *map(filled, range(1, 11)))])
    assert await collect(log, after_seq=3, until_seq=6) == [4, 5, 6]
    assert await collect(log, after_seq=10) == []
    assert await collect(log, until_seq=0) == []
    assert [e.version for e in await log.read(A, after_version=8)] == [9, 10]


async def test_a_long_log_is_read_in_pages_without_a_gap(log: Log) -> None:
    await log.append([entry(A, 0, *map(filled, range(1, 1501))), entry(B, 0, *map(filled, range(1, 1501)))])
    pages = [[recorded.seq for recorded in page] async for page in log.read_pages(after_seq=5, until_seq=2995)]
    assert len(pages) > 1
    assert [seq for page in pages for seq in page] == list(range(6, 2996))
    assert await collect(log) == list(range(1, 3001))
    assert (await log.verify_chain()).seq == 3000


@pytest.mark.parametrize("every_s", [0.0, 0.02])
async def test_a_subscription_catches_up_and_then_follows(log: Log, every_s: float) -> None:
    await log.append([entry(A, 0, filled(1), filled(2))])
    seen: list[int] = []
    caught_up, followed = asyncio.Event(), asyncio.Event()

    async def follow() -> None:
        async with aclosing(log.subscribe(after_seq=1, every_s=every_s)) as events:
            async for e in events:
                seen.append(e.seq)
                if e.seq == 2:
                    caught_up.set()
                if e.seq == 12:
                    followed.set()
                    return

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(follow())
        await caught_up.wait()
        for version in range(10):
            await log.append([entry(B, version)])
        await followed.wait()
    assert seen == list(range(2, 13))


async def test_a_subscription_leaves_unread_what_its_reader_has_no_use_for(log: Log) -> None:
    await log.append([entry(A, 0, filled(1), filled(2)), entry(B, 0)])
    async with asyncio.timeout(20), aclosing(log.subscribe(unread=[Filled])) as events:
        found = [await anext(events) for _ in range(2)]
    assert [(one.seq, one.version, one.event) for one in found] == [(1, 1, UNREAD), (2, 2, UNREAD)]
    assert found[0].meta == meta()
    async with asyncio.timeout(20), aclosing(log.subscribe()) as events:
        assert (await anext(events)).event == filled(1)


async def test_readers_beside_busy_writers_skip_nothing(log: Log) -> None:
    async def write(number: int) -> None:
        for version in range(40):
            await log.append([entry(stream_id("w", str(number)), version, filled(1), filled(2))] if not version else
                             [entry(stream_id("w", str(number)), version + 1)])  # fmt: skip

    async def follow() -> list[int]:
        seqs: list[int] = []
        async with aclosing(log.subscribe()) as events:
            async for e in events:
                seqs.append(e.seq)
                if e.seq == 10 * 41:
                    break
        return seqs

    async with asyncio.timeout(60):
        *_, first, second = await asyncio.gather(*map(write, range(10)), follow(), follow())
    assert first == second == list(range(1, 411))


async def test_leading_raises_the_epoch_and_fences_the_one_before(log: Log) -> None:
    first = await log.take_lead("desk-1")
    await log.append([entry(A, 0)], epoch=first)
    assert (await log.head()).epoch == first == 1
    with pytest.raises(Fenced):
        await log.append([entry(A, 1)], epoch=first - 1)
    with pytest.raises(Fenced):
        await log.append([entry(A, 1)], epoch=first + 1)
    assert (await log.head()).seq == 1


async def test_a_desk_that_leads_may_lead_anew_and_fences_what_it_sent_before(log: Log) -> None:
    first = await log.take_lead("desk-1")
    async with asyncio.timeout(30):
        second = await log.take_lead("desk-1")
    assert second == first + 1
    with pytest.raises(Fenced):
        await log.append([entry(A, 0)], epoch=first)


async def test_a_fenced_caller_does_not_sink_its_neighbours(log: Log) -> None:
    epoch = await log.take_lead("desk-1")
    results = await asyncio.gather(
        log.append([entry(A, 0)], epoch=epoch),
        log.append([entry(B, 0)], epoch=epoch - 1),
        log.append([entry(C, 0)]),
        return_exceptions=True,
    )
    assert [type(result) for result in results] == [tuple, Fenced, tuple]
    assert [len(await log.read(stream)) for stream in (A, B, C)] == [1, 0, 1]


async def test_an_unknown_topic_is_refused_when_read(log: Log, request: pytest.FixtureRequest) -> None:
    class Strange(Event):
        TOPIC = "strange.v1"

    strange = Topics()
    strange.register([Strange])
    await log.append([entry(A, 0, Strange())])
    with pytest.raises(UnknownTopic, match=r"strange\.v1"):
        await log.read(A)
