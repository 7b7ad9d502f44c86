"""A PANIC in the desk: what it sends for the house, what it leaves alone, and what it says of the rest."""

from __future__ import annotations

import pytest

from domain.kill_scope import FIRM
from domain.kill_table import Level
from domain.order_life import OrdStatus
from domain.parent_order import ParentOrder
from domain.risk_data import RiskFacts
from domain.sending import ParentReport, SendChildCancel
from domain.values import E9, Side, TimeInForce
from ems import recovery
from ems.flatten_desk import NOTHING_IS_THE_HOUSES, ORDERS_MAX
from ems.house import HouseTerms
from tests.domain.orders import venue_report
from tests.ems.house_room import HOUSE, NOBODYS, TRIP, bought, house, left, look, panic, priced, scope_of
from tests.ems.test_kill_gate import Gated

# ------------------------------------------------------------------------------------------------- what is sent


async def test_a_long_position_is_sold_at_once_within_its_collar_by_an_order_that_carries_the_trip() -> None:
    room = await house(100)
    (sent,) = await panic(room)
    assert (sent.side, sent.quantity_e9, sent.limit_price_e9) == (Side.SELL, 100 * E9, 99 * E9)
    assert (sent.time_in_force, sent.account, sent.session, sent.trip) == (TimeInForce.IOC, "MM", "VENUE", TRIP)
    assert left(room) == [("MM", "ABC", 100, "an order is out")]
    room.take()
    await room.fill(100, "F1", side=Side.SELL)
    assert left(room) == []
    assert room.take(ParentReport) == [], "it has no client to tell"
    assert room.parent().status is OrdStatus.FILLED
    assert room.parent().finished
    assert await look(room, after_s=5) == []


async def test_a_short_position_is_bought_back() -> None:
    room = await house()
    await bought(room, "A1", 50, side=Side.SELL)
    room.take()
    (sent,) = await panic(room)
    assert (sent.side, sent.quantity_e9, sent.limit_price_e9) == (Side.BUY, 50 * E9, 101 * E9)


async def test_what_the_day_began_with_is_flattened_too() -> None:
    room = await house(20, facts=RiskFacts(positions={("MM", "ABC"): -70 * E9}, fx_rates={"USD": E9}))
    (sent,) = await panic(room)
    assert (sent.side, sent.quantity_e9) == (Side.BUY, 50 * E9)


async def test_what_is_left_is_tried_again_around_the_first_price_and_not_for_ever() -> None:
    room = await house(100)
    prices = []
    sent = await panic(room)
    for number in range(ORDERS_MAX):
        prices.append([message.limit_price_e9 for message in sent])
        await room.fill(10, f"F{number}", side=Side.SELL)
        await room.report("canceled")
        room.clock.ns += E9 // 2
        await priced(room, 50, 52)
        assert await look(room, fresh=False) == [], "not before the last one has ended for a while"
        room.clock.ns += 2 * E9
        await priced(room, 50, 52)  # the market has fallen: the collar does not follow it
        sent = await look(room, fresh=False)
    assert prices == [[99 * E9]] * ORDERS_MAX
    assert (sent, left(room)) == ([], [("MM", "ABC", 50, f"{ORDERS_MAX} orders have not flattened it")])


@pytest.mark.parametrize("level", [Level.SOFT, Level.HARD])
async def test_below_panic_nothing_flattens(level: Level) -> None:
    room = await house(100)
    room.trip("firm", level)
    assert await look(room, after_s=3) == []


async def test_nothing_flattens_after_it_was_armed_again() -> None:
    room = await house(100)
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, TRIP, room.clock.ns))
    room.latch.change(FIRM, lambda slot: slot.rearmed(TRIP, room.clock.ns))
    assert await look(room, after_s=3) == []


# ------------------------------------------------------------------------------------------- what is not the house's


async def test_what_was_filled_for_a_client_is_never_sold() -> None:
    room = await house(30)
    await bought(room, "C1", 500, account="FUND")
    room.take()
    (sent,) = await panic(room)
    assert (sent.account, sent.quantity_e9) == ("MM", 30 * E9)


async def test_a_client_that_names_a_house_account_keeps_what_it_was_filled() -> None:
    room = await house(terms=HouseTerms(accounts=frozenset({"MM"})))  # OMS does not trade for the house
    await bought(room, "C1", 500)
    room.take()
    assert await panic(room) == []
    assert left(room) == []


async def test_where_no_account_is_the_houses_nothing_is_flattened_and_that_is_said() -> None:
    room = await house(100, terms=HouseTerms())
    assert await panic(room) == []
    assert room.desk.flattening.left(room.desk.state, FIRM, room.clock.ns) == (NOTHING_IS_THE_HOUSES, ())


