"""Clocks: never backward, and one tape time for all who share it."""

from __future__ import annotations

import time

import pytest

from adapters import clock
from adapters.clock import TapeClock, TapeTime, WallClock

NS = 1_000_000_000


class Wall:
    """A wall that the test moves."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.system_ns, self.monotonic = 1_000 * NS, 5 * NS
        monkeypatch.setattr(clock.time, "time_ns", lambda: self.system_ns)
        monkeypatch.setattr(clock.time, "monotonic_ns", lambda: self.monotonic)

    def pass_ns(self, elapsed_ns: int) -> None:
        self.system_ns += elapsed_ns
        self.monotonic += elapsed_ns


def test_the_wall_clock_tells_the_time() -> None:
    before_ns = time.time_ns()
    now_ns = WallClock().now_ns()
    assert before_ns - NS < now_ns < time.time_ns() + NS


def test_a_step_of_the_systems_time_moves_nothing_backward(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    moving = WallClock()
    first_ns = moving.now_ns()
    wall.pass_ns(10)
    wall.system_ns -= 3_600 * NS
    assert moving.now_ns() == first_ns + 10


def test_a_tape_plays_at_its_speed_for_whoever_joins_when(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    tape = TapeTime(start_ns=77 * NS, origin_ns=wall.system_ns, speed=60.0)
    early = TapeClock(tape)
    wall.pass_ns(2 * NS)
    late = TapeClock(tape)
    assert early.now_ns() == late.now_ns() == (77 + 120) * NS


def test_a_tape_stands_at_its_start_until_its_origin(monkeypatch: pytest.MonkeyPatch) -> None:
    wall = Wall(monkeypatch)
    tape = TapeClock(TapeTime(start_ns=77 * NS, origin_ns=wall.system_ns + 5 * NS, speed=60.0))
    wall.pass_ns(4 * NS)
    assert tape.now_ns() == 77 * NS
