"""What is decided while the batch before is on its way to the log."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import pytest

from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.child_order import Canceled
from domain.commands import Answer, Commanded, OperateSessions
from domain.errors import LogUnavailable
from domain.event import Entry, Meta
from domain.messages import LinkUp
from domain.sending import ParentReport, SendChild
from domain.values import stream_id
from ems import desk as desk_module
from tests.domain.orders import new_order
from tests.ems.room import Clock, Room, session
from tests.waiting import until


class SlowLog(MemoryEventLog):
    """Takes as long as a test wants. What `fails` says comes out of the next append that is let go."""

    def __init__(self) -> None:
        super().__init__(TOPICS, Clock())
        self.slow = False
        self.under_way = 0
        self.fails: Exception | None = None
        self._go = asyncio.Semaphore(0)

    def let_go(self) -> None:
        self._go.release()

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> Any:
        if self.slow:
            self.under_way += 1
            await self._go.acquire()
            self.under_way -= 1
        error, self.fails = self.fails, None
        if error is not None:
            raise error
        return await super().append(entries, epoch=epoch)

    async def elsewhere(self) -> None:
        """Another process writes."""
        other = stream_id("other", str(len(self.rows)))
        await super().append([Entry(other, 0, (Canceled(text=""),), Meta(5, "x", other, "x", "x"))])


@asynccontextmanager
async def running() -> AsyncIterator[tuple[Room, SlowLog]]:
    """A desk that runs on a log that waits to be let go."""
    log = SlowLog()
    room = await Room(log).open()
    log.slow = True
    task = asyncio.create_task(room.desk.run(poll_s=0.01))
    try:
        yield room, log
        assert not task.done(), task.exception()
    finally:
        task.cancel()
        await asyncio.wait([task])


def put(room: Room, message: Any, name: str = "OMS") -> None:
    room.desk.inbox.put(room.numbered(message, name))


async def test_the_next_batch_is_decided_while_one_is_on_its_way_and_no_more_than_that() -> None:
    async with running() as (room, log):
        put(room, new_order(cl_ord_id="A1"))
        await until(lambda: log.under_way == 1)
        put(room, new_order(cl_ord_id="B1"))
        await until(lambda: len(room.desk.state.parents) == 2)
        put(room, new_order(cl_ord_id="C1"))
        await asyncio.sleep(0.05)
        assert (len(room.desk.state.parents), log.under_way, room.take()) == (2, 1, []), "one batch ahead, nothing sent"
        assert "OMS" not in room.desk.durable_marks
        for done in (1, 2, 3):
            log.let_go()
            await until(lambda: len(room.gateway.sent) == done)  # noqa: B023
            assert room.desk.durable_marks["OMS"] == (0, done)
        assert [m.cl_ord_id for m in room.take(ParentReport)] == ["A1", "B1", "C1"]
        assert room.gateway.acknowledged[-3:] == [1, 2, 3]


async def test_what_was_decided_on_a_batch_that_the_log_did_not_take_is_gone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(desk_module, "RETRY_S", (0.0,))
    async with running() as (room, log):
        first, second = room.numbered(new_order(cl_ord_id="A1")), room.numbered(new_order(cl_ord_id="B1"))
        answers: list[Answer] = []
        room.desk.inbox.put(first)
        await until(lambda: log.under_way == 1)
        asked = {"command_id": "S1", "actor": "person:jane", "acts": (("OMS", "main", "stop"),), "reason": "test"}
        room.desk.inbox.put(Commanded(OperateSessions.model_validate(asked), answers.append))
        room.desk.inbox.put(second)
        await until(lambda: len(room.desk.state.parents) == 2)
        log.slow, log.fails = False, LogUnavailable("gone")
        log.let_go()
        await until(lambda: bool(answers))
        assert not answers[0].ok
        assert (dict(room.desk.state.parents), room.take(), room.gateway.resets) == ({}, [], 1)
        for item in (LinkUp(sent_seq=(("OMS", 0),)), session("OMS"), first, second):
            room.desk.inbox.put(item)
        await until(lambda: len(room.gateway.sent) == 2)
        assert [m.cl_ord_id for m in room.take(ParentReport)] == ["A1", "B1"]


async def test_another_writer_between_two_batches_moves_the_numbers_of_both() -> None:
    async with running() as (room, log):
        put(room, new_order(cl_ord_id="A1"))
        await until(lambda: log.under_way == 1)
        put(room, new_order(cl_ord_id="B1"))
        await until(lambda: len(room.desk.state.parents) == 2)
        await log.elsewhere()
        await log.elsewhere()
        log.let_go()
        await until(lambda: log.under_way == 1 and len(room.gateway.sent) == 1)
        await log.elsewhere()
        log.let_go()
        await until(lambda: len(room.gateway.sent) == 2)
        state = room.desk.state
        assert state.seq == len(log.rows)
        last = {row.stream: row.seq for row in log.rows}
        assert {stream: state.last_seq[stream] for stream in state.parents} == {s: last[s] for s in state.parents}
        assert [m.event_seq for m in room.take(ParentReport)] == sorted(last[stream] for stream in state.parents)


async def test_an_order_leaves_on_its_own_verdict_whatever_has_been_decided_since() -> None:
    room = await Room().open()
    decided = room.desk.decide([room.numbered(new_order(algo="", parameters=()))])
    room.desk.state.risk.clearances.clear()
    await room.desk.commit(decided)
    assert len(room.take(SendChild)) == 1
    assert room.errors == 0


async def test_the_inbox_wakes_for_what_is_wanted() -> None:
    inbox = (await Room().open()).desk.inbox
    inbox.put(session("OMS"))
    await asyncio.wait_for(inbox.wait(60, wanted=True), 5)
    waiting = asyncio.create_task(inbox.wait(60, wanted=False))
    await asyncio.sleep(0)
    inbox.put(session("OMS"))
    await asyncio.sleep(0.02)
    assert not waiting.done(), "an input that nobody wants wakes nobody"
    inbox.wake()
    await asyncio.wait_for(waiting, 5)
    inbox.wake()
    await asyncio.wait_for(inbox.wait(60, wanted=False), 5)
    assert len(inbox.take()) == 2