@pytest.mark.parametrize(
    ("scope", "quantities"),
    [
        ("firm", [100]), ("desk:desk", [100]), ("account:MM", [100]), ("instrument:ABC", [100]), ("venue:VENUE", [100]),
        ("client:OMS", [100]), ("strategy:direct", [100]), ("account:FUND", []), ("instrument:XYZ", []), ("strategy:twap", []),
        ("client:OTHER", []), ("venue:OTHER", []), ("desk:other", []),
    ],
)  # fmt: skip
async def test_a_scope_has_the_positions_that_belong_to_it(scope: str, quantities: list[int]) -> None:
    room = await house(100)
    await bought(room, "C1", 500, account="FUND")  # which a trip of that account is about, and nobody sells
    room.take()
    assert [message.quantity_e9 // E9 for message in await panic(room, scope)] == quantities
    assert len(left(room, scope_of(scope))) == len(quantities)


async def test_of_a_strategy_only_its_own_part_is_flattened_once() -> None:
    room = await house(100)
    await room.order(cl_ord_id="T1", account="MM", quantity_e9=40 * E9)
    await room.plan(40)
    await room.fill(40, "ET")
    room.take()
    (sent,) = await panic(room, "strategy:twap")
    assert sent.quantity_e9 == 40 * E9
    await room.fill(40, "F1", side=Side.SELL)
    assert await look(room, after_s=5) == []
    assert left(room, scope_of("strategy:twap")) == []


async def test_of_two_trips_the_one_that_the_last_look_sees_sends() -> None:
    room = await house(100)
    room.latch.change(scope_of("account:MM"), lambda slot: slot.tripped(Level.PANIC, 5, room.clock.ns))
    (sent,) = await panic(room)
    assert sent.trip == TRIP
    assert [why for *_, why in left(room, scope_of("account:MM"))] == ["an order is out"], "its report waits for it as well"


# ------------------------------------------------------------------------------------------------- never past zero


async def test_it_waits_for_cancels_and_then_takes_only_what_is_certain_to_reduce() -> None:
    room = await house(100)
    await room.client_order("W1", account="MM", side=Side.SELL, quantity_e9=30 * E9)
    await room.report("new", side=Side.SELL)
    working = room.child()
    room.take()
    assert await panic(room, after_s=1) == []
    assert left(room) == [("MM", "ABC", 100, "orders of the account are being canceled")]
    (sent,) = await look(room, after_s=1.5)
    assert sent.quantity_e9 == 70 * E9, "the other 30 may yet be sold by the order whose cancel has no answer"
    await room.fill(70, "F1", side=Side.SELL)
    await room.venue(venue_report("canceled", cl_ord_id=working.cl_ord_id))
    assert [message.quantity_e9 // E9 for message in await look(room, after_s=2)] == [30]


async def test_an_order_in_doubt_reserves_what_it_may_still_sell() -> None:
    room = await house(100)
    await room.client_order("W1", account="MM", side=Side.SELL, quantity_e9=100 * E9)
    await room.wait(5)
    assert room.child().status is OrdStatus.IN_DOUBT
    room.take()
    assert await panic(room) == []
    assert left(room) == [("MM", "ABC", 100, "what is out or in doubt may reduce it")]


async def test_its_own_order_in_doubt_is_not_sent_twice_by_the_next_desk() -> None:
    room = await house(100)
    (sent,) = await panic(room)
    after = Gated(
        log=room.log, clock=room.clock, latch=room.latch, house=HOUSE, risk_data=NOBODYS, gate_house=["MM"]
    )  # fmt: skip
    room.log.release_lead()
    after._numbers, after._frame = room._numbers, room._frame
    await after.open()
    after.take()
    assert await look(after, after_s=5) == []
    assert [child.cl_ord_id for child in after.desk.state.live_children()] == [sent.cl_ord_id]
    assert left(after) == [("MM", "ABC", 100, "an order is out")]
    await after.venue(venue_report("canceled", cl_ord_id=sent.cl_ord_id))
    (again,) = await look(after, after_s=5)
    assert again.cl_ord_id != sent.cl_ord_id


async def test_one_that_the_gate_stops_ends_as_certain_and_is_counted() -> None:
    room = await house(100, gate_house=("OTHER",))
    assert await panic(room) == []
    await room.told()
    assert room.parent().status is OrdStatus.REJECTED
    assert left(room) == [("MM", "ABC", 100, "the next order is due in a moment")]


async def test_a_cancel_passes_beside_it() -> None:
    room = await house(100)
    await room.client_order("W1", account="MM", side=Side.SELL, quantity_e9=30 * E9)
    await room.report("new", side=Side.SELL)
    room.take()
    room.latch.change(FIRM, lambda slot: slot.tripped(Level.PANIC, TRIP, room.clock.ns))
    await room.cancel("W2", "W1")
    assert len(room.take(SendChildCancel)) == 1


# ------------------------------------------------------------------------------------------------- replay


async def test_a_replay_of_the_log_is_the_desk_that_flattened() -> None:
    room = await house(100)
    await panic(room)
    await room.fill(60, "F1", side=Side.SELL)
    folded = await recovery.fold(room.log)
    assert folded.digest() == room.desk.state.digest()
    assert folded.flattening == room.desk.state.flattening
    (stream,) = folded.flattening["MM", "ABC"]
    parent = folded.parents[stream]
    assert isinstance(parent, ParentOrder)
    assert (parent.flattens, parent.cum_quantity_e9) == (("firm", f"{TRIP:016x}"), 60 * E9)
