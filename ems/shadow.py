"""Versions that decide nothing plan on live orders beside the champion, and what they would have done is written down.

Only when the champion's plan is on its way to the desk is a shadow asked about the same request, with its own state of the market
in place of the champion's and the same seed. It plans in a process of its own, niced below everything that trades; its plan goes
to no desk, but into a stream of its own. A plan that comes later than would have been followed counts as missed, and a shadow
that fails, or whose words cannot be written, is told of and disturbs nobody.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterable
from typing import Final, Protocol

import structlog

from domain import shadow
from domain.decision import request_sha256
from domain.errors import LogError
from domain.event import Entry, Event, Meta
from domain.messages import PlanReady
from domain.observation import Observed
from domain.ports import Clock, EventLog
from domain.schedule import PlanRequest, Schedule
from domain.values import Algo, StreamId

_log = structlog.get_logger("shadow")
LATE_NS: Final = 5_000_000_000  # of plans that are made anew every minute
_KEPT: Final = 256  # states of markets, until a plan asks for one
_WAITING_MAX: Final = 256  # events that the log has not taken


class Pool(Protocol):
    """Where one version plans."""

    def request(self, request: PlanRequest) -> None:
        """Queue a request, in place of an older one for the same order."""
        ...

    def close(self) -> None:
        """End it."""
        ...


class Shadows:
    """One for a desk, on its loop. Every method returns at once.

    Args:
        versions: the digests that plan as shadows now.
        pool: made for a version that is new, with what takes its answers.
    """

    def __init__(
        self, log: EventLog, clock: Clock, versions: Callable[[], Iterable[str]],
        pool: Callable[[Callable[[PlanReady], None]], Pool], *, build: str,
    ) -> None:  # fmt: skip
        self._log, self._clock, self._versions, self._pool, self._build = log, clock, versions, pool, build
        self._pools: dict[str, Pool] = {}
        self._states: OrderedDict[tuple[str, int], dict[str, str]] = OrderedDict()
        self._asked: dict[tuple[str, str, int], tuple[str, int]] = {}  # version, order, plan -> the champion's request, when
        self._told: asyncio.Queue[tuple[StreamId, Event]] = asyncio.Queue(_WAITING_MAX)
        self.dropped = 0

    def observed(self, item: Observed) -> Observed:
        """What goes on to the desk: the same without the shadows' states, which stay here until a plan rests on this look."""
        if item.beside:
            self._states[item.instrument, item.observation.time_ns] = dict(item.beside)
            while len(self._states) > _KEPT:
                self._states.popitem(last=False)
        return item._replace(beside=())

    def planned(self, ready: PlanReady) -> None:
        """The champion has answered: the shadows are asked."""
        request, plan = ready.request, ready.schedule
        if not isinstance(request, PlanRequest) or request.algo is not Algo.ADAPTIVE or request.observation is None:
            return
        if not isinstance(plan, Schedule) or plan.evidence is None:
            return  # it foresaw nothing: there is nothing to be compared with
        states = self._states.get((request.instrument, request.observation.time_ns), {})
        self._follow(wanted := set(self._versions()))
        for digest in sorted(wanted & states.keys()):
            own = request.observation.model_copy(update={"hidden": states[digest], "weights_sha256": digest})
            place = (digest, request.parent, request.plan_number)
            self._asked[place] = request_sha256(request), request.now_ns
            self._pools[digest].request(request.model_copy(update={"observation": own, "models": (digest,)}))

    def answered(self, digest: str, ready: PlanReady) -> None:
        """A shadow has answered."""
        request = ready.request
        assert isinstance(request, PlanRequest) and request.observation is not None
        asked = self._asked.pop((digest, request.parent, request.plan_number), None)
        if asked is None:
            return
        behind_ns = self._clock.now_ns() - asked[1]
        said = {"digest": digest, "parent": request.parent, "plan_number": request.plan_number, "request_sha256": asked[0]}
        plan = ready.schedule
        why = ready.error or ("late" if behind_ns > LATE_NS else "")
        if not why and isinstance(plan, Schedule) and plan.evidence is None:
            why = plan.fallback or "nothing was left to plan"
        if why or not isinstance(plan, Schedule):
            event: Event = shadow.Missed(**said, why=why or "no plan", behind_ns=behind_ns)
        else:
            event = shadow.Planned(**said, hidden=request.observation.hidden, schedule=plan, behind_ns=behind_ns)
        try:
            self._told.put_nowait((shadow.key(digest, request.parent, request.plan_number), event))
        except asyncio.QueueFull:
            self.dropped += 1
            _log.warning("what a shadow said was dropped: the log does not keep up", dropped=self.dropped)

    async def run(self) -> None:
        """Write down what they say, until cancelled; then end them."""
        try:
            while True:
                stream, event = await self._told.get()
                meta = Meta(self._clock.now_ns(), "system:shadow", stream, "shadow", self._build)
                try:
                    await self._log.append([Entry(stream, 0, (event,), meta)])
                except LogError as error:  # a desk that leads notices by itself; a shadow's word is not worth a retry
                    self.dropped += 1
                    _log.warning("what a shadow said could not be written", error=str(error), dropped=self.dropped)
        finally:
            self._follow(set())

    def _follow(self, wanted: set[str]) -> None:
        for digest in self._pools.keys() - wanted:
            self._pools.pop(digest).close()
        for digest in wanted - self._pools.keys():
            self._pools[digest] = self._pool(lambda ready, digest=digest: self.answered(digest, ready))  # type: ignore[misc]
        self._asked = {place: asked for place, asked in self._asked.items() if place[0] in wanted}
