"""The feed: no event skipped over outages, rows conflated for who is slow, and old rows never called live."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from adapters.clock import WallClock
from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.errors import LogUnavailable
from domain.event import Recorded
from ems.api import stream as module
from ems.api.stream import Client, Feed, messages
from ems.bench.made_day import MadeDay
from ems.desk_state import DeskState
from ems.projections import Change, Projections
from tests.waiting import until


class Breaking(MemoryEventLog):
    """A log whose subscriptions break after every few events."""

    breaks = 0

    async def subscribe(self, *, after_seq: int = 0) -> AsyncIterator[Recorded]:
        async for recorded in super().subscribe(after_seq=after_seq):
            yield recorded
            if recorded.seq % 5 == 0:
                self.breaks += 1
                raise LogUnavailable("the connection is lost")


async def test_no_event_is_skipped_when_the_database_goes_and_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "RETRY_S", (0.0,))
    log = Breaking(TOPICS, WallClock())
    for turn in MadeDay(finished=2, working=0).turns(DeskState()):
        await log.append(turn.entries)
    feed = Feed(log)
    following = asyncio.create_task(feed.run())
    seq = (await log.head()).seq
    await until(lambda: feed.rows.seq >= seq)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    whole = Projections()
    async for page in log.read_pages():
        for recorded in page:
            whole.apply(recorded)
    assert log.breaks > 5
    assert feed.rows.snapshot() == whole.snapshot()


async def test_a_slow_client_is_told_the_last_state_of_each_row() -> None:
    client = Client()
    for filled in ("1", "2", "3"):
        client.note([Change("parents", {"id": "a", "filled": filled}), Change("fills", {"id": f"f{filled}"})])
    assert await client.take() == {
        "parents": [{"id": "a", "filled": "3"}],
        "fills": [{"id": "f1"}, {"id": "f2"}, {"id": "f3"}],
    }


async def test_clients_hear_that_what_they_show_is_old() -> None:
    class Gone(MemoryEventLog):
        async def head(self):  # type: ignore[no-untyped-def]
            raise LogUnavailable("no database")

    feed = Feed(Gone(TOPICS, WallClock()))
    client, snapshot = feed.join()
    following = asyncio.create_task(feed.run())
    message = await asyncio.wait_for(anext(messages(feed, client, pause_s=0.0)), 10)
    following.cancel()
    await asyncio.gather(following, return_exceptions=True)
    assert snapshot["parents"] == []
    assert message["live"] is False
