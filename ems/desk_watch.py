"""What a desk measures of itself, at its ports: wrappers around the log, the gateway and the planners. The desk knows of none.

A commit is looked through once, its messages once; nothing here waits, and what is remembered is bounded.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Sequence
from typing import Final, TypeVar

import structlog

from domain import child_order as co
from domain import decision, fill, risk_verdicts
from domain import parent_order as po
from domain.basket import BasketRequest
from domain.event import Entry, EventClasses, Fact, InboundRef, Recorded
from domain.flight import Recorder
from domain.measures import Meters
from domain.messages import Input, NewOrder, PlanReady
from domain.ports import EventLog, Head, OrderGateway, PlannerPool
from domain.schedule import PlanRequest
from domain.sending import Outbound, ParentReport
from domain.values import StreamId

KNOWN_MAX: Final = 20_000  # orders on their way that are remembered
NOTED_NS: Final = 50_000_000  # commits within are one note of the flight recorder
CORRELATIONS_MAX: Final = 8  # that a log line names
_COUNTED: Final = {
    po.Accepted: "ems_orders_accepted_total",
    po.Rejected: "ems_orders_rejected_total",
    fill.Recorded: "ems_fills_total",
    co.Rejected: "ems_child_rejections_total",
}
K = TypeVar("K")
V = TypeVar("V")


class DeskWatch:
    """One for a desk's process.

    Args:
        committed: told of each commit: its first and last sequence, and when it began and ended, ns of now_ns. None: nobody asks.
    """

    def __init__(
        self, meters: Meters, recorder: Recorder, committed: Callable[[int, int, int, int], None] | None = None,
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:  # fmt: skip
        self.meters, self._recorder, self._committed, self._now_ns = meters, recorder, committed, now_ns
        self._came: dict[InboundRef, int] = {}  # an order's message -> when
        self._without_child: dict[StreamId, int] = {}  # a parent that has no child yet -> when it came
        self._leaving: dict[int, tuple[str, int]] = {}  # an event whose message is timed -> what as, and from when
        self._asked: dict[str, int] = {}  # a plan's parent -> when
        self._planned: dict[StreamId, int] = {}  # a parent -> when its plan was adopted
        self._noted_ns, self._tally = 0, Counter[str]()

    # ------------------------------------------------------------------------------------------ the ports

    def log(self, log: EventLog) -> EventLog:
        """The log, watched."""
        return _Log(log, self)

    def gateway(self, gateway: OrderGateway) -> OrderGateway:
        """The gateway, watched."""
        return _Gateway(gateway, self)

    def planners(self, pool: PlannerPool) -> PlannerPool:
        """The planner pool, watched."""
        return _Planners(pool, self)

    # ------------------------------------------------------------------------------------------ what happens

    def arrived(self, inputs: Sequence[Input]) -> None:
        """These have come to the desk."""
        now_ns = self._now_ns()
        self.meters.add("ems_inputs_total", len(inputs))
        self._tally["inputs"] += len(inputs)
        for item in inputs:
            if type(item) is NewOrder:
                _keep(self._came, item.ref, now_ns)
            elif type(item) is PlanReady:
                self._answered(item, now_ns)

    def asked(self, request: PlanRequest | BasketRequest) -> None:
        """A plan is wanted."""
        _keep(self._asked, request.parent, self._now_ns())

    def _answered(self, ready: PlanReady, now_ns: int) -> None:
        asked_ns = self._asked.pop(ready.request.parent, None)
        if asked_ns is not None:
            algo = "basket" if isinstance(ready.request, BasketRequest) else ready.request.algo.value
            self.meters.observe("ems_plan_seconds", (now_ns - asked_ns) / 1e9, algo)
        if ready.schedule is None:
            self.meters.add("ems_plan_failures_total")
            self._recorder.note("plan", f"failed for {ready.request.parent}: {ready.error}")

    def appended(self, recorded: Sequence[Recorded], began_ns: int) -> None:
        """These are durable."""
        now_ns = self._now_ns()
        self.meters.observe("ems_commit_seconds", (now_ns - began_ns) / 1e9)
        self.meters.observe("ems_commit_events", len(recorded))
        self.meters.add("ems_events_appended_total", len(recorded))
        if self._committed is not None:
            self._committed(recorded[0].seq, recorded[-1].seq, began_ns, now_ns)
        for each in recorded:
            self._look(each, now_ns)
        tally = self._tally
        tally["commits"] += 1
        tally["events"] += len(recorded)
        tally["slowest_us"] = max(tally["slowest_us"], (now_ns - began_ns) // 1000)
        if now_ns - self._noted_ns >= NOTED_NS:
            self._noted_ns = now_ns
            words = " ".join(f"{name} {number}" for name, number in tally.items())
            self._recorder.note("commit", f"to {recorded[-1].seq}: {words}")
            tally.clear()

    def _look(self, each: Recorded, now_ns: int) -> None:
        event = each.event
        kind = type(event)
        if (name := _COUNTED.get(kind)) is not None:
            self.meters.add(name)
        if isinstance(event, po.Accepted | po.Rejected):
            came_ns = self._came.pop(each.meta.inbound, None) if each.meta.inbound is not None else None
            if came_ns is not None:
                _keep(self._leaving, each.seq, ("ems_order_to_answer_seconds", came_ns))
                if isinstance(event, po.Accepted) and event.terms.start_ns <= each.meta.event_time_ns:
                    _keep(self._without_child, each.stream, came_ns)
        elif isinstance(event, co.Created):
            came_ns = self._without_child.pop(each.meta.correlation, None)
            if came_ns is not None:
                _keep(self._leaving, each.seq, ("ems_order_to_child_seconds", came_ns))
        elif isinstance(event, decision.Planned):
            _keep(self._planned, each.meta.correlation, now_ns)
            if event.schedule.fallback:
                self.meters.add("ems_plan_fallbacks_total")
        elif isinstance(event, risk_verdicts.Checked) and not event.passed:
            self.meters.add("ems_risk_refusals_total")

    def not_appended(self, error: Exception) -> None:
        """The log did not take a batch."""
        self.meters.add("ems_commit_failures_total")
        self._recorder.note("commit", f"failed: {error}")

    def sent(self, messages: Sequence[Outbound]) -> None:
        """These have been handed on."""
        now_ns = self._now_ns()
        self._tally["sent"] += len(messages)
        for kind, number in Counter(type(message).__name__ for message in messages).items():
            self.meters.add("ems_messages_out_total", number, kind)
        for message in messages:
            if (timed := self._leaving.pop(message.event_seq, None)) is not None:
                self.meters.observe(timed[0], (now_ns - timed[1]) / 1e9)
            if isinstance(message, ParentReport) and message.copied:
                self.meters.add("ems_drop_copies_total")

    def plan_age_s(self, working: Iterable[StreamId]) -> float:
        """Of the oldest plan that one of these follows; 0 where none follows one."""
        now_ns = self._now_ns()
        return max((now_ns - self._planned[one] for one in working if one in self._planned), default=0) / 1e9


def _keep(known: dict[K, V], key: K, value: V) -> None:
    """Remember one; the oldest goes where there are too many."""
    if len(known) >= KNOWN_MAX:
        known.pop(next(iter(known)))
    known[key] = value


class _Log:
    """`domain.ports.EventLog` around another."""

    def __init__(self, log: EventLog, watch: DeskWatch) -> None:
        self._log, self._watch = log, watch

    async def append(self, entries: Sequence[Entry], *, epoch: int | None = None) -> tuple[Recorded, ...]:
        """See the port. Lines that are logged from here on, in this commit's task, bear its orders."""
        began_ns = self._watch._now_ns()  # noqa: SLF001 (one thing in two classes)
        orders = list(dict.fromkeys(str(entry.meta.correlation) for entry in entries))[:CORRELATIONS_MAX]
        structlog.contextvars.bind_contextvars(correlation=orders)
        try:
            recorded = await self._log.append(entries, epoch=epoch)
        except Exception as error:
            self._watch.not_appended(error)
            raise
        if recorded:
            self._watch.appended(recorded, began_ns)
        return recorded

    async def read(self, stream: StreamId, *, after_version: int = 0) -> list[Recorded]:
        return await self._log.read(stream, after_version=after_version)

    def read_pages(self, *, after_seq: int = 0, until_seq: int | None = None) -> AsyncIterator[Iterator[Recorded]]:
        return self._log.read_pages(after_seq=after_seq, until_seq=until_seq)

    def read_facts(self, *, until_seq: int | None = None, unread: EventClasses = ()) -> AsyncIterator[Iterator[Fact]]:
        return self._log.read_facts(until_seq=until_seq, unread=unread)

    def subscribe(self, *, after_seq: int = 0, unread: EventClasses = (), every_s: float = 0) -> AsyncIterator[Recorded]:
        return self._log.subscribe(after_seq=after_seq, unread=unread, every_s=every_s)

    async def head(self) -> Head:
        return await self._log.head()

    async def take_lead(self, leader: str) -> int:
        return await self._log.take_lead(leader)


class _Gateway:
    """`domain.ports.OrderGateway` around another."""

    def __init__(self, gateway: OrderGateway, watch: DeskWatch) -> None:
        self._gateway, self._watch = gateway, watch

    def send(self, messages: Sequence[Outbound], *, epoch: int) -> None:
        self._gateway.send(messages, epoch=epoch)
        self._watch.sent(messages)

    def acknowledge(self, frame_number: int) -> None:
        self._gateway.acknowledge(frame_number)

    def reset(self) -> None:
        self._gateway.reset()


class _Planners:
    """`domain.ports.PlannerPool` around another."""

    def __init__(self, pool: PlannerPool, watch: DeskWatch) -> None:
        self._pool, self._watch = pool, watch

    def request(self, request: PlanRequest | BasketRequest) -> None:
        self._watch.asked(request)
        self._pool.request(request)
