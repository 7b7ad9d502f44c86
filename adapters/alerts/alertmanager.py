"""Prometheus's Alertmanager, API v2: POST /api/v2/alerts (its openapi.yaml).

An alert is its labels; what is told of it again is the same alert. It resolves one by itself at `endsAt`, so what is open is told
again every minute with an end three minutes ahead: when the monitor is dead its alerts end, and with them the one that never
may, `EmsMonitorAlive`, on whose absence an Alertmanager or whoever watches it raises its own (a dead man's switch).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any, Final

from adapters.alerts.http import named, post
from domain.monitoring import MonitorAlert
from domain.values import E9

_LASTS_NS: Final = 180 * E9
ALIVE: Final = "EmsMonitorAlive"


class Alertmanager:
    """One of them. desk: a label of every alert."""

    repeat_s = 60.0

    def __init__(self, url: str, desk: str) -> None:
        self.name = f"alertmanager {named(url)}"
        self._url = f"{url.rstrip('/')}/api/v2/alerts"
        self._desk = desk

    def tell(self, alerts: Sequence[MonitorAlert], now_ns: int) -> None:
        """See `domain.ports_alerts.AlertReceiver.tell`."""
        alive = {"labels": {"alertname": ALIVE, "desk": self._desk, "severity": "none"}, "annotations": {},
                 "startsAt": _moment(now_ns), "endsAt": _moment(now_ns + _LASTS_NS)}  # fmt: skip
        post(self._url, [alive, *(self._told(alert, now_ns) for alert in alerts)])

    def _told(self, alert: MonitorAlert, now_ns: int) -> dict[str, Any]:
        raised = alert.raised
        labels = {"alertname": raised.kind, "desk": self._desk, "subject": raised.subject, "severity": raised.severity}
        notes = {"summary": raised.text, "alert": alert.name}
        if alert.person:
            notes |= {"acknowledged_by": alert.person, "reason": alert.reason}
        ends_ns = now_ns + _LASTS_NS if alert.open else alert.ended_ns
        return {"labels": labels, "annotations": notes, "startsAt": _moment(raised.at_ns), "endsAt": _moment(ends_ns)}


def _moment(time_ns: int) -> str:
    """RFC 3339 with nanoseconds."""
    whole = datetime.fromtimestamp(time_ns // E9, UTC)
    return f"{whole:%Y-%m-%dT%H:%M:%S}.{time_ns % E9:09d}Z"
