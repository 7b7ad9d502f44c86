"""An alert of a kind about a subject is open once, is cleared when it lasts no more, and stays due until it was taken."""

from __future__ import annotations

import pytest

from domain import monitoring as mo
from domain.monitoring import Finding, MonitorAlert, Standings
from domain.standing import Standing, spread_e9, trust_e9
from domain.values import E9, StreamId

IC = Finding("drift_ic", "A", "warning", "0.01 below 0.02")


def folded(alerts: dict[StreamId, MonitorAlert], events: list) -> list:  # type: ignore[type-arg]
    for stream, event in events:
        alerts[stream] = mo.evolve(alerts.get(stream), event, stream=stream)
    return [type(event).__name__ for _, event in events]


def test_it_is_raised_once_and_cleared_when_it_has_been_away() -> None:
    alerts: dict[StreamId, MonitorAlert] = {}
    standings = Standings(clear_after_ns=10)
    assert folded(alerts, standings.decide(alerts, [IC, IC], 0)) == ["Raised"]
    assert standings.decide(alerts, [IC], 5) == []
    assert standings.decide(alerts, [], 6) == []
    assert standings.decide(alerts, [IC], 15) == [], "it came back: one alert"
    assert standings.decide(alerts, [], 16) == [] and standings.decide(alerts, [], 25) == []
    assert folded(alerts, standings.decide(alerts, [], 26)) == ["Cleared"]
    assert standings.decide(alerts, [], 40) == []
    assert folded(alerts, standings.decide(alerts, [IC], 50)) == ["Raised"]
    (alert,) = alerts.values()
    assert alert.open and alert.times == 2


def test_what_is_graver_is_raised_anew_and_what_is_milder_is_not() -> None:
    alerts: dict[StreamId, MonitorAlert] = {}
    standings = Standings()
    folded(alerts, standings.decide(alerts, [IC], 0))
    worse = IC._replace(severity="critical")
    assert folded(alerts, standings.decide(alerts, [worse], 1)) == ["Raised"]
    assert standings.decide(alerts, [IC], 2) == []


def test_a_receiver_is_due_until_it_has_taken_what_is_told_now() -> None:
    alerts: dict[StreamId, MonitorAlert] = {}
    folded(alerts, Standings().decide(alerts, [IC], 0))
    (stream,) = alerts

    def then(event: object) -> list[str]:
        folded(alerts, [(stream, event)])
        return mo.due(alerts[stream], ["a", "b"])

    assert then(mo.Sent(receiver="a", version_sent=1, at_ns=1)) == ["b"]
    assert then(mo.Sent(receiver="b", version_sent=1, at_ns=1)) == []
    assert then(mo.Acknowledged(person="jane", reason="seen", at_ns=2)) == ["a", "b"]
    assert then(mo.Sent(receiver="a", version_sent=alerts[stream].told, at_ns=3)) == ["b"]
    assert then(mo.Cleared(text="well", at_ns=4)) == ["a", "b"]
    assert alerts[stream].version == 6 and not alerts[stream].open


@pytest.mark.parametrize(
    ("ratios", "trust"),
    [({"ic": 0.2}, 1.0), ({"ic": 0.5}, 1.0), ({"ic": 1.0}, 0.5), ({"ic": 1.5}, 0.0), ({"ic": 9.0}, 0.0), ({"ic": None}, 0.5),
     ({"ic": 0.1, "psi.spread": 1.25}, 0.25), ({"ic": None, "psi.spread": 1.4}, 0.1), ({"ic": float("nan")}, 0.5),
     ({"ic": -3.0}, 1.0), ({}, 1.0)],
)  # fmt: skip
def test_the_worst_detector_decides_what_is_trusted(ratios: dict[str, float | None], trust: float) -> None:
    assert trust_e9(Standing(900, ratios)) == round(trust * E9)
    assert spread_e9(trust_e9(Standing(900, ratios))) == 2 * E9 - round(trust * E9)


def test_what_is_not_told_is_half_trusted_and_what_nobody_monitors_is_what_it_was() -> None:
    assert not Standing(900, figures={"ic": 0.1}).monitored and Standing(900, {"ic": None}).monitored
    assert trust_e9(None) == E9 // 2 and spread_e9(-5) == 2 * E9 and spread_e9(5 * E9) == E9
