"""The watchdog as a process: killed, it suspends everybody until it is back; a day's loss sets the kill switch through it."""

from __future__ import annotations

import tempfile
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from domain import kill_switch as ks
from domain.kill_scope import Scope
from domain.kill_table import Level
from domain.values import ScopeKind
from ems.bootstrap import kill
from ems.bootstrap.health import health
from tests.acceptance.kill_room import Room, room, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
CONFIGURATION = """
[watchdog]
beat_max_s = 3
"""
LOSS = 5_000  # shares bought at 200 of what is worth 100: 2.5 % of the desk's stated capital, 1 % of the firm's
DESK = Scope(ScopeKind.DESK, "desk")


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def up() -> AsyncIterator[Room]:
    with tempfile.TemporaryDirectory(prefix="ems-watch-") as home:
        async with room(Path(home), CONFIGURATION) as made:
            yield made


def supervisor(up: Room) -> psutil.Process:
    found = up.process("_watchdog").parent()
    assert found is not None
    return found


def last_look(up: Room) -> Level:
    """What the desk and the gateway are told by the latch right before a socket."""
    return kill.read_latch(up.runtime).verdict([]).level


def arrived(up: Room, msg_type: str) -> list[str]:
    return [arrival.cl_ord_id for arrival in up.venue.arrivals if arrival.msg_type == msg_type]


async def told(up: Room) -> list[tuple[str, str, str]]:
    """What the log has of the kill switch: event, actor, and the source or level."""
    async with kill.log_of(up.runtime) as log:
        events = [(one.event, one.meta.actor) for one in await log.read(ks.key())]
    found = []
    for event, actor in events:
        what: Any = getattr(event, "source", getattr(event, "level", ""))
        found.append((event.TOPIC.split(".")[1], actor, what))
    return found


async def test_while_it_lives_orders_leave_and_health_knows_it(up: Room) -> None:
    order = up.oms.order()
    await until(lambda: up.oms.told.get(order) == "0")
    found = await health(up.runtime)
    assert found["up"] and found["watchdog"]["up"]
    assert (found["watchdog"]["state"], found["watchdog"]["metrics_missing"]) == ("watching", [])
    assert found["kill"]["up"] and (found["kill"]["firm"], found["kill"]["scopes"]) == ("ARMED", [])
    assert found["risk"] == {"up": True, "strategies_disabled": [], "orders_refused": 0, "limits_in_force": 3}


async def test_killed_it_suspends_everybody_and_its_return_clears_that(up: Room) -> None:
    working = up.oms.order()
    await until(lambda: up.oms.told.get(working) == "0")
    keeper = supervisor(up)
    keeper.suspend()  # nobody starts it again
    try:
        up.process("_watchdog").kill()
        await until(lambda: last_look(up) is Level.SUSPENDED)
        up.venue.arrivals.clear()
        refused = up.oms.order()
        up.oms.cancel(working)
        await until(lambda: up.oms.told.get(working) == "4" or up.oms.told.get(f"C{working}") == "4")
        assert arrived(up, "F") != [], "cancels pass"
        await until(lambda: up.oms.told.get(refused) == "8")
        assert up.oms.texts_of["kill switch: SUSPENDED"] == 1
        assert arrived(up, "D") == [], "nothing new leaves"
        await until(lambda: up.levels() == {"firm": "SUSPENDED"})  # the desk has noticed, for the log and the clients
        found = await health(up.runtime)
        assert not found["up"] and not found["watchdog"]["up"]
        assert found["kill"]["firm"] == "SUSPENDED"
    finally:
        keeper.resume()
    await until(lambda: last_look(up) is Level.ARMED and up.levels() == {})
    taken = up.oms.order()
    await until(lambda: up.oms.told.get(taken) == "0")
    await until(lambda: up.oms.news[-2:] == ["Kill switch: firm is SUSPENDED", "Kill switch: firm is ARMED"])
    assert ("suspended", "system:desk", "watchdog") in await told(up)
    assert ("cleared", "system:watchdog", "watchdog") in await told(up)


async def test_one_that_hangs_is_one_that_is_dead(up: Room) -> None:
    dog = up.process("_watchdog")
    dog.suspend()
    try:
        await until(lambda: last_look(up) is Level.SUSPENDED)
    finally:
        dog.resume()
    await until(lambda: last_look(up) is Level.ARMED and up.levels() == {})


async def test_a_days_loss_beyond_two_per_cent_of_the_capital_sets_hard(up: Room) -> None:
    up.venue.arrivals.clear()
    stays = up.oms.order()
    loses = up.oms.order(LOSS, side=1)
    await until(lambda: {up.oms.told.get(stays), up.oms.told.get(loses)} == {"0"})
    big = next(key for key, order in up.venue.open.items() if order["38"] == str(LOSS))
    up.venue.fill(big, 200)
    await until(lambda: up.levels() == {"desk:desk": "HARD"})
    await until(lambda: not up.venue.open)  # the gateway has canceled what worked
    async with kill.log_of(up.runtime) as log:
        service = kill.service(up.runtime, log)
        await service.flush()
        switch = (await service.state()).of(DESK)
    assert (switch.level, switch.actor) == (Level.HARD, "system:watchdog")
    assert switch.reason.startswith("daily_pnl: -2.5 % of 20,000,000, below -2 %")
    assert (await up.reported(switch.trip))["open_orders"] == 0
    up.venue.arrivals.clear()
    refused = up.oms.order()
    await until(lambda: up.oms.told.get(refused) == "8")
    assert arrived(up, "D") == []
    await up.armed_again(DESK)
    accepted = up.oms.order()
    await until(lambda: up.oms.told.get(accepted) == "0")
    assert up.levels() == {}, "two people have seen that loss: it trips anew when it is worse"
