"""The desk's process: the log, the link to the gateway, the planner pool and the reference data around one Desk."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import structlog
import uvloop
from pydantic import ValidationError

from adapters.clock import WallClock
from adapters.fix.link import FixLink, Hello
from adapters.fix.link_router import LinkRouter
from adapters.marketdata.fix_book import read_market
from adapters.postgres.event_log import PostgresEventLog
from adapters.postgres.lease import Membership
from adapters.shm.latch import SharedLatch
from adapters.shm.metrics import SharedMetrics
from domain import builds
from domain.catalogue import TOPICS
from domain.commands import COMMAND, Answer, Commanded
from domain.errors import ConfigError, EmsError
from domain.instrument import Universe
from domain.lead import leader_name, not_of_shard
from domain.messages import Input
from ems import desk_answers, lifeline, market_told, peer
from ems.bootstrap import kill
from ems.bootstrap.brokers import brokers
from ems.bootstrap.build import build_digest
from ems.bootstrap.desk_words import CONFIGURE
from ems.bootstrap.disk import disk_watch
from ems.bootstrap.firm import beside
from ems.bootstrap.introduction import hello
from ems.bootstrap.leading import lead, until_another_leads
from ems.bootstrap.live import Live
from ems.bootstrap.observed import Observed
from ems.bootstrap.planning import planner_pool
from ems.bootstrap.reference import FileReference
from ems.bootstrap.running_day import RunningDay
from ems.bootstrap.runtime import Runtime, of_group
from ems.bootstrap.tasks import until_first
from ems.builds import approvals
from ems.collector import settle_memory
from ems.command_desk import unfinished
from ems.config import Settings
from ems.desk import Desk
from ems.desk_ports import DeskPorts
from ems.desk_state import DeskState
from ems.health import StatusSocket
from ems.kill_keeper import KeeperParts, KillKeeper
from ems.kill_scopes import KillScopes
from ems.order_gate import GateRules, OrderGate
from ems.planner_pool import ProcessPlannerPool
from ems.pulse import Pulse
from ems.risk_day import risk_status
from ems.standby import following, second

_log = structlog.get_logger("desk")
FAILED, REFUSED = 1, 2  # exit status of a desk that may not go on, and of one that may not start
COMMAND_TIMEOUT_S: Final = 10.0


def run_desk(runtime_file: Path) -> int:
    """Run until SIGTERM; the process's exit status: 0, or 1 when the desk may not go on (fenced, an invariant broken)."""
    runtime = Runtime.load(runtime_file)
    lifeline.watch()
    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(DeskProcess(runtime, runtime_file).run())
    except ConfigError as error:
        _log.critical(str(error))
        return REFUSED
    except (EmsError, AssertionError) as error:
        _log.critical(str(error) or type(error).__name__, error=type(error).__name__, exc_info=True)
        return FAILED
    return 0


