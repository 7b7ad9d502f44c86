"""Events that are written beside trading and that no desk decides by: measured clocks, codes, access, reconciliation, erasure,
alerts of the monitor, the steps of a day's start and end."""

from __future__ import annotations

from domain import clock_reading, day_procedure, erasure, monitoring, party, reading, reconciliation

EVENTS = (
    *clock_reading.EVENTS, *party.EVENTS, *reading.EVENTS, *reconciliation.EVENTS, *erasure.EVENTS,
    *monitoring.EVENTS, *day_procedure.EVENTS)  # fmt: skip
