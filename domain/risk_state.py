"""All that risk knows, folded from the log: limits, exposure, what has been checked, who may not trade."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, ClassVar, Final, NamedTuple

from domain import limits
from domain.event import Event, Meta
from domain.exposure import ENTERING, Exposure
from domain.exposure_totals import Totals
from domain.exposure_waiting import Waiting
from domain.limit_rules import RULES
from domain.limits import LimitBook, LimitProposed, LimitRetired, LimitSet, Proposal
from domain.parent_order import ParentOrder, RejectedOrder
from domain.risk import (
    Check,
    Marked,
    Outcome,
    OverrideGranted,
    PositionOpened,
    RiskOrder,
    StrategyDisabled,
    StrategyEnabled,
    Subject,
    checked_order,
)
from domain.risk_binding import Bindings, Windows, window_key
from domain.risk_verdicts import Checked, Verdict, term_of
from domain.risk_windows import Recent, Window
from domain.trader import trader_of
from domain.values import Side, StreamId, from_e9

_COUNTED: Final = frozenset({Check.MESSAGE_RATE, Check.REPEATED_EXECUTION})
_COUNTED_MAX: Final = 8_192
_DUPLICATE: Final = Check.DUPLICATE
_PARENT_VALUE: Final = Check.PARENT_VALUE
_UNCOUNTED: Final = (Subject.LIST, Subject.PART)
_OUT: Final = (Subject.CHILD, Subject.REPLACE)
_new = tuple.__new__  # of a named tuple, in a third of the time
Counting = tuple[tuple[Check, Window, int], ...]  # and how far back its limits look, in ns


class Clearance(NamedTuple):
    """What an order's last check allows to leave. version: of the stream of its verdicts."""

    version: int
    passed: bool
    subject: Subject
    allows: tuple[int, int | None] | None = None  # quantity and limit of the last one that passed
    event: Checked | None = None  # the last one that was refused, for an override


class Blocked(NamedTuple):
    """A parent whose last child was refused."""

    at_ns: int
    times: int  # in a row
    text: str


class Disabled(NamedTuple):
    """A strategy that may not trade before a named person says so."""

    at_ns: int
    check: Check
    text: str


class Override(NamedTuple):
    """A second person's word for an order like the one that was refused. used: it is good for one."""

    id: StreamId
    version: int
    granted: OverrideGranted
    used: bool = False


