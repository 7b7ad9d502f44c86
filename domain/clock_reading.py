"""How right a host's clock was: measured at the start and by interval, kept with the events that it timed.

`unknown` is an answer: where nothing disciplines the clock, or nothing that we can ask, that is what is written. Read top-down:
the event, the state, what is an excursion.
"""

from __future__ import annotations

from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import StreamId, stream_id

Source = Literal["chrony", "ptp", "unknown"]
SECOND_NS: Final = 1_000_000_000
ALERT_WITHIN_NS: Final = 5 * SECOND_NS  # after an excursion began, at the latest, a person is told


class Measured(Event):
    """One look at a host's clock.

    Attributes:
        offset_ns: the clock less its reference; None where nobody can say.
        uncertainty_ns: how far from true time it may be beside that: root delay and dispersion; None as offset_ns.
        reference: who it follows, as the source names it.
        limit_ns: what offset and uncertainty together may be; 0: none is set.
        state: excursion: beyond the limit. unknown is neither.
        detail: the source's own words, for the log of synchronisation.
    """

    TOPIC: ClassVar[str] = "clock.measured.v1"
    host: str
    source: Source
    reference: str
    stratum: int | None
    offset_ns: int | None
    uncertainty_ns: int | None
    limit_ns: int
    state: Literal["within", "excursion", "unknown"]
    detail: str
    at_ns: int


EVENTS = (Measured,)


class Reading(NamedTuple):
    """What a source said, before it is judged."""

    source: Source
    reference: str = ""
    stratum: int | None = None
    offset_ns: int | None = None
    uncertainty_ns: int | None = None
    detail: str = ""


def key(host: str, trade_date: str) -> StreamId:
    """The stream of a host's clock on one trade date."""
    return stream_id("clock", host, trade_date)


def measured(reading: Reading, *, host: str, limit_ns: int, at_ns: int) -> Measured:
    """A reading judged: how far the clock may be from true time, against what it may be."""
    known = reading.offset_ns is not None and reading.uncertainty_ns is not None
    state: Literal["within", "excursion", "unknown"] = "unknown"
    if reading.offset_ns is not None and reading.uncertainty_ns is not None:
        beyond = 0 < limit_ns < abs(reading.offset_ns) + reading.uncertainty_ns
        state = "excursion" if beyond else "within"
    return Measured(
        host=host, source=reading.source if known else "unknown", reference=reading.reference, stratum=reading.stratum,
        offset_ns=reading.offset_ns, uncertainty_ns=reading.uncertainty_ns, limit_ns=limit_ns, state=state,
        detail=reading.detail, at_ns=at_ns,
    )  # fmt: skip
