"""Limits: what may be, for whom, from when, on whose word. Each is a stream of its own and never forgets a version.

Read top-down: the events, the state of one limit, the book of all of them, what may be asked of it.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, Final, Literal, NamedTuple

from domain.event import Event
from domain.limit_rules import RULES, Unit
from domain.refusal import Reason, Refusal
from domain.risk import FIRM, Check, Level, Scopes, Subject
from domain.values import ScopeKind, StreamId, stream_id

ANY: Final = "*"  # the id of a limit that each scope of its kind has, unless there is one of its own
Applies = Literal["any", "parent", "child"]
_APPLIES: Final[dict[Subject, Applies]] = {
    Subject.PARENT: "parent", Subject.AMEND: "parent", Subject.LIST: "parent", Subject.CHILD: "child", Subject.REPLACE: "child",
    Subject.PART: "parent",
}  # fmt: skip


_ORDER: Final = {check: place for place, check in enumerate(Check)}


class LimitSet(Event):
    """A limit's next version."""

    TOPIC: ClassVar[str] = "risk.limit_set.v1"
    check: Check
    scope: ScopeKind
    scope_id: str  # "" for the firm, "*" for each of its kind
    applies: Applies
    level: Level
    value_e9: int
    unit: Unit
    window_ns: int
    from_ns: int
    until_ns: int | None  # None: until it is set anew or retired
    approver: str
    reason: str


class LimitRetired(Event):
    """The limit is no more, from now on."""

    TOPIC: ClassVar[str] = "risk.limit_retired.v1"
    check: Check
    scope: ScopeKind
    scope_id: str
    applies: Applies
    level: Level
    approver: str
    reason: str


class LimitProposed(Event):
    """What a person, the event's actor, wants of a limit. It holds when another person has said the same until expires_ns."""

    TOPIC: ClassVar[str] = "risk.limit_proposed.v1"
    check: Check
    scope: ScopeKind
    scope_id: str
    applies: Applies
    level: Level
    value_e9: int | None  # None: the limit is to end
    unit: Unit
    window_ns: int
    from_ns: int
    until_ns: int | None
    reason: str
    expires_ns: int

    def says(self, other: LimitProposed) -> bool:
        """Do two people want the same?"""
        return self == other.model_copy(update={"reason": self.reason, "expires_ns": self.expires_ns})


EVENTS = (LimitSet, LimitRetired, LimitProposed)


class Proposal(NamedTuple):
    """A limit that waits for a second person."""

    actor: str
    wanted: LimitProposed


# ----------------------------------------------------------------------------------------------- state


class Limit(NamedTuple):
    """One limit with all that it ever was. A version that begins later leaves the one before in force until then."""

    id: StreamId
    version: int
    versions: tuple[tuple[int, LimitSet | None], ...]  # stream version and content; None: retired

    def in_force(self, now_ns: int) -> tuple[int, LimitSet] | None:
        """The version that holds now."""
        for version, content in reversed(self.versions):
            if content is None:
                return None
            if content.from_ns <= now_ns:
                return (version, content) if content.until_ns is None or now_ns < content.until_ns else None
        return None

    def boundaries(self) -> Iterator[int]:
        """When what holds may change without an event."""
        for _, content in self.versions:
            if content is not None:
                yield content.from_ns
                if content.until_ns is not None:
                    yield content.until_ns


class Applied(NamedTuple):
    """A limit in force, as it applies to one order."""

    check: Check
    kind: ScopeKind
    id: str  # of the scope that is measured: where the limit is for each of a kind, the order's
    scope: str  # the same in words
    level: Level
    version: int
    value_e9: int
    unit: Unit
    window_ns: int
    of: tuple[ScopeKind, str]  # whose totals it is about: an instrument's and a desk's are the firm's, for a log is of one desk

    @classmethod
    def rule(cls, check: Check) -> Applied:
        """A check that needs no limit: version 0 of the firm's."""
        return cls(check, ScopeKind.FIRM, "", FIRM, "hard", 0, 0, "flag", 0, (ScopeKind.FIRM, ""))


def key(check: Check, scope: ScopeKind, scope_id: str, applies: Applies, level: Level) -> StreamId:
    """The stream of a limit."""
    return stream_id("risk_limit", check, scope, scope_id, applies, level)


def key_of(event: LimitSet | LimitRetired | LimitProposed) -> StreamId:
    """The stream of the limit that an event is about."""
    return key(event.check, event.scope, event.scope_id, event.applies, event.level)


def proposal_key(event: LimitProposed) -> StreamId:
    """The stream of what is proposed of a limit: its versions are its own."""
    return stream_id("risk_limit_proposal", key_of(event))


def evolve(state: Limit | None, event: LimitSet | LimitRetired, *, stream: StreamId) -> Limit:
    """Fold one event."""
    version = 1 if state is None else state.version + 1
    content = event if type(event) is LimitSet else None
    return Limit(stream, version, (*(state.versions if state is not None else ()), (version, content)))


