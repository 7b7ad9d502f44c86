"""The kill switch as a service: the latch first, the log whenever it can be reached, arming by two people."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain import kill_switch as ks
from domain.catalogue import TOPICS
from domain.errors import LogError, LogUnavailable
from domain.kill_latch import Slot, Source
from domain.kill_refusal import KillReason, KillRefusal
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.ports import EventLog
from domain.values import ScopeKind
from ems.kill import KillService
from ems.kill_pending import PendingFile

CLIENT = Scope(ScopeKind.CLIENT, "OMS1")


class Clock:
    """A second a call."""

    def __init__(self) -> None:
        self._ticks = itertools.count(1_000_000_000, 1_000_000_000)

    def now_ns(self) -> int:
        return next(self._ticks)


class Desk:
    """A latch, a file and a log, and services on them as other processes have them."""

    def __init__(self, home: Path) -> None:
        self.latch = MemoryLatch()
        self.clock = Clock()
        self.log = MemoryEventLog(TOPICS, self.clock)
        self.path = home / "kill" / "pending.jsonl"

    def service(self, log: EventLog | None = None) -> KillService:
        return KillService(self.latch, PendingFile(self.path), self.clock, build="test", log=log)

    def level(self, *scopes: Scope) -> Level:
        return self.latch.verdict([scope.digest for scope in scopes]).level

    async def events(self) -> list[str]:
        return [one.event.TOPIC.split(".")[1] for one in await self.log.read(ks.key())]


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


async def test_a_trip_needs_no_log_and_the_log_is_told_later_once(desk: Desk) -> None:
    tripped = desk.service().trip(CLIENT, Level.HARD, actor="person:jane", reason="runaway")
    assert desk.level(CLIENT) is Level.HARD
    assert desk.latch.verdict([CLIENT.digest]).trip == int(tripped.trip, 16)
    with pytest.raises(LogError):
        await desk.service().flush()
    service = desk.service(desk.log)
    assert await service.flush() == 1
    assert await service.flush() == 0
    (told,) = await desk.log.read(ks.key())
    assert (told.event, told.meta.actor, told.meta.event_time_ns) == (tripped, "person:jane", tripped.at_ns)


async def test_what_was_told_before_a_crash_is_not_told_twice(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.SOFT, actor="a", reason="r")
    waiting = desk.path.read_bytes()
    await service.flush()
    desk.path.write_bytes(waiting)  # as if the process had died before it emptied the file
    service.trip(CLIENT, Level.HARD, actor="a", reason="r")
    assert await service.flush() == 1
    assert await desk.events() == ["tripped", "tripped"]
    assert (await service.state()).of(CLIENT).level is Level.HARD


async def test_a_line_that_a_power_cut_tore_hides_no_other(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.SOFT, actor="a", reason="r")
    with desk.path.open("ab") as file:
        file.write(b'{"topic": "kill_swi')
    service.trip(FIRM, Level.HARD, actor="a", reason="r")
    assert await service.flush() == 2
    assert (await service.state()).of(FIRM).level is Level.HARD


async def test_a_log_that_fails_keeps_what_it_must_be_told(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.HARD, actor="a", reason="r")

    class Broken(MemoryEventLog):
        async def append(self, *_: object, **__: object) -> tuple[()]:
            raise LogUnavailable("away")

    with pytest.raises(LogUnavailable):
        await desk.service(Broken(TOPICS, desk.clock)).flush()
    assert await service.flush() == 1


async def test_a_disk_that_takes_nothing_stops_nobody_from_stopping(desk: Desk) -> None:
    desk.path.mkdir(parents=True)  # where the file should be: no write succeeds
    service = desk.service(desk.log)
    tripped = service.trip(CLIENT, Level.HARD, actor="a", reason="r")
    assert desk.level(CLIENT) is Level.HARD
    assert await service.flush() == 1
    assert [one.event for one in await desk.log.read(ks.key())] == [tripped]
    assert await service.flush() == 0


async def test_another_writer_in_between_is_no_obstacle(desk: Desk) -> None:
    one, two = desk.service(desk.log), desk.service(desk.log)
    one.trip(CLIENT, Level.SOFT, actor="a", reason="r")
    await one.flush()
    read = desk.log.read

    async def read_and_be_overtaken(stream: object, **kwargs: object) -> object:
        found = await read(stream, **kwargs)  # type: ignore[arg-type]
        desk.log.read = read  # type: ignore[method-assign]
        await one.tell(ks.Cleared(scope="firm", source="feed", at_ns=1), actor="b")
        return found

    desk.log.read = read_and_be_overtaken  # type: ignore[method-assign,assignment]
    two.trip(CLIENT, Level.HARD, actor="a", reason="r")
    assert await two.flush() == 1
    assert await desk.events() == ["tripped", "cleared", "tripped"]


async def test_a_suspension_is_told_once_and_clears_once(desk: Desk) -> None:
    service = desk.service(desk.log)
    assert service.suspend(CLIENT, Source.LOG, actor="a", reason="away")
    assert not service.suspend(CLIENT, Source.LOG, actor="a", reason="away")
    assert desk.level(CLIENT) is Level.SUSPENDED
    assert service.clear(CLIENT, Source.LOG, actor="a")
    assert not service.clear(CLIENT, Source.LOG, actor="a")
    assert desk.level(CLIENT) is Level.ARMED
    await service.flush()
    assert await desk.events() == ["suspended", "cleared"]


async def test_two_people_arm_and_one_resumes(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.HARD, actor="a", reason="r")
    assert isinstance(await service.rearm(CLIENT, person="jane", reason="fixed"), ks.RearmRequested)
    assert desk.level(CLIENT) is Level.HARD
    again = await service.rearm(CLIENT, person="jane", reason="fixed")
    assert isinstance(again, KillRefusal)
    assert again.reason is KillReason.SECOND_PERSON_NEEDED
    assert desk.level(CLIENT) is Level.HARD
    armed = await service.rearm(CLIENT, person="omar", reason="fixed")
    assert isinstance(armed, ks.Rearmed)
    verdict = desk.latch.verdict([CLIENT.digest])
    assert (verdict.level, verdict.paused_before_ns) == (Level.ARMED, armed.at_ns)
    assert isinstance(await service.resume(CLIENT, person="jane", reason="go"), ks.Resumed)
    assert desk.latch.verdict([CLIENT.digest]).paused_before_ns == 0
    assert await desk.events() == ["tripped", "rearm_requested", "rearmed", "resumed"]


async def test_without_the_log_nothing_is_armed(desk: Desk) -> None:
    desk.service().trip(CLIENT, Level.HARD, actor="a", reason="r")
    for person in ("jane", "omar"):
        with pytest.raises(LogError):
            await desk.service().rearm(CLIENT, person=person, reason="fixed")
    assert desk.level(CLIENT) is Level.HARD


async def test_a_trip_that_the_second_person_did_not_know_of_stays(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.HARD, actor="a", reason="r")
    await service.rearm(CLIENT, person="jane", reason="fixed")
    desk.service().trip(CLIENT, Level.HARD, actor="watchdog", reason="again")  # the log has yet to be told
    assert isinstance(await service.rearm(CLIENT, person="omar", reason="fixed"), ks.RearmRequested)
    assert desk.level(CLIENT) is Level.HARD


# ------------------------------------------------------------------------------------------------ starts


async def test_the_first_start_on_an_empty_log_arms(desk: Desk) -> None:
    desk.latch = MemoryLatch(missing=True)
    assert desk.level() is Level.HARD
    await desk.service(desk.log).prepare(exists=False)
    assert desk.level() is Level.ARMED


async def test_a_standby_builds_its_latch_from_the_logs_last_word_and_what_it_was_not_told(desk: Desk) -> None:
    service = desk.service(desk.log)
    service.trip(CLIENT, Level.SOFT, actor="a", reason="r")
    service.trip(FIRM, Level.PANIC, actor="a", reason="r")
    await service.rearm(FIRM, person="jane", reason="r")
    await service.rearm(FIRM, person="omar", reason="r")
    other = Scope(ScopeKind.VENUE, "SIM")
    desk.service().trip(other, Level.HARD, actor="a", reason="while the database was away")
    desk.latch = MemoryLatch(missing=True)
    await desk.service(desk.log).prepare(exists=False)
    assert (desk.level(), desk.level(CLIENT), desk.level(other)) == (Level.ARMED, Level.SOFT, Level.HARD)
    assert desk.latch.verdict([]).paused_before_ns > 0


async def test_a_latch_that_is_there_and_unreadable_starts_tripped(desk: Desk) -> None:
    desk.latch = MemoryLatch(missing=True)
    service = desk.service(desk.log)
    await service.prepare(exists=True)
    assert desk.level() is Level.HARD
    assert (await service.state()).of(FIRM).level is Level.HARD, "two people can re-arm it"
    await service.rearm(FIRM, person="jane", reason="looked")
    await service.rearm(FIRM, person="omar", reason="looked")
    assert desk.level() is Level.ARMED


async def test_a_start_leaves_a_latch_that_can_be_read_as_it_is(desk: Desk) -> None:
    desk.latch.change(CLIENT, lambda slot: slot.tripped(Level.HARD, 3, 1))
    await desk.service(desk.log).prepare(exists=True)
    assert desk.latch.slots() == (Slot(CLIENT, Level.HARD, trip=3, since_ns=1),)


async def test_a_trip_on_an_unreadable_latch_arms_nobody_and_can_be_re_armed(desk: Desk) -> None:
    service = desk.service(desk.log)
    other = Scope(ScopeKind.VENUE, "SIM")
    service.trip(other, Level.SOFT, actor="a", reason="r")
    desk.latch.broken = True
    service.trip(CLIENT, Level.SOFT, actor="a", reason="r")
    assert (desk.level(), desk.level(CLIENT)) == (Level.HARD, Level.HARD)
    await service.rearm(FIRM, person="jane", reason="looked")
    await service.rearm(FIRM, person="omar", reason="looked")
    assert (desk.level(), desk.level(CLIENT), desk.level(other)) == (Level.ARMED, Level.SOFT, Level.SOFT)
