"""Orders that ask for a wheel are given their algorithm as they come, over FIX and at the desk; people open and move it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from domain import wheel
from domain.commands import COMMAND, Answer, Commanded
from domain.parent_order import ParentOrder
from domain.values import E9
from domain.wheel import Assigned, Setting
from ems import recovery
from ems.bootstrap.wheel import of_log
from ems.tca.record import Ledger
from tests.domain.orders import new_order
from tests.ems.room import Room, topics
from tests.ems.tca.histories import Facts

OPEN = {
    "command": "open_wheel", "command_id": "W1", "actor": "person:jane", "reason": "a trial", "wheel": "main", "seed": "S",
    "arms": [{"name": "vwap", "algo": "vwap"}, {"name": "pov10", "algo": "pov", "parameters": [["ParticipationRate", "10"]]}],
    "weights_e9": [E9 // 2, E9 // 2],
}  # fmt: skip


async def asked(room: Room, command: dict[str, Any]) -> Answer:
    answers: list[Answer] = []
    fresh = command if command["command"] == "enter_order" else command | {"command_id": uuid4().hex}
    await room.desk.cycle([Commanded(COMMAND.validate_python(fresh), answers.append)])
    return answers[0]


async def turning(room: Room, orders: int) -> list[ParentOrder]:
    """A wheel, and orders for it."""
    assert (await asked(room, OPEN)).ok
    for number in range(orders):
        algo = ("wheel:main", "847=1010", "wheel")[number % 3]
        await room.client(new_order(cl_ord_id=f"W{number}", algo=algo, parameters=(("DurationMinutes", "30"),)))
    return [parent for parent in room.desk.state.parents.values() if isinstance(parent, ParentOrder)]


async def assignments(room: Room) -> list[Assigned]:
    pages = room.log.read_pages()
    return [r.event async for page in pages for r in page if isinstance(r.event, Assigned)]


async def test_orders_are_worked_by_what_was_drawn_for_them() -> None:
    room = await Room().open()
    parents = await turning(room, 12)
    drawn = await assignments(room)
    arms = {"vwap": "vwap", "pov10": "pov"}
    assert [(p.id, p.terms.algo.value) for p in parents] == [(one.order, arms[one.arm]) for one in drawn]
    assert len({one.arm for one in drawn}) == 2
    assert {p.terms.end_ns - p.terms.start_ns for p in parents} == {30 * 60 * E9}  # the client's own parameters count too
    folded = await recovery.fold(room.log)
    assert folded.digest() == room.desk.state.digest()
    assert folded.wheels == room.desk.state.wheels


async def test_another_desk_draws_the_same() -> None:
    first, second = await Room().open(), await Room().open()
    assert [p.terms for p in await turning(first, 9)] == [p.terms for p in await turning(second, 9)]


async def test_what_of_the_market_is_known_makes_the_stratum() -> None:
    room = await Room().open()
    await turning(room, 1)
    (one,) = await assignments(room)
    assert one.setting == Setting(None, 10_000 * 2 / 100, None)  # 99 to 101; no volumes and no closes are loaded
    assert one.stratum == "?2?"


async def test_an_order_told_twice_is_drawn_once_and_one_that_is_refused_stays_assigned() -> None:
    room = await Room().open()
    await turning(room, 1)
    await room.client(new_order(cl_ord_id="W0", algo="wheel:main"))
    assert len(await assignments(room)) == 1
    await room.client(new_order(cl_ord_id="W9", algo="wheel:main", quantity_e9=15 * E9))  # off the lot
    assert [one.number for one in await assignments(room)] == [1, 2]
    assert (await topics(room)).count("parent_order.rejected") == 1


async def test_without_a_wheel_of_that_name_the_order_is_refused() -> None:
    room = await Room().open()
    await turning(room, 0)
    await room.client(new_order(cl_ord_id="W0", algo="wheel:other"))
    assert await assignments(room) == []
    assert "parent_order.accepted" not in await topics(room)


async def test_an_order_entered_at_the_desk_may_ask_for_it_too() -> None:
    room = await Room().open()
    await turning(room, 0)
    entry = {
        "command": "enter_order", "command_id": "C1", "actor": "person:jane", "client_session": "OMS", "symbol": "ABC",
        "side": "buy", "quantity_e9": 1000 * E9, "limit_price_e9": 100 * E9, "algo": "wheel:main",
    }  # fmt: skip
    assert (await asked(room, entry)).ok
    assert (await asked(room, entry)).text == "entered before"
    assert [one.order for one in await assignments(room)] == [room.parent().id]


async def test_people_move_the_weights_and_nobody_else() -> None:
    room = await Room().open()
    await turning(room, 1)
    move = {**OPEN, "command": "reweigh_wheel", "weights_e9": [900_000_000, 100_000_000]}
    del move["arms"], move["seed"]
    assert (await asked(room, move)).ok
    assert room.desk.state.wheels[wheel.key("main")].weights_e9 == (900_000_000, 100_000_000)
    for changes, said in (
        ({"weights_e9": [E9, 0]}, "less than 0.01"),
        ({"wheel": "other"}, "no wheel other"),
        ({"actor": "client:OMS"}, "not a person"),
    ):
        answer = await asked(room, {**move, **changes})
        assert (answer.ok, said in answer.text) == (False, True)
    assert not (await asked(room, {**OPEN, "weights_e9": [E9, E9]})).ok


async def test_its_report_is_made_of_what_its_orders_cost() -> None:
    room = await Room().open()
    await turning(room, 3)
    await room.wait(31 * 60)  # all expire, nothing done
    await room.client(new_order(cl_ord_id="W9", algo="wheel:main", quantity_e9=15 * E9))
    ledger = Ledger()
    async for page in room.log.read_facts():
        for _, stream, recorded_ns, (event, meta) in page:
            ledger.apply(stream, recorded_ns, event, meta)
    found = await of_log(room.log, ledger, Facts(), "main")
    assert (found.results.compared, found.results.missing, found.results.waiting) == (3, 1, 0)
    row = found.row()
    assert row["weights"] == row["rule"] == {"vwap": 0.5, "pov10": 0.5}
    assert {arm["raw_mean_bps"] for arm in row["arms"]} <= {0.0, None}
