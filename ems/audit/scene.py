"""All that an explanation rests on: the events of an order and of what it stands in, read once, up to one place of the log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from typing import Any, Final, TypeVar

from domain import builds, decision, fill, kill_switch, limits, market_note, model_decision, model_version, quote, risk
from domain import child_order as co
from domain import parent_order as po
from domain.catalogue import TOPICS
from domain.errors import ConfigError, TimeOutsideLog
from domain.event import Event, Recorded
from domain.limits import ANY
from domain.ports import Head
from domain.risk_verdicts import Checked, Verdict
from domain.stored import Decoder, StoredRow
from domain.values import ScopeKind, StreamId
from ems.audit.locate import Named
from ems.audit.source import Source

_EventT = TypeVar("_EventT", bound=Event)
_APPLIES: Final[tuple[limits.Applies, ...]] = ("any", "parent", "child")
_LEVELS: Final[tuple[risk.Level, ...]] = ("hard", "soft")
_ACTING: Final = 3  # decisions of a net beyond its plans that are asked for


class Scene:
    """Rows by number, and the same as events.

    Attributes:
        focus: the stream that was asked about.
        parent: the parent order that it belongs to, None for what belongs to none.
        child: the child order, where one was asked about, or an execution of it.
        whole: does the source begin with the log's first event? A bundle of a later day does not.
    """

    def __init__(self, named: Named, at: StoredRow, head: Head, *, whole: bool) -> None:
        self.whole = whole
        self.named, self.head = named, head
        self.at_seq, self.at_ns = at.seq, at.recorded_time_ns
        self.focus = named.stream
        self.parent: StreamId | None = None
        self.child: StreamId | None = None
        self.rows: dict[int, StoredRow] = {}
        self.events: dict[int, Recorded] = {}
        self._decoder = Decoder(TOPICS)

    def add(self, rows: Iterable[StoredRow]) -> list[Recorded]:
        """Take rows; returns them as events."""
        taken = []
        for row in rows:
            self.rows[row.seq] = row
            (recorded,) = self._decoder.recorded([row])
            self.events[row.seq] = recorded
            taken.append(recorded)
        return taken

    def of(self, stream: StreamId | None) -> list[Recorded]:
        """The events of one stream, in order."""
        return [self.events[seq] for seq in sorted(self.events) if self.events[seq].stream == stream]

    def all(self, *kinds: type[Event]) -> list[Recorded]:
        """The events of some kinds, in order."""
        return [self.events[seq] for seq in sorted(self.events) if type(self.events[seq].event) in kinds]

    def last(self, *kinds: type[Event]) -> Recorded | None:
        """The last event of some kinds."""
        found = self.all(*kinds)
        return found[-1] if found else None

    @property
    def terms(self) -> po.Accepted | None:
        """The parent as it was taken."""
        accepted = [one.event for one in self.of(self.parent) if isinstance(one.event, po.Accepted)]
        return accepted[0] if accepted else None

    def from_the_first(self, stream: StreamId) -> bool:
        """Is all of a stream here, from its first event on?"""
        own = self.of(stream)
        return own[0].version == 1 if own else self.whole

    def concerns(self, one: Recorded, plan: Recorded | None) -> bool:
        """Of an order asked about as a whole, everything; of one child, what is its own, its parent's beginning, and its plan."""
        if self.child is None or one.stream != self.parent:
            return self.child is None or not isinstance(one.event, decision.Planned | decision.Failed) or one is plan
        if isinstance(one.event, po.Scheduled | po.PlanFailed):
            return plan is not None and one.event.decision == plan.stream
        return getattr(one.event, "child", self.child) == self.child

    @property
    def order(self) -> list[Recorded]:
        """The events of the order's own streams: parent, children, executions, verdicts, plans."""
        kinds = ("parent_order", "child_order", "fill", "risk.checked", "decision", "model_decision")
        return [self.events[seq] for seq in sorted(self.events) if self.rows[seq].topic.startswith(kinds)]


