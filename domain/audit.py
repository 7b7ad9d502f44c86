"""Events that are written beside trading and that no desk decides by: measured clocks, codes, access, reconciliation, erasure."""

from __future__ import annotations

from domain import clock_reading, erasure, party, reading, reconciliation

EVENTS = (*clock_reading.EVENTS, *party.EVENTS, *reading.EVENTS, *reconciliation.EVENTS, *erasure.EVENTS)
