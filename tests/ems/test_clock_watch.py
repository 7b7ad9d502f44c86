"""Clocks: what chrony and PTP say, `unknown` otherwise; written at the start, by interval and at once when it changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from adapters.clock_sources import chrony, ptp, read_clock, run
from adapters.memory.event_log import MemoryEventLog
from domain.catalogue import TOPICS
from domain.clock_reading import ALERT_WITHIN_NS, Measured, Reading, key, measured
from domain.values import E9
from ems.clock_watch import LOOK_S, ClockWatch
from ems.exports.formats import utc_day
from ems.projections import Projections
from tests.ems.room import Clock

TRACKING = "C000020A,192.0.2.10,3,1772463590.1,-0.000012500,0.000001,0.000009,-3.2,0.01,0.4,0.000820000,0.000410000,64.2,Normal\n"
PMC = """sending: GET CURRENT_DATA_SET
  a1b2.0 RESPONSE CURRENT_DATA_SET
    stepsRemoved     1
    offsetFromMaster -37.0
    meanPathDelay    842.0
  RESPONSE PARENT_DATA_SET
    grandmasterIdentity 001122.fffe.334455
"""
LIMIT_NS = 50_000_000


def test_chrony_offset_and_what_it_may_be_off_beside_that() -> None:
    assert chrony(TRACKING) == Reading("chrony", "192.0.2.10", 3, -12_500, 820_000)


@pytest.mark.parametrize(
    "told", ["", "no daemon", TRACKING.replace("Normal", "Not synchronised"), TRACKING.replace("0.000820000", "x")]
)
def test_a_clock_that_follows_nobody_is_unknown(told: str) -> None:
    assert chrony(told) is None
    assert read_clock(lambda command: told).source == "unknown"


def test_ptp_offset_and_path_delay() -> None:
    assert ptp(PMC) == Reading("ptp", "001122.fffe.334455", 1, -37, 842)
    assert ptp(PMC.replace("stepsRemoved     1", "stepsRemoved     0")) is None, "its own master"
    assert read_clock(lambda command: PMC if command[0] == "pmc" else None).source == "ptp"


def test_a_tool_that_is_missing_fails_or_hangs_says_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(["no-such-tool-here"]) is None and run(["false"]) is None and run(["echo", "1"]) == "1\n"
    monkeypatch.setattr("adapters.clock_sources.TIMEOUT_S", 0.01)
    assert run(["sleep", "5"]) is None


@pytest.mark.parametrize(
    ("offset_ns", "uncertainty_ns", "state"),
    [(-40_000_000, 10_000_000, "within"), (-40_000_000, 10_000_001, "excursion"), (None, 1, "unknown"), (1, None, "unknown")],
)
def test_offset_and_uncertainty_together_are_held_against_the_limit(
    offset_ns: int | None, uncertainty_ns: int | None, state: str
) -> None:
    reading = Reading("chrony", "r", 2, offset_ns, uncertainty_ns)
    found = measured(reading, host="h", limit_ns=LIMIT_NS, at_ns=1)
    assert found.state == state and (found.source == "unknown") == (state == "unknown")
    assert measured(reading, host="h", limit_ns=0, at_ns=1).state != "excursion", "without a limit there is no excursion"


async def test_what_is_written_and_that_an_excursion_is_told_within_five_seconds() -> None:
    clock = Clock()
    log = MemoryEventLog(TOPICS, clock)
    readings = (
        [Reading("chrony", "r", 2, 0, 1)] * 4 + [Reading("chrony", "r", 2, 10**9, 1)] * 2 + [Reading("chrony", "r", 2, 0, 1)]
    )
    watch = ClockWatch(log, clock, lambda: readings.pop(0), host="h", build="b", limit_ns=LIMIT_NS, every_ns=2 * E9)
    shown, seen, alerts = Projections(), 0, []
    day = utc_day(clock.ns)
    while readings:
        await watch.look()
        for recorded in (await log.read(key("h", day)))[seen:]:
            shown.apply(recorded)
            seen += 1
        alerts.append([row["kind"] for row in shown.alerts.values()])
        clock.ns += int(LOOK_S * E9)
    events = [recorded.event for recorded in await log.read(key("h", day))]
    assert [event.state for event in events if isinstance(event, Measured)] == ["within", "within", "excursion", "within"]
    assert alerts == [[], [], [], [], ["clock excursion"], ["clock excursion"], []]
    assert LOOK_S * E9 * 2 < ALERT_WITHIN_NS
    assert watch.status()["clock"] == "within"
