"""A webhook: each alert one JSON object, whenever something has changed about it."""

from __future__ import annotations

from collections.abc import Sequence

from adapters.alerts.http import named, post
from domain.monitoring import MonitorAlert


class Webhook:
    """One address. Its receiver knows an alert by `alert` and what is new by `version`."""

    repeat_s = 0.0

    def __init__(self, url: str) -> None:
        self.name = f"webhook {named(url)}"
        self._url = url

    def tell(self, alerts: Sequence[MonitorAlert], now_ns: int) -> None:
        """See `domain.ports_alerts.AlertReceiver.tell`."""
        for alert in alerts:
            raised = alert.raised
            post(self._url, {
                "alert": alert.name, "version": alert.told, "state": "open" if alert.open else "cleared", "kind": raised.kind,
                "subject": raised.subject, "severity": raised.severity, "text": raised.text, "raised_ns": raised.at_ns,
                "cleared_ns": alert.ended_ns or None, "acknowledged_by": alert.person or None, "reason": alert.reason or None,
            })  # fmt: skip
