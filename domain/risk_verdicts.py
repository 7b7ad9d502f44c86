"""What was judged of an order: one event with every verdict, kept as columns; and a verdict as people and clients read it.

What a check was made by (its name, the limit's version and scope) is the same words for every order of one kind, so the
event holds them as such, and beside them what was seen. Most orders pass every check: `notes` is then empty.
"""

from __future__ import annotations

from functools import lru_cache
from typing import ClassVar, NamedTuple

from domain.errors import LogError
from domain.event import Event
from domain.risk import Check, Outcome, Scopes, Subject
from domain.values import Side, StreamId


class Verdict(NamedTuple):
    """One check of one limit. observed and limit are in the limit's unit; limit_version 0: a rule that needs no limit."""

    check: Check
    outcome: Outcome
    scope: str  # "firm", "account:FUND-7"
    limit_version: int
    observed: int | None
    limit: int | None
    data: str = ""  # what it was judged by, beside what stands in the event itself
    window_ns: int = 0


class Term(NamedTuple):
    """What one check was made by. In an event it is text: check, version, window, and last the scope, as ids hold anything."""

    check: Check
    version: int
    window_ns: int
    scope: str

    @property
    def text(self) -> str:
        """As it stands in an event."""
        return f"{self.check} {self.version} {self.window_ns} {self.scope}"


@lru_cache(maxsize=10_000)
def term_of(text: str) -> Term:
    """What a term's text says.

    Raises:
        LogError: it is not one.
    """
    try:
        check, version, window_ns, scope = text.split(" ", 3)
        return Term(Check(check), int(version), int(window_ns), scope)
    except ValueError as cause:
        raise LogError(f"{text!r} says no check, version, window and scope") from cause


class Note(NamedTuple):
    """What there is to say of one check beyond its numbers. place: of its term."""

    place: int
    outcome: Outcome
    data: str


class Checked(Event):
    """Every verdict on one order. It comes before the order's own event, and nothing leaves without one that passed."""

    TOPIC: ClassVar[str] = "risk.checked.v2"
    subject: Subject
    order: StreamId
    parent: StreamId
    scopes: Scopes
    side: Side | None
    quantity_e9: int
    limit_price_e9: int | None
    price_e9: int | None  # what it was reckoned at: its limit, or what it would trade at
    reference_price_e9: int | None
    reference: str  # where the reference price is from: "mid", "last", "reference", "" for none
    market_ns: int | None  # the time of the market state that was seen
    notional_e9: int | None  # in the firm's currency; None: a price or a rate is missing
    passed: bool
    terms: tuple[str, ...]  # of each check, as `Term.text`
    observed: tuple[int | None, ...]  # by each check, in its limit's unit
    limits: tuple[int | None, ...]  # what that was held against
    notes: tuple[Note, ...] = ()  # of the checks that did not pass, or that have something to say
    override: StreamId | None = None  # what let soft limits pass

    @property
    def verdicts(self) -> tuple[Verdict, ...]:
        """One by one."""
        return verdicts(self.terms, self.observed, self.limits, self.notes)


def verdicts(
    terms: tuple[str, ...], observed: tuple[int | None, ...], limits: tuple[int | None, ...], notes: tuple[Note, ...]
) -> tuple[Verdict, ...]:
    """Verdicts from their columns."""
    noted = {note.place: note for note in notes}
    found = []
    for place, (text, seen, limit) in enumerate(zip(terms, observed, limits, strict=True)):
        term, note = term_of(text), noted.get(place)
        outcome, data = (note.outcome, note.data) if note is not None else (Outcome.PASS, "")
        found.append(Verdict(term.check, outcome, term.scope, term.version, seen, limit, data, term.window_ns))
    return tuple(found)


class CheckedV1(Event):
    """As it was first stored, verdict by verdict."""

    TOPIC: ClassVar[str] = "risk.checked.v1"
    subject: Subject
    order: StreamId
    parent: StreamId
    scopes: Scopes
    side: Side | None
    quantity_e9: int
    limit_price_e9: int | None
    price_e9: int | None
    reference_price_e9: int | None
    reference: str
    market_ns: int | None
    notional_e9: int | None
    passed: bool
    verdicts: tuple[Verdict, ...]
    override: StreamId | None = None

    def upcast(self) -> Checked:
        """The same in columns."""
        return Checked(
            **{name: getattr(self, name) for name in type(self).model_fields if name != "verdicts"},
            terms=tuple(Term(v.check, v.limit_version, v.window_ns, v.scope).text for v in self.verdicts),
            observed=tuple(v.observed for v in self.verdicts),
            limits=tuple(v.limit for v in self.verdicts),
            notes=tuple(
                Note(place, v.outcome, v.data) for place, v in enumerate(self.verdicts) if v.data or v.outcome is not Outcome.PASS
            ),
        )


EVENTS = (CheckedV1, Checked)
