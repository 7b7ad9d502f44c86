"""A desk's process: started, driven by the world's clock, and left at any await when it dies."""

from __future__ import annotations

from collections.abc import Coroutine, Sequence
from typing import Any, Protocol

from domain.care_rules import CareTerms
from domain.errors import Fenced, LogUnavailable
from domain.messages import Input, Timer
from domain.sending import Outbound
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.kill_scopes import KillScopes
from ems.order_gate import GateRules, OrderGate
from ems.pace import Pace
from ems.pipeline import Decided
from tests.simulation.checks import Checks
from tests.simulation.gateway import Gateway
from tests.simulation.kill import Kill
from tests.simulation.link import Link
from tests.simulation.log import Connection, Disk, Pause
from tests.simulation.planners import SimPlannerPool
from tests.simulation.reference import VENUE, SimReference
from tests.simulation.world import MS, Crash, S, Violation, World, WorldClock

PACE = Pace(patience_ns=15 * S, unanswered_ns=2 * S, replan_ns=60 * S, pov_ns=5 * S, plan_lost_ns=15 * S, note_ns=5 * S)


class Parts(Protocol):
    """What a desk's process finds outside itself."""

    world: World
    disk: Disk
    gateway: Gateway
    checks: Checks
    kill: Kill
    care: CareTerms

    def desk_died(self, process: DeskProcess) -> None:
        """The supervisor notices."""


class SimDesk(Desk):
    """Every input of a simulated day can be decided: one that cannot is a fault, not something to set aside."""

    async def _isolate(self, inputs: Sequence[Input], error: Exception) -> None:
        raise Violation(f"an input could not be decided: {error!r}") from error


class DeskProcess:
    """A desk that runs until it dies. Its coroutine is driven by the world's clock, so it can be left at any await."""

    def __init__(self, parts: Parts, number: int) -> None:
        self._parts = parts
        self._world = parts.world
        self.alive = True
        self.led = False
        self.log = Connection(parts.world, parts.disk)
        self.link = Link(parts.world, parts.gateway, self)
        planners = SimPlannerPool(parts.world, self.arrived)
        self._scopes = KillScopes(f"desk{number}", lambda: self.desk.state)
        ports = DeskPorts(
            log=self.log,
            gateway=OrderGate(self.link, GateRules(parts.kill.latch, self._scopes.mark), self._stopped),
            planners=planners,
            reference=SimReference(),
            clock=WorldClock(parts.world),
            latch=parts.kill.latch,
        )
        venues = frozenset({VENUE})
        self.desk = SimDesk(ports, name=f"desk{number}", build="sim", venue_sessions=venues, pace=PACE, care=parts.care)
        self._coroutine: Coroutine[Any, Any, None] | None = None
        self._ahead: Decided | None = None  # decided while the commit before is on its way
        self._busy_until_ns = 0
        self._turn_ns: int | None = None  # when the next turn comes
        self._begin(self.desk.start())
        self.link.connect_after(0)

    # ------------------------------------------------------------------------------- what its link asks

    def hello(self) -> tuple[int, dict[str, tuple[int, int]]] | None:
        return (self.desk.epoch, dict(self._parts.checks.shadow.watermarks)) if self.desk.ready else None

    def arrived(self, item: Input) -> None:
        if self.alive:
            self.desk.inbox.put(item)
            self._poke()

    def refused(self) -> None:
        self.die("refused by the gateway")

    def _stopped(self, inputs: list[Input]) -> None:
        for item in inputs:
            self.arrived(item)

    def leaving(self, message: Outbound) -> None:
        self._parts.checks.leaving(message)
        self._parts.kill.leaving(message, self._scopes.mark)

    # ------------------------------------------------------------------------------------------ running

    def _begin(self, coroutine: Coroutine[Any, Any, None]) -> None:
        self._coroutine = coroutine
        self._world.after(0, self._resume)

    def _resume(self) -> None:
        """Go on to the next pause, or to the end of this turn, or of the process."""
        while self.alive and self._coroutine is not None:
            try:
                paused = self._coroutine.send(None)
            except StopIteration:
                self._finished()
                return
            except Crash:
                self.die("crash")
                return
            except (Fenced, LogUnavailable) as error:  # the latter at its very start: it ends, and is started again
                self._world.used[type(error).__name__] += 1
                self.die(type(error).__name__)
                return
            except Violation:
                raise
            except Exception as error:
                raise Violation(f"the desk died of {error!r}") from error
            if isinstance(paused, Pause):
                self._world.after(paused.ns, self._resume)
                return

    def _finished(self) -> None:
        self._coroutine = None
        self.led = True
        if self.desk.state.seq == self._parts.checks.shadow.seq and self._world.flip(0.1):
            self._parts.checks.same_state(self.desk.state, "after a turn")
        self._commit_ahead()
        self._poke()

    def _poke(self) -> None:
        """See to it that a turn comes when there is something to do."""
        if not self.alive or not self._may_decide:
            return
        if self.desk.inbox._inputs:
            if self._world.strikes("desk_stalls", 0.0005):
                self._busy_until_ns = self._world.now_ns + self._world.between(S, 40 * S)
            wait_ns = max(self._world.between(MS // 20, 5 * MS), self._busy_until_ns - self._world.now_ns)
        elif (wake_ns := self.desk.next_wake_ns()) is not None:
            wait_ns = max(0, wake_ns - self._world.now_ns)
        else:
            return
        at_ns = self._world.now_ns + wait_ns
        if self._turn_ns is None or at_ns < self._turn_ns:
            self._turn_ns = at_ns
            self._world.after(wait_ns, self._turn, at_ns)

    @property
    def _may_decide(self) -> bool:
        """As `Pipeline`: nothing is under way, or a commit alone."""
        return self._coroutine is None or (self.led and self.desk.settled and self._ahead is None)

    def _turn(self, at_ns: int) -> None:
        if self._turn_ns != at_ns:
            return
        self._turn_ns = None
        if not (self.alive and self._may_decide):
            return  # the end of what is under way sees to the next one
        inputs = self.desk.inbox.take()
        wake_ns = self.desk.next_wake_ns()
        if wake_ns is not None and wake_ns <= self._world.now_ns:
            inputs.append(Timer())
        if not inputs:
            return
        self._ahead = self.desk.decide(inputs)
        if self._coroutine is None:
            self._commit_ahead()
        else:
            self._world.used["decided_ahead"] += 1

    def _commit_ahead(self) -> None:
        """Go on to what has been decided."""
        if self._ahead is not None and self.alive:
            decided, self._ahead = self._ahead, None
            self._begin(self.desk.commit(decided))

    def die(self, why: str) -> None:
        """The process is gone, with everything it had in memory."""
        if not self.alive:
            return
        self._world.told("desk dies:", why)
        self.alive = False
        self.log.lose_lease()
        self.link.die()
        if self._coroutine is not None:
            self._coroutine.close()
        self._parts.desk_died(self)
