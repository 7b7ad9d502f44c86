"""The kill switch over real FIX, judged at the venue's socket: with everything up, and with each other part dead."""

from __future__ import annotations

import asyncio
import os
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
import pytest_asyncio

from adapters.shm.latch import SharedLatch
from domain.kill_latch import Slot
from domain.kill_scope import FIRM, Scope
from domain.kill_switch import Tripped
from domain.kill_table import Level
from ems.bootstrap import kill
from ems.cli import kill_work
from tests.acceptance.kill_room import WAIT_S, Room, room, until

pytestmark = [pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]
WORKING = int(os.environ.get("EMS_KILL_WORKING", "200"))  # 1,000 in the campaign
PER_S = 500
BURST = 400
ENDED = {"4", "8", "C"}


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def up() -> AsyncIterator[Room]:
    with tempfile.TemporaryDirectory(prefix="ems-kill-") as home:
        async with room(Path(home)) as made:
            yield made


@pytest_asyncio.fixture(loop_scope="module")
async def armed(up: Room) -> AsyncIterator[Room]:
    """Working orders, and afterwards everything as before."""
    up.venue.arrivals.clear()
    await up.work(WORKING, PER_S)
    yield up
    await up.armed_again()


class StampedLatch(SharedLatch):
    """Says when it was set: what is written to disk after that is no part of it."""

    changed_ns = 0

    def change(self, scope: Scope, how: Callable[[Slot], Slot]) -> tuple[Slot, Slot]:
        changed = super().change(scope, how)
        self.changed_ns = time.time_ns()
        return changed


class Trip:
    """The switch, set by this process: no desk, no gateway and no database is asked."""

    def __init__(self, up: Room) -> None:
        self.live = len(up.venue.open)
        latch = StampedLatch(up.runtime.latch)
        service = kill.service(up.runtime, None, latch)
        self.before_ns = time.time_ns()
        self.event: Tripped = service.trip(FIRM, Level.HARD, actor="person:test", reason="a test")
        self.after_ns = latch.changed_ns

    def judge(self, up: Room) -> None:
        """At the venue's own socket."""
        assert up.venue.orders_behind_a_cancel_all() == []
        assert up.venue.orders_after(self.after_ns // 1_000_000 + 1) == []
        assert up.venue.open == {}

    def show(self, what: str, up: Room) -> None:
        cancels = [a for a in up.venue.arrivals if a.msg_type == "F" and "K" in a.cl_ord_id[16:]]
        last_ms = max(a.sent_ms for a in cancels) - self.before_ns / 1e6
        print(f"\n{what}: {self.live} working, {len(cancels)} cancels, trip to last cancel sent {last_ms:.0f} ms, "
              f"latch set in {(self.after_ns - self.before_ns) / 1e3:.0f} us")  # fmt: skip


async def test_under_load_nothing_leaves_after_it_and_all_that_worked_is_canceled_and_proved(armed: Room) -> None:
    up, load_ends = armed, asyncio.Event()
    load = asyncio.create_task(up.oms.orders(PER_S, load_ends.is_set))
    await asyncio.sleep(0.5)
    trip = Trip(up)
    await until(lambda: not up.venue.open)
    await asyncio.sleep(1)  # the load goes on against a closed door
    load_ends.set()
    await load
    trip.judge(up)
    report = await up.reported(trip.event.trip)
    assert (report["open_orders"], report["complete"]) == (0, True)
    assert report["live_at_trip"] >= trip.live
    assert all(order["ended_ns"] for order in report["orders"])
    await until(lambda: set(up.oms.told.values()) <= ENDED)
    assert any("HARD" in headline for headline in up.oms.news)
    assert any("kill switch: HARD" in text for text in up.oms.texts_of)
    trip.show("all up", up)


async def test_what_the_desk_has_sent_already_is_stopped_at_the_gateways_last_look(armed: Room) -> None:
    """Decided, written and on its way when the switch is set: only the last look can stop it."""
    up = armed
    gateway, desk = up.process("_gateway"), up.process("_desk")
    desk.suspend()
    up.venue.arrivals.clear()
    burst = {up.oms.order() for _ in range(BURST)}
    await asyncio.sleep(1)  # they lie at the desk's door
    gateway.suspend()
    desk.resume()
    await asyncio.sleep(2)  # what the desk made of them lies at the gateway's
    trip = Trip(up)
    gateway.resume()
    await until(lambda: not up.venue.open)
    await until(lambda: set(up.oms.told.values()) <= ENDED and burst <= up.oms.told.keys())
    trip.judge(up)
    (told,) = await kill.ask_gateways(up.runtime)
    print(f"\nof {BURST} on their way, {told['stopped']} were stopped in the gateway, the others at the desk")
    assert [a for a in up.venue.arrivals if a.msg_type == "D"] == []
    assert told["stopped"] > 0
    assert (await up.reported(trip.event.trip))["open_orders"] == 0


async def test_with_postgres_stopped(armed: Room) -> None:
    up = armed
    await asyncio.to_thread(up.server.stop)
    try:
        trip = Trip(up)
        await until(lambda: not up.venue.open)
        trip.judge(up)
        trip.show("Postgres stopped", up)
    finally:
        await asyncio.to_thread(up.server.start)
    report = await up.reported(trip.event.trip)  # the log is told when it is back
    assert report["open_orders"] == 0
    await until(lambda: set(up.oms.told.values()) <= ENDED)


async def test_with_the_desk_killed(armed: Room) -> None:
    up = armed
    up.process("_desk").kill()
    trip = Trip(up)
    await until(lambda: not up.venue.open)
    trip.judge(up)
    trip.show("desk killed", up)
    report = await up.reported(trip.event.trip)  # by the desk that was started in its place
    assert (report["open_orders"], report["live_at_trip"]) == (0, trip.live)
    await until(lambda: set(up.oms.told.values()) <= ENDED)


async def test_with_the_gateway_killed_and_started_again(armed: Room) -> None:
    up = armed
    up.process("_gateway").kill()
    trip = Trip(up)
    await until(lambda: not up.venue.open)
    trip.judge(up)
    trip.show("gateway killed", up)
    await reconnect(up)
    report = await up.reported(trip.event.trip)
    assert report["open_orders"] == 0
    await until(lambda: set(up.oms.told.values()) <= ENDED)


async def test_postgres_away_for_five_seconds_suspends_and_resumes_by_itself(up: Room) -> None:
    await asyncio.to_thread(up.server.stop)
    await until(lambda: up.levels() == {"desk:desk": "SUSPENDED"})
    await asyncio.sleep(5)
    up.venue.arrivals.clear()
    refused = up.oms.order()
    await asyncio.sleep(0.5)
    assert [a for a in up.venue.arrivals if a.msg_type == "D"] == []
    await asyncio.to_thread(up.server.start)
    await until(lambda: up.levels() == {})
    await until(lambda: up.oms.told.get(refused, "A") != "A")
    working = up.oms.order()
    await until(lambda: up.oms.told.get(working) == "0", WAIT_S)
    state = await kill_work.state_of(up.settings)
    assert (state["readable"], state["scopes"], state["logged"]) == (True, [], True)


async def reconnect(up: Room) -> None:
    await up.oms.drop()
    await up.oms.connect(next(s.port for s in up.settings.sessions if s.name == "OMS"))
