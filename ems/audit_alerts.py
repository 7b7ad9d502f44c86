"""Alerts that other processes' events open and close: breaks of reconciliation, clocks beyond their limit. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from domain import clock_reading as ck
from domain import reconciliation as rc
from domain.attention import Alert, AlertKind, alert_id
from domain.event import Recorded
from domain.values import StreamId


class Changed(NamedTuple):
    """What an event does to the alerts: one that is open from now on, one that is no more."""

    opened: Alert | None = None
    closed: str = ""


NOTHING = Changed()


@dataclass(slots=True)
class AuditAlerts:
    """What is open, by the stream of the break or the host of the clock."""

    breaks: dict[StreamId, str] = field(default_factory=dict)
    clocks: dict[str, str] = field(default_factory=dict)

    def apply(self, recorded: Recorded) -> Changed:
        """Fold one event."""
        match recorded.event:
            case rc.BreakFound() as found:
                what = f"{found.exec_id} of {found.trade_date}, {found.kind}, with {found.owner}"
                why = f"ours: {found.ours or 'nothing'}; {found.source}: {found.theirs or 'nothing'}"
                alert = self._alert(recorded, "reconciliation break", found.venue_session, what, why, found.at_ns)
                self.breaks[recorded.stream] = alert.id
                return Changed(alert)
            case rc.BreakResolved():
                return Changed(closed=self.breaks.pop(recorded.stream, ""))
            case ck.Measured() as measured:
                return self._clock(recorded, measured)
        return NOTHING

    def _clock(self, recorded: Recorded, measured: ck.Measured) -> Changed:
        known = self.clocks.get(measured.host)
        if measured.state == "excursion" and known is None:
            what = f"{measured.host}: offset {measured.offset_ns} ns, uncertainty {measured.uncertainty_ns} ns"
            why = f"beyond {measured.limit_ns} ns by {measured.source} {measured.reference}"
            alert = self._alert(recorded, "clock excursion", "", what, why, measured.at_ns)
            self.clocks[measured.host] = alert.id
            return Changed(alert)
        if measured.state == "within" and known is not None:
            return Changed(closed=self.clocks.pop(measured.host))
        return NOTHING

    def _alert(self, recorded: Recorded, kind: AlertKind, session: str, what: str, why: str, at_ns: int) -> Alert:
        name = alert_id(recorded.stream, recorded.version)
        return Alert(name, kind, session, what, why, at_ns, recorded.stream, recorded.version)
