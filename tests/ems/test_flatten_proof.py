"""The proof of flat of a PANIC: what became of the house, told by the keeper beside the desk's loop."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from domain.kill_flatten import FlattenHouse
from domain.kill_table import Level
from domain.risk_data import RiskFacts
from domain.values import E9, Side
from ems.flatten_desk import NOTHING_IS_THE_HOUSES
from ems.house import HouseTerms
from ems.kill_keeper import REPORT_AFTER_S
from tests.ems.room import Room, market
from tests.ems.test_kill_keeper import World, reports, world

__all__ = ["world"]


async def test_a_panic_is_proved_flat_when_the_houses_position_is(tmp_path: Path) -> None:
    house = HouseTerms(accounts=frozenset({"MM"}), sessions=frozenset({"OMS"}), price_age_ns=60 * E9)
    world = World(tmp_path, Room(house=house, risk_data=RiskFacts(positions={}, fx_rates={"USD": E9})))
    room = world.room
    await room.open()
    await room.client_order("A1", account="MM")
    await room.fill(1000)
    tripped = world.trip(Level.PANIC)
    await world.look(0)
    assert FlattenHouse() not in world.delivered, "the latch was looked at just now"
    await world.look(0.1)
    assert world.delivered[-1] == FlattenHouse()
    await room.desk.cycle([market(None, None), FlattenHouse()])
    for now_s in (1, REPORT_AFTER_S):
        await world.look(now_s)
    (first,) = await reports(world)
    assert (first.complete, first.flattening) == (False, "not flat: 1 positions of the house")
    assert [(u.account, u.instrument, u.position_e9, u.why) for u in first.unflattened] == [
        ("MM", "ABC", 1000 * E9, "no price is known")
    ]
    await room.desk.cycle([market(), FlattenHouse()])
    await room.fill(1000, "F1", side=Side.SELL)
    await world.look(REPORT_AFTER_S + 1)
    second = (await reports(world))[-1]
    assert (second.complete, second.flattening, second.unflattened) == (True, "the house is flat", ())
    assert (second.trip, second.live_at_trip) == (tripped.trip, 0)
    assert [(order.flattens, order.filled_anyway_e9, order.status) for order in second.orders] == [(True, 1000 * E9, "filled")]


async def test_a_panic_without_house_accounts_says_so(world: World) -> None:
    world.trip(Level.PANIC)
    await world.look(0)
    await world.look(1)
    (report,) = await reports(world)
    assert (report.complete, report.flattening) == (True, NOTHING_IS_THE_HOUSES)


async def test_below_a_panic_nobody_looks_at_the_house(world: World) -> None:
    world.trip(Level.HARD)
    for now_s in (0, 1, 2):
        await world.look(now_s)
    assert FlattenHouse() not in world.delivered
    assert (await reports(world))[0].flattening == ""


async def test_what_is_not_flat_for_long_is_looked_at_now_and_then(world: World) -> None:
    await world.room.client_order("A1")
    await world.room.report("new")
    world.trip(Level.PANIC)
    for tenth in range(700):
        await world.look(tenth / 10)
    often = world.delivered.count(FlattenHouse())
    assert 590 <= often <= 610
    asked: list[float] = []

    async def ask() -> list[Mapping[str, Any]]:
        asked.append(1)
        return []

    world.keeper._parts = replace(world.keeper._parts, ask=ask)
    for tenth in range(700, 900):
        await world.look(tenth / 10)
    assert 8 <= world.delivered.count(FlattenHouse()) - often <= 12
    assert 8 <= len(asked) <= 12
    await world.room.report("canceled")
    for tenth in range(900, 930):
        await world.look(tenth / 10)
    assert [report.complete for report in await reports(world)] == [False, True]