class RiskState:
    """One for the desk. Nothing is in it that events did not put there."""

    def __init__(self, parents: Mapping[StreamId, ParentOrder | RejectedOrder]) -> None:
        self.limits = LimitBook()
        self.exposure = Exposure(parents)
        self.waiting = Waiting(self.exposure)
        self.totals = Totals(self.exposure)
        self.windows: Windows = {}
        self.bindings = Bindings(self.limits, self.exposure, self.totals, self.windows)
        self.recent = Recent()
        self._counted: dict[tuple[tuple[str, ...], str, Side | None], Counting] = {}
        self.clearances: dict[StreamId, Clearance] = {}  # by the stream of the order
        self.blocked: dict[StreamId, Blocked] = {}
        self.disabled: dict[str, Disabled] = {}
        self.overrides: dict[tuple[object, ...], Override] = {}  # by what they let pass
        self.proposals: dict[StreamId, Proposal] = {}  # by the stream of the limit
        self.opened: dict[tuple[str, str], int] = {}  # account, instrument -> the position that the day began with
        self.versions: dict[StreamId, int] = {}  # of all of risk's own streams but those of verdicts
        self.last_ns = 0  # the time of the last verdict: the clock does not go back

    def version(self, stream: StreamId) -> int | None:
        """How many events of a stream of risk's own have been folded; None for one that is not, or not yet."""
        order = checked_order(stream)
        if order is None:
            return self.versions.get(stream)
        known = self.clearances.get(order)
        return known.version if known is not None else 0

    def apply(self, stream: StreamId, event: Event, meta: Meta) -> Any:
        """Fold one event of risk's own that is no verdict; what is known of its stream afterwards."""
        self.versions[stream] = self.versions.get(stream, 0) + 1
        return self._FOLD[type(event)](self, stream, event, meta)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, RiskState) and list(self.written()) == list(other.written())

    __hash__ = None  # type: ignore[assignment] # it changes

    def written(self) -> Iterator[str]:
        """The state in words, for a digest."""
        yield from self.exposure.written()
        yield from self.waiting.written()
        yield from self.totals.written()
        yield from (repr((stream, limit.versions)) for stream, limit in sorted(self.limits.limits.items()))
        yield from map(repr, (sorted(self.versions.items()), sorted(self.disabled.items()), sorted(self.opened.items())))
        yield repr(sorted(self.proposals.items()))
        yield from (repr((order, *self.clearances[order][:4])) for order in sorted(self.clearances))
        yield repr((sorted(self.blocked.items()), self.last_ns, sorted(o.id for o in self.overrides.values() if o.used)))

    # ---------------------------------------------------------------------------------------- folding

    def parent(self, event: Event, before: ParentOrder | RejectedOrder | None, after: ParentOrder, meta: Meta) -> None:
        """Fold an event of a parent order: what clients have asked for in all, and what of it waits."""
        if type(event) in ENTERING:
            traders = (self.exposure.trader(share.order) for share in after.of)  # of what the desk made: its orders' trader
            trader = next((name for name in traders if name), "") or trader_of(after.terms.instructions, meta.actor)
            self.exposure.parent(event, before, after, trader)
        if after.staged or after.id in self.waiting:
            self.waiting.follow(after)

    def checked(self, event: Checked, at_ns: int) -> Clearance:
        """Fold the verdicts on an order. The most frequent event of all: it has a door of its own."""
        order, passed, subject = event.order, event.passed, event.subject
        if at_ns > self.last_ns:
            self.last_ns = at_ns
        known = self.clearances.get(order)
        if passed:
            allows: tuple[int, int | None] | None = (event.quantity_e9, event.limit_price_e9)
        else:
            allows = known.allows if known is not None else None
        kept = None if passed or subject in _OUT else event
        after = _new(Clearance, (known.version + 1 if known is not None else 1, passed, subject, allows, kept))
        self.clearances[order] = after
        if passed:
            if subject not in _UNCOUNTED:
                self._count(event, at_ns)
            if self.blocked:
                self.blocked.pop(event.parent, None)
            if event.override is not None and (used := self.overrides.get(like(event))) is not None:
                self.overrides[like(event)] = used._replace(used=True)
        elif subject in _OUT:
            times = self.blocked[event.parent].times + 1 if event.parent in self.blocked else 1
            self.blocked[event.parent] = Blocked(at_ns, times, refused_text(event))
        return after

    def _count(self, event: Checked, at_ns: int) -> None:
        for check, window, window_ns in self._counting(event.terms, event.scopes.instrument, event.side):
            if check in _COUNTED:
                window.add(at_ns, 1, window_ns)
            elif check is _DUPLICATE:
                self.recent.add(like(event), at_ns, window_ns)
            elif check is _PARENT_VALUE:
                window.add(at_ns, event.notional_e9 or 0, window_ns)
            elif event.reference_price_e9 is not None:
                window.add(at_ns, event.reference_price_e9, window_ns)

    def _counting(self, terms: tuple[str, ...], instrument: str, side: Side | None) -> Counting:
        """What an order of these terms counts in: each window once, however many limits look at it. Looked up once."""
        key = (terms, instrument, side)
        found = self._counted.get(key)
        if found is None:
            longest: dict[tuple[str, ...], tuple[Check, int]] = {}
            for term in [term for text in terms if (term := term_of(text)).window_ns]:
                at = window_key(term.check, term.scope, instrument, side)
                longest[at] = (term.check, max(term.window_ns, longest[at][1] if at in longest else 0))
            if len(self._counted) >= _COUNTED_MAX:
                self._counted.clear()
            found = self._counted[key] = tuple(
                [(check, self.windows.setdefault(at, Window()), ns) for at, (check, ns) in longest.items()]
            )
        return found

    def _limit(self, stream: StreamId, event: LimitSet | LimitRetired, meta: Meta) -> limits.Limit:
        self.proposals.pop(stream, None)
        return self.limits.apply(stream, event)

    def _proposed(self, stream: StreamId, event: LimitProposed, meta: Meta) -> Proposal:
        after = self.proposals[limits.key_of(event)] = Proposal(meta.actor, event)
        return after

    def _marked(self, stream: StreamId, event: Marked, meta: Meta) -> None:
        if event.trade_date != self.totals.trade_date:
            self.opened.clear()
        self.totals.mark(event.trade_date, event.marks)

    def _position_opened(self, stream: StreamId, event: PositionOpened, meta: Meta) -> None:
        self.opened[event.account, event.instrument] = event.quantity_e9
        price_e9 = self.totals.prices_e9.get(event.instrument, 0)
        self.exposure.open_position(event.account, event.instrument, event.quantity_e9, price_e9)

    def _disabled(self, stream: StreamId, event: StrategyDisabled, meta: Meta) -> Disabled:
        self.bindings.forget()
        after = self.disabled[event.strategy] = Disabled(meta.event_time_ns, event.check, event.text)
        return after

    def _enabled(self, stream: StreamId, event: StrategyEnabled, meta: Meta) -> None:
        self.bindings.forget()
        del self.disabled[event.strategy]
        for key in [key for key in self.windows if key[0] is Check.REPEATED_EXECUTION]:
            self.windows[key].clear()  # or the next order would disable it again

    def _granted(self, stream: StreamId, event: OverrideGranted, meta: Meta) -> Override:
        refused = self.clearances[event.order].event
        assert refused is not None
        after = self.overrides[like(refused)] = Override(stream, self.versions[stream], event)
        return after

    _FOLD: ClassVar[dict[type[Event], Callable[..., Any]]] = {
        LimitSet: _limit,
        LimitRetired: _limit,
        LimitProposed: _proposed,
        Marked: _marked,
        PositionOpened: _position_opened,
        StrategyDisabled: _disabled,
        StrategyEnabled: _enabled,
        OverrideGranted: _granted,
    }