class DeskProcess:
    """Everything of one desk. Made before a loop runs, used inside `run`."""

    def __init__(self, runtime: Runtime, runtime_file: Path) -> None:
        self._live = Live(runtime)
        self._disk = disk_watch(runtime)
        self._runtime_file = runtime_file
        self._state = "starting"
        self._build = build_digest()
        self._approved: frozenset[str] = frozenset()  # builds that may be mixed, as they were when the lead was taken
        self._desk: Desk | None = None
        self._link: LinkRouter | None = None
        self._universe: Universe | None = None
        self._day: RunningDay | None = None
        self._seen = Observed(runtime)
        self._pulse = Pulse(SharedMetrics(runtime.metrics), "desk")
        self._scopes = KillScopes(runtime.settings.name, self._state_now)

    @property
    def _runtime(self) -> Runtime:
        return self._live.runtime

    async def run(self) -> None:
        """Recover, then work until told to stop.

        Raises:
            Fenced: another desk leads.
            InvariantBroken: the state excludes what happened.
        """
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        proved = peer.proving(self._runtime.persons, self._command, voucher_key=self._runtime.voucher_key)
        status = StatusSocket(self._runtime.socket("desk"), self.status, proved)
        await status.start()
        membership = Membership(self._build, lambda others: self._beside(log, others))
        log = PostgresEventLog(self._runtime.app_dsn, TOPICS, WallClock(), membership=membership, lease_s=self._runtime.lease_s)
        pool = planner_pool(self._runtime, lambda ready: self._deliver([ready]), self._pulse.count_error)
        try:
            await until_first(self._work(log, pool), self._pulse.run(), stop.wait())
            self._pulse.close()
        finally:
            self._state = "stopping"
            pool.close()
            if self._link is not None:
                self._link.close()
            await log.close()
            await status.close()

    async def _work(self, log: PostgresEventLog, pool: ProcessPlannerPool) -> None:
        settings = self._runtime.settings
        reference = FileReference.load(settings, route=self._live.route)
        day = self._day = RunningDay(settings)
        self._universe = reference.data.universe
        self._live.next(self._runtime, self._universe)()
        self._link = link = self._linked()
        if unknown := set(settings.kill.house_sessions) - set(self._live.client_sessions):
            raise ConfigError(f"[kill] house_sessions: {', '.join(sorted(unknown))} is no client session")
        latch = kill.read_latch(self._runtime)
        gate = OrderGate(link, GateRules(latch, self._scopes.mark, settings.kill.house_accounts), self._deliver)
        desk = self._desk = Desk(
            DeskPorts(*self._seen.around(log, gate, pool), reference, self._runtime.clock(), brokers(settings), day.facts.port,
                      latch=latch, take_lead=second if self._runtime.standby else following,
                      count_error=self._pulse.count_error),
            name=leader_name(settings.name, settings.failover.host, os.getpid()), build=self._build,
            pace=settings.scheduler_pace(), venue_sessions=self._live.venue_sessions, client_sessions=self._live.client_sessions,
            policies=self._live.policies, copies=self._live.copies, care=settings.care.terms(self._live.venue_sessions),
            house=settings.kill.house(), risk=settings.risk.terms(settings.name, watched=settings.watchdog.enabled),
        )  # fmt: skip
        self._state = "standing by"
        await lead(desk, log, self._runtime.lease_s)
        settle_memory()
        self._state = "leading"
        await day.look(log)  # before anything is decided
        keeper = self._keeper(desk, log, latch)
        others = beside(self._runtime, desk, self._deliver, day, log, pool, self._seen.observers)
        jobs = (link.run(), desk.run(), keeper.run(), day.watch(log), self._disk.run(), others)
        await until_first(*jobs, until_another_leads(log))

    async def _beside(self, log: PostgresEventLog, others: Mapping[str, str]) -> str:
        """Why this desk may not open this log, or not beside those that are up; "" if it may."""
        why = not_of_shard((await log.led_by()).name, self._runtime.settings.name)
        self._approved = (await approvals(log)).approved(self._runtime.clock().now_ns())
        return why or builds.refusal(self._build, others, self._approved)

    def _keeper(self, desk: Desk, log: PostgresEventLog, latch: SharedLatch) -> KillKeeper:
        runtime = self._runtime
        parts = KeeperParts(
            desk, kill.service(runtime, log), latch, log, runtime.clock(), self._scopes, self._deliver,
            lambda: kill.ask_gateways(self._runtime), self._disk.word,
        )  # fmt: skip
        return KillKeeper(parts, name=runtime.settings.name, outage_s=runtime.settings.kill.outage_s)

    def _state_now(self) -> DeskState:
        assert self._desk is not None
        return self._desk.state

    def _linked(self) -> LinkRouter:
        """The links to the gateways of the session groups."""

        def connect(group: str, deliver: Callable[[list[Input]], None]) -> FixLink:
            path = self._runtime.socket(of_group("link", group))
            spoken = self._live.dialects
            return FixLink(
                path, hello=self._hello, deliver=deliver, read_market=read_market, mark_of=self._scopes.mark, dialects=spoken
            )

        return LinkRouter(_groups(self._runtime.settings), connect, self._deliver)

    # ------------------------------------------------------------------------------------------ inputs

    def _deliver(self, inputs: list[Input]) -> None:
        assert self._desk is not None
        self._seen.arrived(inputs)
        for item in inputs:
            self._desk.inbox.put(item)

    async def _command(self, question: dict[str, Any]) -> dict[str, Any]:
        """A command through the desk; answered when what it caused is durable."""
        if self._desk is None or not self._desk.ready:
            return {"ok": False, "text": "the desk does not lead"}
        if question["command"] == CONFIGURE:
            return await self._configure(self._desk, [str(group) for group in question.get("restarted", ())])
        try:
            command = COMMAND.validate_python(question)
        except ValidationError as error:
            return {"ok": False, "text": "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors())}
        answered: asyncio.Future[Answer] = asyncio.get_running_loop().create_future()
        self._deliver([Commanded(command, lambda answer: None if answered.done() else answered.set_result(answer))])
        try:
            answer = await asyncio.wait_for(answered, COMMAND_TIMEOUT_S)
        except TimeoutError:
            return {"ok": False, "in_doubt": True, "text": "no answer in time: ask again with the same command_id"}
        return {"ok": answer.ok, "text": answer.text, **dict(answer.ids)}

    async def _configure(self, desk: Desk, restarted: Sequence[str]) -> dict[str, Any]:
        """Go over to the sessions and routes of the runtime's file, between two batches; nothing else of it is looked at.

        Args:
            restarted: the groups whose gateways have been stopped for it.
        """
        link, universe = self._link, self._universe
        assert link is not None and universe is not None
        try:
            runtime = Runtime.load(self._runtime_file)
            go_over = self._live.next(runtime, universe)
        except EmsError as error:
            return {"ok": False, "text": str(error)}
        done: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def change() -> None:
            gone = _groups(self._live.settings).keys() - _groups(runtime.settings).keys()
            needed = sorted(name for name in gone if unfinished(desk.state, name))
            if not needed:
                go_over()
                link.regroup(_groups(runtime.settings), restarted)
            if not done.done():
                done.set_result(f"orders of {needed[0]} have not ended" if needed else "")

        desk.inbox.between(change)
        text = await done
        return {"ok": not text, "text": text}

    def _hello(self) -> Hello | None:
        assert self._desk is not None
        return hello(self._desk, self._runtime.settings, self._build, self._approved)

    # ------------------------------------------------------------------------------------------ status

    def status(self, question: dict[str, Any]) -> dict[str, Any]:
        """What `ems health` is told; with {"alerts": true} also how much a person must look at, {"attention": which}: what."""
        desk, settings = self._desk, self._runtime.settings
        answer: dict[str, Any] = {"state": self._state, "pid": os.getpid(), "mode": settings.mode, "build": self._build}
        answer["disk"] = self._disk.status()
        if desk is None:
            return answer
        state = desk.state
        answer |= {"state": "recovering"} if self._state == "leading" and not desk.ready else {}
        answer |= desk_answers.told(state, question, self._runtime.clock().now_ns())
        return answer | {
            "epoch": desk.epoch,
            "day": self._day.name if self._day is not None else "",
            "seq": state.seq,
            "clock_ns": self._runtime.clock().now_ns(),
            "working": len(state.working),
            "link": self._link is not None and self._link.up,
            "sessions_up": sorted({session.session for session in state.sessions.values() if session.up}),
            "risk": risk_status(state.risk, self._runtime.clock().now_ns()),
            **market_told.told(desk.markets, question),
            **self._seen.told(desk, question),
        }


def _groups(settings: Settings) -> dict[str, str]:
    return {session.name: session.group for session in settings.sessions}
