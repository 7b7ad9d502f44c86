"""Hosts on one log: each has the lead's word, each sets its own latch for what another was told, and each answers for it."""

from __future__ import annotations

import itertools
from pathlib import Path

import pytest

from adapters.memory.event_log import MemoryEventLog
from adapters.memory.latch import MemoryLatch
from domain import kill_host
from domain.catalogue import TOPICS
from domain.kill_host import KillHosts
from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.lead import Lead, Leader, leader_name, not_of_shard
from ems.host_watch import HostWatch
from ems.kill import KillService
from ems.kill_pending import PendingFile


class Clock:
    """A second a call."""

    def __init__(self) -> None:
        self._ticks = itertools.count(1_000_000_000, 1_000_000_000)

    def now_ns(self) -> int:
        return next(self._ticks)


class Log(MemoryEventLog):
    """With a leader that the test names."""

    named = Leader(0, "")

    async def led_by(self) -> Leader:
        return self.named


class Host:
    """A latch, a watch of the others, and a kill switch."""

    def __init__(self, name: str, log: Log, home: Path) -> None:
        self.latch, clock = MemoryLatch(), Clock()
        self.lead = Lead()
        self.watch = HostWatch(name, log, self._told, self.latch, clock, build="test")
        self.kill = KillService(self.latch, PendingFile(home / name / "pending.jsonl"), clock, build="test", log=log)

    def _told(self, lead: Lead) -> None:
        self.lead = lead

    @property
    def level(self) -> Level:
        return self.latch.verdict([FIRM.digest]).level


@pytest.fixture
def log() -> Log:
    return Log(TOPICS, Clock())


@pytest.fixture
def hosts(log: Log, tmp_path: Path) -> tuple[Host, Host]:
    return Host("alpha", log, tmp_path), Host("beta", log, tmp_path)


async def known(log: Log) -> KillHosts:
    return kill_host.fold([one.event for one in await log.read(kill_host.key())])


async def test_a_stop_on_one_host_stops_the_other_which_says_so(log: Log, hosts: tuple[Host, Host]) -> None:
    alpha, beta = hosts
    for host in hosts:
        await host.watch.look()
    trip = alpha.kill.trip(FIRM, Level.HARD, actor="person:ann", reason="test").trip
    await alpha.kill.flush()
    await alpha.watch.look()
    assert (await known(log)).silent(trip) == ["beta"]
    assert beta.level is Level.ARMED
    await beta.watch.look()
    assert beta.level is Level.HARD
    assert f"{beta.latch.slots()[0].trip:016x}" == trip
    assert (await known(log)).silent(trip) == []
    events = await log.read(kill_host.key())
    await beta.watch.look()
    assert await log.read(kill_host.key()) == events, "nobody answers twice"


async def test_arming_again_and_resuming_reach_the_other_host(log: Log, hosts: tuple[Host, Host]) -> None:
    alpha, beta = hosts
    alpha.kill.trip(FIRM, Level.SOFT, actor="person:ann", reason="test")
    await alpha.kill.flush()
    await beta.watch.look()
    await alpha.kill.rearm(FIRM, person="ann", reason="checked")
    await beta.watch.look()
    assert beta.level is Level.SOFT, "one person alone arms nothing"
    await alpha.kill.rearm(FIRM, person="bob", reason="checked")
    await beta.watch.look()
    assert beta.level is Level.ARMED
    assert beta.latch.slots()[0].paused_before_ns == alpha.latch.slots()[0].paused_before_ns > 0
    await alpha.kill.resume(FIRM, person="ann", reason="go on")
    await beta.watch.look()
    assert not any(slot.paused_before_ns for slot in beta.latch.slots())


async def test_a_host_that_comes_later_has_the_last_word_alone(log: Log, hosts: tuple[Host, Host]) -> None:
    """What was tripped and armed again before it came must not stop it, also not for a moment."""
    alpha, beta = hosts
    alpha.kill.trip(FIRM, Level.HARD, actor="person:ann", reason="test")
    for person in ("ann", "bob"):
        await alpha.kill.rearm(FIRM, person=person, reason="checked")
    seen: list[Level] = []
    change = beta.latch.change

    def noted(scope: object, how: object) -> object:
        found = change(scope, how)  # type: ignore[arg-type]
        seen.append(found[1].level)
        return found

    beta.latch.change = noted  # type: ignore[method-assign, assignment]
    await beta.watch.look()
    assert set(seen) == {Level.ARMED}


async def test_what_this_host_was_told_and_the_log_was_not_stays(log: Log, hosts: tuple[Host, Host]) -> None:
    alpha, beta = hosts
    alpha.kill.trip(FIRM, Level.SOFT, actor="person:ann", reason="test")
    await alpha.kill.flush()
    own = beta.kill.trip(FIRM, Level.PANIC, actor="person:bob", reason="test").trip
    await beta.watch.look()
    assert (beta.level, f"{beta.latch.slots()[0].trip:016x}") == (Level.PANIC, own)


async def test_who_leads_is_told_to_the_hosts_processes(log: Log, hosts: tuple[Host, Host]) -> None:
    log.named = Leader(3, leader_name("desk", "beta", 17))
    for host in hosts:
        await host.watch.look()
    assert [host.lead for host in hosts] == [Lead(3, ours=False), Lead(3, ours=True)]
    assert Leader(1, "desk/17").host == ""


def test_a_log_is_of_one_shard() -> None:
    """The other shard's desk does not lead it, whichever host it is on."""
    leader = leader_name("equities", "alpha", 17)
    assert not_of_shard("", "futures") == ""
    assert not_of_shard(leader, "equities") == ""
    assert not_of_shard(leader, "futures") == "this log is the shard of equities, and this desk is futures"
