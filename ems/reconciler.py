"""Reconciliation: our executions held against another's telling of them, as both come. Breaks become events with an owner.

It follows the log, so a break that was found is known after a restart, and nothing is found twice. What one side has not yet is
no break before a grace has passed; what disagrees is one at once. A break whose missing half comes resolves itself.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from domain import fill as fl
from domain import reconciliation as rc
from domain.errors import ConfigError
from domain.event import Entry, Event, Meta, Recorded
from domain.reconciliation import Break, BreakFound, BreakKind, Execution
from domain.values import StreamId

ACTOR: Final = "system:reconciliation"
GRACE_NS: Final = 3_000_000_000  # so that a break is told within five seconds of its first half

Place = tuple[str, str, str]  # venue session, trade date, ExecID


class Terms(NamedTuple):
    """What is reconciled. source: what breaks say of the other side's telling; owner: whose new breaks are."""

    venue_session: str
    trade_date: str
    source: str = "drop copy"
    owner: str = "operations"
    grace_ns: int = GRACE_NS


@dataclass(slots=True)
class Reconciler:
    """State of one venue session on one trade date, and of every break of the log."""

    terms: Terms
    build: str
    ours: dict[str, Execution] = field(default_factory=dict)
    theirs: dict[str, Execution] = field(default_factory=dict)
    breaks: dict[StreamId, Break] = field(default_factory=dict)
    _waiting: dict[str, int] = field(default_factory=dict)  # ExecIDs that may disagree, since when
    _numbers: dict[Place, int] = field(default_factory=dict)  # how many breaks an execution has had
    _chains: dict[StreamId, str] = field(default_factory=dict)  # ExecID of an execution by its stream
    seq: int = 0

    # ------------------------------------------------------------------------------------------- the log

    def apply(self, recorded: Recorded) -> None:
        """Fold one event of the log."""
        event, self.seq = recorded.event, recorded.seq
        if isinstance(event, fl.Recorded):
            if (event.venue_session, event.trade_date) == self.terms[:2]:
                self._chains[recorded.stream] = event.exec_id
                told = Execution(
                    event.exec_id, event.cl_ord_id, event.instrument, event.side, event.quantity_e9, event.price_e9,
                    event.venue_time_ns,
                )  # fmt: skip
                self._ours(told, recorded.meta.event_time_ns)
        elif isinstance(event, fl.Restated) and (exec_id := self._chains.get(recorded.stream)) is not None:
            changed = self.ours[exec_id]._replace(quantity_e9=event.quantity_e9, price_e9=event.price_e9)
            self._ours(changed, recorded.meta.event_time_ns)
        elif isinstance(event, rc.EVENTS):
            state = self.breaks[recorded.stream] = rc.evolve(self.breaks.get(recorded.stream), event, stream=recorded.stream)
            if isinstance(event, BreakFound):
                place = (event.venue_session, event.trade_date, event.exec_id)
                self._numbers[place] = self._numbers.get(place, 0) + 1
            assert state.id == recorded.stream

    def _ours(self, told: Execution, at_ns: int) -> None:
        self.ours[told.exec_id] = told
        self._waiting.setdefault(told.exec_id, at_ns)

    # ----------------------------------------------------------------------------------------- the others

    def tell(self, told: Execution, at_ns: int) -> None:
        """The other side tells of an execution, or tells another of it."""
        if self.theirs.get(told.exec_id) != told:
            self.theirs[told.exec_id] = told
            self._waiting.setdefault(told.exec_id, at_ns)

    # ---------------------------------------------------------------------------------- what does not agree

    def due(self, now_ns: int, *, whole: bool = False) -> list[Entry]:
        """What is to be written now: breaks that have lasted, and those that have come right. Give what was written to `apply`.

        Args:
            whole: the other side's telling is complete: what it lacks will not come.
        """
        entries: list[Entry] = []
        if whole:
            self.look_again(now_ns)
        for exec_id in sorted(self._waiting):
            kind = rc.compare(self.ours.get(exec_id), self.theirs.get(exec_id))
            known = self._open(exec_id)
            if kind is not None and kind != "different" and not whole and now_ns - self._waiting[exec_id] < self.terms.grace_ns:
                continue
            del self._waiting[exec_id]
            if known is not None and (kind is None or kind != known.found.kind):
                entries.append(self._entry(known.id, known.version, self._resolved(kind, now_ns), now_ns))
            if kind is not None and (known is None or kind != known.found.kind):
                entries.append(self._found(exec_id, kind, now_ns))
        return entries

    def look_again(self, now_ns: int) -> None:
        """What was to be written could not be: compare everything at the next look."""
        for exec_id in {*self.ours, *self.theirs}:
            self._waiting.setdefault(exec_id, now_ns)

    def _open(self, exec_id: str) -> Break | None:
        place = (*self.terms[:2], exec_id)
        number = self._numbers.get(place, 0)
        found = self.breaks.get(rc.key(*place, number)) if number else None
        return None if found is None or found.resolved else found

    def _found(self, exec_id: str, kind: BreakKind, now_ns: int) -> Entry:
        place = (*self.terms[:2], exec_id)
        ours, theirs = self.ours.get(exec_id), self.theirs.get(exec_id)
        event = BreakFound(
            source=self.terms.source, venue_session=place[0], trade_date=place[1], exec_id=exec_id, kind=kind,
            ours=ours.words() if ours else "", theirs=theirs.words() if theirs else "", owner=self.terms.owner, at_ns=now_ns,
        )  # fmt: skip
        return self._entry(rc.key(*place, self._numbers.get(place, 0) + 1), 0, event, now_ns)

    def _resolved(self, kind: BreakKind | None, now_ns: int) -> Event:
        reason = "both tell the same now" if kind is None else f"it is another break now: {kind}"
        return rc.BreakResolved(person=rc.ITSELF, reason=reason, at_ns=now_ns)

    def _entry(self, stream: StreamId, version: int, event: Event, now_ns: int) -> Entry:
        return Entry(stream, version, (event,), Meta(now_ns, ACTOR, stream, f"reconciliation:{self.terms.source}", self.build))

    def status(self) -> dict[str, int]:
        """How many of each, for health and people."""
        return {
            "ours": len(self.ours), "theirs": len(self.theirs),
            "open_breaks": sum(not found.resolved for found in self.breaks.values()),
        }  # fmt: skip


def decided(state: Break, *, person: str, reason: str, owner: str, now_ns: int) -> Event:
    """What a person says of a break: whose it is from now on, or (owner "") that it is explained.

    Raises:
        ConfigError: it is resolved already, or no reason is given.
    """
    if state.resolved:
        raise ConfigError("this break is resolved already")
    if not reason.strip():
        raise ConfigError("what becomes of a break needs a reason")
    if owner:
        return rc.BreakAssigned(owner=owner, person=person, reason=reason, at_ns=now_ns)
    return rc.BreakResolved(person=person, reason=reason, at_ns=now_ns)


def open_ones(breaks: Iterable[Break]) -> list[Break]:
    """Those that nobody has resolved, the oldest first."""
    return sorted((one for one in breaks if not one.resolved), key=lambda one: one.found.at_ns)
