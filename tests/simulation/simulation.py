"""One simulated day from one seed: OMS, gateway, venue, log and desks, with all that can go wrong between them."""

from __future__ import annotations

import gc
import logging
from collections.abc import Coroutine, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import structlog

from adapters.memory.event_log import MemoryEventLog
from domain.care_rules import NO_CARE, CareTerms
from domain.catalogue import TOPICS
from domain.event import Recorded
from domain.market_state import MarketState
from domain.messages import Input, KillNews
from domain.sending import Outbound, SendChild, SendChildReplace
from domain.values import E9
from ems import desk as desk_module
from ems import recovery
from tests.simulation.checks import Checks
from tests.simulation.fix import Channel, Session
from tests.simulation.gateway import Gateway
from tests.simulation.hand import Hand
from tests.simulation.kill import Kill
from tests.simulation.log import Disk
from tests.simulation.oms import Oms
from tests.simulation.process import DeskProcess
from tests.simulation.reference import CLIENTS, LOT_E9, SYMBOLS, TICK_E9, VENUE
from tests.simulation.report import Report
from tests.simulation.trader import Trader
from tests.simulation.venue import Venue
from tests.simulation.world import MINUTE, MS, START_NS, S, Violation, World, WorldClock

HORIZON_NS = 5 * MINUTE  # of faults and new orders
ANSWERED_NS = 90 * S  # of calm, after which nothing that was asked may wait
END_NS = START_NS + HORIZON_NS + 12 * MINUTE  # by then everything must be over


