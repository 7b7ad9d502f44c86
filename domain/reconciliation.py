"""Our executions against what another tells of them: a drop copy as it comes, a venue's file at the end of its day.

Two tellings of one execution have the key of `domain.fill`: venue session, trade date, ExecID. A break is one of: told by them
and not known to us, known to us and not told by them, told differently. It is an event with an owner, until somebody, or the
missing half itself, resolves it. Read top-down: events, state, decide.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.values import Side, StreamId, from_e9, stream_id

BreakKind = Literal["missing_here", "missing_there", "different"]


class BreakFound(Event):
    """Two tellings do not agree. ours and theirs: in words, "" where there is none."""

    TOPIC: ClassVar[str] = "reconciliation.break_found.v1"
    source: str  # "drop copy", "end of day"
    venue_session: str
    trade_date: str
    exec_id: str
    kind: BreakKind
    ours: str
    theirs: str
    owner: str
    at_ns: int


class BreakAssigned(Event):
    """A break is this person's from now on."""

    TOPIC: ClassVar[str] = "reconciliation.assigned.v1"
    owner: str
    person: str
    reason: str
    at_ns: int


class BreakResolved(Event):
    """It is explained. person: who says so, "system:reconciliation" where the missing half came and agrees."""

    TOPIC: ClassVar[str] = "reconciliation.resolved.v1"
    person: str
    reason: str
    at_ns: int


EVENTS = (BreakFound, BreakAssigned, BreakResolved)
ITSELF: Final = "system:reconciliation"


class Execution(NamedTuple):
    """One execution as somebody tells it. quantity_e9 0: taken back."""

    exec_id: str
    cl_ord_id: str
    instrument: str
    side: Side
    quantity_e9: int
    price_e9: int
    time_ns: int = 0

    def words(self) -> str:
        """For people."""
        if not self.quantity_e9:
            return f"taken back, {self.instrument}, order {self.cl_ord_id}"
        return (
            f"{self.side.value} {from_e9(self.quantity_e9):f} {self.instrument} at {from_e9(self.price_e9):f}, "
            f"order {self.cl_ord_id}"
        )

    def agrees(self, other: Execution) -> bool:
        """The same execution, in the same words; times may differ."""
        return self[:6] == other[:6]


class Break(NamedTuple):
    """One break as it stands."""

    id: StreamId
    version: int
    found: BreakFound
    owner: str
    resolved: bool = False


def key(venue_session: str, trade_date: str, exec_id: str, number: int = 1) -> StreamId:
    """The stream of an execution's n-th break."""
    return stream_id("reconciliation", venue_session, trade_date, exec_id, str(number))


def evolve(state: Break | None, event: Event, *, stream: StreamId) -> Break:
    """Fold one event."""
    if isinstance(event, BreakFound):
        assert state is None
        return Break(stream, 1, event, event.owner)
    assert state is not None, event.TOPIC
    if isinstance(event, BreakAssigned):
        return state._replace(version=state.version + 1, owner=event.owner)
    assert isinstance(event, BreakResolved), event.TOPIC
    return state._replace(version=state.version + 1, resolved=True)


def compare(ours: Execution | None, theirs: Execution | None) -> BreakKind | None:
    """How two tellings disagree, None where they agree. What was taken back and never told is no execution."""
    mine = ours if ours is not None and ours.quantity_e9 else None
    yours = theirs if theirs is not None and theirs.quantity_e9 else None
    if mine is None or yours is None:
        return None if mine is yours else "missing_here" if mine is None else "missing_there"
    return None if mine.agrees(yours) else "different"


def breaks(
    ours: Mapping[str, Execution], theirs: Mapping[str, Execution], *, only: Iterable[str] | None = None
) -> dict[str, BreakKind]:
    """Every disagreement by ExecID.

    Args:
        only: these alone; None: all that either side has.
    """
    names = sorted({*ours, *theirs} if only is None else only)
    found = {name: compare(ours.get(name), theirs.get(name)) for name in names}
    return {name: kind for name, kind in found.items() if kind is not None}
