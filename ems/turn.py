"""A turn: what one batch of inputs does to the state, gathered so that it can be appended whole before anything leaves.

The next turn may be decided before this one is durable. What its reactions need to know of the state is therefore kept as
it was when it ended.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from domain.basket import BasketRequest
from domain.child_order import ROOT_LENGTH
from domain.commands import Answer
from domain.event import Entry, Event, InboundRef, Meta, Recorded
from domain.risk_state import Clearance
from domain.schedule import PlanRequest
from domain.sending import Outbound, SendChild, SendChildReplace
from domain.values import StreamId
from ems import reports
from ems.desk_state import DeskState


@dataclass(slots=True)
class Turn:
    """Events applied to the state as they are decided, on state that is not committed yet.

    If the append fails the state must be thrown away with the turn: see `ems.recovery`.
    """

    state: DeskState
    now_ns: int
    build: str
    actor: str = "system:desk"
    causation: str = "start"
    inbound: InboundRef | None = None
    entries: list[Entry] = field(default_factory=list)
    afters: list[Any] = field(default_factory=list)  # the stream's state right after each entry
    extra: list[Outbound] = field(default_factory=list)  # answers that no event causes: status reports, queries
    plans: list[PlanRequest | BasketRequest] = field(default_factory=list)
    replies: list[tuple[Callable[[Answer], None], Answer]] = field(default_factory=list)  # to commands, after the commit
    meta: Meta | None = None  # of the last entry: what has the same cause shares it
    touched: dict[StreamId, None] = field(default_factory=dict)  # parents that may have work now, in order
    again: dict[StreamId, None] = field(default_factory=dict)  # that have work again, because of what was done in this turn
    marks: dict[str, tuple[int, int]] = field(default_factory=dict)  # by session: what has been received once this is durable
    clearances: dict[StreamId, Clearance] = field(default_factory=dict)  # what its children's verdicts allow
    last_seq: int = 0  # `DeskState.unshifted` at its end

    def begin(self, *, actor: str, causation: str, inbound: InboundRef | None = None) -> None:
        """The next events are caused by this."""
        self.actor, self.causation, self.inbound, self.meta = actor, causation, inbound, None

    def apply(self, stream: StreamId, *events: Event, correlation: StreamId) -> Any:
        """Add events to a stream; returns its state afterwards."""
        meta = self.meta
        if meta is None or meta.correlation != correlation:
            meta = self.meta = Meta(self.now_ns, self.actor, correlation, self.causation, self.build, self.inbound)
        after: Any = None
        state = self.state
        for event in events:
            version = state.version(stream)
            after = state.apply(stream, event, meta, seq=state.seq + 1)
            self.entries.append(Entry(stream, version, (event,), meta))
            self.afters.append(after)
        return after

    def parent(self, stream: StreamId, *events: Event) -> Any:
        """Add events to a parent order, which will be worked at the end of the turn."""
        self.touched[stream] = None
        return self.apply(stream, *events, correlation=stream)

    def end(self) -> None:
        """All has been decided: keep what the next turn may change."""
        self.marks, self.last_seq = dict(self.state.watermarks), self.state.unshifted
        known, children = self.state.risk.clearances, self.state.child_ids
        asked = [children.get(m.cl_ord_id[:ROOT_LENGTH]) for m in self.extra if isinstance(m, SendChild | SendChildReplace)]
        streams = [*(entry.stream for entry in self.entries), *(child for child in asked if child is not None)]
        self.clearances = {stream: known[stream] for stream in streams if stream in known}

    def committed(self, recorded: tuple[Recorded, ...]) -> None:
        """It is durable, under these numbers."""
        self.state.committed(recorded, self.last_seq)

    def outbound(self, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        """What leaves now that the turn is durable, in the order of the events."""
        messages = [reports.outbound(record, after) for record, after in zip(recorded, self.afters, strict=True)]
        return [m for m in messages if m is not None] + self.answers(recorded)

    def answers(self, recorded: tuple[Recorded, ...]) -> list[Outbound]:
        """The part of it that no event causes and nothing can make again."""
        last_seq = recorded[-1].seq if recorded else 0
        return [replace(m, event_seq=m.event_seq or last_seq) for m in self.extra]
