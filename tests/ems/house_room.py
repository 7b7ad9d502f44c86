"""A gated desk whose house account may hold something, for the tests of PANIC."""

from __future__ import annotations

from typing import Any

from domain.kill_flatten import FlattenHouse
from domain.kill_scope import FIRM, Scope, parse
from domain.kill_table import Level
from domain.messages import MarketUpdate
from domain.risk_data import RiskFacts
from domain.sending import SendChild
from domain.values import E9, Side
from ems.house import HouseTerms
from tests.ems.room import market
from tests.ems.test_kill_gate import Gated

HOUSE = HouseTerms(accounts=frozenset({"MM"}), sessions=frozenset({"OMS"}), collar_bps=100)
NOBODYS = RiskFacts(positions={}, accounts=None, fx_rates={"USD": E9})
TRIP = 9


async def house(
    held: int = 0, *, terms: HouseTerms = HOUSE, facts: RiskFacts = NOBODYS, gate_house: tuple[str, ...] = ("MM",)
) -> Gated:  # fmt: skip
    """A desk whose house account has bought so much for itself."""
    room = Gated(house=terms, risk_data=facts, gate_house=gate_house)
    await room.open()
    if held:
        await bought(room, "A1", held)
    room.take()
    return room


async def bought(room: Gated, cl_ord_id: str, quantity: int, *, account: str = "MM", side: Side = Side.BUY, **more: Any) -> None:
    """An order that is filled."""
    await room.client_order(cl_ord_id, account=account, side=side, quantity_e9=quantity * E9, **more)
    await room.fill(quantity, f"E-{cl_ord_id}", side=side)


def scope_of(text: str) -> Scope:
    found = parse(text)
    assert isinstance(found, Scope)
    return found


async def panic(room: Gated, scope: str = "firm", trip: int = TRIP, *, after_s: float = 3) -> list[SendChild]:
    """Tripped, and the desk has looked once: what it has sent for it."""
    room.latch.change(scope_of(scope), lambda slot: slot.tripped(Level.PANIC, trip, room.clock.ns))
    return await look(room, after_s=after_s)


async def look(room: Gated, *, after_s: float = 0, fresh: bool = True) -> list[SendChild]:
    room.clock.ns += int(after_s * E9)
    if fresh:
        await priced(room)
    await room.desk.cycle([FlattenHouse()])
    return [message for message in room.take(SendChild) if message.trip]


async def priced(room: Gated, bid: int | None = 99, ask: int | None = 101) -> None:
    state = market(bid, ask).market
    await room.desk.cycle([MarketUpdate(state.model_copy(update={"time_ns": room.clock.ns}))])


def left(room: Gated, scope: Scope = FIRM) -> list[tuple[str, str, int | None, str]]:
    _, found = room.desk.flattening.left(room.desk.state, scope, room.clock.ns)
    return [(one.account, one.instrument, one.position_e9 and one.position_e9 // E9, one.why) for one in found]