def like(event: Checked | RiskOrder) -> tuple[object, ...]:
    """What two orders share that are the same in all that matters here: a duplicate, or what an override is for."""
    scopes = event.scopes
    return (
        scopes.client,
        scopes.account,
        scopes.strategy,
        scopes.instrument,
        event.side,
        event.quantity_e9,
        event.limit_price_e9,
    )


def refused_text(event: Checked) -> str:
    """The first refusal in words."""
    return next((said(verdict) for verdict in event.verdicts if verdict.outcome is not Outcome.PASS), "")


def said(verdict: Verdict) -> str:
    """A verdict as a sentence for a client: which check, whose limit, what was seen."""
    name = verdict.check.replace("_", " ")
    if verdict.outcome is Outcome.MISSING:
        return f"risk: {name} of {verdict.scope} cannot be judged: {verdict.data or 'data is missing'}"
    of = f" of {verdict.scope}" if verdict.limit_version else ""
    seen = f": {_shown(verdict, verdict.observed)} against {_shown(verdict, verdict.limit)}" if verdict.limit is not None else ""
    return f"risk: {name}{of}{seen}{f' ({verdict.data})' if verdict.data else ''}"


def _shown(verdict: Verdict, value: int | None) -> str:
    if value is None:
        return "nothing"
    return f"{value / 1e9:g} s" if "ns" in RULES[verdict.check].units else f"{from_e9(value):f}"