class LimitBook:
    """Every limit."""

    def __init__(self) -> None:
        self.limits: dict[StreamId, Limit] = {}
        self.changes = 0  # how many there were
        self._by_scope: dict[tuple[ScopeKind, str], dict[StreamId, None]] = {}

    def apply(self, stream: StreamId, event: LimitSet | LimitRetired) -> Limit:
        """Fold one event of one limit."""
        after = self.limits[stream] = evolve(self.limits.get(stream), event, stream=stream)
        self._by_scope.setdefault((event.scope, event.scope_id), {})[stream] = None
        self.changes += 1
        return after

    def in_force(self, now_ns: int) -> int:
        """How many hold now."""
        return sum(limit.in_force(now_ns) is not None for limit in self.limits.values())

    def has(self, *checks: Check) -> bool:
        """Is there a limit on any of these, in force or to come?"""
        return any((last := limit.versions[-1][1]) is not None and last.check in checks for limit in self.limits.values())

    def holds_until_ns(self, now_ns: int) -> int:
        """When what is in force changes next without an event."""
        later = [at_ns for limit in self.limits.values() for at_ns in limit.boundaries() if at_ns > now_ns]
        return min(later, default=1 << 63)

    def applicable(self, subject: Subject, scopes: Scopes, now_ns: int) -> tuple[Applied, ...]:
        """The limits in force that an order of these scopes is under, in the order of their checks."""
        found: list[Applied] = []
        for kind, own in zip(ScopeKind, ("", *scopes), strict=True):
            if not own and kind is not ScopeKind.FIRM:
                continue
            chosen: dict[tuple[Check, Level, Applies], tuple[int, LimitSet]] = {}
            for scope_id in (ANY, own):  # what is its own overrides what each has
                for stream in self._by_scope.get((kind, scope_id), ()):
                    held = self.limits[stream].in_force(now_ns)
                    if held is not None and held[1].applies in ("any", _APPLIES[subject]):
                        chosen[held[1].check, held[1].level, held[1].applies] = held
            found += [_applied(kind, own, *held) for held in chosen.values() if subject in RULES[held[1].check].subjects]
        return tuple(sorted(found, key=lambda limit: _ORDER[limit.check]))


def _applied(kind: ScopeKind, own: str, version: int, limit: LimitSet) -> Applied:
    firms = kind in (ScopeKind.FIRM, ScopeKind.INSTRUMENT, ScopeKind.DESK)
    return Applied(
        check=limit.check,
        kind=kind,
        id=own,
        scope=f"{kind}:{own}" if own else FIRM,
        level=limit.level,
        version=version,
        value_e9=limit.value_e9,
        unit=limit.unit,
        window_ns=limit.window_ns,
        of=(ScopeKind.FIRM, "") if firms else (kind, own),
    )


# ----------------------------------------------------------------------------------------------- rules


@dataclass(frozen=True, slots=True)
class Asked:
    """A limit as somebody wants it. actor and approver are persons ("person:jane"), or the configuration itself."""

    limit: LimitSet
    actor: str


def set_limit(book: LimitBook, asked: Asked) -> tuple[LimitSet, ...] | Refusal:
    """The event of a limit's next version; nothing where it says what holds already."""
    limit, rule = asked.limit, RULES[asked.limit.check]
    if refusal := _approved(asked.actor, limit.approver, limit.reason):
        return refusal
    if not rule.units:
        return Refusal(Reason.BAD_LIMIT, f"{limit.check} is always judged and has no limit")
    if limit.unit not in rule.units:
        return Refusal(Reason.BAD_LIMIT, f"{limit.check} is in {' or '.join(rule.units)}, not in {limit.unit}")
    if limit.value_e9 < 0:
        return Refusal(Reason.BAD_LIMIT, f"a limit is not negative, but {limit.check} is {limit.value_e9}")
    if rule.windowed is not (limit.window_ns > 0):
        needs = "needs a window" if rule.windowed else "has no window"
        return Refusal(Reason.BAD_LIMIT, f"{limit.check} {needs}")
    if (limit.scope is ScopeKind.FIRM) is not (limit.scope_id == ""):
        return Refusal(Reason.BAD_LIMIT, f"a limit of a {limit.scope} {'has no' if limit.scope_id else 'needs an'} id")
    if limit.until_ns is not None and limit.until_ns <= limit.from_ns:
        return Refusal(Reason.BAD_LIMIT, "a limit ends after it begins")
    known = book.limits.get(key_of(limit))
    last = known.versions[-1][1] if known is not None else None
    same = last is not None and last == limit.model_copy(update={"approver": last.approver, "reason": last.reason})
    return () if same else (limit,)


def retire(book: LimitBook, asked: LimitRetired, actor: str) -> tuple[LimitRetired, ...] | Refusal:
    """The end of a limit."""
    if refusal := _approved(actor, asked.approver, asked.reason):
        return refusal
    known = book.limits.get(key_of(asked))
    if known is None or known.versions[-1][1] is None:
        return Refusal(Reason.BAD_LIMIT, f"there is no {asked.level} limit {asked.check} of {asked.scope} {asked.scope_id}")
    return (asked,)


def _approved(actor: str, approver: str, reason: str) -> Refusal | None:
    """A person's word needs another person's, and a reason; the configuration is reviewed before it is a file."""
    if not approver or not reason.strip():
        return Refusal(Reason.BAD_LIMIT, "a change of a limit needs an approver and a reason")
    if actor.startswith("person:") and (approver == actor or not approver.startswith("person:")):
        return Refusal(Reason.BAD_LIMIT, "the approver is another person than the one who asks")
    return None
