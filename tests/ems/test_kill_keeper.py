"""Beside the desk's loop: the log is lost and comes back, clients hear of every change, every trip ends in its proof."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from adapters.memory.latch import MemoryLatch
from domain import kill_switch as ks
from domain.disk import DiskWord
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.messages import Input, KillNews
from domain.order_life import OrdStatus
from domain.values import E9, ScopeKind
from ems.kill import KillService
from ems.kill_keeper import REPORT_AFTER_S, WATCHDOG_START_S, KeeperParts, KillKeeper
from ems.kill_pending import PendingFile
from ems.kill_scopes import KillScopes
from tests.domain.orders import venue_report
from tests.ems.room import Room, session

DESK = Scope(ScopeKind.DESK, "desk")


class World:
    """A desk that leads, its keeper, and what gateways say."""

    def __init__(self, home: Path, room: Room | None = None) -> None:
        self.room = room or Room()
        self.delivered: list[Input] = []
        self.gateways: list[Mapping[str, Any]] = []
        self.disk = DiskWord()
        self.service = KillService(
            self.room.latch, PendingFile(home / "pending.jsonl"), self.room.clock, build="test", log=self.room.log
        )
        scopes = KillScopes("desk", lambda: self.room.desk.state)
        parts = KeeperParts(
            self.room.desk,
            self.service,
            self.room.latch,
            self.room.log,
            self.room.clock,
            scopes,
            self.delivered.extend,
            self.ask,
            lambda: self.disk,
        )
        self.keeper = KillKeeper(parts, name="desk", outage_s=30)

    async def ask(self) -> list[Mapping[str, Any]]:
        return self.gateways

    async def look(self, now_s: float, *, up: bool = True) -> None:
        await self.keeper.look(now_s, up=up)

    def level(self) -> Level:
        return self.room.latch.verdict([DESK.digest]).level

    def trip(self, level: Level) -> ks.Tripped:
        self.room.clock.ns += E9
        return self.service.trip(FIRM, level, actor="person:jane", reason="why")

    def headlines(self) -> list[str]:
        return [item.headline for item in self.delivered if isinstance(item, KillNews)]

    async def told(self) -> list[str]:
        return [one.event.TOPIC.split(".")[1] for one in await self.room.log.read(ks.key())]


@pytest.fixture
async def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    await made.room.open()
    return made


async def test_a_lost_log_suspends_at_once_and_its_return_clears(world: World) -> None:
    await world.look(0)
    assert world.level() is Level.ARMED
    await world.look(1, up=False)
    assert world.level() is Level.SUSPENDED
    await world.look(30, up=False)
    assert world.level() is Level.SUSPENDED
    await world.look(31)
    assert world.level() is Level.ARMED
    await world.look(32)
    assert await world.told() == ["suspended", "cleared"]


async def test_a_desk_that_recovers_is_not_back_yet(world: World) -> None:
    await world.look(1, up=False)
    world.room.desk.ready = False
    await world.look(2, up=True)
    assert world.level() is Level.SUSPENDED
    world.room.desk.ready = True
    await world.look(3, up=True)
    assert world.level() is Level.ARMED


async def test_what_is_in_doubt_at_a_venue_that_can_be_asked_keeps_it_suspended(world: World) -> None:
    room = world.room
    await room.client_order("A1")
    await world.look(1, up=False)
    await room.wait(5)  # unanswered: in doubt
    assert room.child().status is OrdStatus.IN_DOUBT
    await world.look(2)
    assert world.level() is Level.SUSPENDED
    await room.venue(venue_report("new", cl_ord_id=room.child().cl_ord_id))
    await world.look(3)
    assert world.level() is Level.ARMED


async def test_what_is_in_doubt_at_a_venue_that_is_down_does_not(world: World) -> None:
    room = world.room
    await room.client_order("A1")
    await room.desk.cycle([session("VENUE", up=False)])
    assert room.child().status is OrdStatus.IN_DOUBT
    await world.look(1, up=False)
    await world.look(2)
    assert world.level() is Level.ARMED


async def test_an_outage_that_lasts_latches_soft_once_and_never_more(world: World) -> None:
    await world.look(0, up=False)
    await world.look(30.1, up=False)
    assert world.level() is Level.SOFT
    await world.look(3600, up=False)
    assert world.level() is Level.SOFT
    await world.look(3601)
    assert world.level() is Level.SOFT, "two people re-arm it"
    assert await world.told() == ["suspended", "tripped", "cleared"]


async def test_a_suspension_that_a_dead_desk_left_is_cleared_by_the_next(world: World) -> None:
    world.room.latch.change(DESK, lambda slot: slot.suspend(Source.LOG, 1))
    await world.look(0)
    await world.look(1)
    assert world.level() is Level.ARMED


async def test_clients_hear_of_every_change_once(world: World) -> None:
    await world.look(0)
    assert world.headlines() == []
    world.trip(Level.SOFT)
    await world.look(1)
    await world.look(2)
    world.trip(Level.HARD)
    await world.look(3)
    world.trip(Level.HARD)
    await world.look(4)
    trip = world.room.latch.slots()[0].trip
    world.room.latch.change(FIRM, lambda slot: slot.rearmed(trip, 5))
    await world.look(5)
    world.room.latch.change(FIRM, Slot.resumed)
    await world.look(6)
    await world.look(7)
    assert world.headlines() == [
        "Kill switch: firm is SOFT",
        "Kill switch: firm is HARD",
        "Kill switch: firm is HARD again",
        "Kill switch: firm is ARMED",
        "Kill switch: orders of firm are resumed",
    ]


async def reports(world: World) -> list[ks.Reported]:
    return await world.service.reports()


async def test_a_trip_ends_in_a_proof_when_every_order_has_ended_by_its_venues_word(world: World) -> None:
    room = world.room
    await room.client_order("A1", account="FUND")
    await room.report("new")
    await room.fill(30)
    room.clock.ns += E9
    tripped = world.trip(Level.HARD)
    world.gateways = [{"trips": {tripped.trip: {"orders": [room.child().cl_ord_id], "last_sent_ns": 77}}}]
    for now_s in (0, 1, 2):
        await world.look(now_s)
    assert await reports(world) == [], "an order still works"
    room.clock.ns += E9
    await room.fill(20, "E2")
    await room.report("canceled")
    await world.look(3)
    await world.look(4)
    (report,) = await reports(world)
    (order,) = report.orders
    assert (report.complete, report.open_orders, report.live_at_trip) == (True, 0, 1)
    assert (report.actor, report.reason, report.level, report.tripped_ns) == ("person:jane", "why", "hard", tripped.at_ns)
    assert (order.cancel_sent_ns, order.filled_anyway_e9, order.status) == (77, 20 * E9, "canceled")
    assert (report.last_sent_ns, report.last_acknowledged_ns) == (77, order.ended_ns)
    assert report.residual == (("FUND", "ABC", 50 * E9),)


async def test_what_has_not_ended_in_time_is_reported_as_it_stands_and_again_when_it_has(world: World) -> None:
    room = world.room
    await room.client_order("A1")
    await room.report("new")
    world.trip(Level.HARD)
    for now_s in (0, REPORT_AFTER_S, REPORT_AFTER_S + 1):
        await world.look(now_s)
    (first,) = await reports(world)
    assert (first.complete, first.open_orders) == (False, 1)
    assert first.orders[0].cancel_sent_ns is None, "no gateway has said so"
    await room.report("canceled")
    await world.look(REPORT_AFTER_S + 2)
    assert [report.complete for report in await reports(world)] == [False, True]


async def test_an_order_in_doubt_is_not_counted_as_ended_nor_as_open(world: World) -> None:
    room = world.room
    await room.client_order("A1")
    await room.wait(5)
    world.trip(Level.HARD)
    await world.look(0)
    await world.look(REPORT_AFTER_S)
    (report,) = await reports(world)
    assert (report.complete, report.open_orders, report.orders[0].status) == (False, None, "in_doubt")


async def test_soft_lets_run_off_and_says_what_works(world: World) -> None:
    room = world.room
    await room.client_order("A1")
    await room.report("new")
    world.trip(Level.SOFT)
    await world.look(0)
    await world.look(1)
    (report,) = await reports(world)
    assert (report.complete, report.open_orders, report.level) == (True, 1, "soft")


async def test_a_watchdog_that_does_not_beat_is_told_of_once_and_stays_suspended_until_it_clears_that(tmp_path: Path) -> None:
    host = [0]
    latch = MemoryLatch(beat_max_ns=3 * E9, monotonic_ns=lambda: host[0])
    world = World(tmp_path, Room(latch=latch))
    await world.room.open()

    async def look(now_s: float, *, beats: bool = False) -> None:
        host[0] = round(now_s * E9)
        if beats:
            latch.beat()
        await world.look(now_s)

    await look(1)
    await look(1 + WATCHDOG_START_S)
    assert latch.slots() == (), "processes are starting; the last look stops them all the same"
    assert world.level() is Level.SUSPENDED
    await look(30, beats=True)
    await look(33)
    assert (world.level(), latch.slots()) == (Level.ARMED, ())
    latch.broken = True
    await look(50)
    assert latch.broken, "a latch that nobody can read is not made anew by that"
    latch.broken = False
    await look(60)
    await look(60.1)
    assert [(slot.scope, slot.suspended) for slot in latch.slots()] == [(FIRM, Source.WATCHDOG)]
    assert await world.told() == ["suspended"]
    await look(61, beats=True)
    assert [slot.suspended for slot in latch.slots()] == [Source.WATCHDOG], "it is the watchdog that clears it"
    assert world.headlines() == ["Kill switch: firm is SUSPENDED"]


async def test_a_watchdog_that_never_comes_is_told_of_after_its_time(tmp_path: Path) -> None:
    world = World(tmp_path, Room(latch=MemoryLatch(beat_max_ns=E9, monotonic_ns=lambda: 10**15)))
    await world.room.open()
    await world.look(5)
    await world.look(5 + WATCHDOG_START_S)
    assert await world.told() == []
    await world.look(5.1 + WATCHDOG_START_S)
    assert await world.told() == ["suspended"]


async def test_a_full_disk_suspends_once_and_clears_when_the_log_answers_and_nothing_is_in_doubt(world: World) -> None:
    world.disk = DiskWord(stops="the volume of /a has 3 MB left, 100 are wanted")
    for now_s in (1.0, 1.1):
        await world.look(now_s)
    assert world.level() is Level.SUSPENDED
    world.disk = DiskWord()
    await world.look(1.2, up=False)
    await world.look(1.3, up=False)
    assert world.level() is Level.SUSPENDED
    for now_s in (1.4, 1.5):
        await world.look(now_s)
    assert world.level() is Level.ARMED
    events = [one.event for one in await world.room.log.read(ks.key())]
    disk = [one for one in events if isinstance(one, ks.Suspended | ks.Cleared) and one.source == "disk"]
    assert [type(one) for one in disk] == [ks.Suspended, ks.Cleared]
    assert isinstance(disk[0], ks.Suspended)
    assert disk[0].reason == "the volume of /a has 3 MB left, 100 are wanted"
