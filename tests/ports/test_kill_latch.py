"""The contract of `domain.ports.KillLatch`: the shared file and its in-memory twin both keep it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adapters.memory.latch import MemoryLatch
from adapters.shm.latch import REOPEN_NS, SharedLatch
from domain.errors import LatchUnreadable
from domain.kill_latch import Slot, Source
from domain.kill_scope import FIRM, Scope
from domain.kill_table import CLEAR, Level
from domain.ports import KillLatch
from domain.values import E9, ScopeKind

CLIENT = Scope(ScopeKind.CLIENT, "OMS1")
VENUE = Scope(ScopeKind.VENUE, "BROKER")


BEAT_MAX_NS = 3 * E9


class Host:
    """The monotonic clock of a host."""

    def __init__(self) -> None:
        self.ns = 1_000 * E9

    def __call__(self) -> int:
        return self.ns


class World:
    """A latch, how it goes missing, and the same as a reader sees it that requires a beat."""

    def __init__(self, latch: KillLatch, lose: Callable[[], None], demanding: KillLatch, clock: Host) -> None:
        self.latch, self.lose, self.demanding, self.clock = latch, lose, demanding, clock

    def level(self, *scopes: Scope) -> Level:
        return self.latch.verdict([scope.digest for scope in scopes]).level

    def trip(self, scope: Scope, level: Level, trip: int = 7, at_ns: int = 100) -> Slot:
        return self.latch.change(scope, lambda slot: slot.tripped(level, trip, at_ns))[1]


@pytest.fixture(params=["shm", "memory"])
def world(request: pytest.FixtureRequest, tmp_path: Path) -> World:
    clock = Host()
    if request.param == "memory":
        memory = MemoryLatch(missing=True)
        demanding = MemoryLatch(missing=True, beat_max_ns=BEAT_MAX_NS, monotonic_ns=clock)
        return World(memory, lambda: setattr(memory, "broken", True), demanding, clock)
    shared = SharedLatch(tmp_path / "kill" / "latch")

    def lose() -> None:
        (tmp_path / "kill" / "latch").unlink()
        shared._look_again_ns = 0  # as when REOPEN_NS have passed

    assert REOPEN_NS <= 100_000_000
    demanding = SharedLatch(tmp_path / "kill" / "latch", beat_max_ns=BEAT_MAX_NS, monotonic_ns=clock)
    return World(shared, lose, demanding, clock)


def test_what_is_missing_counts_as_tripped_and_never_beyond_hard(world: World) -> None:
    verdict = world.latch.verdict([CLIENT.digest])
    assert (verdict.level, verdict.readable, verdict.trip) == (Level.HARD, False, 0)
    with pytest.raises(LatchUnreadable):
        world.latch.slots()


def test_built_from_nothing_it_is_armed(world: World) -> None:
    world.latch.build([])
    assert world.latch.verdict([CLIENT.digest]) == CLEAR
    assert world.latch.slots() == ()


def test_a_trip_stops_its_scope_alone(world: World) -> None:
    world.latch.build([])
    world.trip(CLIENT, Level.HARD)
    assert world.level(CLIENT, VENUE) is Level.HARD
    assert world.level(VENUE) is Level.ARMED
    assert world.latch.verdict([VENUE.digest, CLIENT.digest]).trip == 7


def test_the_firm_stops_everybody_named_or_not(world: World) -> None:
    world.latch.build([])
    world.trip(FIRM, Level.SOFT)
    assert world.level() is Level.SOFT
    assert world.level(CLIENT) is Level.SOFT


def test_the_highest_level_of_all_scopes_wins_with_its_trip(world: World) -> None:
    world.latch.build([])
    world.trip(CLIENT, Level.SOFT, trip=1)
    world.trip(VENUE, Level.PANIC, trip=2)
    verdict = world.latch.verdict([CLIENT.digest, VENUE.digest])
    assert (verdict.level, verdict.trip, verdict.digest) == (Level.PANIC, 2, VENUE.digest)


def test_a_level_is_raised_and_never_lowered_by_a_trip(world: World) -> None:
    world.latch.build([])
    world.trip(CLIENT, Level.HARD, trip=1)
    assert world.trip(CLIENT, Level.SOFT, trip=2).trip == 1
    assert world.level(CLIENT) is Level.HARD
    assert world.trip(CLIENT, Level.PANIC, trip=3).trip == 3


def test_each_source_of_a_suspension_clears_its_own(world: World) -> None:
    world.latch.build([])
    world.latch.change(CLIENT, lambda slot: slot.suspend(Source.LOG, 1))
    world.latch.change(CLIENT, lambda slot: slot.suspend(Source.FEED, 2))
    world.latch.change(CLIENT, lambda slot: slot.clear(Source.LOG))
    assert world.level(CLIENT) is Level.SUSPENDED
    world.latch.change(CLIENT, lambda slot: slot.clear(Source.FEED))
    assert world.level(CLIENT) is Level.ARMED


def test_a_suspension_that_ends_leaves_a_trip_as_it_is(world: World) -> None:
    world.latch.build([])
    world.latch.change(CLIENT, lambda slot: slot.suspend(Source.LOG, 1))
    world.trip(CLIENT, Level.SOFT)
    world.latch.change(CLIENT, lambda slot: slot.clear(Source.LOG))
    assert world.level(CLIENT) is Level.SOFT


def test_only_the_trip_that_was_agreed_on_is_re_armed(world: World) -> None:
    world.latch.build([])
    world.trip(CLIENT, Level.HARD, trip=1)
    world.trip(CLIENT, Level.HARD, trip=2)  # since two people agreed about the first
    world.latch.change(CLIENT, lambda slot: slot.rearmed(1, 500))
    assert world.level(CLIENT) is Level.HARD
    world.latch.change(CLIENT, lambda slot: slot.rearmed(2, 500))
    verdict = world.latch.verdict([CLIENT.digest])
    assert (verdict.level, verdict.paused_before_ns) == (Level.ARMED, 500)
    world.latch.change(CLIENT, Slot.resumed)
    assert world.latch.verdict([CLIENT.digest]) == CLEAR


def test_losing_it_stops_everybody(world: World) -> None:
    world.latch.build([])
    assert world.level(CLIENT) is Level.ARMED
    world.lose()
    assert world.level(CLIENT) is Level.HARD


def test_a_change_to_one_that_is_lost_arms_nobody(world: World) -> None:
    world.latch.build([])
    world.lose()
    world.trip(CLIENT, Level.PANIC)
    assert world.level(VENUE) is Level.HARD
    assert world.level(CLIENT) is Level.PANIC


def test_what_it_says_is_what_it_is_built_from_again(world: World) -> None:
    world.latch.build([])
    world.trip(CLIENT, Level.PANIC, trip=2**63 - 1, at_ns=2**62)
    world.latch.change(VENUE, lambda slot: slot.suspend(Source.LOG | Source.DISK, 5))
    said = world.latch.slots()
    world.latch.build(said)
    assert set(world.latch.slots()) == set(said)


def test_many_scopes(world: World) -> None:
    world.latch.build([])
    scopes = [Scope(ScopeKind.INSTRUMENT, f"S{number}") for number in range(300)]
    for scope in scopes:
        world.trip(scope, Level.SOFT)
    assert all(world.level(scope) is Level.SOFT for scope in scopes)
    assert world.level(CLIENT) is Level.ARMED
    for scope in scopes:
        world.latch.change(scope, lambda slot: slot.rearmed(7, 0))
    assert world.latch.slots() == ()


def test_without_a_beat_a_reader_that_requires_one_is_suspended_and_no_more(world: World) -> None:
    demanding = world.demanding
    assert not demanding.watched()
    demanding.build([])
    verdict = demanding.verdict([CLIENT.digest])
    assert (verdict.level, verdict.digest, verdict.trip) == (Level.SUSPENDED, FIRM.digest, 0)
    assert not demanding.watched()
    demanding.beat()
    assert demanding.verdict([CLIENT.digest]) == CLEAR
    assert demanding.watched()
    world.clock.ns += BEAT_MAX_NS
    assert demanding.verdict([]) == CLEAR
    world.clock.ns += 1
    assert demanding.verdict([]).level is Level.SUSPENDED
    assert not demanding.watched()
    demanding.beat()
    assert demanding.verdict([]) == CLEAR, "it clears itself"


def test_a_level_that_is_set_counts_with_or_without_a_beat(world: World) -> None:
    demanding = world.demanding
    demanding.build([])
    demanding.change(CLIENT, lambda slot: slot.tripped(Level.PANIC, 9, 1))
    verdict = demanding.verdict([CLIENT.digest])
    assert (verdict.level, verdict.trip) == (Level.PANIC, 9)
    assert demanding.verdict([VENUE.digest]).level is Level.SUSPENDED


def test_a_beat_from_before_the_host_was_started_again_is_none(world: World) -> None:
    demanding = world.demanding
    demanding.build([])
    demanding.beat()
    world.clock.ns = 5 * E9  # its clock begins anew
    assert demanding.verdict([]).level is Level.SUSPENDED


def test_a_beat_changes_nothing_that_the_latch_says(world: World) -> None:
    demanding = world.demanding
    demanding.build([])
    demanding.change(CLIENT, lambda slot: slot.tripped(Level.HARD, 9, 1).suspend(Source.LOG, 2))
    before = demanding.slots()
    demanding.beat()
    demanding.change(VENUE, lambda slot: slot.suspend(Source.WATCHDOG, 3))
    assert set(before) < set(demanding.slots())
    assert demanding.watched(), "nor a change the beat"


def test_a_latch_that_is_lost_takes_no_beat(world: World) -> None:
    with pytest.raises(LatchUnreadable):
        world.demanding.beat()


def test_a_reader_that_requires_no_beat_never_asks_for_one(world: World) -> None:
    world.latch.build([])
    assert world.latch.watched()
    assert world.latch.verdict([]) == CLEAR
