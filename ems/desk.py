"""The desk: the single writer of its orders. Take everything that has arrived, decide, append, and only then react.

While a batch is on its way to the log the next one is decided (`ems.pipeline`), on state that holds the first. If the log
does not take a batch, the state goes, and with it whatever was decided on it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import replace
from types import MappingProxyType

import structlog

from domain.care_rules import NO_CARE, CareTerms
from domain.commands import Answer, Commanded
from domain.errors import LogUnavailable, VersionConflict
from domain.kill_flatten import FlattenHouse
from domain.market_state import MarketState
from domain.messages import Inbound, Input, KillNews, LinkDown, LinkUp, MarketUpdate, PlanReady, SessionChange, SessionNews, Timer
from domain.observation import Observed
from domain.session_policy import SessionPolicy
from ems import recovery, session_notes
from ems.client_desk import ClientDesk
from ems.command_desk import CommandDesk
from ems.day import DayDesk
from ems.desk_ports import DeskPorts
from ems.desk_state import DeskState
from ems.direct import DirectDesk
from ems.drop_copy import DropCopies
from ems.flatten_desk import FlattenDesk
from ems.house import NO_HOUSE, HouseParts, HouseTerms
from ems.inbox import Inbox
from ems.kill_desk import KillDesk
from ems.kill_scopes import KillScopes
from ems.market_notes import MarketNotes
from ems.pace import Pace
from ems.pipeline import Decided, Pipeline
from ems.risk import RiskGate, cleared
from ems.risk_day import NO_LIMITS, RiskTerms
from ems.risk_gateway import RiskGateway
from ems.scheduler import Scheduler
from ems.session_desk import SessionDesk
from ems.strategies import Strategies
from ems.throttle import Throttle
from ems.turn import Turn
from ems.venue_desk import VenueDesk

_log = structlog.get_logger("desk")

RETRY_S = (0.05, 0.1, 0.2, 0.5, 1.0)  # waits between attempts to reach the log; the last one repeats


class Desk:
    """One shard's orders. `cycle` is the whole of it; `run` repeats it."""

    def __init__(
        self, ports: DeskPorts, *, name: str, build: str, venue_sessions: AbstractSet[str], pace: Pace,
        policies: Mapping[str, SessionPolicy] = MappingProxyType({}), client_sessions: AbstractSet[str] = frozenset(),
        copies: DropCopies = recovery.NO_COPIES, risk: RiskTerms = NO_LIMITS, house: HouseTerms = NO_HOUSE,
        care: CareTerms = NO_CARE,
    ) -> None:  # fmt: skip
        # Nobody holds the bare gateway: what leaves has a verdict that passed.
        gateway = RiskGateway(ports.gateway, lambda message: cleared(self._leaving, message), ports.count_error)
        self._ports = replace(ports, gateway=gateway)
        self._risk_terms, self._house_terms, self._care_terms = risk, house, care
        self._name, self._build, self._pace = name, build, pace
        self._venue_sessions, self._client_sessions, self._copies = venue_sessions, client_sessions, copies
        self._policies = policies  # by client session; a session without one has the default
        self.epoch = 0
        self.settled = True  # may the next batch be decided? Not while the desk comes back from a failure
        self.ready = False  # may the link introduce this desk? Not before it knows its orders
        self.inbox = Inbox()
        self._begin(DeskState())

    def _begin(self, state: DeskState) -> None:
        self.state = state
        self.durable_marks = dict(state.watermarks)  # what the log holds of each session: state runs ahead of a commit
        self.markets: dict[str, MarketState] = getattr(self, "markets", {})
        reference, care = self._ports.reference, self._care_terms
        throttle = Throttle(self._policies)
        name = self._name.rpartition("/")[0] or self._name
        scopes = KillScopes(name, lambda: self.state)
        self._kills = kills = KillDesk(self._ports.latch, scopes, self._client_sessions)
        self._risk = risk = RiskGate(reference, self.markets, self._ports.risk_data, self._risk_terms)
        direct = DirectDesk(reference, self.markets, self._policies, throttle, self._pace, risk, kills)
        strategies = Strategies(self._ports.brokers, reference)
        self._client = ClientDesk(reference, self.markets, self._policies, throttle, strategies, risk, kills, care)
        day = DayDesk(reference, direct, self._pace)
        self._venue = VenueDesk(reference, direct, day)
        self._commands = CommandDesk(reference, self.markets, self._client_sessions, risk, kills, self._venue, strategies, care)
        self._scheduler = Scheduler(reference, self.markets, self._venue, direct, day, throttle, self._pace, risk, kills)
        self._notes = MarketNotes(reference, self.markets, self._pace)
        parts = HouseParts(name, reference, self.markets, self._ports.risk_data, risk.day, self._ports.latch)
        self.flattening = FlattenDesk(parts, self._house_terms, lambda: self._scheduler.sessions_up)
        self._sessions = SessionDesk(
            self._ports.log, reference, self._venue, self._scheduler, self._venue_sessions, self._copies, self._policies
        )

    # --------------------------------------------------------------------------------------- start, stop

    async def start(self) -> None:
        """Lead, then recover. Returns when the desk may take inputs."""
        self.ready = False
        self.epoch, folded = await self._ports.take_lead(self._ports.log, self._name)
        await self.recover(folded)
        self.ready = True

    async def recover(self, folded: DeskState | None = None) -> None:
        """Fold the log, or what is left of it; what only the outside can tell is in doubt until it has told."""
        self._begin(await recovery.fold(self._ports.log, onto=folded))
        turn = self._turn()
        recovery.was_away(turn, self._venue)
        self._risk.day.configure(turn)
        for parent in self.state.working:
            turn.touched[parent] = None
        self._work(turn)
        await self._commit(turn, frame=0)
        _log.info("recovered", seq=self.state.seq, epoch=self.epoch, working=len(self.state.working))

    async def run(self, *, poll_s: float = 0.02) -> None:
        """Work until cancelled. Raises Fenced when another desk leads."""
        await Pipeline(self).run(poll_s)

    def next_wake_ns(self) -> int | None:
        """When there will be something to do without an input."""
        wakes = (self._scheduler.next_wake_ns(), self._sessions.next_wake_ns(), self._notes.next_wake_ns())
        return min((ns for ns in wakes if ns is not None), default=None)

    def now_ns(self) -> int:
        """The time, by the desk's clock."""
        return self._ports.clock.now_ns()

    # --------------------------------------------------------------------------------------------- cycle

    async def cycle(self, inputs: Sequence[Input]) -> None:
        """Decide a batch on state that is not committed yet, append it, then react. Raises as `commit`."""
        await self.commit(self.decide(inputs))

    def decide(self, inputs: Sequence[Input]) -> Decided:
        """Decide a batch on top of all that has been decided. Never raises; `commit` it, in the same order."""
        turn = self._turn()
        try:
            for item in inputs:
                self._take(turn, item)
            self._work(turn)
        except Exception as error:  # noqa: BLE001 - our own fault: `commit` throws the half-changed state away
            return Decided(inputs, turn, error)
        return Decided(inputs, turn)

    async def commit(self, decided: Decided) -> None:
        """Append what has been decided, then react. Nothing happens if the state that it was decided on is gone.

        Raises:
            Fenced: another desk leads; nothing of the batch was written or sent.
        """
        if decided.turn.state is not self.state:
            decided.drop()
            return
        if decided.error is not None:
            _log.error("an input could not be decided", inputs=len(decided.inputs), exc_info=decided.error)
            self._ports.count_error()
            await self._alone(self._isolate(decided.inputs, decided.error))
            return
        try:
            await self._commit(decided.turn, frame=decided.frame)
        except (LogUnavailable, VersionConflict) as error:
            _log.warning("the log did not take a batch; recovering", error=str(error))
            await self._alone(self._come_back())

    def _turn(self) -> Turn:
        return Turn(state=self.state, now_ns=self.now_ns(), build=self._build)

    def _work(self, turn: Turn) -> None:
        turn.begin(actor="system:scheduler", causation="state")
        due = list(turn.touched)
        while due:  # parts and what they are made of: what is done about one may be work for the other
            for parent in due:
                self._scheduler.work(turn, parent)
            due, turn.again = list(turn.again), {}
            turn.touched.update(dict.fromkeys(due))
        turn.begin(actor="system:lists", causation="state")
        self._client.lists.settle(turn)
        turn.begin(actor="system:allocations", causation="state")
        for parent in list(turn.touched):
            self._client.allocations.work(turn, parent)
        self._risk.day.mark(turn)
        self._notes.work(turn)
        turn.end()

    async def _commit(self, turn: Turn, *, frame: int) -> None:
        recorded = await self._ports.log.append(turn.entries, epoch=self.epoch) if turn.entries else ()
        turn.committed(recorded)
        self.durable_marks = turn.marks
        outbound = await self._sessions.due(turn, recorded)
        if outbound:
            self._leaving = turn
            self._ports.gateway.send(outbound, epoch=self.epoch)
        if frame:
            self._ports.gateway.acknowledge(frame)
        for request in turn.plans:
            self._ports.planners.request(request)
        for reply, answer in turn.replies:
            reply(answer)

    # -------------------------------------------------------------------------------------------- inputs

    def _take(self, turn: Turn, item: Input) -> None:
        match item:
            case Inbound():
                self._message(turn, item)
            case MarketUpdate():
                self.markets[item.market.instrument] = item.market
                turn.touched.update(dict.fromkeys(self._scheduler.of_market(item.market.instrument)))
            case Observed():
                turn.touched.update(dict.fromkeys(self._scheduler.planning.observed(item, turn.now_ns)))
            case Timer():
                self._sessions.cancel_left(turn)
                turn.touched.update(dict.fromkeys(self._scheduler.due(turn.now_ns)))
            case Commanded():
                self._commands.handle(turn, item)
            case KillNews():
                self._kills.told(turn, item)
            case FlattenHouse():
                self.flattening.work(turn)
            case PlanReady():
                self._scheduler.planned(turn, item)
            case SessionChange():
                self._sessions.changed(turn, item)
            case LinkDown():
                self._sessions.link_down(turn, item)
            case LinkUp():
                self._sessions.link_up(item)

    def _message(self, turn: Turn, message: Inbound) -> None:
        """One FIX message: decided once, however often it comes. What has no number of the peer's changes nothing twice."""
        ref = message.ref
        numbered = ref.msg_seq_num > 0
        if numbered and (ref.reset_epoch, ref.msg_seq_num) <= self.state.watermarks.get(ref.session, (-1, 0)):
            return
        venue = ref.session in self._venue_sessions
        actor = f"{'venue' if venue else 'client'}:{ref.session}" if numbered else "system:gateway"
        causation = f"fix:{ref.session}/{ref.reset_epoch}/{ref.msg_seq_num}" if numbered else "session"
        turn.begin(actor=actor, causation=causation, inbound=ref if numbered else None)
        if isinstance(message, SessionNews):
            self._sessions.news(turn, message)
        else:
            (self._venue if venue else self._client).handle(turn, message)
            self._sessions.question.told(turn, message)
        turn.begin(actor="system:desk", causation="state")

    # ------------------------------------------------------------------------------------------ failures

    async def _alone(self, coming_back: Awaitable[None]) -> None:
        """Nothing else is decided meanwhile."""
        before, self.settled = self.settled, False
        try:
            await coming_back
        finally:
            self.settled = before

    async def _come_back(self) -> None:
        """Discard everything and start again from the log, for as long as that takes."""
        attempt = 0
        while True:
            try:
                self.ready = False
                self._ports.gateway.reset()
                self.inbox.clear()  # else a later message could overtake one that is about to be delivered again
                await self.start()
                return
            except LogUnavailable as error:
                wait_s = RETRY_S[min(attempt, len(RETRY_S) - 1)]
                _log.warning("the log is not there", error=str(error), retry_s=wait_s)
                attempt += 1
                await asyncio.sleep(wait_s)

    async def _isolate(self, inputs: Sequence[Input], error: Exception) -> None:
        """Decide the batch's inputs one by one from clean state; the one that cannot be decided is set aside as an event.

        Raises:
            Exception: the error, if what fails is not a message but the desk's own doing.
        """
        await self._come_back()
        if len(inputs) > 1:
            for item in inputs:
                await self.cycle([item])
            return
        (item,) = inputs
        if isinstance(item, Commanded):
            item.reply(Answer(False, f"could not be processed ({type(error).__name__}); nothing was done"))
            return
        if not isinstance(item, Inbound):
            raise error
        turn = self._turn()
        session_notes.set_aside(turn, self._ports.reference, item, error)
        turn.end()
        await self._commit(turn, frame=item.frame)
