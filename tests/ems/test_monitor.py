"""The monitor: what it finds is an alert in the log, told until it was taken, and taken up again by the next monitor."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from adapters.memory.event_log import MemoryEventLog
from adapters.memory.metrics import MemoryMetrics
from domain.catalogue import TOPICS
from domain.errors import AlertNotSent
from domain.kill_scope import FIRM
from domain.monitoring import Finding, MonitorAlert
from domain.observation import Observation, Observed
from domain.standing import Standing
from domain.triggers import Metric, Sample
from domain.values import E9
from ems import monitor as monitor_room
from ems.forecasts import Forecasts
from ems.health_parts import part
from ems.monitor import Monitor
from ems.monitor_findings import Lag, Situation, findings
from ems.monitoring_settings import MonitoringSettings
from ems.watch_settings import WatchSettings
from tests.waiting import until

IC = Finding("drift_ic", "A", "warning", "0.01 below 0.02")
ELSEWHERE = Finding("", "", "warning", "another host's desk leads")
SETTINGS = MonitoringSettings()


class AClock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.ns = 10**18

    def now_ns(self) -> int:
        return self.ns


class AReceiver:
    """Takes what it is told once it may."""

    repeat_s = 0.0

    def __init__(self, name: str = "webhook a", *, takes: bool = True) -> None:
        self.name, self.takes, self.tried = name, takes, 0
        self.told: list[MonitorAlert] = []

    def tell(self, alerts: Sequence[MonitorAlert], now_ns: int) -> None:
        self.tried += 1
        if not self.takes:
            raise AlertNotSent("nobody there")
        self.told += alerts


def a_monitor(log: MemoryEventLog, clock: AClock, found: list[Finding], *receivers: AReceiver) -> Monitor:
    async def look() -> list[Finding] | None:
        return None if ELSEWHERE in found else list(found)

    return Monitor(log, clock, look, receivers, lambda _: None, build="b", every_s=0.01, clear_s=1.0, wait_s=5.0)


def run(monitor: Monitor, *steps: Callable[[], bool]) -> None:
    """Let it run until each step holds in turn."""

    async def running() -> None:
        task = asyncio.create_task(monitor.run())
        try:
            for step in steps:
                await until(lambda step=step: step() or (task.done() and bool(task.result())))  # type: ignore[misc]
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    asyncio.run(running())


def topics(log: MemoryEventLog) -> list[str]:
    async def read() -> list[str]:
        return [recorded.event.TOPIC.split(".")[1] async for page in log.read_pages() for recorded in page]

    return asyncio.run(read())


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("RETRY_S", (0.01,)), ("_LOOK_AT_S", 0.01), ("FOLLOW_S", 0.01)):
        monkeypatch.setattr(monitor_room, name, value)
    monkeypatch.setattr(monitor_room, "RETRY_S", (0.01,) * 7)


def test_a_finding_is_one_alert_told_acknowledged_and_cleared() -> None:
    log, clock, found, receiver = MemoryEventLog(TOPICS, AClock()), AClock(), [IC], AReceiver()
    monitor = a_monitor(log, clock, found, receiver)
    run(monitor, lambda: len(receiver.told) == 1 and not monitor.status()["unsent"])
    assert topics(log) == ["raised", "sent"] and monitor.status()["open"] == 1
    (row,) = monitor.listed()
    assert asyncio.run(monitor.acknowledge(row["alert"], "jane", " ")) == "an acknowledgement needs a reason"
    assert "no alert" in asyncio.run(monitor.acknowledge("0" * 16, "jane", "seen"))
    assert asyncio.run(monitor.acknowledge(row["alert"], "jane", "seen")) == ""
    found.clear()
    looked = monitor.looks
    run(monitor, lambda: monitor.looks > looked + 3)
    clock.ns += 4 * E9
    run(monitor, lambda: monitor.looks > looked + 6)
    assert monitor.status()["open"] == 1, "it has just been started: what a look does not tell yet is not well"
    clock.ns += 1 * E9
    run(monitor, lambda: monitor.looks > looked + 9)
    clock.ns += 1 * E9
    run(monitor, lambda: monitor.status()["open"] == 0 and not monitor.status()["unsent"])
    assert topics(log)[0:3] == ["raised", "sent", "acknowledged"] and topics(log).count("cleared") == 1
    assert [(alert.open, alert.person) for alert in receiver.told][-1] == (False, "jane")


def test_what_nobody_took_is_told_by_the_next_monitor_too() -> None:
    log, clock, receiver = MemoryEventLog(TOPICS, AClock()), AClock(), AReceiver(takes=False)
    first = a_monitor(log, clock, [IC], receiver)
    run(first, lambda: receiver.tried >= 3)
    assert topics(log) == ["raised"] and first.status()["unsent"] == {"webhook a": 1} and first.status()["failed"]
    receiver.takes = True
    second = a_monitor(log, clock, [IC], receiver)
    run(second, lambda: bool(second.looks) and not second.status()["unsent"] and bool(receiver.told))
    assert topics(log) == ["raised", "sent"], "still one alert"
    third = a_monitor(log, clock, [IC], receiver)
    run(third, lambda: third.looks > 5)
    assert topics(log) == ["raised", "sent"] and len(receiver.told) == 1


def test_where_the_desk_stands_by_its_monitor_writes_and_tells_nothing() -> None:
    log, clock, found, receiver = MemoryEventLog(TOPICS, AClock()), AClock(), [IC], AReceiver(takes=False)
    leading = a_monitor(log, clock, found, receiver)
    run(leading, lambda: receiver.tried >= 1)
    other, idle = AReceiver(), [ELSEWHERE]
    beside = a_monitor(log, clock, idle, other)
    run(beside, lambda: beside.seq == 1 and beside.stands_by)
    clock.ns += 2 * E9
    run(beside, lambda: beside.status()["state"] == "standing by")
    assert topics(log) == ["raised"] and not other.told, "what the other host raised is not cleared from here"
    idle[:] = [IC]
    run(beside, lambda: bool(other.told) and not beside.status()["unsent"])
    assert topics(log) == ["raised", "sent"], "it leads now, and tells what the other could not"


# ----------------------------------------------------------------------------------------- what is found


def kinds(situation: Situation) -> set[tuple[str, str]]:
    return {(found.kind, found.subject) for found in findings(situation, SETTINGS)}


def test_what_is_not_told_is_not_well() -> None:
    assert kinds(Situation()) == set()
    seen = Situation(
        parts={"desk": part(False, "does not answer") | {"do": "see its log"}, "risk": part(False, "the desk does not answer"),
               "sessions": part(False, "B not logged on"), "api": part(True, "")},
        lags_ns={"log_lag": None, "view_lag": 6 * E9, "fix_lag": 0},
        sessions={"A": True, "B": False, "C": None}, markets=("X",), forecasts={}, latency_us=None, tripped={FIRM: "by hand"},
    )  # fmt: skip
    assert kinds(seen) == {
        ("part_down", "desk"), ("log_lag_missing", "log_lag"), ("view_lag", "view_lag"), ("fix_session_down", "B"),
        ("fix_session_down", "C"), ("forecast_stale", "X"), ("forecast_latency_missing", "forecasts"), ("kill_switch", "firm"),
    }  # fmt: skip


def test_losses_are_told_before_the_kill_switch_acts() -> None:
    triggers = WatchSettings().triggers("desk", [FIRM], live=False)

    def of(pnl: float | None, capital_e9: int | None = 100 * E9) -> set[tuple[str, str]]:
        fall = Sample(0, 0, capital_e9=E9)
        samples = {(Metric.DAILY_PNL, FIRM): Sample(pnl, 0, capital_e9=capital_e9), (Metric.DRAWDOWN, FIRM): fall}
        return kinds(Situation(triggers=triggers, samples=samples))

    assert of(-0.9 * E9) == set() and of(-1.0 * E9) == {("daily_pnl", "firm")}
    assert of(None) == of(0, None) == {("daily_pnl_missing", "firm")}
    assert kinds(Situation(triggers=triggers)) == {("daily_pnl_missing", "firm"), ("drawdown_missing", "firm")}


def test_forecasts_that_drift_are_named_by_their_detector() -> None:
    told = {"age_s": 1.0, "ratios": {"ic": 1.1, "psi.spread": 0.4, "psi.ofi": None}, "figures": {"ic": 0.01}, "why": ""}
    assert kinds(Situation(markets=("X",), forecasts={"X": told}, latency_us=(150.0, 10_000))) == {("drift_ic", "X")}
    old = told | {"age_s": 61.0, "ratios": {}, "why": "no reference"}
    found = kinds(Situation(markets=("X",), forecasts={"X": old}, latency_us=(250.0, 10_000)))
    assert found == {("forecast_stale", "X"), ("drift_unmonitored", "X"), ("forecast_latency", "forecasts")}


def test_a_lag_is_as_old_as_the_first_thing_that_is_not_reached() -> None:
    lag = Lag()
    assert [lag.see(*look) for look in ((0, 5, 5), (10, 9, 5), (20, 12, 8), (30, 12, 9), (45, 12, 12))] == [0, 0, 10, 10, 0]


# ------------------------------------------------------------------------------------- what becomes of it


def seen(at_ns: int, ic: float | None, ratio: float | None, forecasts: int = 800, symbol: str = "A") -> Observed:
    observation = Observation(time_ns=at_ns, arrays="", price_unit_e9=1, size_unit_e9=1, step_ns=1)
    return Observed(symbol, observation, (), None, standing=Standing(forecasts, {"ic": ratio}, {"ic": ic}))


def test_the_watchdog_gets_the_worst_and_the_oldest_and_the_quoter_what_follows() -> None:
    metrics, now = MemoryMetrics(), 10**18
    forecasts = Forecasts(metrics, lambda: now, lambda: 7 * E9)
    assert forecasts.spread_e9(["A"]) == E9, "where nobody judges, nothing is widened"
    forecasts.take([seen(now, 0.2, 0.1), seen(now - 2 * E9, 0.1, 1.25, 120, "B")])
    reading = metrics.read()["information_coefficient.world_model"]
    assert reading == (0.1, 5 * E9, 120)
    assert forecasts.spread_e9(["A"]) == E9 and forecasts.spread_e9(["A", "B"]) == 1_750_000_000
    forecasts.take([seen(now, None, None, 40)])
    broken = metrics.read()["information_coefficient.world_model"]
    assert broken.value != broken.value and broken.size == 40, "what cannot be reckoned is no number"
    forecasts.take([seen(now - 61 * E9, 0.2, 0.1)])
    assert forecasts.spread_e9(["A"]) == 1_500_000_000, "what is old is half trusted"
    told = forecasts.told()["forecasts"]["A"]
    assert told["age_s"] == 61 and told["ratios"] == {"ic": 0.1} and told["trust_e9"] == E9 // 2


def test_an_unmonitored_market_is_trusted_as_it_was_made_and_said_to_be_unmonitored() -> None:
    metrics, now = MemoryMetrics(), 10**18
    forecasts = Forecasts(metrics, lambda: now, lambda: 7 * E9)
    bare = seen(now, 0.07, None)._replace(standing=Standing(900, figures={"ic": 0.07}, why="no reference"))
    forecasts.take([bare])
    assert forecasts.spread_e9(["A"]) == E9
    assert metrics.read()["information_coefficient.world_model"].value == 0.07, "the watchdog's figure needs no reference"
    told = forecasts.told()["forecasts"]["A"]
    assert told["trust_e9"] == E9 and told["ratios"] == {} and told["why"] == "no reference"
    (found,) = findings(Situation(markets=("A",), forecasts={"A": told}, latency_us=(150.0, 10_000)), SETTINGS)
    assert (found.kind, found.subject) == ("drift_unmonitored", "A") and "no reference" in found.text


def test_the_number_for_the_quoter_is_one_where_nobody_has_said(tmp_path: Path) -> None:
    from adapters.shm.exposure import SharedExposure

    ours = SharedExposure(tmp_path / "exposure", 2, write=True)
    theirs = SharedExposure(tmp_path / "exposure", 2)
    assert theirs.spread_e9() == E9
    ours.widen(1_500_000_000)
    assert theirs.spread_e9() == 1_500_000_000
    ours.widen(5)
    assert theirs.spread_e9() == E9