async def gather(source: Source, named: Named, at_seq: int) -> Scene:
    """Read a scene: a handful of questions by stream, whatever the length of the log.

    Raises:
        TimeOutsideLog: what was asked about did not exist yet.
    """
    if named.began_seq > at_seq:
        raise TimeOutsideLog(f"{named.asked} began at event {named.began_seq}: at event {at_seq} it did not exist")
    (at,) = await source.rows([at_seq])
    scene = Scene(named, at, await source.head(), whole=bool(await source.rows([1])))
    begun = scene.add(await source.streams([named.stream], at_seq))[0]
    scene.parent, scene.child = _belongs(begun)
    if scene.parent is not None and scene.parent != named.stream:
        scene.add(await source.streams([scene.parent], at_seq))
    if not all(map(scene.from_the_first, {named.stream, scene.parent or named.stream})):
        raise ConfigError(f"{named.asked} began before the {source.name} does: ask one that holds its beginning")
    await _children(source, scene, at_seq)
    await _around(source, scene, at_seq)
    return scene


def _belongs(begun: Recorded) -> tuple[StreamId | None, StreamId | None]:
    """Parent and child order of a stream's first event."""
    match begun.event:
        case po.Accepted() | po.Rejected():
            return begun.stream, None
        case co.Created() as created:
            return created.parent, begun.stream
        case fill.Recorded() as recorded:
            return recorded.parent, recorded.child
        case decision.Planned() | decision.Failed() as planned:
            return StreamId(planned.request.parent), None
        case Checked() as checked:
            return checked.parent, checked.order if checked.order != checked.parent else None
        case model_decision.Decided() | model_decision.Declined() as decided:
            return (StreamId(decided.subject), None) if decided.use is model_decision.Use.SCHEDULER else (None, None)
        case _:
            return None, None


async def _children(source: Source, scene: Scene, at_seq: int) -> None:
    """Children with their executions, verdicts, plans and decisions of nets: of one child, where one was asked about."""
    parent = scene.parent
    if parent is None:
        return
    own = scene.of(parent)
    children = [scene.child] if scene.child is not None else [e.event.child for e in own if isinstance(e.event, po.ChildReleased)]
    plans = [e.event.decision for e in own if isinstance(e.event, po.Scheduled | po.PlanFailed)]
    acting = [model_decision.key(model_decision.Use.SCHEDULER, parent, n) for n in range(1, len(plans) + _ACTING)]
    verdicts = [risk.check_key(order) for order in (parent, *children)]
    overrides = [risk.override_key(order) for order in (parent, *children)]
    noted = [market_note.decision_key(parent)]
    found = scene.add(await source.streams([*children, *plans, *acting, *verdicts, *overrides, *noted], at_seq))
    fills = [e.event.fill for e in found if isinstance(e.event, co.Filled)]
    baskets = [
        StreamId(e.event.schedule.basket) for e in found if isinstance(e.event, decision.Planned) and e.event.schedule.basket
    ]
    if fills or baskets:
        scene.add(await source.streams([*fills, *baskets], at_seq))


async def _around(source: Source, scene: Scene, at_seq: int) -> None:
    """What the order stood in: kill switch, models, builds, limits, the market as it was last noted."""
    wanted: set[StreamId] = {kill_switch.key(), model_version.key(), builds.key(), *_limits(_verdicts(scene))}
    scene.add(await source.streams(wanted, at_seq))
    dates = {e.event.trade_date for e in scene.all(po.Accepted, po.Rejected, co.Created, quote.Opened)}  # type: ignore[attr-defined]
    for date in sorted(dates):
        last = await source.last_of(market_note.key(date), at_seq)
        if last is not None:
            scene.add([last])


def _verdicts(scene: Scene) -> Iterator[Verdict]:
    for one in scene.all(Checked):
        assert isinstance(one.event, Checked)
        yield from one.event.verdicts


def _limits(verdicts: Iterable[Verdict]) -> Collection[StreamId]:
    """Streams of every limit that verdicts may have come from: which of them it was, its version tells."""
    found = set[StreamId]()
    for scope, check in {(verdict.scope, verdict.check) for verdict in verdicts if verdict.limit_version}:
        kind, _, id_ = scope.partition(":")
        for each in {id_, ANY if id_ else ""}:
            found.update(limits.key(check, ScopeKind(kind), each, applies, level) for applies in _APPLIES for level in _LEVELS)
    return found


def limit_of(scene: Scene, verdict: Verdict) -> Recorded | None:
    """The version of the limit that a verdict was held against."""
    keys = {*_limits([verdict])}
    for one in scene.all(limits.LimitSet):
        if one.stream in keys and one.version == verdict.limit_version:
            return one
    return None


def plain(value: Any) -> Any:
    """An event's content as JSON has it."""
    return value.model_dump(mode="json")
