"""The watchdog over a desk's own events: it measures by itself, acts on the latch first, and beats when it has looked."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from domain import kill_switch as ks
from domain.errors import LogUnavailable
from domain.event import Recorded
from domain.kill_latch import Source
from domain.kill_scope import FIRM, Scope
from domain.kill_table import Level
from domain.ports import Head
from domain.readings import Reading
from domain.values import E9, ScopeKind
from ems.watch_settings import WatchSettings
from ems.watchdog import ACTOR
from tests.ems.watch_room import ACCOUNT, BEAT_MAX_NS, DESK, World
from tests.waiting import until


@pytest.fixture
async def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    await made.room.open()
    return made


# ----------------------------------------------------------------------------------------------- losses


async def test_a_loss_on_the_threshold_does_nothing_and_beyond_it_sets_hard_by_its_own_reckoning(world: World) -> None:
    await world.bought(100, 100)
    await world.marked(80)
    await world.look()
    assert world.level() is Level.ARMED, "2 % of the capital are lost, and no more"
    await world.marked(79)
    await world.look()
    assert world.level() is Level.HARD
    (slot,) = [slot for slot in world.latch.slots() if slot.level]
    assert await world.told() == [("tripped", "firm")]
    switch = (await world.service.state()).of(FIRM)
    assert (switch.actor, f"{slot.trip:016x}") == (ACTOR, switch.trip)
    assert switch.reason == "daily_pnl: -2.1 % of 100,000, below -2 %"


async def test_capital_that_is_stated_anew_is_what_losses_are_measured_against_from_then_on(world: World) -> None:
    await world.bought(100, 100)
    await world.marked(85)
    await world.look()
    assert world.level() is Level.ARMED, "1500 of 100000"
    stated = {FIRM: 50_000 * E9, ACCOUNT: 60_000 * E9}
    world.dog.restate(stated, world.settings.triggers("desk", stated.keys(), live=False))
    await world.look()
    assert (world.level(), world.level(ACCOUNT)) == (Level.HARD, Level.HARD), "1500 of 50000, and of 60000"
    world.dog.restate({FIRM: 50_000 * E9}, world.settings.triggers("desk", [FIRM], live=False))
    await world.look()
    assert (world.level(), world.level(ACCOUNT)) == (Level.HARD, Level.HARD), "what has tripped is for people to arm again"


async def test_a_fall_from_the_best_of_the_day_panics(world: World) -> None:
    await world.bought(100, 100)
    await world.marked(140)
    await world.look()
    await world.marked(90)
    await world.look()
    assert world.level() is Level.ARMED, "5 % from the best, and 1 % below nothing"
    await world.marked(89)
    await world.look()
    assert world.level() is Level.PANIC


async def test_the_latch_is_set_with_the_log_away_and_the_log_is_told_later(world: World) -> None:
    await world.bought(100, 100)
    await world.marked(79)
    await world.look()
    assert world.level() is Level.HARD
    assert await world.room.log.read(ks.key()) == []
    assert await world.told() == [("tripped", "firm")]


async def test_a_position_beyond_a_hard_limit_panics_the_scope_of_the_limit(world: World) -> None:
    await world.bought(200, 100)
    await world.limited(200)
    await world.look()
    assert world.latch.slots() == ()
    await world.limited(199)
    await world.look()
    assert (world.level(ACCOUNT), world.level(FIRM)) == (Level.PANIC, Level.ARMED)
    await world.told()
    reason = (await world.service.state()).of(ACCOUNT).reason
    assert reason == "position: 1, above 0 (ABC: 200 quantity held, limit 199)"


async def test_a_position_limit_is_a_required_metric_as_long_as_there_is_one(world: World) -> None:
    await world.bought(100, 100)
    await world.limited(100)
    await world.look()
    await world.look(11, log=False)
    assert world.level(ACCOUNT) is Level.SUSPENDED
    await world.limited(None)
    await world.look()
    assert world.level(ACCOUNT) is Level.ARMED, "nothing is measured there any more"


# -------------------------------------------------------------------------------------- what is missing


async def test_a_desk_that_is_silent_suspends_and_clears_when_it_speaks_again(world: World) -> None:
    await world.look()
    await world.look(5.1, desk=False)
    assert world.level(DESK) is Level.SUSPENDED
    assert world.level(FIRM) is Level.ARMED, "losses may be older"
    await world.look(5, desk=False)
    assert world.level(FIRM) is Level.SUSPENDED
    await world.look()
    await world.look(1)
    assert (world.level(DESK), world.level(FIRM)) == (Level.ARMED, Level.ARMED)
    assert await world.told() == [
        ("suspended", "desk:desk"),
        ("suspended", "firm"),
        ("cleared", "firm"),
        ("cleared", "desk:desk"),
    ]


async def test_a_log_that_cannot_be_followed_makes_losses_old_and_errors_not(world: World) -> None:
    await world.look()
    await world.look(10.1, log=False)
    assert (world.level(FIRM), world.level(DESK)) == (Level.SUSPENDED, Level.ARMED)


async def test_while_processes_start_nothing_is_suspended_that_never_came(world: World) -> None:
    await world.look(19, desk=False)
    assert world.latch.slots() == ()
    await world.look(2, desk=False)
    assert {world.level(FIRM), world.level(DESK)} == {Level.SUSPENDED}


async def test_a_quoter_and_a_model_are_required_where_they_are_named(tmp_path: Path) -> None:
    world = World(tmp_path, WatchSettings(back_s=1, quoters=("mm",), models={"m1": ("mm", "adaptive"), "m2": ("adaptive",)}))
    await world.room.open()
    quoter, adaptive = Scope(ScopeKind.STRATEGY, "mm"), Scope(ScopeKind.STRATEGY, "adaptive")

    async def look(p99: float, ic1: float, ic2: float | None, size: int = 1_000, wait_s: float = 0.2) -> None:
        at_ns = world.host.ns + round(wait_s * E9)
        world.metrics.publish("tick_to_quote_ms.mm", Reading(p99, at_ns, size))
        world.metrics.publish("information_coefficient.m1", Reading(ic1, at_ns, size))
        if ic2 is not None:
            world.metrics.publish("information_coefficient.m2", Reading(ic2, at_ns, size))
        await world.look(wait_s)

    await look(1.0, 0.1, None, size=99)
    assert next(slot for slot in world.latch.slots() if slot.scope == quoter).suspended == Source.WARM_UP
    await look(1.0, 0.1, None, wait_s=25)
    await look(1.0, 0.1, None, wait_s=2)
    assert world.level(quoter) is Level.ARMED
    assert world.level(adaptive) is Level.SUSPENDED, "one of its models says nothing"
    await look(5.0, 0.0, 0.2)
    await look(5.0, 0.0, 0.2, wait_s=2)
    assert world.latch.slots() == (), "on both thresholds"
    await look(5.0, 0.1, -0.01)
    assert (world.level(quoter), world.level(adaptive)) == (Level.ARMED, Level.SOFT)
    await look(5.1, 0.1, 0.1)
    assert world.level(quoter) is Level.SOFT


# ----------------------------------------------------------------------------------------------- errors


async def test_more_than_ten_internal_errors_a_minute_set_hard(world: World) -> None:
    await world.look(errors=100)  # from before it came
    await world.look(errors=105)
    world.metrics.publish("errors.gateway", Reading(0, world.host.ns, 1))
    await world.look(errors=105)
    world.metrics.publish("errors.gateway", Reading(5, world.host.ns, 1))
    await world.look(errors=105)
    assert world.level(DESK) is Level.ARMED, "ten"
    await world.look(errors=106)
    assert world.level(DESK) is Level.HARD
    assert (await world.service.state()).of(DESK).level is Level.ARMED
    await world.told()
    assert (await world.service.state()).of(DESK).reason == "internal_errors: 11, above 10"


async def test_what_a_client_gets_wrong_is_no_error_of_ours(world: World) -> None:
    for number in range(20):
        await world.room.client_order(f"B{number}", symbol="NONE")
        await world.room.client_order(f"C{number}", quantity_e9=-1)
    assert world.room.errors == 0


# ------------------------------------------------------------------------------------------------- beats


async def test_it_beats_after_a_look_and_its_return_clears_what_a_desk_had_noticed(world: World) -> None:
    assert not world.latch.watched()
    world.service.suspend(FIRM, Source.WATCHDOG, actor="system:desk", reason="the watchdog does not beat")
    await world.look()
    assert world.latch.watched()
    assert world.latch.slots() == ()
    world.host.ns += BEAT_MAX_NS + 1
    assert world.latch.verdict([]).level is Level.SUSPENDED


async def test_a_look_that_fails_leaves_no_beat(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(world.book, "samples", lambda *_: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        await world.look()
    assert not world.latch.watched()


async def test_a_latch_that_nobody_can_read_gets_no_beat_and_no_suspension_but_a_trip(world: World) -> None:
    world.latch.broken = True
    await world.look(25, desk=False)
    assert world.latch.broken
    await world.bought(100, 100)
    await world.marked(79)
    await world.look()
    assert world.level() is Level.HARD


async def test_started_anew_it_takes_over_trips_and_suspensions_of_its_own(world: World) -> None:
    world.latch.change(DESK, lambda slot: slot.suspend(Source.METRIC, 1))
    await world.bought(100, 100)
    await world.marked(79)
    await world.look()
    await world.told()
    world.began()
    assert await world.dog._remembered()
    await world.look()
    assert (await world.told()).count(("tripped", "firm")) == 1
    world.latch.change(FIRM, lambda slot: slot.rearmed(slot.trip, 5))
    await world.look(2)
    assert world.level(FIRM) is Level.ARMED, "two people have seen that loss"
    assert world.level(DESK) is Level.ARMED, "what was missing is there"
    await world.marked(74)
    await world.look()
    assert world.level(FIRM) is Level.HARD, "half a per cent more"


# ------------------------------------------------------------------------------------- its loop and the log


class Flaky:
    """A log whose subscription breaks after every third event, and that may be away altogether."""

    def __init__(self, world: World) -> None:
        self._log, self.away, self.breaks = world.room.log, False, 0

    async def subscribe(self, *, after_seq: int = 0, unread: object = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        async for recorded in self._log.subscribe(after_seq=after_seq, unread=unread, every_s=every_s):  # type: ignore[arg-type]
            yield recorded
            if self.away or recorded.seq % 3 == 0:
                self.breaks += 1
                raise LogUnavailable("the connection is lost")

    async def head(self) -> Head:
        if self.away:
            raise LogUnavailable("nobody answers")
        return await self._log.head()


async def test_it_follows_a_log_that_comes_and_goes_and_first_looks_when_it_has_all_of_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ems.watchdog.RETRY_S", (0.0,))
    monkeypatch.setattr("ems.watchdog.EVERY_S", 0.01)
    monkeypatch.setattr("ems.watchdog.HEAD_EVERY_S", 0.01)
    await world.bought(100, 100)
    await world.marked(79)
    flaky = Flaky(world)
    world.metrics.publish("errors.desk", Reading(0, world.host.ns, 1))
    object.__setattr__(world.dog._parts, "log", flaky)
    flaky.away = True
    running = asyncio.create_task(world.dog.run())
    try:
        await asyncio.sleep(0.05)
        assert (world.dog.looks, world.latch.watched()) == (0, False), "it knows nothing yet"
        flaky.away = False
        await until(lambda: world.level() is Level.HARD)
        assert flaky.breaks > 1
        assert world.book.seq > 10
        assert world.latch.watched()
        assert world.dog.status() == {
            "state": "watching", "seq": world.book.seq, "triggers": 3, "metrics_missing": [], "tripped": ["firm daily_pnl"],
        }  # fmt: skip
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
