"""The port by which alerts leave: to a webhook, to an Alertmanager."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from domain.monitoring import MonitorAlert


class AlertReceiver(Protocol):
    """Somebody outside who is told of alerts. Telling the same twice does no harm.

    Attributes:
        name: which receiver it is, for ever the same: the log says what it has taken by it.
        repeat_s: how often what is open is told again although nothing has changed; 0: never.
    """

    name: str
    repeat_s: float

    def tell(self, alerts: Sequence[MonitorAlert], now_ns: int) -> None:
        """How these stand now. Blocks for some seconds at most. Raises AlertNotSent: nobody knows whether it was taken."""
        ...