class Simulation:
    """Puts the parts together and runs them to the end of the day."""

    def __init__(self, seed: int, care: CareTerms = NO_CARE) -> None:
        self.world, self.care = World(seed), care
        self.checks = Checks(self.world)
        self.kill = Kill(self.world, self._tell)
        self.disk = Disk(self.world, self._appended)
        sessions = [Session(VENUE, "venue"), *(Session(name, "client") for name in CLIENTS)]
        self.gateway = Gateway(self.world, sessions, self.checks.acknowledged)
        self.venue = self.checks.venue = Venue(self.world, sessions[0])
        self.venue.direct = lambda cl_ord_id: self.checks.created[cl_ord_id].tactic == "direct"
        self.clients = self.checks.clients = [Oms(self.world, session) for session in sessions[1:]]
        self._wire(sessions)
        self.crashes = 0
        self._desks: list[DeskProcess] = []
        self._news = 0
        self._leading: DeskProcess | None = None
        self._prices = dict.fromkeys(SYMBOLS, 100 * E9)
        self._volumes = dict.fromkeys(SYMBOLS, 0)

    def _wire(self, sessions: list[Session]) -> None:
        for session in sessions:
            peer = self.venue if session.role == "venue" else next(c for c in self.clients if c.name == session.name)
            session.inward = Channel(
                self.world, lambda number, m, dup, s=session: self.gateway.receive(s, number, m, dup), lambda _: True
            )
            session.outward = Channel(
                self.world,
                lambda number, m, dup, p=peer: self._to_peer(p, m),
                lambda m: not isinstance(m, SendChild | SendChildReplace),
            )

    def _to_peer(self, peer: Venue | Oms, message: Outbound) -> None:
        if isinstance(message, SendChild):
            self.checks.entered(message)
        peer.receive(message)
        if isinstance(message, SendChild):
            self.checks.exposed(message.cl_ord_id)

    def _appended(self, recorded: Sequence[Recorded]) -> None:
        self.checks.appended(recorded)
        self.kill.committed(recorded)

    def _tell(self, news: KillNews) -> None:
        for desk in self._desks:
            desk.arrived(news)

    # -------------------------------------------------------------------------------------------- a day

    def run(self) -> Report:
        """The whole day. Raises Violation."""
        self._start()
        while self.world.now_ns < END_NS:
            self.world.step()
            if self.world.calm and self._over():
                break
        else:
            raise Violation("not over at the end of the day: " + "; ".join(self.checks.open_ends()[:8]))
        self._in_full()
        return self.report()

    def tail(self) -> str:
        """The last of what happened."""
        return "\n".join(self.world.history)

    def report(self) -> Report:
        """So far."""
        checks = self.checks
        found = (checks.transitions, checks.topics, self.world.digest())
        return Report(self.world.seed, checks.shadow.seq, self.crashes, self.world.used, *found)

    def _start(self) -> None:
        world = self.world
        for symbol in SYMBOLS:
            world.after(world.between(0, S), self._market, symbol)
        for client in self.clients:
            world.after(world.between(0, 30 * S), self._act, client)
        for session in self.gateway.sessions.values():
            world.after(world.between(0, 5 * S), self.gateway.log_on, session)
        world.after(0, self._desk_starts)
        world.after(world.between(S, 30 * S), self._mishap)
        world.after(HORIZON_NS, self._calm)
        self.kill.begin(HORIZON_NS)
        (Trader if self.care.rules else Hand)(world, self._to_leader, self.checks.shadow).begin()

    def _to_leader(self, item: Input) -> None:
        if self._leading is not None:
            self._leading.arrived(item)

    def _desk_starts(self) -> None:
        self._desks.append(DeskProcess(self, len(self._desks) + 1))
        self._leading = self._desks[-1]

    def desk_died(self, process: DeskProcess) -> None:
        """The supervisor starts another, unless one is there that leads."""
        self.crashes += 1
        self.world.used["desk_died"] += 1
        if self._leading is process:
            self._leading = next((desk for desk in self._desks if desk.alive and desk.log is self.disk.holder), None)
            if self._leading is None:
                self.world.after(self.world.between(50 * MS, 5 * S), self._replace_desk)

    def _replace_desk(self) -> None:
        if self._leading is None:
            self._desk_starts()

    def _act(self, client: Oms) -> None:
        if not self.world.calm:
            client.act()
            self.world.after(self.world.between(S // 2, 30 * S), self._act, client)

    def _market(self, symbol: str) -> None:
        world, random = self.world, self.world.random
        price_e9 = self._prices[symbol] = self._prices[symbol] + random.randint(-3, 3) * TICK_E9
        self._volumes[symbol] += random.randint(0, 60) * LOT_E9
        one_sided = world.strikes("market_one_sided", 0.03)
        self.gateway.market(
            MarketState(
                instrument=symbol,
                time_ns=world.now_ns,
                bid_e9=None if one_sided else price_e9 - TICK_E9,
                bid_size_e9=LOT_E9,
                ask_e9=price_e9 + TICK_E9,
                ask_size_e9=LOT_E9,
                last_e9=price_e9,
                volume_e9=self._volumes[symbol],
                notional_e9=self._volumes[symbol] * 100,
            )
        )
        silent = world.strikes("market_silent", 0.02)
        world.after(world.between(30 * S, 120 * S) if silent else world.between(2 * S, 12 * S), self._market, symbol)

    # ------------------------------------------------------------------------------------------ mishaps

    def _mishap(self) -> None:
        """Every few seconds something may go wrong with a process, a connection or the clock."""
        world = self.world
        if world.calm:
            return
        world.after(world.between(S, 20 * S), self._mishap)
        session = world.random.choice(list(self.gateway.sessions.values()))
        if world.strikes("session_drops", 0.1):
            self._drop(session, reset=world.strikes("session_reset", 0.15))
        if world.strikes("link_drops", 0.06):
            self.gateway.drop_link()
        if world.strikes("gateway_killed", 0.03):
            self._kill_gateway(power_cut=world.strikes("power_cut", 0.4))
        if world.strikes("desk_killed", 0.04) and self._leading is not None:
            self._leading.die("killed")
        if world.strikes("lease_lost", 0.03) and self._leading is not None and self._leading.led:
            self._leading.log.lose_lease()
            self._desk_starts()  # the one before is still at work and does not know
        if world.strikes("clock_jumps", 0.04):
            world.jump(world.between(S, 45 * S))
        if world.strikes("report_repeated", 0.2):
            self.venue.repeat_anything()
        if world.strikes("session_news", 0.02):
            self._news += 1
            self.gateway.news(session, f"cancel-all {self._news} sent 0 cancels")

    def _drop(self, session: Session, *, reset: bool) -> None:
        self.gateway.log_off(session)
        away_ns = self.world.between(50 * MS, 15 * S)
        self.world.after(away_ns, self._return, session, reset)

    def _return(self, session: Session, reset: bool) -> None:
        if session.up or not self.gateway.alive or self.gateway.waits_for_marks:
            if not session.up:
                self.world.after(self.world.between(100 * MS, S), self._return, session, reset)
            return
        lost = session.inward.reset() if reset else []
        self.gateway.log_on(session, reset=reset)
        peer = self.venue if session.role == "venue" else next(c for c in self.clients if c.name == session.name)
        peer.make_good(lost)

    def _kill_gateway(self, *, power_cut: bool) -> None:
        if not self.gateway.alive:
            return
        self.gateway.die(power_cut=power_cut)
        self.world.after(self.world.between(100 * MS, 8 * S), self._gateway_returns)

    def _gateway_returns(self) -> None:
        self.gateway.live()
        for session in self.gateway.sessions.values():
            self.world.after(self.world.between(10 * MS, 3 * S), self._return, session, False)

    def _calm(self) -> None:
        """From here on nothing goes wrong any more; what did must be made good."""
        self.world.calm = True
        self.world.told("calm")
        for client in self.clients:
            client.last_act()
        self.world.after(ANSWERED_NS, self._all_answered)

    def _all_answered(self) -> None:
        """No request waits for its order's end: the children are withdrawn for it."""
        if waiting := [request for client in self.clients for request in client.unanswered()]:
            raise Violation(f"not answered in {ANSWERED_NS // S} s of calm: " + "; ".join(waiting))

    # ------------------------------------------------------------------------------------------ the end

    def _over(self) -> bool:
        if not self.gateway.idle or self._leading is None or self._leading._coroutine is not None:
            return False
        idle = all(session.inward.idle and session.outward.idle for session in self.gateway.sessions.values())
        return idle and not self._leading.desk.inbox._inputs and not self.checks.open_ends()

    def _in_full(self) -> None:
        assert self._leading is not None
        self.checks.same_state(self._leading.desk.state, "at the end")
        folded = _drive(recovery.fold(MemoryEventLog(TOPICS, WorldClock(self.world), rows=self.disk.rows)))
        self.checks.same_state(folded, "folded again")
        if folded.digest() != self._leading.desk.state.digest():
            raise Violation("the digest of the replayed state is another")
        _drive(self.disk.verify_chain())
        self.checks.balanced()


def _drive(coroutine: Coroutine[Any, Any, Any]) -> Any:
    """The result of a coroutine that waits for nobody."""
    try:
        while True:
            coroutine.send(None)
    except StopIteration as done:
        return done.value


@contextmanager
def quiet() -> Iterator[None]:
    """The desk writes no log lines, and does not wait between its attempts: the log's connection makes it wait here."""
    before, retry_s, collecting = structlog.get_config(), desk_module.RETRY_S, gc.isenabled()
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    desk_module.RETRY_S = (0.0,)  # type: ignore[assignment]
    gc.disable()  # a day is short, and looking for its garbage costs a fifth of it
    try:
        yield
    finally:
        if collecting:
            gc.enable()
        structlog.configure(**before)
        desk_module.RETRY_S = retry_s


def simulate(seed: int, care: CareTerms = NO_CARE) -> Report:
    """Run one seed. Raises Violation, with how to run it again and the last of what happened."""
    with quiet():
        simulation = Simulation(seed, care)
        try:
            return simulation.run()
        except Violation as violation:
            raise Violation(
                f"{violation}\n{again(seed)}\n{simulation.report().line()}\n{simulation.tail()}"
            ) from violation.__cause__


def again(seed: int) -> str:
    """How to run a seed again."""
    return f"again: EMS_SIMULATION_FIRST_SEED={seed} EMS_SIMULATION_SEEDS=1 python -m pytest tests/simulation/test_simulation.py"
